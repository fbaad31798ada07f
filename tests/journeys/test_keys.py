"""The keys of a whole factory, from the command line: a passphrase, a seal, a rotation, a hold and an erasure."""

import json
import os
import subprocess
from pathlib import Path

from tests.servers.factory import COMMAND, Running, clean_environment, quickstarted

PASSPHRASE = "correct horse battery staple"


def said(factory: Running, *arguments: str) -> str:
    done = factory.run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(factory: Running, *arguments: str) -> str:
    done = factory.run(*arguments)
    assert done.returncode != 0, done.stdout
    return done.stderr


def test_a_factory_under_a_passphrase_keeps_seals_rotates_and_erases(tmp_path: Path) -> None:
    home, secret = tmp_path / "home", tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.csv").write_text("canary-of-the-journey")
    with quickstarted(home) as factory:
        said(factory, "data", "push", str(data), "biopsies")
    environment = clean_environment(home)
    set_once = subprocess.run(
        [*COMMAND, "passphrase", "--home", str(home), "--new-file", str(secret)],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert set_once.returncode == 0, set_once.stderr
    assert "masters" not in json.loads((home / "keys" / "keyring.json").read_text())
    without = subprocess.run(
        [*COMMAND, "up", "--home", str(home), "--port", "0"],
        env=environment, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert without.returncode == 5, without.stderr
    assert "FABRIEK_PASSPHRASE_FILE" in without.stderr
    with quickstarted(home, FABRIEK_PASSPHRASE_FILE=str(secret)) as factory:
        assert "canary" in said(factory, "data", "cat", "biopsies:a.csv")
        said(factory, "admin", "seal", "--reason", "a drill")
        assert "the vault is sealed" in refused(factory, "data", "cat", "biopsies:a.csv")
        assert "passphrase" in refused(factory, "admin", "unseal")
        said(factory, "admin", "unseal", "--passphrase-file", str(secret))
        said(factory, "admin", "keys", "rotate")
        assert json.loads(said(factory, "admin", "keys", "show", "--json"))["current"] == "file/2"
        said(factory, "data", "rotate", "biopsies")
        assert "canary" in said(factory, "data", "cat", "biopsies:a.csv")
        said(factory, "data", "keep", "biopsies", "--until", "2099-01-01")
        assert "kept until" in refused(factory, "data", "erase", "biopsies", "--reason", "no", "--confirm", "biopsies")
        said(factory, "data", "push", str(data), "scans")
        assert "not the name" in refused(factory, "data", "erase", "scans", "--reason", "no", "--confirm", "biopsies")
        said(factory, "data", "erase", "scans", "--reason", "the patient asked", "--confirm", "scans")
        assert "was erased" in refused(factory, "data", "cat", "scans:a.csv")
        certificate, log = tmp_path / "certificate", tmp_path / "log"
        said(factory, "data", "certificate", "scans", "--out", str(certificate))
        said(factory, "audit", "export", str(log))
        key = json.loads(said(factory, "audit", "verify", "--json"))["key"]
        assert "scans" in said(factory, "audit", "certificate", str(certificate), "--key", key)
        certificate.write_text(certificate.read_text().replace("payload", "payl0ad"))
        assert "not readable" in refused(factory, "audit", "certificate", str(certificate), "--key", key)
    written = subprocess.run(
        ["grep", "-rlaF", "-e", "canary-of-the-journey", "-e", PASSPHRASE, str(home)],
        capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ),  # noqa: TID251  # for a child
    )  # fmt: skip
    assert written.stdout == ""

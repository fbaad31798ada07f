"""A canary: a secret is set, used, printed and crashed with by a real job, and then looked for in everything that is kept."""

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.bootstrap import machinery
from fabriek.settings import Settings
from tests.servers.factory import Running, quickstarted, why_no_jobs

CANARY = "canary-7Qm2-" + "x9Lk" * 3
KEY = "-----BEGIN KEY-----\nkanarie-regel-twee-5Tz\n-----END KEY-----"
PARTS = (CANARY.encode(), b"kanarie-regel-twee")

SCRIPT = """
import hashlib, os, sys, time
token, key = os.environ["HF_TOKEN"], open("/run/secrets/id_key").read()
print("digest", hashlib.sha256(token.encode()).hexdigest(), hashlib.sha256(key.encode()).hexdigest(), flush=True)
print("whole", token, flush=True)
print("halved ", token[:7], sep="", end="", flush=True)
time.sleep(0.3)
print(token[7:], flush=True)
print(key, repr(key), file=sys.stderr, flush=True)
print("mode", oct(os.stat("/run/secrets/id_key").st_mode & 0o777), os.access("/run/secrets", os.W_OK), flush=True)
time.sleep(1)
raise RuntimeError(f"could not sign in with {token}")
"""


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    with quickstarted(tmp_path / "home") as running:
        yield running


def sightings(*places: Path) -> list[str]:
    """Every file below that holds a part of a secret."""
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    assert files
    return [str(file) for file in files if any(part in file.read_bytes() for part in PARTS)]


class Watch(threading.Thread):
    """Reads the command lines of all processes, again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.over, self.seen, self.looked = threading.Event(), set[bytes](), 0

    def run(self) -> None:
        while not self.over.wait(0.01):
            for process in Path("/proc").glob("[0-9]*"):  # and no deeper: one may end while its folder is looked into
                try:
                    words = (process / "cmdline").read_bytes()
                except OSError:
                    continue
                self.looked += 1
                if any(part in words for part in PARTS):
                    self.seen.add(words)


@pytest.mark.sandbox
def test_a_secret_that_a_job_uses_prints_and_crashes_with_is_seen_nowhere(factory: Running, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "use.py").write_text(SCRIPT)
    watch = Watch()
    watch.start()
    try:
        for name, value in (("TOKEN", CANARY + "\n"), ("KEY", KEY)):
            done = factory.run("secret", "set", name, input_text=value)
            assert done.returncode == 0, done.stderr
            assert not any(part.decode() in done.stdout + done.stderr for part in PARTS)
        ran = factory.run(
            "run", "--secret", "TOKEN=HF_TOKEN", "--secret", "KEY=file:id_key", "--", "python", "use.py", cwd=code
        )
    finally:
        watch.over.set()
        watch.join()
    assert ran.returncode == 9, ran.stderr
    digests = " ".join(hashlib.sha256(value.encode()).hexdigest() for value in (CANARY, KEY))
    assert f"digest {digests}" in ran.stdout
    assert "whole ***\nhalved ***\n" in ran.stdout
    assert "could not sign in with ***" in ran.stdout
    assert "mode 0o400 False" in ran.stdout
    job = factory.run("job", "ls", "--json").stdout
    shown = factory.run("job", "show", "1", "--json").stdout
    listed = factory.run("secret", "ls", "--json").stdout
    log = factory.run("job", "log", "1").stdout
    assert '"TOKEN=HF_TOKEN"' in shown
    assert '"used_at": "20' in listed
    assert not any(
        part.decode() in said for part in PARTS for said in (ran.stdout, ran.stderr, job, shown, listed, log)
    )
    backup = tmp_path / "backup"
    kept = factory.run("backup", str(backup), "--keys", str(tmp_path / "keys"), "--home", str(factory.home))
    assert kept.returncode == 0, kept.stderr
    assert factory.run("audit", "verify").returncode == 0
    scratch = machinery.scratch_of(Settings(home=factory.home))
    assert scratch.is_dir()
    assert watch.looked > 100
    assert watch.seen == set()
    assert sightings(factory.home, backup) == []
    (backup / "planted").write_text(f"and here it is: {CANARY}")
    assert sightings(factory.home, backup) == [str(backup / "planted")]  # who looks would see it
    assert [file for file in scratch.rglob("*") if file.is_file() and PARTS[0] in file.read_bytes()] == []
    assert not any(PARTS[0].decode() in value for value in os.environ.values())  # noqa: TID251  # the test itself leaked nothing


@pytest.mark.sandbox
def test_a_job_whose_secret_was_removed_while_it_waited_says_so(factory: Running, tmp_path: Path) -> None:
    assert factory.run("secret", "set", "TOKEN", input_text=CANARY).returncode == 0
    blocker = factory.run("run", "--detach", "--", "sleep", "600").stdout.strip()
    waiting = factory.run("run", "--detach", "--secret", "TOKEN", "--after", f"afterany:{blocker}", "--", "true")
    job = waiting.stdout.strip()
    assert factory.run("secret", "rm", "TOKEN").returncode == 0
    assert factory.run("job", "cancel", blocker).returncode == 0
    followed = factory.run("job", "follow", job)
    assert followed.returncode == 9
    assert "the secret TOKEN was removed" in factory.run("job", "show", job).stdout
    refused = factory.run("run", "--dry-run", "--secret", "TOKEN", "--", "true")
    assert refused.returncode == 3
    assert "fabriek secret set TOKEN" in refused.stderr

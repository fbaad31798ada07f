"""A whole factory whose store is S3: data, jobs and results, of which the server carries not one sealed object."""

import json
import os
import re
from pathlib import Path

import httpx
import obstore
import pytest

from fabriek.sdk import Fabriek
from tests.servers.factory import Running, quickstarted, why_no_jobs
from tests.servers.seaweed import BUCKET, S3Server

pytestmark = pytest.mark.xdist_group("s3")

CARRIED = re.compile(r"(?:GET /api/v1/grants|PUT /api/v1/uploads)/[^/ ]+/objects/")
BIG = os.urandom(66 * 2**20 + 5)
SCRIPT = """
with open("/data/big.bin", "rb") as big:
    big.seek(65 * 2**20)
    open("/output/part.bin", "wb").write(big.read(1000))
print(open("/data/notes.txt").read(), flush=True)
"""


def settings_of(server: S3Server, folder: Path) -> dict[str, str]:
    key = folder / "store-key"
    key.write_text(f"{server.access_key_id}\n{server.secret_access_key}\n")
    return {
        "FABRIEK_STORE": "s3", "FABRIEK_STORE_URL": server.endpoint, "FABRIEK_STORE_BUCKET": BUCKET, "FABRIEK_STORE_KEY_FILE": str(key),
    }  # fmt: skip


def a_folder(place: Path) -> Path:
    place.mkdir()
    (place / "big.bin").write_bytes(BIG)
    (place / "notes.txt").write_text("canary in the data")
    return place


def asked(factory: Running) -> list[str]:
    """What the server was asked so far: method and path."""
    lines = (factory.home / "logs" / "server.log").read_text("utf-8").splitlines()
    said = [json.loads(line)["says"] for line in lines if line.startswith("{")]
    assert not [line for line in lines if '"level": "error"' in line]
    return [one for one in said if re.match(r"[A-Z]+ /", one)]


def test_push_pull_a_part_and_a_job_with_its_results_go_by_the_store_alone(s3_server: S3Server, tmp_path: Path) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    folder = a_folder(tmp_path / "in")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "work.py").write_text(SCRIPT)
    with quickstarted(tmp_path / "home", **settings_of(s3_server, tmp_path)) as factory:
        pushed = factory.run("data", "push", str(folder), "scans")
        assert pushed.returncode == 0, pushed.stderr
        assert factory.run("data", "pull", "scans", str(tmp_path / "out")).returncode == 0
        assert (tmp_path / "out" / "big.bin").read_bytes() == BIG
        told = factory.variables
        with Fabriek(factory.url, told["FABRIEK_TOKEN"], told["FABRIEK_PROJECT"]) as client:
            part = b"".join(client.vault.read("scans", "big.bin", start=2**26 - 9, stop=2**26 + 9))
        assert part == BIG[2**26 - 9 : 2**26 + 9]
        ran = factory.run("run", "--data", "scans:/data", "--json", "--", "python", "work.py", cwd=tmp_path / "code")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        job = json.loads(ran.stdout)
        assert factory.run("job", "log", job["id"]).stdout.strip() == "canary in the data"
        pulled = factory.run("job", "pull", job["id"], str(tmp_path / "results"))
        assert pulled.returncode == 0, pulled.stderr
        assert (tmp_path / "results" / "part.bin").read_bytes() == BIG[65 * 2**20 : 65 * 2**20 + 1000]
        lines = asked(factory)
    assert any(re.match(r"POST /api/v1/grants/.*/addresses 200", line) for line in lines)
    assert any(re.match(r"POST /api/v1/uploads/.*/taken 200", line) for line in lines)
    assert [line for line in lines if CARRIED.match(line)] == []
    assert not any((tmp_path / "home" / "objects").rglob("obj_*"))


def test_a_folder_of_objects_becomes_a_bucket_as_the_manual_says(s3_server: S3Server, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", a_folder(tmp_path / "in")
    with quickstarted(home) as factory:
        assert factory.run("data", "push", str(folder), "scans").returncode == 0
    bucket = s3_server.bucket()
    for file in home.glob("objects/*/obj_*"):
        obstore.put(bucket, f"objects/{file.name}", file.read_bytes(), use_multipart=False)
        file.unlink()
    settings = settings_of(s3_server, tmp_path)
    named = {name.removeprefix("FABRIEK_").lower(): value for name, value in settings.items()}
    (home / "fabriek.toml").write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in named.items()))
    with quickstarted(home) as factory:
        verified = factory.run("data", "verify", "scans")
        assert verified.returncode == 0, verified.stderr
        copy = ("backup", str(tmp_path / "copy"), "--keys", str(tmp_path / "copied-keys"), "--home", str(home))
        refused = factory.run(*copy)
    assert (refused.returncode, "keeps its objects in the bucket" in refused.stderr) == (2, True)
    assert not (tmp_path / "copy").exists()


def test_where_the_operator_keeps_clients_from_the_store_the_server_carries_it(
    s3_server: S3Server, tmp_path: Path
) -> None:
    folder = a_folder(tmp_path / "in")
    settings = settings_of(s3_server, tmp_path) | {"FABRIEK_STORE_DIRECT": "no"}
    with quickstarted(tmp_path / "home", **settings) as factory:
        assert factory.run("data", "push", str(folder), "scans").returncode == 0
        assert factory.run("data", "pull", "scans", str(tmp_path / "out")).returncode == 0
        carried = [line for line in asked(factory) if CARRIED.match(line)]
    assert (tmp_path / "out" / "big.bin").read_bytes() == BIG
    assert {line.split()[0] for line in carried} == {"GET", "PUT"}


def test_what_does_not_make_a_store_is_said_at_the_start_and_doctor_says_what_one_can_do(
    s3_server: S3Server, tmp_path: Path
) -> None:
    good = settings_of(s3_server, tmp_path)
    with quickstarted(tmp_path / "home", **good) as factory:
        environment = factory.environment() | good
        found = _doctor(factory, environment)
        assert (found["well"], "conditional" in found["found"]) == (True, True), found
        away = _doctor(factory, environment | {"FABRIEK_STORE_URL": "http://127.0.0.1:9"})
        assert (away["well"], bool(away["fix"])) == (False, True)
        (tmp_path / "other-key").write_text("tester\nnot-the-secret\n")
        stranger = _doctor(factory, environment | {"FABRIEK_STORE_KEY_FILE": str(tmp_path / "other-key")})
        assert (stranger["well"], bool(stranger["fix"])) == (False, True)
        unreachable = _doctor(factory, environment | {"FABRIEK_STORE_CLIENTS_URL": "http://127.0.0.1:9"})
        assert (unreachable["well"], "store_clients_url" in unreachable["fix"]) == (False, True)
    listed = httpx.get(f"{s3_server.endpoint}/{BUCKET}", trust_env=False)
    assert listed.status_code == 403
    for wrong, says in (
        ({"FABRIEK_STORE_URL": "http://store.example"}, "store_url"), ({"FABRIEK_STORE": "tape"}, "tape"),
        ({"FABRIEK_STORE_KEY_FILE": str(tmp_path / "in")}, "store_key_file"), ({"FABRIEK_STORE_BUCKET": ""}, "needs a bucket"),
    ):  # fmt: skip
        with pytest.raises(AssertionError, match=says), quickstarted(tmp_path / "other", **(good | wrong)):
            pass


def _doctor(factory: Running, environment: dict[str, str]) -> dict[str, object]:
    import subprocess  # noqa: PLC0415

    from tests.servers.factory import COMMAND  # noqa: PLC0415

    argv = [*COMMAND, "doctor", "--home", str(factory.home), "--json"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=100)
    return next(one for one in json.loads(done.stdout) if one["name"] == "store")

"""Bad input, as a person gives it: each a clear error with its code, and nothing half done."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fabriek.adapters.database import open_database
from fabriek.kernel.clock import SystemClock
from tests.servers.factory import COMMAND, Running, clean_environment, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("bad-input")]


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    with quickstarted(tmp_path_factory.mktemp("bad") / "home") as running:
        yield running


def posted(factory: Running, path: str, body: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {factory.variables['FABRIEK_TOKEN']}"}
    return httpx.post(f"{factory.url}/api/v1{path}", json=body, headers=headers, timeout=30)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"command": ["true"], "gpu": 1}, "gpu"),
        ({"command": "true"}, "command"),
        ({"command": []}, "command"),
        ({"command": ["true"], "cpus": "many"}, "cpus"),
        ({"command": ["true"], "cpus": -1}, "cpus"),
        ({"command": ["true"], "name": "x" * 101}, "name"),
        ({"command": ["true"], "inputs": [{"dataset": "a", "mount": "/data/../etc"}]}, "inputs.0.mount"),
        ({"command": ["true"], "environment": {"1BAD": "x"}}, "environment"),
        ({"command": ["true"], "priority": "now"}, "priority"),
    ],
)
def test_a_wrong_field_is_named(factory: Running, body: object, field: str) -> None:
    answer = posted(factory, "/projects/playground/jobs", body)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "invalid_input"
    assert any(one["field"].startswith(field) for one in problem["errors"])
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'"text"', b"[" * 100_000, b"\xff\xfe", b'{"command":["true"],"command":1}']
)
def test_a_body_that_is_not_the_json_asked_for_is_invalid_input(factory: Running, raw: bytes) -> None:
    headers = {"Authorization": f"Bearer {factory.variables['FABRIEK_TOKEN']}", "Content-Type": "application/json"}
    answer = httpx.post(f"{factory.url}/api/v1/projects/playground/jobs", content=raw, headers=headers, timeout=30)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    "variable",
    ["LD_PRELOAD", "SLURM_JOB_ID", "SPANK_X", "BASH_ENV", "PATH", "PYTHONHOME", "FABRIEK_TOKEN", "MLFLOW_TRACKING_URI"],
)
def test_a_variable_that_reaches_beneath_the_sandbox_is_refused(factory: Running, variable: str) -> None:
    done = factory.run("run", "--env", f"{variable}=x", "--", "true")
    assert done.returncode == 2
    assert variable in done.stderr


def test_an_absent_file_and_an_absent_folder_are_named(factory: Running, tmp_path: Path) -> None:
    done = factory.run("run", "--", "python", "nowhere.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere.py is not here" in done.stderr
    done = factory.run("data", "push", str(tmp_path / "nowhere"), "x")
    assert done.returncode == 2
    assert "nowhere" in done.stderr


def test_a_link_out_of_the_folder_is_refused_and_makes_no_version(factory: Running, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out").symlink_to("/etc/passwd")
    done = factory.run("data", "push", str(tmp_path / "in"), "leaky")
    assert done.returncode == 2
    assert "out" in done.stderr
    listed = json.loads(factory.run("data", "ls", "--json").stdout)
    assert all(not one["newest"] for one in listed if one["name"] == "leaky")


def test_a_script_that_exits_3_fails_with_9_and_its_code_is_kept(factory: Running) -> None:
    done = factory.run("run", "--json", "--", "sh", "-c", "exit 3")
    assert done.returncode == 9
    shown = json.loads(done.stdout)
    assert (shown["state"], shown["exit_code"]) == ("failed", 3)


def test_a_script_that_exits_75_runs_again_with_what_it_left_and_ends_well(factory: Running) -> None:
    script = "cat /checkpoint/step 2>/dev/null && exit 0; echo 7 > /output/step; exit 75"
    job = factory.run("run", "--detach", "--requeue", "1", "--", "sh", "-c", script).stdout.strip()
    followed = factory.run("job", "follow", job)
    assert (followed.returncode, factory.run("job", "log", job).stdout) == (0, "7\n")
    shown = json.loads(factory.run("job", "show", job, "--json").stdout)
    assert (shown["state"], shown["exit_code"], shown["requeues"], shown["attempts"]) == ("succeeded", 0, 1, 2)


def test_a_script_that_ignores_sigterm_is_killed_after_its_grace(factory: Running) -> None:
    job = factory.run(
        "run", "--detach", "--", "sh", "-c", "trap '' TERM; echo up; while true; do sleep 0.1; done"
    ).stdout.strip()
    following = subprocess.Popen(
        [*COMMAND, "job", "follow", job], env=factory.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert following.stdout is not None
    assert following.stdout.readline() == b"up\n"
    assert factory.run("job", "cancel", job).returncode == 0
    assert following.wait(60) == 9
    following.stdout.close()
    assert json.loads(factory.run("job", "show", job, "--json").stdout)["state"] == "cancelled"


def test_a_job_that_writes_without_end_keeps_its_head_and_is_not_blocked(factory: Running) -> None:
    done = factory.run(
        "run", "--time", "60s", "--", "sh", "-c", "head -c 1000000000 /dev/zero | tr '\\0' x; echo the end >&2; exit 0"
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) < 70 * 2**20
    assert "more bytes" in done.stdout[-300:] or "not kept" in done.stdout[-300:]


def test_ctrl_c_detaches_and_says_how_to_come_back(factory: Running) -> None:
    running = subprocess.Popen(
        [*COMMAND, "run", "--", "sh", "-c", "echo up; sleep 300"], env=factory.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Where the tests themselves run in the background of a script, Ctrl-C is ignored by all that they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # one call, no lock
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stdout.readline() == "up\n"
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "fabriek job follow job_" in told
    job = told.split("fabriek job follow ")[1].split()[0]
    assert factory.run("job", "why", job).stdout == "It runs.\n"
    assert factory.run("job", "cancel", job).returncode == 0
    followed = factory.run("job", "follow", job)
    assert (followed.returncode, followed.stdout.splitlines()[0]) == (9, "up")


def test_an_expired_token_is_not_authenticated(factory: Running) -> None:
    link = factory.run("login", "--portal").stdout.strip()
    token = httpx.post(f"{factory.url}/api/v1/sign-in", json={"code": link.rpartition("/")[2]}).json()["token"]
    database = open_database(f"sqlite:///{factory.home}/fabriek.db")
    from sqlalchemy import update  # noqa: PLC0415

    from fabriek.access.login.credentials import hash_of  # noqa: PLC0415
    from fabriek.access.login.store import credentials  # noqa: PLC0415

    with database.transaction():
        database.execute(
            update(credentials).where(credentials.c.hash == hash_of(token)).values(expires_at=SystemClock().now())
        )
    database.close()
    answer = httpx.get(f"{factory.url}/api/v1/whoami", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.json()["fix"] == "fabriek login"


def test_a_port_in_use_names_another(factory: Running, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        argv = [*COMMAND, "up", "--home", str(tmp_path / "home"), "--port", str(port)]
        done = subprocess.run(
            argv, env=clean_environment(tmp_path / "home"), capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == 6
    assert f"port {port} is in use" in done.stderr
    assert "--port" in done.stderr


def test_a_home_that_is_served_already_is_left_alone(factory: Running) -> None:
    argv = [*COMMAND, "up", "--home", str(factory.home), "--port", "0"]
    done = subprocess.run(
        argv, env=clean_environment(factory.home), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 6
    assert "fabriek down" in done.stderr


def test_a_home_from_a_newer_version_is_refused_unchanged(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "release.json").write_text('{"schema": "9999", "version": "9.9"}')
    argv = [*COMMAND, "up", "--home", str(home), "--port", "0"]
    done = subprocess.run(argv, env=clean_environment(home), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 6
    assert "newer release" in done.stderr
    assert (home / "release.json").read_text() == '{"schema": "9999", "version": "9.9"}'
    assert not (home / "fabriek.db").exists()


@pytest.mark.parametrize("flags", [("--quickstart", "--host", "0.0.0.0"), ("--host", "0.0.0.0")])  # noqa: S104  # what must be refused
def test_plain_http_beyond_loopback_is_refused(tmp_path: Path, flags: tuple[str, ...]) -> None:
    argv = [*COMMAND, "up", "--home", str(tmp_path / "home"), *flags]
    done = subprocess.run(
        argv, env=clean_environment(tmp_path / "home"), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "loopback" in done.stderr


def test_a_dry_run_says_what_would_be_and_submits_nothing(factory: Running) -> None:
    before = factory.run("job", "ls", "--json").stdout
    said = factory.run("run", "--dry-run", "--cpus", "1", "--", "sleep", "5")
    assert said.returncode == 0, said.stderr
    assert "It would hold 1 CPU-hour of the share" in said.stdout
    refused = factory.run("run", "--dry-run", "--gpus", "900", "--hours", "100", "--", "sleep", "5")
    assert refused.returncode == 7
    assert "fabriek apply new" in refused.stderr
    assert factory.run("job", "ls", "--json").stdout == before

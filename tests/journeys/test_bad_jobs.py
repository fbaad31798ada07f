"""Words that a shell, a scheduler or a terminal would take for orders, in every field of a job: each is refused or stays a word."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.factory import COMMAND, Running, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("bad-jobs"), pytest.mark.timeout(300)]

MARK = Path("/var/tmp") / f"fabriek-taken-over-{os.getpid()}"  # a file that must never come to be
ORDERS = (
    f";touch {MARK}", f"$(touch {MARK})", f"`touch {MARK}`", f"a\n#SBATCH --wrap='touch {MARK}'\ntouch {MARK}\n", f"--wrap=touch {MARK}",
    "-x", "\x1b]0;renamed\x07", "a\0b", "' || true; '", "<script>alert(1)</script>", "../../etc/passwd", "\u202egnp.exe",
)  # fmt: skip
CALM = {"command": ["true"]}


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("bad-jobs") / "home"
    with quickstarted(home) as running:
        yield running
    assert not MARK.exists()


def post(factory: Running, body: dict[str, Any]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {factory.variables['FABRIEK_TOKEN']}"}
    return httpx.post(f"{factory.url}/api/v1/projects/playground/jobs", json=body, headers=headers, timeout=30)


def with_order(field: str, order: str) -> dict[str, Any]:
    """A job that is well but for one field."""
    return CALM | {
        "argv0": {"command": [order]},
        "environment": {"environment": {"NOTE": order}},
        "variable": {"environment": {order: "x"}},
        "sweep": {"sweep": {"lr": [order]}, "command": ["echo", "{lr}"]},
        "parameter": {"sweep": {order: ["1"]}},
        "after": {"after": [order]},
        "dataset": {"inputs": [{"dataset": order, "mount": "/data"}]},
        "mount": {"inputs": [{"dataset": "x", "mount": f"/data/{order}"}]},
    }.get(field, {field: order})


REFUSED = (
    "variable", "parameter", "after", "dataset", "mount", "array", "signal", "network", "folder", "priority", "purpose", "code", "not_before",
    "image",
)  # fmt: skip


@pytest.mark.parametrize("field", REFUSED)
def test_an_order_in_a_field_that_names_something_is_refused(factory: Running, field: str) -> None:
    for order in ORDERS:
        answer = post(factory, with_order(field, order))
        assert 400 <= answer.status_code < 500, (order, answer.text)
        assert answer.json()["code"] in {"invalid_input", "not_found", "not_permitted"}


@pytest.mark.parametrize("field", ["name", "experiment"])
def test_names_hold_no_line_breaks_and_no_controls(factory: Running, field: str) -> None:
    for order in ORDERS:
        answer = post(factory, with_order(field, order))
        control = any(ord(char) < 32 for char in order)
        assert answer.status_code == (422 if control else 201), (order, answer.text)


def test_orders_reach_a_command_as_the_words_that_they_are(factory: Running) -> None:
    words = [order for order in ORDERS if "\0" not in order]
    program = "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ['NOTE']]))"
    answer = post(factory, {"command": ["python", "-c", program, *words], "environment": {"NOTE": words[3]}})
    job = answer.json()["id"]
    assert factory.run("job", "follow", job).returncode == 0
    assert json.loads(factory.run("job", "log", job).stdout) == [words, words[3]]


def test_a_nul_is_refused_wherever_it_stands(factory: Running) -> None:
    for field in ("argv0", "environment", "name", "requirements", "sweep"):
        assert post(factory, with_order(field, "a\0b")).status_code == 422, field


@pytest.mark.parametrize(
    "option",
    ["--job-name", "--comment", "--output", "--export", "--array", "--dependency", "--signal", "--qos", "--chdir"],
)
def test_an_order_in_an_option_of_sbatch_changes_nothing_but_the_option(
    factory: Running, option: str, tmp_path: Path
) -> None:
    shim = factory.run("slurm-shim").stdout.strip()
    for order in ORDERS:
        if "\0" in order:
            continue
        value = f"NOTE={order}" if option == "--export" else order
        argv = [f"{shim}/sbatch", f"{option}={value}", "--wrap", "echo calm"]
        done = subprocess.run(
            argv, env=factory.environment(), capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60
        )
        assert done.returncode in {0, 1}, done.stderr
        assert "Traceback" not in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == []


def test_lists_in_the_manner_of_slurm_have_a_line_for_each_job(factory: Running) -> None:
    post(factory, {"command": ["sleep", "60"], "name": "\u2028\u202efirst"})
    shim = factory.run("slurm-shim").stdout.strip()
    argv = [f"{shim}/squeue", "--noheader", "--format", "%j"]
    seen = subprocess.run(
        argv, env=factory.environment(), capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert not any(0x2028 <= ord(char) <= 0x202E for char in seen)


def test_a_log_moves_no_readers_terminal_and_is_text_in_the_portal(factory: Running) -> None:
    said = "\x1b]0;renamed\x07<img src=x onerror=alert(1)>\x1b[31mred\x1b[0m"
    job = post(factory, {"command": ["printf", "%s\n", said]}).json()["id"]
    assert factory.run("job", "follow", job).returncode == 0
    assert factory.run("job", "log", job).stdout == said + "\n"
    shown = on_a_terminal(factory, "job", "log", job)
    assert "\x1b]" not in shown
    assert "\x07" not in shown
    assert "\x1b[31mred\x1b[0m" in shown
    login = httpx.Client(
        base_url=factory.url, headers={"Authorization": f"Bearer {factory.variables['FABRIEK_TOKEN']}"}
    )
    with login:
        page = login.get(f"/projects/playground/jobs/{job}", headers={"Accept": "text/html"})
    assert "<img src=x" not in page.text


def on_a_terminal(factory: Running, *arguments: str) -> str:
    outer, inner = pty.openpty()
    with subprocess.Popen([*COMMAND, *arguments], env=factory.environment(), stdout=inner, stderr=inner) as process:
        os.close(inner)
        seen = b""
        try:
            while piece := os.read(outer, 65_536):
                seen += piece
        except OSError:  # how a terminal says that nobody is there any more
            process.wait(60)
    os.close(outer)
    return seen.decode()

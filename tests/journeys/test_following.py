"""Looking at a job from the command line while it runs: its log so far, its log until it ends, and following it."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fabriek.sdk import Fabriek
from tests.servers.factory import COMMAND, Running, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("following")]

HEARS = "exec 2>/dev/null; trap 'echo last; exit 3' USR1; echo first; while :; do sleep 0.1; done"
"""Says one line, waits for a signal, says another and fails. Its sleep dies of the signal too, and the shell would say so."""

ENDED_BY_CTRL_C, JOB_FAILED = 130, 9


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    with quickstarted(tmp_path_factory.mktemp("following") / "home") as running:
        yield running


@pytest.fixture
def job(factory: Running) -> Iterator[str]:
    """One that runs."""
    number = factory.run("run", "--detach", "--", "sh", "-c", HEARS).stdout.strip()
    yield number
    factory.run("job", "cancel", number)


@contextmanager
def watching(factory: Running, *words: str) -> Iterator["subprocess.Popen[str]"]:
    argv = [*COMMAND, "job", *words]
    with subprocess.Popen(
        argv,
        env=factory.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests themselves run in the background of a script, Ctrl-C is ignored by all that they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # one call, no lock
    ) as it:
        try:
            yield it
        finally:
            it.kill()


def first_line(watch: "subprocess.Popen[str]") -> str:
    """Comes while the job goes on: it ends only when it is told to."""
    assert watch.stdout is not None
    return watch.stdout.readline()


def tell(factory: Running, job: str) -> None:
    with Fabriek(factory.url, factory.variables["FABRIEK_TOKEN"], "playground") as mine:
        mine.jobs.signal(job, "USR1")


def state(factory: Running, job: str) -> str:
    return str(json.loads(factory.run("job", "show", job, "--json").stdout)["state"])


@pytest.mark.parametrize("name", ["log", "logs"])
def test_a_log_is_followed_from_its_first_line_until_the_job_ends(factory: Running, job: str, name: str) -> None:
    with watching(factory, name, "-f", job) as watch:
        assert first_line(watch) == "first\n"
        assert state(factory, job) == "running"
        tell(factory, job)
        rest, _ = watch.communicate(timeout=60)
    assert (rest, watch.returncode) == ("last\n", 0)
    assert state(factory, job) == "failed"


def test_what_was_said_so_far_is_printed_and_not_waited_for(factory: Running, job: str) -> None:
    with watching(factory, "log", "-f", job) as watch:
        assert first_line(watch) == "first\n"
    for name in ("log", "logs"):
        told = factory.run("job", name, job)
        assert (told.returncode, told.stdout) == (0, "first\n")
    assert state(factory, job) == "running"


def test_who_is_attached_leaves_with_ctrl_c_comes_back_and_hears_of_the_end(factory: Running, job: str) -> None:
    with watching(factory, "attach", job) as watch:
        assert first_line(watch) == "first\n"
        watch.send_signal(signal.SIGINT)
        _, said = watch.communicate(timeout=60)
    assert watch.returncode == ENDED_BY_CTRL_C
    assert f"detached; the job goes on. Come back: fabriek job follow {job}" in said
    assert state(factory, job) == "running"
    with watching(factory, "attach", job) as watch:
        assert first_line(watch) == "first\n"
        tell(factory, job)
        rest, said = watch.communicate(timeout=60)
    assert (rest, watch.returncode) == ("last\n", JOB_FAILED)
    assert "failed" in said
    assert "exit code 3" in said

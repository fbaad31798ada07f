"""What a job takes, in its run: sampled by its supervisor while it runs, told to a real lab under the job's own token."""

import secrets
from collections.abc import Iterator
from datetime import timedelta

import pytest

from fabriek.kernel.callers import SYSTEM
from fabriek.lab.metrics import Metric
from tests.contract.test_relay import ELSEWHERE, a_factory
from tests.factories.services import Town
from tests.servers.machine import Machine, Seen, a_machine

pytestmark = pytest.mark.sandbox

BUSY = "import time\nheld = bytearray(64 << 20)\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass"
CPU, HELD, SHARE = (
    "system/cpu_utilization_percentage", "system/system_memory_usage_megabytes", "system/system_memory_usage_percentage",
)  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Machine, str]]:
    with a_machine() as machine, a_factory(tmp_path_factory.mktemp("factory")) as (town, url):
        yield town, machine, url


def sampled(town: Town, machine: Machine, url: str, **changes: object) -> tuple[Seen, dict[str, list[Metric]]]:
    """A busy job that was looked at every fifth of a second, and what its run has."""
    services = town.services
    person = town.person(f"lab{secrets.token_hex(4)}")
    project = services.access.project(town.project(person, gpu_hours=1)).id
    job = services.ids.new("job")
    run = services.lab.open_run(project, "Default", job=job, label="open", person=person.person, name="x")
    token = services.job_secrets.issue(job, project, "lab", services.clock.now() + timedelta(hours=1))
    asked = {
        "job": job, "lab_socket_dir": ELSEWHERE, "server_url": url, "sample_seconds": 0.2,
        "environment": {"MLFLOW_TRACKING_TOKEN": token, "MLFLOW_RUN_ID": run},
    }  # fmt: skip
    seen = machine.python(BUSY, **(asked | changes))
    names = [one.key for one in services.lab.run(project, run, by=SYSTEM).metrics]
    found = {name: [one for _, one in services.lab.history(project, run, name, limit=100, by=SYSTEM)] for name in names}
    return seen, found


@pytest.mark.parametrize("unsandboxed", [False, True], ids=["walls", "no walls"])
def test_a_busy_job_has_its_cores_and_memory_in_its_run(here: tuple[Town, Machine, str], *, unsandboxed: bool) -> None:
    seen, found = sampled(*here, unsandboxed=unsandboxed)
    assert (seen.state.exit_code, seen.state.reason) == (0, "")
    assert sorted(found) == [CPU, HELD, SHARE]
    assert len(found[CPU]) >= 3, "one early, some between, and one at the end"
    assert [one.step for one in found[CPU]] == list(range(len(found[CPU])))
    assert len(found[HELD]) == len(found[CPU]) - 1, "at the end its memory is given back"
    assert max(one.value for one in found[CPU]) > 3, "it is busy, on a machine that may be so too"
    assert 60 < max(one.value for one in found[HELD]) < 256
    assert max(one.value for one in found[SHARE]) <= 100


def test_a_job_whose_lab_is_away_ends_as_it_would_have(here: tuple[Town, Machine, str]) -> None:
    seen, found = sampled(*here, server_url="http://127.0.0.1:9")
    assert (seen.state.exit_code, seen.state.reason, found) == (0, "", {})


def test_where_the_operator_wants_none_there_is_none(here: tuple[Town, Machine, str]) -> None:
    assert sampled(*here, sample_seconds=0.0)[1] == {}

"""When a job would start, as people ask it: on the command line, in Python, and of a job that waits."""

import json
from collections.abc import Iterator

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.sdk import Fabriek
from tests.servers.factory import Running, quickstarted, why_no_jobs

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    with quickstarted(tmp_path_factory.mktemp("forecast") / "home", FABRIEK_JOB_CPUS_MAX="2") as running:
        yield running


def test_a_forecast_says_when_a_job_would_start_what_starts_sooner_and_why_one_waits(factory: Running) -> None:
    assert factory.run("forecast", "--cpus", "2", "--hours", "4").stdout == "2 CPUs, for 4h: at once\n"
    assert factory.run("forecast", "--score").stdout == "no forecast with an interval has been checked yet\n"
    first = factory.run("run", "--detach", "--cpus", "1", "--time", "2h", "--", "sleep", "600").stdout.strip()
    factory.run("job", "log", first)
    lines = factory.run("forecast", "--cpus", "2", "--hours", "4").stdout.splitlines()
    assert lines[0].startswith("2 CPUs, for 4h: by ")
    assert lines[0].endswith("from the times asked for; no history yet")
    assert lines[1] == "1 CPU: at once"
    told = json.loads(factory.run("forecast", "--cpus", "2", "--json").stdout)
    assert (told["start"]["basis"], told["start"]["earliest"], told["sooner"][0]["cpus"]) == ("asked", None, 1)
    dry = factory.run("run", "--dry-run", "--cpus", "2", "--time", "2h", "--", "true").stdout
    assert "Sooner with 1 CPU: at once." in dry
    with Fabriek(factory.url, factory.variables["FABRIEK_TOKEN"], "playground") as connected:
        assert connected.jobs.forecast(cpus=1, language="nl").asks == "1 CPU, voor 1h"
        with pytest.raises(InvalidInput, match="cpus"):
            connected.jobs.forecast(cpus=0)
    factory.run("job", "cancel", first)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--cpus", "900"), "the whole machine has"),
        (("--gpus", "many"), "GPUs such as 2"),
        (("--time", "soon"), "'soon' is not a duration"),
        (("--project", "nowhere"), "fabriek whoami"),
    ],
)
def test_what_could_never_start_is_refused_with_what_comes_nearest(
    factory: Running, words: tuple[str, ...], says: str
) -> None:
    refused = factory.run("forecast", *words)
    assert refused.returncode != 0
    assert says in refused.stderr
    assert "fix" in refused.stderr

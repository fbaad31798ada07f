"""Elements of one array that were let in together reach an executor that takes many at once in one piece, on both databases."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.compute.executors.contract import Handle, JobSpec
from fabriek.compute.executors.environments import Environment
from fabriek.compute.jobs import Job, State
from fabriek.kernel.errors import InvalidInput, Unavailable
from fabriek.worker.handing import TOGETHER_MAX, handed_together
from tests.contract.test_worker import Shop, a_worker, asked
from tests.factories.compute import a_job
from tests.factories.executor import MemoryExecutor
from tests.factories.services import a_town
from tests.factories.waiting import until


class Many:
    """Makes an executor in memory take many at once, and writes down in which company each came."""

    def __init__(self, executor: MemoryExecutor) -> None:
        self._executor = executor
        self.parts: list[list[str]] = []
        self.problems: list[Exception] = []

    def submit_all(self, specs: Sequence[JobSpec]) -> Sequence[Handle]:
        self.parts.append([one.job for one in specs])
        if self.problems:
            raise self.problems.pop()
        return [self._executor.submit(one) for one in specs]


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Iterator[Shop]:
    town = a_town(database, tmp_path / "home")
    person = town.person("weefsel")
    project = town.project(person)
    executor = town.services.executor
    assert isinstance(executor, MemoryExecutor)
    made = Shop(town, town.again(person), project, a_worker(town), executor)
    yield made
    made.worker._starter.close()
    made.worker._upkeep.close()


@pytest.fixture
def many(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Many:
    made = Many(shop.executor)
    monkeypatch.setattr(shop.executor, "submit_all", made.submit_all, raising=False)
    return made


def ids(jobs: Sequence[Job]) -> list[str]:
    return [one.id for one in jobs]


def run_to_the_end(shop: Shop, jobs: Sequence[Job]) -> list[Job]:
    def there() -> list[Job] | None:
        shop.worker.round()
        shop.town.clock.move(timedelta(seconds=1))
        now = [shop.job(one) for one in jobs]
        return now if all(one.has_ended() for one in now) else None

    return until(there)


def test_elements_let_in_together_are_handed_over_together(shop: Shop, many: Many) -> None:
    array, other, single = (
        asked(shop, "echo", "x", array="0-1"),
        asked(shop, "echo", "y", array="0"),
        shop.submit("true"),
    )
    ended = run_to_the_end(shop, [*array, *other, single])
    assert {one.state for one in ended} == {State.SUCCEEDED}
    assert many.parts == [ids(array)]


def test_how_many_run_at_once_is_still_for_the_array_to_say(shop: Shop, many: Many) -> None:
    array = asked(shop, "sleep", "60", array="0-3%2")
    shop.work(array[1], State.RUNNING)
    assert [shop.job(one).state for one in array[2:]] == [State.QUEUED] * 2
    assert many.parts == [ids(array[:2])]


def test_an_element_that_cannot_be_made_ready_fails_alone(
    shop: Shop, many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = asked(shop, "echo", "x", array="0-2")
    making = shop.worker._starter._spec

    def broken(job: Job, environment: Environment, account: str, *, bare: bool) -> JobSpec:
        if job.array_index == 1:
            raise InvalidInput("the environment could not be built", fix="name fewer packages")
        return making(job, environment, account, bare=bare)

    monkeypatch.setattr(shop.worker._starter, "_spec", broken)
    ended = run_to_the_end(shop, array)
    assert [one.state for one in ended] == [State.SUCCEEDED, State.FAILED, State.SUCCEEDED]
    assert ended[1].reason == "the environment could not be built"
    assert many.parts == [[array[0].id, array[2].id]]


def test_where_the_whole_is_refused_each_hears_for_itself(
    shop: Shop, many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    many.problems.append(InvalidInput("an array of that size is not taken", fix="ask for less"))
    array = asked(shop, "echo", "x", array="0-2")
    taking = shop.executor.submit

    def refusing(spec: JobSpec) -> Handle:
        if spec.job == array[2].id:
            raise InvalidInput("no node has that", fix="ask for less")
        return taking(spec)

    monkeypatch.setattr(shop.executor, "submit", refusing)
    ended = run_to_the_end(shop, array)
    assert [one.state for one in ended] == [State.SUCCEEDED, State.SUCCEEDED, State.FAILED]
    assert ended[2].reason == "no node has that"


def test_all_of_them_wait_for_an_executor_that_is_away(shop: Shop, many: Many) -> None:
    many.problems.append(Unavailable("the machine does not answer", fix="sinfo"))
    array = asked(shop, "echo", "x", array="0-2")
    ended = run_to_the_end(shop, array)
    assert [(one.state, one.attempts) for one in ended] == [(State.SUCCEEDED, 1)] * 3
    assert many.parts == [ids(array), ids(array)]


def test_a_large_array_goes_in_parts() -> None:
    jobs = [a_job(f"job_{number}", array="arr_1", array_index=number) for number in range(TOGETHER_MAX + 1)]
    parts = handed_together([*jobs, a_job("job_single")])
    assert [len(part) for part in parts] == [TOGETHER_MAX, 1, 1]

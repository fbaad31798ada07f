"""Runs that began elsewhere, on both databases: their ids are kept where they are free, and asking twice is asking once."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted
from fabriek.lab.adopting import GIVEN_TAG
from fabriek.lab.service import Logged
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once


@dataclass
class Bench:
    """Two projects and a person in each."""

    town: Town
    person: Caller
    project: str
    other: Caller
    others: str

    def adopt(
        self, run: str, *, by: Caller | None = None, project: str = "", experiment: str = "0", label: str = ""
    ) -> Logged:
        return self.town.services.adopting.adopt(
            project or self.project, run, experiment, name="away", person="ada", started_ms=1_600_000_000_123, label=label,
            tags={"kind": "trial"}, by=by or self.person,
        )  # fmt: skip


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    town = a_town(database, tmp_path / "home")
    made = []
    for _ in range(2):
        person = town.person("weefsel")
        slug = town.project(person)
        made += [town.again(person), town.services.access.project(slug).id]
    return Bench(town, *made)


def test_asking_twice_gives_the_run_as_it_stands(bench: Bench) -> None:
    run = secrets.token_hex(16)
    made = bench.adopt(run)
    assert (made.run.id, made.run.name, made.run.person, made.run.started_at.timestamp()) == (
        run,
        "away",
        "ada",
        1_600_000_000.123,
    )
    assert made.tags == {"kind": "trial", GIVEN_TAG: run, "mlflow.runName": "away"}
    bench.town.services.lab.log(bench.project, run, params={"depth": "3"}, by=bench.person)
    assert bench.adopt(run).params == {"depth": "3"}


def test_many_who_ask_at_once_get_one_run(bench: Bench) -> None:
    run = secrets.token_hex(16)
    assert set(at_once(lambda _: bench.adopt(run).run.id, times=6)) == {run}


def test_an_id_of_another_run_is_given_up_and_says_nothing_of_it(bench: Bench) -> None:
    run = secrets.token_hex(16)
    bench.adopt(run, by=bench.other, project=bench.others)
    moved = bench.adopt(run)
    assert moved.run.id != run
    assert moved.tags[GIVEN_TAG] == run
    assert bench.adopt(run).run.id == moved.run.id
    with pytest.raises(NotFound):
        bench.town.services.lab.run(bench.project, run, by=bench.person)


def test_a_run_that_was_not_adopted_is_never_taken_over(bench: Bench) -> None:
    own = bench.town.services.lab.create_run(
        bench.project, "0", name="", person="", started_ms=0, tags={}, by=bench.person
    )
    assert bench.adopt(own.run.id).run.id != own.run.id


def test_only_who_may_write_adopts_and_no_job(bench: Bench) -> None:
    run = secrets.token_hex(16)
    with pytest.raises((NotPermitted, NotFound)):
        bench.adopt(run, by=bench.other)
    job = Caller(bench.person.person, project_rights={bench.project: frozenset({"lab.view", "lab.write"})}, job="job_1")
    with pytest.raises(NotPermitted, match="job"):
        bench.adopt(run, by=job)
    for wrong in ("", "X" * 32, "../" + "0" * 29):
        with pytest.raises(InvalidInput):
            bench.adopt(wrong)
    with pytest.raises(NotFound):
        bench.adopt(run, experiment="77")
    with pytest.raises(InvalidInput, match="no label"):
        bench.adopt(run, label="nonsense")
    with pytest.raises(NotPermitted, match="in a job"):
        bench.adopt(run, label="export-controlled")
    assert bench.adopt(run, label="open").run.label == "internal"

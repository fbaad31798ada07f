"""What became of a thing in the catalogue, and who is told of it, on both databases."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from fabriek.adapters.database import Database
from fabriek.compute.jobs import JobInput
from fabriek.compute.store import SqlJobs
from fabriek.kernel.callers import Caller
from fabriek.knowledge.catalogue.entries import Entry, Face, Reach
from fabriek.knowledge.catalogue.history import FEW, TOLD_MAX, Past
from fabriek.vault.versions import Version
from tests.factories.compute import a_job
from tests.factories.services import Town, a_town, with_project
from tests.factories.vault import fill


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def shared(town: Town, by: Caller, project: str, name: str) -> tuple[Entry, Version]:
    """A published dataset with a version."""
    dataset = town.services.vault.create(project, name, label="open", by=by)
    version = fill(town.services, town.services.vault.open_upload(project, dataset.id, by=by), {"a.csv": b"1"}, by=by)
    return town.services.catalogue.publish(project, "dataset", name, Face(name.title(), "Measured."), by=by), version


def read(town: Town, entry: Entry, version: Version, project: str, job: str, *beside: JobInput) -> None:
    """A job of the project that read the data."""
    access, vault = town.services.access, town.services.vault
    home = access.project(project)
    given = JobInput(entry.subject, entry.title.lower(), version.number, version.id, "open", "/data")
    with town.services.database.transaction():
        SqlJobs(town.services.database).add([a_job(job, project=home.id, inputs=(given, *beside))])
    vault.grant_to_job(version.id, job, project=home.id, purpose="civilian")


def left(town: Town, by: Caller, project: str, name: str, job: str) -> Entry:
    """What the job left in the vault, published."""
    home = town.services.access.project(project).id
    node = Caller(f"job:{job}", job=job, project_rights={home: frozenset({"data.write"})})
    made = fill(town.services, town.services.vault.output_for_job(home, job, "open"), {"out.csv": b"2"}, by=node)
    face = Face(name.title(), "Made.")
    return town.services.catalogue.publish(project, "dataset", made.dataset, face, reach=Reach.ORGANISATION, by=by)


def past(town: Town, entry: Entry, by: Caller) -> Past:
    return town.services.catalogue.past(town.services.catalogue.entry(entry.id, by=by), by=by)


def test_versions_are_told_to_whom_the_data_is_known(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    entry, _ = shared(town, by, project, "scans")
    [only] = past(town, entry, by).versions
    assert (only.number, only.size_bytes) == (1, 1)


def test_a_job_joins_what_it_read_and_what_it_left(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    entry, version = shared(town, by, project, "scans")
    read(town, entry, version, project, "job_1", JobInput("ds_9", "labels", 3, "ver_9", "open", "/labels"))
    made = left(town, by, project, "cells", "job_1")
    [use] = past(town, entry, by).uses
    assert (use.job, use.beside, len(use.left)) == ("job_1", ("labels",), 1)
    assert [one.title for one in past(town, entry, by).led_to] == ["Cells"]
    assert [one.title for one in past(town, made, by).made_from] == ["Scans"]


def test_jobs_are_told_of_in_their_project_alone_and_entries_to_whom_they_are_known(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    entry, version = shared(town, by, project, "scans")
    read(town, entry, version, project, "job_1")
    made = left(town, by, project, "cells", "job_1")
    stranger, _ = with_project(town, "elders")
    theirs = past(town, entry, stranger)
    assert (theirs.used, theirs.uses, theirs.led_to) == (True, [], [])
    assert [one.id for one in past(town, entry, by).led_to] == [made.id]
    town.services.catalogue.withdraw(made.id, by=by)
    assert past(town, entry, by).led_to == []


def test_few_projects_are_not_counted_out(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    entry, version = shared(town, by, project, "scans")
    assert past(town, entry, by).used is False
    others = [project, *(with_project(town, f"elders{at}")[1] for at in range(FEW - 1))]
    counted = []
    for at, each in enumerate(others):
        if each != project:
            until = town.clock.today() + timedelta(days=9)
            town.services.vault.agree(
                "scans", home=project, project=each, purposes=["civilian"], right="compute", until=until, by=by
            )
        read(town, entry, version, each, f"job_{at}")
        counted.append((past(town, entry, by).used, past(town, entry, by).projects))
    assert counted == [(True, 0)] * (FEW - 1) + [(True, FEW)]


def test_a_page_asks_no_more_where_many_jobs_read_the_data(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    entry, version = shared(town, by, project, "scans")

    def questions(jobs: range) -> int:
        for at in jobs:
            read(town, entry, version, project, f"job_{at}")
        found, said = town.services.catalogue.entry(entry.id, by=by), list[str]()
        event.listen(
            town.services.database.readers, "before_cursor_execute", listened := lambda *told: said.append(told[2])
        )
        uses = town.services.catalogue.past(found, by=by).uses
        event.remove(town.services.database.readers, "before_cursor_execute", listened)
        assert len(uses) == min(jobs.stop, TOLD_MAX)
        return len(said)

    few = questions(range(2))
    many = questions(range(2, 30))
    assert (few > 5, many) == (True, few), (few, many)

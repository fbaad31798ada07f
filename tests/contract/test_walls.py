"""Where no walls can stand: what may run all the same, and what never does."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.bootstrap import machinery
from fabriek.compute.jobs import Job, State
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotPermitted
from fabriek.worker.admission import admit_jobs
from fabriek.worker.starting import Starter
from tests.factories.executor import MemoryExecutor
from tests.factories.services import WALL_LESS, Town, a_town
from tests.factories.vault import fill
from tests.factories.waiting import until

READING = JobAsked(("sleep", "60"), inputs=(InputAsked("cells", "/data"),))


@dataclass(frozen=True)
class Holder:
    """A person whose project holds a dataset of some label."""

    town: Town
    person: Caller
    project: str

    def submit(self) -> Job:
        return self.town.services.compute.submit(self.project, READING, by=self.person)

    def start(self, job: Job) -> Job:
        """One round of admission and of starting, to its end."""
        services = self.town.services
        environments = machinery.environments(services.settings)
        starter = Starter(services, environments, lambda: None, server_url="http://127.0.0.1:9", lab_socket_dir="/x")
        admit_jobs(services)
        starter.start_jobs()
        until(lambda: not starter._going)
        starter.close()
        return services.compute.get(self.project, job.id, by=self.person)


def a_holder(town: Town, label: str) -> Holder:
    person = town.person("weefsel")
    project = town.project(person)
    by = town.again(person)
    town.services.vault.create(project, "cells", label=label, by=by)
    fill(town.services, town.services.vault.open_upload(project, "cells", label="", by=by), {"a.txt": b"a"}, by=by)
    town.services.vault.agree(
        "cells", home=project, project=project, purposes=["civilian"], right="compute", until=date(2027, 1, 1), by=by
    )
    return Holder(town, by, project)


@pytest.mark.parametrize("without", ["allowed", "not allowed"])
@pytest.mark.parametrize("label", ["internal", "personal", "special-category"])
def test_labelled_data_never_comes_near_a_job_without_walls(
    database: Database, tmp_path: Path, label: str, without: str
) -> None:
    holder = a_holder(a_town(database, tmp_path / "home", able=WALL_LESS, unsandboxed=without == "allowed"), label)
    with pytest.raises(NotPermitted) as refused:
        holder.submit()
    assert (refused.value.fields["rule"], refused.value.fix) == ("sandbox.required", WALL_LESS.fix)


def test_walls_that_fell_after_the_job_was_submitted_keep_it_from_starting(database: Database, tmp_path: Path) -> None:
    holder = a_holder(a_town(database, tmp_path / "home"), "personal")
    job = holder.submit()
    machine = holder.town.services.compute._machine
    object.__setattr__(machine, "able", lambda: WALL_LESS)
    object.__setattr__(machine, "unsandboxed", True)
    started = holder.start(job)
    assert started.state is State.FAILED
    assert "personal" in started.reason


@pytest.mark.parametrize("without", ["allowed", "not allowed"])
def test_open_data_runs_without_walls_only_where_the_operator_said_so(
    database: Database, tmp_path: Path, without: str
) -> None:
    holder = a_holder(a_town(database, tmp_path / "home", able=WALL_LESS, unsandboxed=without == "allowed"), "open")
    job = holder.start(holder.submit())
    executor = holder.town.services.executor
    assert isinstance(executor, MemoryExecutor)
    (attempt,) = executor._attempts.values()
    assert attempt.spec.job == job.id
    assert attempt.spec.unsandboxed is (without == "allowed")

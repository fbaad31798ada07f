"""What a real cluster's accounts say of our jobs, and what is charged by them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.compute.executors.contract import Handle, KeepsAccounts, Phase
from fabriek.compute.executors.slurm import Site, SlurmExecutor
from fabriek.compute.executors.slurm_notes import noted_in
from fabriek.compute.jobs import Job, State
from fabriek.compute.progress import handle_of
from fabriek.compute.requests import JobAsked
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotFound
from fabriek.web.services import Services
from fabriek.worker.books import PATIENCE, Books
from fabriek.worker.settling import settle
from tests.factories.executor import MemoryExecutor, a_spec
from tests.factories.services import a_town
from tests.factories.tables import a_database
from tests.factories.waiting import until
from tests.servers import slurm
from tests.servers.machine import why_no_sandbox
from tests.servers.on_slurm import on_slurm

pytestmark = [pytest.mark.sandbox, pytest.mark.slurm]


@pytest.fixture
def executor(any_slurm_cluster: slurm.Cluster) -> Iterator[SlurmExecutor]:
    if reason := why_no_sandbox():
        pytest.skip(f"no sandbox here: {reason}")
    with on_slurm(any_slurm_cluster) as made:
        yield made


def batch_job(executor: SlurmExecutor, handle: Handle) -> str:
    noted = noted_in(executor._folders.of(handle))
    assert noted is not None
    return noted.id


def test_the_accounts_hold_at_least_what_the_supervisor_says_it_ran(executor: SlurmExecutor, tmp_path: Path) -> None:
    burn = "import time; begun = time.time()\nwhile time.time() < begun + 1: pass"
    handles = executor.submit_all([a_spec("python3", "-c", burn, lab_socket_dir=str(tmp_path)) for _ in range(2)])
    assert isinstance(executor, KeepsAccounts)
    assert executor.accounts([Handle("job_nobody", 1)]) == [None]
    accounts = until(lambda: None not in (found := executor.accounts(handles)) and found)
    for handle, account in zip(handles, accounts, strict=True):
        seen = executor.poll([handle])[0]
        assert seen.phase is Phase.DONE
        assert seen.started_at is not None
        assert seen.ended_at is not None
        assert account is not None
        assert 1 <= (seen.ended_at - seen.started_at).total_seconds() <= account.elapsed_seconds + 1
        assert account.batch_job == batch_job(executor, handle)
        assert account.state == "COMPLETED"
        assert "cpu=1" in account.allocated
        assert account.cpu_seconds > 0


def test_a_cluster_without_accounts_says_so(any_slurm_cluster: slurm.Cluster, tmp_path: Path) -> None:
    with on_slurm(any_slurm_cluster) as made:
        without = SlurmExecutor(tmp_path / "jobs", made._slurm, Site())
    with pytest.raises(NotFound, match="no accounts"):
        without.accounts([Handle("job_nobody", 1)])


@dataclass
class Shop:
    """A job of a project that is running by our books, while what runs of it is on the cluster."""

    services: Services
    person: Caller
    project: str
    job: Job

    def now(self) -> Job:
        return self.services.compute.get(self.project, self.job.id, by=self.person)


@pytest.fixture
def shop(executor: SlurmExecutor, tmp_path: Path) -> Iterator[Shop]:
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    person = town.person("weefsel")
    project = town.project(person)
    services = replace(town.services, executor=executor)
    job = services.compute.submit(project, JobAsked(("sleep", "60")), by=town.again(person))
    with services.database.transaction():
        services.progress._jobs.save(replace(job, state=State.ADMITTED))
    begun = services.progress.begin(job.id)
    assert begun is not None
    yield Shop(services, town.again(person), project, begun)
    database.close()


def test_a_job_that_vanished_is_charged_what_the_accounts_say_and_names_who_cancelled_it(
    shop: Shop, executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    handle = handle_of(shop.job)
    spec = a_spec(
        "sh", "-c", "trap '' TERM; echo begun; sleep 64.1717", job=handle.job, attempt=handle.attempt, lab_socket_dir=str(tmp_path)
    )  # fmt: skip
    executor.submit(spec)
    until(lambda: executor.logs(handle, 0, 100) == b"begun\n")
    until(lambda: executor.poll([handle])[0].phase is Phase.RUNNING)
    any_slurm_cluster.command("scancel", batch_job(executor, handle))
    seen = until(lambda: (one := executor.poll([handle])[0]).phase is Phase.LOST and one)
    assert seen
    assert shop.services.progress.observe(handle.job, replace(seen, ended_at=None))
    # It was missed only ten hours later.
    assert shop.now().state is State.LOST
    late = shop.now()
    assert late.started_at is not None
    with shop.services.database.transaction():
        shop.services.progress._jobs.save(
            replace(late, ran_seconds=36_000.0, use=replace(late.use, ran_seconds=36_000.0))
        )
    until(lambda: executor.accounts([handle])[0])
    ((job, account),) = Books(shop.services).closed([shop.now()])
    assert account is not None
    settle(shop.services, job, account)
    settled = shop.now()
    assert settled.settled
    assert settled.state is State.LOST
    assert settled.reason == f"its batch job {account.batch_job} was cancelled by uid 0 (root)"
    assert 0 < settled.ran_seconds <= account.elapsed_seconds + 1
    assert 0 < settled.used_micro < settled.held_micro
    assert settled.use.account == account


def test_settling_waits_for_accounts_that_are_not_closed_and_not_for_ever(
    shop: Shop, executor: SlurmExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "accounts", lambda handles: [None] * len(handles))
    now = shop.services.clock.now()
    ended = replace(shop.job, state=State.SUCCEEDED, changed_at=now, use=replace(shop.job.use, ran_seconds=5.0))
    old = replace(ended, changed_at=now - PATIENCE - timedelta(seconds=1))
    never_ran = replace(ended, use=replace(ended.use, ran_seconds=0.0))
    assert Books(shop.services).closed([ended]) == []
    assert Books(shop.services).closed([old, never_ran]) == [(old, None), (never_ran, None)]


def test_where_no_accounts_are_kept_nobody_waits(shop: Shop, executor: SlurmExecutor) -> None:
    now = shop.services.clock.now()
    ended = replace(shop.job, state=State.SUCCEEDED, changed_at=now, use=replace(shop.job.use, ran_seconds=5.0))
    executor._accounts = None
    assert Books(shop.services).closed([ended]) == [(ended, None)]
    assert Books(replace(shop.services, executor=MemoryExecutor())).closed([ended]) == [(ended, None)]

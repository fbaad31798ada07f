"""Starting jobs when keys are away, withdrawn or sealed: what cannot open waits or says why, and what runs goes on."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.compute.jobs import State
from fabriek.compute.progress import handle_of
from fabriek.vault.keeping.epochs import REMEMBERED_SECONDS
from tests.contract.test_worker import Shop, a_worker
from tests.factories.executor import MemoryExecutor
from tests.factories.keyring import MemoryKeyring
from tests.factories.services import a_town
from tests.factories.waiting import until


class Kept(Shop):
    """A shop whose master key the test can take away."""

    keyring: MemoryKeyring


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Iterator[Kept]:
    keyring = MemoryKeyring(open_transaction=database.in_transaction)
    town = a_town(database, tmp_path / "home", keys=keyring)
    person = town.person("weefsel")
    project = town.project(person)
    executor = town.services.executor
    assert isinstance(executor, MemoryExecutor)
    made = Kept(town, town.again(person), project, a_worker(town), executor)
    made.keyring = keyring
    yield made
    made.worker._starter.close()
    made.worker._upkeep.close()


def test_a_job_waits_for_a_master_key_that_is_away_and_starts_when_it_is_back(shop: Kept) -> None:
    shop.keyring.away = True
    job = shop.submit("sleep", "60")
    until(lambda: shop.worker.round() or job.id in shop.worker._starter._waiting)
    assert shop.job(job).state in {State.ADMITTED, State.STARTING}
    shop.keyring.away = False

    def wound() -> bool:
        shop.town.clock.move(timedelta(seconds=1))
        shop.worker.round()
        return shop.job(job).state is State.RUNNING

    until(wound)


def test_a_running_job_goes_on_without_the_master_key_and_is_settled_when_it_is_back(shop: Kept) -> None:
    running = shop.work(shop.submit("sleep", "60"), State.RUNNING)
    shop.executor.write(handle_of(running), b"epoch 1")
    shop.keyring.away = True
    shop.town.clock.move(timedelta(seconds=REMEMBERED_SECONDS))
    shop.town.services.vault.forget_keys()
    shop.worker.round()
    assert shop.job(running).state is State.RUNNING
    shop.executor.end(handle_of(running))
    until(lambda: shop.worker.round() or shop.job(running).state is State.SUCCEEDED)
    shop.worker.round()
    assert not shop.job(running).settled
    shop.keyring.away = False
    assert shop.settled(running).log


def test_nothing_starts_while_the_vault_is_sealed_and_what_runs_goes_on(shop: Kept) -> None:
    running = shop.work(shop.submit("sleep", "60"), State.RUNNING)
    seal = shop.town.services.seal
    seal.close("a drill", by=shop.town.operator)
    waiting = shop.submit("sleep", "60")
    for _ in range(5):
        shop.worker.round()
    assert shop.job(running).state is State.RUNNING
    assert shop.job(waiting).state in {State.QUEUED, State.ADMITTED}
    seal.open(by=shop.town.operator)
    assert shop.work(waiting, State.RUNNING)

"""The worker's rounds of closing: at their own pace, beside all others."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import SYSTEM
from fabriek.worker.closing import CLOSING_SECONDS
from fabriek.worker.upkeep import Upkeep
from tests.factories.services import Town, a_town
from tests.factories.vault import fill
from tests.factories.waiting import until


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def left_open(town: Town) -> str:
    """What a job has open whose person has left the project since; its grant."""
    services, owner, guest = town.services, town.person("hospital"), town.person("university")
    project = town.project(owner, partners=("university",))
    owner = town.again(owner)
    services.vault.create(project, "biopsies", by=owner)
    version = fill(services, services.vault.open_upload(project, "biopsies", by=owner), {"a": b"1"}, by=owner)
    home = services.access.project(project).id
    services.access.add_member(home, guest.person, "member", by=owner)
    grant = services.vault.grant_to_job(version.id, "job_1", project=home, purpose="civilian", person=guest.person)
    services.access.remove_member(home, guest.person, by=owner)
    return grant.id


def is_open(town: Town, grant: str) -> bool:
    return town.services.vault._parts.grants.get(grant).ended_at is None


def test_what_ended_is_closed_beside_the_rounds_when_it_is_time(town: Town) -> None:
    upkeep = Upkeep(town.services)
    grant = left_open(town)
    upkeep.round()
    until(lambda: not is_open(town, grant))
    assert upkeep._closer.beside.wait()
    assert not upkeep._closer.round(), "not before it is time again"
    town.clock.move(timedelta(seconds=CLOSING_SECONDS))
    assert upkeep._closer.round()
    upkeep.close()


@pytest.mark.parametrize("fails", [False, True])
def test_a_long_round_of_closing_holds_up_nothing_and_is_one_at_a_time(
    town: Town, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    grant, goes_on = left_open(town), threading.Event()
    begun: list[str] = []
    closing = town.services.vault.close_what_ended

    def long() -> int:
        begun.append(threading.current_thread().name)
        goes_on.wait(30)
        if fails and len(begun) == 1:
            raise RuntimeError
        return closing()

    monkeypatch.setattr(town.services.vault, "close_what_ended", long)
    upkeep = Upkeep(town.services)
    for _ in range(3):
        upkeep.round()
        assert not goes_on.is_set()
        town.clock.move(timedelta(seconds=CLOSING_SECONDS))
    until(lambda: begun)
    assert (len(begun), is_open(town, grant)) == (1, True)
    assert begun[0] != threading.current_thread().name
    # Rounds went on meanwhile.
    assert town.services.audit.events(by=SYSTEM, limit=1, subject=grant).items
    goes_on.set()
    until(lambda: (upkeep.round(), town.clock.move(timedelta(seconds=CLOSING_SECONDS)), not is_open(town, grant))[2])
    upkeep.close()

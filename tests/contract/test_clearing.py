"""The worker clears what was sent and never finished: beside its rounds, and a bounded part at a time."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.vault.intake import wiping
from fabriek.vault.keeping.holds import Retention
from fabriek.vault.uploads import OPEN_FOR
from fabriek.worker.clearing import Clearing
from fabriek.worker.upkeep import Upkeep
from tests.factories.services import Town, a_town
from tests.factories.vault import fill
from tests.factories.waiting import until


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


@pytest.fixture
def objects(town: Town, tmp_path: Path) -> list[Path]:
    """Where the objects lie of three files that nobody went on with, whose time is over."""
    person = town.person("hospital")
    project = town.project(person)
    person, taking = town.again(person), town.services.vault.arriving
    town.services.vault.create(project, "scans", by=person)
    for number in range(3):
        one = taking.begin_alone(project, "scans", f"f{number}", 6, by=person)
        taking.take(one.id, 0, [b"abc"], by=person)
    found = [path for path in (tmp_path / "home" / "objects").rglob("obj_*") if path.is_file()]
    assert len(found) == 3
    town.clock.move(OPEN_FOR)
    return found


def test_a_slow_store_keeps_no_round_waiting(town: Town, objects: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    order, round_is_over = list[str](), threading.Event()
    blobs = town.services.vault.arriving._parts.blobs
    delete = blobs.delete

    def slowly(name: str) -> None:
        round_is_over.wait(5.0)
        order.append("deleted")
        delete(name)

    monkeypatch.setattr(blobs, "delete", slowly)
    upkeep = Upkeep(town.services)
    upkeep.round()
    order.append("round")
    upkeep.round()
    round_is_over.set()
    until(lambda: not any(path.exists() for path in objects))
    upkeep.close()
    assert order == ["round", *["deleted"] * 3]


def test_a_call_wipes_a_bounded_part_and_says_that_there_is_more(
    town: Town, objects: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiping, "OBJECTS_AT_ONCE", 2)
    taking, left = town.services.vault.arriving, list[int]()
    while taking.forget_overdue():
        left.append(sum(path.exists() for path in objects))
    assert left == [1, 0]


def test_one_that_fails_is_tried_again_and_what_was_stopped_goes_on(
    town: Town, objects: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    clearing = Clearing(town.services)
    with monkeypatch.context() as away:
        away.setattr(
            town.services.vault.arriving._parts.blobs, "delete", lambda _: (_ for _ in ()).throw(OSError("away"))
        )
        assert clearing.round()
        assert clearing.beside.wait()
    assert all(path.exists() for path in objects)
    assert not clearing.round(), "not before it is time again"
    clearing.beside.close()
    after = Clearing(town.services)
    assert after.round()
    until(lambda: not any(path.exists() for path in objects))
    after.beside.close()


def test_what_was_erased_is_swept_beside_the_round(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    person = town.person("hospital")
    project = town.project(person)
    person, vault = town.again(person), town.services.vault
    vault.create(project, "scans", by=person)
    fill(town.services, vault.open_upload(project, "scans", by=person), {"a": b"1"}, by=person)
    vault.erasing.retain("scans", Retention(None, town.clock.today()), project=project, by=person)
    objects = [path for path in (tmp_path / "home" / "objects").rglob("obj_*") if path.is_file()]
    assert len(objects) == 2
    town.clock.move(timedelta(days=1))
    blobs, order, round_is_over = vault.arriving._parts.blobs, list[str](), threading.Event()
    delete = blobs.delete

    def slowly(name: str) -> None:
        round_is_over.wait(5.0)
        order.append("deleted")
        delete(name)

    monkeypatch.setattr(blobs, "delete", slowly)
    upkeep = Upkeep(town.services)
    upkeep.round()
    assert vault.find("scans", project=project, by=person).erased_at is not None, "its keys go in the round"
    order.append("round")
    round_is_over.set()
    until(lambda: not any(path.exists() for path in objects))
    upkeep.close()
    assert order == ["round", *["deleted"] * 2]

"""Holds, dates and erasures on both databases: what is gone opens nowhere, what is held stays, and a killed erasure is finished."""

import json
from datetime import timedelta

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.dsse import opened
from fabriek.kernel.errors import Damaged, FabriekError, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.tlog.notes import ED25519, NoteKey
from fabriek.sdk.erasing import read_certificate
from fabriek.vault.keeping.holds import Retention
from tests.factories.keyring import MemoryKeyring
from tests.factories.vault import World, a_push, a_world, fill

OFFICER = Caller("per_sofie", "org_factory", rights=frozenset({"data.hold"}))
FILES = {"a.csv": b"canary in a", "b/c.csv": b"canary in c"}


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def erase(world: World, name: str = "biopsies") -> str:
    asked, dataset = world.vault.erasing.ask(name, "the patient asked", project="lab", by=world.hanna)
    return world.vault.erasing.confirm(asked.id, dataset.name, by=world.hanna).certificate


def test_what_is_erased_opens_nowhere_and_its_objects_go(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    other = a_push(world, "scans", FILES)
    held = world.vault.open("biopsies", project="lab", by=world.hanna)
    erase(world)
    for act in (
        lambda: world.vault.open("biopsies", project="lab", by=world.hanna),
        lambda: world.vault.open_upload("lab", "biopsies", by=world.hanna),
        lambda: world.vault.inputs_for_job(["biopsies"], project="prj_1", purpose="civilian", by=world.hanna),
        lambda: world.vault.check_openable([version.id]),
    ):
        with pytest.raises(WrongState, match="was erased"):
            act()
    with pytest.raises(NotPermitted, match="ended"):
        world.vault.grant(held.grant.id, by=world.hanna)
    assert world.parts.epoch_keys.of_dataset(version.dataset) == []
    left = set(world.blobs.names())
    assert not left & world.parts.versions.objects(version.id)
    assert world.parts.versions.objects(other.id) <= left
    assert world.vault.open("scans", project="lab", by=world.hanna).manifest_key


def test_the_certificate_says_what_is_gone_and_holds_without_any_server(world: World) -> None:
    first, second = a_push(world, "biopsies", FILES), a_push(world, "biopsies", FILES | {"d": b"more"})
    text = erase(world)
    said = opened(text, world.keyring.public_key_bytes())
    assert said["dataset"]["name"] == "biopsies"
    assert {one["id"] for one in said["versions"]} == {first.id, second.id}
    assert said["keys_destroyed"] == [{"epoch": 1, "home": "installation"}]
    assert (said["reason"], said["asked_by"], said["confirmed_by"]) == ("the patient asked", "per_hanna", "per_hanna")
    assert "backups from before" in said["covers"]
    assert world.vault.erasing.certificate_of("biopsies", project="lab", by=world.stef) == text
    key = str(NoteKey(world.keyring.installation_id, ED25519, world.keyring.public_key_bytes()))
    assert read_certificate(text, key) == said
    with pytest.raises(Damaged, match="not signed"):
        read_certificate(text, str(NoteKey("fab_other", ED25519, MemoryKeyring(b"other").public_key_bytes())))
    changed = json.loads(text)
    changed["payload"] = changed["payload"][:-8] + "AAAAAAA="
    with pytest.raises(Damaged):
        opened(json.dumps(changed), world.keyring.public_key_bytes())


def test_erasing_asks_for_the_name_once_more_and_within_a_day(world: World) -> None:
    a_push(world, "biopsies", FILES)
    asked, _ = world.vault.erasing.ask("biopsies", "no longer needed", project="lab", by=world.hanna)
    with pytest.raises(InvalidInput, match="not the name"):
        world.vault.erasing.confirm(asked.id, "scans", by=world.hanna)
    world.clock.move(timedelta(hours=24))
    with pytest.raises(WrongState, match="more than a day ago"):
        world.vault.erasing.confirm(asked.id, "biopsies", by=world.hanna)
    assert world.vault.open("biopsies", project="lab", by=world.hanna).manifest_key


def test_only_the_owner_erases_and_strangers_learn_nothing(world: World) -> None:
    a_push(world, "biopsies", FILES)
    asked, _ = world.vault.erasing.ask("biopsies", "why", project="lab", by=world.hanna)
    with pytest.raises(NotPermitted, match="owns this data"):
        world.vault.erasing.ask("biopsies", "why", project="lab", by=world.stef)
    with pytest.raises(NotPermitted, match="owns this data"):
        world.vault.erasing.confirm(asked.id, "biopsies", by=world.stef)
    with pytest.raises(NotFound):
        world.vault.erasing.confirm(asked.id, "biopsies", by=world.uma)
    with pytest.raises(NotFound):
        world.vault.erasing.ask("lab/biopsies", "why", by=world.uma)


def test_a_hold_keeps_data_from_its_owner_until_an_officer_lifts_it(world: World) -> None:
    a_push(world, "biopsies", FILES)
    asked, _ = world.vault.erasing.ask("biopsies", "why", project="lab", by=world.hanna)
    world.vault.erasing.hold("biopsies", "a court asked", project="lab", by=OFFICER)
    for act in (lambda: world.vault.erasing.confirm(asked.id, "biopsies", by=world.hanna), lambda: erase(world)):
        with pytest.raises(WrongState, match="legal hold"):
            act()
    for by in (world.hanna, world.stef):
        with pytest.raises(NotPermitted, match=r"data\.hold"):
            world.vault.erasing.unhold("biopsies", "mine", project="lab", by=by)
    world.vault.erasing.unhold("biopsies", "the case is over", project="lab", by=OFFICER)
    assert [one.lifted_by for one in world.vault.erasing.holds_on("biopsies", project="lab", by=world.stef)] == [
        "per_sofie"
    ]
    assert erase(world)


def test_data_is_not_erased_before_its_day_and_is_erased_after_it(world: World) -> None:
    a_push(world, "biopsies", FILES)
    today = world.clock.today()
    keep, gone = today + timedelta(days=10), today + timedelta(days=20)
    world.vault.erasing.retain("biopsies", Retention(keep, gone), project="lab", by=world.hanna)
    with pytest.raises(WrongState, match="kept until"):
        erase(world)
    world.clock.move(timedelta(days=20))
    world.vault.erasing.erase_overdue()
    assert world.vault.open("biopsies", project="lab", by=world.hanna).manifest_key
    world.clock.move(timedelta(days=1))
    world.vault.erasing.erase_overdue()
    with pytest.raises(WrongState, match="was erased"):
        world.vault.open("biopsies", project="lab", by=world.hanna)


def test_a_hold_outlasts_the_day_on_which_data_is_to_go(world: World) -> None:
    a_push(world, "biopsies", FILES)
    day = world.clock.today() + timedelta(days=1)
    world.vault.erasing.retain("biopsies", Retention(None, day), project="lab", by=world.hanna)
    world.vault.erasing.hold("biopsies", "a court asked", project="lab", by=OFFICER)
    world.clock.move(timedelta(days=30))
    world.vault.erasing.erase_overdue()
    assert world.vault.open("biopsies", project="lab", by=world.hanna).manifest_key
    world.vault.erasing.unhold("biopsies", "over", project="lab", by=OFFICER)
    world.vault.erasing.erase_overdue()
    assert world.vault.find("biopsies", project="lab", by=world.hanna).erased_at is not None


class Killed(Exception):
    """The server died here."""


OBJECTS = len(FILES) + 1
"""Of a version: an object of each file, and its manifest."""


@pytest.mark.parametrize("step", range(OBJECTS + 1))
def test_an_erasure_that_was_killed_is_finished_and_loses_nothing_that_is_referenced(world: World, step: int) -> None:
    """Killed at each object that it would remove, and before its last record: the next round of the worker ends it."""
    a_push(world, "scans", FILES)
    version = a_push(world, "biopsies", FILES)
    assert len(world.parts.versions.objects(version.id)) == OBJECTS
    deletes, delete, record = [], world.blobs.delete, world.audit.record

    def dying(name: str) -> None:
        if len(deletes) == step:
            raise Killed
        deletes.append(name)
        delete(name)

    def dying_before_the_record(action: str, *rest: object, **facts: object) -> None:
        if action == "erasure.swept":
            raise Killed
        record(action, *rest, **facts)  # type: ignore[arg-type]

    world.blobs.delete = dying  # type: ignore[method-assign]
    world.audit.record = dying_before_the_record  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        erase(world)
    assert len(deletes) == step
    world.blobs.delete = delete  # type: ignore[method-assign]
    world.audit.record = record  # type: ignore[method-assign]
    assert len(world.keeping.erasures.to_sweep()) == 1
    assert set(world.blobs.names()) & world.parts.versions.objects(version.id) == world.parts.versions.objects(
        version.id
    ) - set(deletes)
    assert world.parts.epoch_keys.of_dataset(version.dataset) == []
    world.vault.erasing.erase_overdue()
    assert not set(world.blobs.names()) & world.parts.versions.objects(version.id)
    assert world.keeping.erasures.to_sweep() == []
    assert world.vault.open("scans", project="lab", by=world.hanna).manifest_key


def test_an_erasure_that_was_killed_before_its_commit_has_not_happened(world: World) -> None:
    a_push(world, "biopsies", FILES)
    record = world.audit.record

    def dying(action: str, *rest: object, **facts: object) -> None:
        if action == "dataset.erased":
            raise Killed
        record(action, *rest, **facts)  # type: ignore[arg-type]

    world.audit.record = dying  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        erase(world)
    world.audit.record = record  # type: ignore[method-assign]
    assert world.vault.open("biopsies", project="lab", by=world.hanna).manifest_key
    assert erase(world)


def test_an_erasure_stands_in_the_audit_log_with_the_hash_of_its_certificate(world: World) -> None:
    a_push(world, "biopsies", FILES)
    erase(world)
    dataset = world.vault.find("biopsies", project="lab", by=world.hanna)
    actions = [event.action for event in world.audit.events(by=SYSTEM, limit=10, subject=dataset.id).items]
    assert "dataset.erased" in actions


def test_a_push_that_was_under_way_does_not_become_a_version_of_what_is_erased(world: World) -> None:
    a_push(world, "biopsies", FILES)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    erase(world)
    with pytest.raises(FabriekError):
        fill(world, upload, FILES, by=world.hanna)
    dataset = world.vault.find("biopsies", project="lab", by=world.hanna)
    assert world.parts.epoch_keys.of_dataset(dataset.id) == []
    assert dataset.sequence == 1

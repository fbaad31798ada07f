"""Rotation of the master key and of a dataset's, killed at every step, on both databases."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import Damaged, NotPermitted, Unavailable
from fabriek.kernel.signing import wrapped_under
from fabriek.vault.keeping.rotations import MASTER, SETTLES_AFTER
from tests.factories.keyring import MemoryKeyring
from tests.factories.vault import World, a_push, a_world

OPERATOR = Caller("per_olga", "org_factory", rights=frozenset({"keys.rotate"}))
FILES = {"a.csv": b"alpha"}


@pytest.fixture
def world(database: Database) -> World:
    made = a_world(database)
    for name in ("biopsies", "scans", "genomes"):
        a_push(made, name, FILES)
    return made


def opens(world: World) -> bool:
    """Whether every dataset opens from its wrapped keys alone."""
    world.parts.cipher.forget_all()
    return all(
        world.vault.open(name, project="lab", by=world.hanna).manifest_key for name in ("biopsies", "scans", "genomes")
    )


def test_after_a_rotation_everything_opens_and_the_old_master_key_is_destroyed(world: World) -> None:
    done = world.vault.rotating.rotate_master(by=OPERATOR)
    assert done.target == "memory/2"
    assert world.parts.epoch_keys.not_under("memory/2") == []  # type: ignore[attr-defined]
    assert list(world.keyring.names()) == ["memory/1", "memory/2"]
    world.vault.rotating.go_on()
    assert len(world.keyring.names()) == 2, "a request that is under way may still wrap under the old one"
    world.clock.move(SETTLES_AFTER)
    world.vault.rotating.go_on()
    assert list(world.keyring.names()) == ["memory/2"]
    assert opens(world)
    assert world.vault.rotating.newest(by=OPERATOR)[1].destroyed_at is not None  # type: ignore[union-attr]


def test_what_was_wrapped_under_the_old_master_key_meanwhile_keeps_it_alive(world: World) -> None:
    world.vault.rotating.rotate_master(by=OPERATOR)
    late = MemoryKeyring()  # a server that has not heard of the new key
    dataset = world.vault.find("scans", project="lab", by=world.hanna)
    epoch = world.parts.epoch_keys.get(dataset.id, 1)
    plain = world.keyring.unwrap(epoch.wrapped, epoch.context)
    slow = [one for one in world.parts.epoch_keys.not_under("none/0") if one.place[0] == dataset.id]  # type: ignore[attr-defined]
    with world.database.transaction():
        stale = _outside(late, plain, epoch.context)
        world.parts.epoch_keys.rewrap(slow[0], stale)  # type: ignore[attr-defined]
    world.clock.move(SETTLES_AFTER)
    world.vault.rotating.go_on()
    assert "memory/1" in world.keyring.names(), "it was wrapped anew first"
    world.clock.move(SETTLES_AFTER)
    world.vault.rotating.go_on()
    assert list(world.keyring.names()) == ["memory/2"]
    assert opens(world)


def _outside(keys: MemoryKeyring, key: bytes, context: bytes) -> bytes:
    return keys.wrap(key, context)


class Killed(Exception):
    """The server died here."""


def dying_at(world: World, step: int) -> Callable[[], None]:
    """The keys answer so many times, and then the server dies; what is returned brings it back."""
    answer, left = world.keyring._answer, [step]

    def counted() -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1
        answer()

    world.keyring._answer = counted  # type: ignore[method-assign]

    def back() -> None:
        world.keyring._answer = answer  # type: ignore[method-assign]

    return back


@pytest.mark.parametrize("step", range(12))
def test_a_rotation_killed_at_any_step_goes_on_and_loses_nothing(world: World, step: int) -> None:
    back = dying_at(world, step)
    with suppress(Killed):
        world.vault.rotating.rotate_master(by=OPERATOR)
    back()
    assert opens(world)
    world.vault.rotating.rotate_master(by=OPERATOR)
    target = world.keyring.current()
    assert world.parts.epoch_keys.not_under(target) == []  # type: ignore[attr-defined]
    world.clock.move(SETTLES_AFTER)
    world.vault.rotating.go_on()
    assert list(world.keyring.names()) == [target]
    assert world.keeping.rotations.unfinished(MASTER) == []
    assert opens(world)


def test_a_key_that_does_not_open_keeps_the_old_master_key_from_being_destroyed(world: World) -> None:
    dataset = world.vault.find("scans", project="lab", by=world.hanna)
    spoiled = next(one for one in world.parts.epoch_keys.not_under("none/0") if one.place[0] == dataset.id)  # type: ignore[attr-defined]
    with world.database.transaction():
        world.parts.epoch_keys.rewrap(spoiled, spoiled.wrapped[:-1] + bytes([spoiled.wrapped[-1] ^ 1]))  # type: ignore[attr-defined]
    with pytest.raises(Damaged, match="1 wrapped keys"):
        world.vault.rotating.rotate_master(by=OPERATOR)
    world.clock.move(timedelta(days=1))
    world.vault.rotating.go_on()
    assert "memory/1" in world.keyring.names()
    world.parts.cipher.forget_all()
    assert world.vault.open("biopsies", project="lab", by=world.hanna).manifest_key


def test_a_rotation_waits_for_keys_that_are_away(world: World) -> None:
    world.keyring.away = True
    with pytest.raises(Unavailable):
        world.vault.rotating.rotate_master(by=OPERATOR)
    world.keyring.away = False
    assert wrapped_under(world.keyring.wrap(b"x" * 32, b"")) == "memory/1"
    assert world.vault.rotating.rotate_master(by=OPERATOR).rewrapped_at is not None


def test_only_those_who_keep_the_keys_rotate_them(world: World) -> None:
    for by in (world.hanna, world.uma):
        with pytest.raises(NotPermitted, match=r"keys\.rotate"):
            world.vault.rotating.rotate_master(by=by)
    with pytest.raises(NotPermitted, match="owns this data"):
        world.vault.rotating.rotate_dataset("scans", project="lab", by=world.stef)


@pytest.mark.parametrize("step", range(8))
def test_the_rotation_of_a_dataset_killed_at_any_step_goes_on(world: World, step: int) -> None:
    a_push(world, "scans", FILES | {"b.csv": b"beta"})
    dataset = world.vault.find("scans", project="lab", by=world.hanna)
    world.parts.cipher.forget_all()
    back = dying_at(world, step)
    with suppress(Killed):
        world.vault.rotating.rotate_dataset("scans", project="lab", by=world.hanna)
    back()
    assert opens(world)
    world.vault.rotating.go_on()
    if step >= 1:
        world.parts.cipher.forget_all()
    assert world.keeping.rotations.unfinished(dataset.id) == []
    assert {one.epoch for one in world.parts.versions.of_dataset(dataset.id)} == {2}
    assert [one.number for one in world.parts.epoch_keys.of_dataset(dataset.id)] == [2]
    assert opens(world)

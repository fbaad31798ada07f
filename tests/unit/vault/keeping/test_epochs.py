from datetime import timedelta

import pytest

from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import Damaged, Unavailable
from fabriek.kernel.ids import RandomIds
from fabriek.vault.keeping.epochs import REMEMBERED_SECONDS, EpochCipher
from tests.factories.keyring import MemoryKeyring

KEY = bytes(range(32))


class Switched(MemoryKeyring):
    """A key holder that can be out of reach, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.asked = 0

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        self.asked += 1
        if self.away:
            raise Unavailable("the master key is out of reach", fix="wait")
        return super().unwrap(wrapped, context)


def test_what_was_wrapped_opens_for_the_same_thing_and_epoch_only() -> None:
    cipher = EpochCipher(MemoryKeyring(), FakeClock(), RandomIds())
    first, second, foreign = cipher.make("ds_1", 1), cipher.make("ds_1", 2), cipher.make("ds_2", 1)
    wrapped = cipher.wrap(first, KEY, "ver_1")
    assert cipher.unwrap(first, wrapped, "ver_1") == KEY
    for epoch, what in ((first, "ver_2"), (second, "ver_1"), (foreign, "ver_1")):
        with pytest.raises(Damaged):
            cipher.unwrap(epoch, wrapped, what)


def test_an_epoch_key_moved_to_another_dataset_does_not_open() -> None:
    cipher = EpochCipher(MemoryKeyring(), FakeClock(), RandomIds())
    made = cipher.make("ds_1", 1)
    moved = type(made)("ds_2", 1, made.wrapped, made.made_at)
    with pytest.raises(Damaged):
        cipher.wrap(moved, KEY, "ver_1")


def test_opens_go_on_for_five_minutes_without_the_master_key_and_not_longer() -> None:
    keys, clock = Switched(), FakeClock()
    cipher = EpochCipher(keys, clock, RandomIds())
    epoch = cipher.make("ds_1", 1)
    wrapped = cipher.wrap(epoch, KEY, "ver_1")
    keys.away = True
    clock.move(timedelta(seconds=REMEMBERED_SECONDS - 1))
    assert cipher.unwrap(epoch, wrapped, "ver_1") == KEY
    clock.move(timedelta(seconds=1))
    with pytest.raises(Unavailable):
        cipher.unwrap(epoch, wrapped, "ver_1")


def test_the_master_key_is_asked_once_and_using_a_key_does_not_prolong_its_stay() -> None:
    keys, clock = Switched(), FakeClock()
    cipher = EpochCipher(keys, clock, RandomIds())
    epoch = cipher.make("ds_1", 1)
    wrapped = cipher.wrap(epoch, KEY, "ver_1")
    for _ in range(5):
        clock.move(timedelta(seconds=REMEMBERED_SECONDS / 6))
        cipher.unwrap(epoch, wrapped, "ver_1")
    assert keys.asked == 1
    clock.move(timedelta(seconds=REMEMBERED_SECONDS / 6))
    cipher.unwrap(epoch, wrapped, "ver_1")
    assert keys.asked == 2


def test_an_idle_server_forgets_too() -> None:
    clock = FakeClock()
    cipher = EpochCipher(MemoryKeyring(), clock, RandomIds())
    cipher.wrap(cipher.make("ds_1", 1), KEY, "ver_1")
    clock.move(timedelta(seconds=REMEMBERED_SECONDS))
    cipher.forget()
    assert cipher._remembered == {}

"""Opened blocks in a bounded memory."""

import threading

import pytest

from fabriek.kernel.errors import Unavailable
from fabriek.sdk.blocks import KEPT_BLOCK_BYTES, Blocks
from tests.factories.threads import at_once

WHOLE = b"".join(bytes([number]) * KEPT_BLOCK_BYTES for number in range(8)) + b"end"


class Loads:
    """Opens from WHOLE, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def __call__(self, first: int, stop: int) -> bytes:
        self.asked.append((first, stop))
        return WHOLE[first * KEPT_BLOCK_BYTES : stop * KEPT_BLOCK_BYTES]


def test_what_is_missing_is_loaded_in_runs_and_the_rest_is_kept() -> None:
    blocks, load = Blocks(len(WHOLE)), Loads()
    blocks.get("obj", 2, 4, load)
    assert b"".join(blocks.get("obj", 0, 9, load)) == WHOLE
    assert load.asked == [(2, 4), (0, 2), (4, 9)]
    assert blocks.get("obj", 8, 9, load) == [b"end"]
    assert len(load.asked) == 3


def test_no_more_is_kept_than_was_said_and_the_longest_unused_goes_first() -> None:
    blocks, load = Blocks(2 * KEPT_BLOCK_BYTES), Loads()
    for number in (0, 1, 0, 2):
        blocks.get("obj", number, number + 1, load)
    assert blocks.kept("obj", 0, 1) is not None
    assert blocks.kept("obj", 1, 2) is None
    assert blocks.kept("other", 0, 1) is None


def test_many_who_ask_for_one_block_have_it_loaded_once() -> None:
    blocks, load = Blocks(len(WHOLE)), Loads()

    def slow(first: int, stop: int) -> bytes:
        threading.Event().wait(0.05)
        return load(first, stop)

    third = WHOLE[3 * KEPT_BLOCK_BYTES : 4 * KEPT_BLOCK_BYTES]
    assert at_once(lambda _: blocks.get("obj", 3, 4, slow)[0], times=6) == [third] * 6
    assert load.asked == [(3, 4)]


def test_an_error_is_told_and_the_next_who_asks_tries_again() -> None:
    blocks, load = Blocks(len(WHOLE)), Loads()

    def fails(first: int, stop: int) -> bytes:
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        blocks.get("obj", 0, 3, fails)
    assert b"".join(blocks.get("obj", 0, 3, load)) == WHOLE[: 3 * KEPT_BLOCK_BYTES]


def test_once_closed_nothing_is_kept() -> None:
    blocks, load = Blocks(len(WHOLE)), Loads()
    blocks.get("obj", 0, 1, load)
    blocks.close()
    assert blocks.kept("obj", 0, 1) is None
    assert blocks.get("obj", 0, 1, load) == [WHOLE[:KEPT_BLOCK_BYTES]]
    assert blocks.kept("obj", 0, 1) is None

"""Contents that are in the store already, and the parts of a file block by block."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from fabriek.sealing.digests import BLOCK_BYTES, block_count, block_length, digest_of, zeros_hash
from fabriek.sealing.manifest import File, Part
from fabriek.sealing.packing import Held, joined, parts_by_block

KEY = b"k" * 32


def test_what_is_held_is_found_by_what_it_is() -> None:
    held = Held()
    held.learn("a" * 64, 3, (Part("obj_1", KEY, 7, 3),))
    held.learn("b" * 64, 9, (Part("obj_1", KEY, 0, 4), Part("", b"", 0, 5)))
    assert held.find("a" * 64, 3) == (Part("obj_1", KEY, 7, 3),)
    assert held.find("b" * 64, 9) == (Part("obj_1", KEY, 0, 4), Part("", b"", 0, 5))
    assert held.find("a" * 64, 4) is held.find("c" * 64, 3) is None


def test_no_more_is_held_than_may_be() -> None:
    held = Held(most=2)
    for name in "abc":
        held.learn(name * 64, 1, (Part("obj_1", KEY, 0, 1),))
    assert len(held) == 2
    assert held.find("c" * 64, 1) is None


class Numbers(dict[str, int]):
    """Numbers of objects; whoever asks first is overtaken by somebody else, where that can be."""

    def __init__(self, overtake: threading.Thread) -> None:
        self._overtake = overtake

    def setdefault(self, name: str, number: int = 0, /) -> int:
        found = super().setdefault(name, number)
        if threading.current_thread() is not self._overtake and self._overtake.ident is None:
            self._overtake.start()
            # Where it cannot overtake it waits for us, and would do so for ever.
            self._overtake.join(0.5)
        return found


def test_two_objects_that_are_learnt_at_once_are_not_mistaken_for_each_other() -> None:
    held = Held()
    first, second = Part("obj_1", KEY, 0, 3), Part("obj_2", b"l" * 32, 0, 3)
    other = threading.Thread(target=lambda: held.learn("b" * 64, 3, (second,)))
    held._numbers = Numbers(other)
    held.learn("a" * 64, 3, (first,))
    other.join()
    assert (held.find("a" * 64, 3), held.find("b" * 64, 3)) == ((first,), (second,))


def test_a_file_of_several_blocks_is_held_block_by_block() -> None:
    blocks = ("a" * 64, zeros_hash(BLOCK_BYTES + 1, 1))
    file = File("f", 0o644, BLOCK_BYTES + 1, digest_of(blocks), (Part("obj_1", KEY, 5, BLOCK_BYTES + 1),), "", blocks)
    held = Held()
    held.learn_file(file)
    assert held.find("a" * 64, BLOCK_BYTES, is_block=True) == (Part("obj_1", KEY, 5, BLOCK_BYTES),)
    assert held.find("a" * 64, BLOCK_BYTES) is None
    assert held.find(blocks[1], 1, is_block=True) == (Part("obj_1", KEY, 5 + BLOCK_BYTES, 1),)
    assert held.find(file.sha256, file.size) is None


@given(lengths=st.lists(st.tuples(st.booleans(), st.integers(1, 3 * BLOCK_BYTES)), min_size=1, max_size=12))
def test_the_parts_of_all_blocks_are_the_file(lengths: list[tuple[bool, int]]) -> None:
    parts = joined(
        Part("obj_1", KEY, 0, length) if is_data else Part("", b"", 0, length) for is_data, length in lengths
    )
    size = sum(part.length for part in parts)
    cut = list(parts_by_block(File("f", 0o644, size, "", parts)))
    assert len(cut) == max(1, block_count(size))
    for number, block in enumerate(cut):
        assert sum(part.length for part in block) == block_length(size, number)
    holes = [part.length for block in cut for part in block if not part.object_id]
    assert sum(holes) == sum(part.length for part in parts if not part.object_id)

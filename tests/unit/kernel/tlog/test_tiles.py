import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.kernel.errors import Damaged
from fabriek.kernel.tlog.tiles import frontier_of, grow, parse_tile_path, tile_path, width_of, write_bundle
from fabriek.kernel.tlog.tree import leaf_hash, root_of

Tiles = dict[tuple[int, int], bytes]


def grown(steps: list[int]) -> tuple[Tiles, list[bytes]]:
    """A log that grew by these many leaves at a time."""
    tiles: Tiles = {}
    leaves: list[bytes] = []
    for step in steps:
        new = [leaf_hash(str(len(leaves) + place).encode()) for place in range(step)]
        tiles |= grow(reader(tiles), len(leaves), new)
        leaves += new
    return tiles, leaves


def reader(tiles: Tiles):
    return lambda level, index: tiles.get((level, index), b"")


def test_paths_are_those_of_the_specification() -> None:
    assert tile_path(1234067) == "x001/x234/067"
    assert tile_path(0) == "000"
    assert tile_path(1000, 7) == "x001/000.p/7"


@pytest.mark.parametrize("index", [0, 1, 999, 1000, 1234067, 10**9])
@pytest.mark.parametrize("width", [1, 7, 255, 256])
def test_a_path_reads_back(index: int, width: int) -> None:
    assert parse_tile_path(tile_path(index, width)) == (index, width)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "0000",
        "x000/001",
        "000.p/0",
        "000.p/256",
        "000.p/07",
        "000.p/300",
        "000/",
        "/000",
        "../000",
        "000.p/1/..",
        "x001/1",
        "\u0660\u0660\u0660",
        "000\n",
    ],
)
def test_a_tile_has_one_address(path: str) -> None:
    assert parse_tile_path(path) is None


def test_widths_are_those_of_the_specifications_example() -> None:
    size = 70_000
    assert [width_of(0, index, size) for index in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [width_of(1, index, size) for index in (0, 1, 2)] == [256, 17, 0]
    assert [width_of(2, index, size) for index in (0, 1)] == [1, 0]


def test_a_tree_of_256_is_one_full_tile_and_one_hash_above() -> None:
    tiles, leaves = grown([256])
    assert {place: len(tile) // 32 for place, tile in tiles.items()} == {(0, 0): 256, (1, 0): 1}
    assert tiles[1, 0] == root_of(leaves)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_tiles_are_the_same_however_the_log_grew_and_give_its_root(steps: list[int]) -> None:
    tiles, leaves = grown(steps)
    assert tiles == grown([sum(steps)])[0]
    assert frontier_of(reader(tiles), len(leaves)).root() == root_of(leaves)
    assert {place: len(tile) // 32 for place, tile in tiles.items()} == {
        (level, index): width_of(level, index, len(leaves)) for level, index in tiles
    }


def test_the_root_of_an_older_size_comes_from_the_same_tiles() -> None:
    tiles, leaves = grown([600])
    for size in (0, 1, 255, 256, 257, 511, 512, 513, 599):
        assert frontier_of(reader(tiles), size).root() == root_of(leaves[:size])


def test_a_third_level_grows_when_65536_leaves_are_there() -> None:
    tiles, leaves = grown([65_535, 2])
    assert len(tiles[2, 0]) == 32
    assert frontier_of(reader(tiles), len(leaves)).root() == root_of(leaves)


@pytest.mark.parametrize("place", [(0, 1), (1, 0)])
def test_a_tile_that_is_cut_is_seen_before_anything_is_built_on_it(place: tuple[int, int]) -> None:
    tiles, leaves = grown([300])
    tiles[place] = tiles[place][:-32]
    with pytest.raises(Damaged):
        frontier_of(reader(tiles), len(leaves))
    with pytest.raises(Damaged):
        grow(reader(tiles), len(leaves), [leaf_hash(b"new")] * 300)


def test_a_bundle_is_entries_behind_their_length() -> None:
    assert write_bundle([b"", b"ab"]) == b"\0\0\0\2ab"
    with pytest.raises(AssertionError):
        write_bundle([bytes(2**16)])

"""Arrays and sweeps: what is listed becomes that many jobs, and what counts nothing is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.arrays import ELEMENTS_LIMIT, array_of, filled, indices_of
from fabriek.kernel.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "found"),
    [("0-3", [0, 1, 2, 3]), ("7", [7]), ("1,3,5-9:2", [1, 3, 5, 7, 9]), ("3,1-3", [1, 2, 3]), ("10-20:100", [10])],
)
def test_lists_are_read_as_sbatch_reads_them(text: str, found: list[int]) -> None:
    assert indices_of(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "3-1",
        "1-",
        "a",
        "1;2",
        "1-9:0",
        "0-99999999",
        "$(id)",
        "1,,2",
        "0-9\n",
        "1000001",
        f"0-{ELEMENTS_LIMIT}",
    ],
)
def test_what_counts_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        indices_of(text)


@given(st.sets(st.integers(0, 10_000), min_size=1, max_size=50))
def test_every_index_stands_once_and_in_order(wanted: set[int]) -> None:
    assert indices_of(",".join(map(str, wanted))) == sorted(wanted)


def test_a_bound_says_how_many_at_once() -> None:
    found = array_of("0-9%3", {})
    assert found is not None
    assert (len(found.elements), found.at_once) == (10, 3)
    with pytest.raises(InvalidInput, match="after %"):
        array_of("0-9%", {})


def test_a_sweep_is_every_combination() -> None:
    found = array_of("%2", {"lr": ["0.1", "0.2"], "depth": ["1", "2", "3"]})
    assert found is not None
    assert [dict(one.parameters) for one in found.elements][:4] == [
        {"lr": "0.1", "depth": "1"},
        {"lr": "0.1", "depth": "2"},
        {"lr": "0.1", "depth": "3"},
        {"lr": "0.2", "depth": "1"},
    ]
    assert (len(found.elements), found.at_once) == (6, 2)


def test_a_sweep_without_values_or_with_too_many_is_refused() -> None:
    many = [str(number) for number in range(100)]
    for sweep in ({"lr": []}, {"a": many, "b": many}):
        with pytest.raises(InvalidInput):
            array_of("", sweep)
    with pytest.raises(InvalidInput, match="numbers its own"):
        array_of("0-3", {"lr": ["1"]})


def test_only_the_braces_of_parameters_are_filled() -> None:
    words = ("python", "train.py", "--lr={lr}", "{depth}", "{other}", '{"a": 1}')
    assert filled(words, {"lr": "0.1", "depth": "{lr}"}) == (
        "python",
        "train.py",
        "--lr=0.1",
        "{lr}",
        "{other}",
        '{"a": 1}',
    )
    assert filled(words, {}) == words

"""Paths of artifacts: plain ones are taken as they are; what leads elsewhere, in any spelling, is refused."""

from urllib.parse import quote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.artifacts import checked, split

RUN, MODEL = "0123456789abcdef" * 2, "m-" + "fedcba9876543210" * 2


@pytest.mark.parametrize(
    "path",
    ["a", "a/b.txt", "été/x y.csv", "100%.txt", "c++.h", "what?.txt", "10:30.log", "a..b", "...", "x=1&y=2", "~x"],
)
def test_a_plain_path_is_taken_as_it_is(path: str) -> None:
    assert checked(path) == path
    assert split(f"0/{RUN}/artifacts/{path}") == (f"0/{RUN}", path)
    assert split(f"3/models/{MODEL}/artifacts/{path}") == (f"3/models/{MODEL}", path)


@given(st.text(alphabet="./\\%aA: \x00\n2e5cF+", max_size=24), st.integers(0, 4))
def test_however_a_path_is_quoted_it_stays_below(path: str, times: int) -> None:
    """What is accepted does not lead upwards, read once or many times over."""
    for _ in range(times):
        path = quote(path, safe="")
    try:
        kept = checked(path)
    except InvalidInput:
        return
    for _ in range(12):
        names = kept.strip("/").split("/")
        assert ".." not in [name.strip() for name in names]
        assert "\\" not in kept
        assert "" not in names or names == [""]
        kept = unquote_plus(kept)


@pytest.mark.parametrize(
    "root",
    [
        "",
        "0",
        f"0/{RUN}",
        f"0/{RUN[:-1]}/artifacts",
        f"x/{RUN}/artifacts",
        f"0/{RUN.upper()}/artifacts",
        f"0/models/{RUN}/artifacts",
        f"\u0660/{RUN}/artifacts",
    ],
)
def test_a_path_lies_below_a_root_of_ours(root: str) -> None:
    with pytest.raises(InvalidInput):
        split(f"{root}/x" if root else "x")

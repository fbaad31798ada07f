"""Shares within shares, and what does not add up."""

import pytest

from fabriek.compute.sharing.rules import ShareRules, check_parts
from fabriek.kernel.errors import InvalidInput

TREE = ShareRules({"science": "europe", "physics": "science", "industry": "europe"})


def test_a_path_leads_from_the_top_down() -> None:
    assert TREE.path("physics") == ("europe", "science", "physics")
    assert TREE.path("defence") == ("defence",)
    assert (TREE.depth, ShareRules().depth) == (3, 1)


def test_a_share_that_lies_within_itself_is_refused() -> None:
    with pytest.raises(InvalidInput, match="lies within itself"):
        ShareRules({"a": "b", "b": "c", "c": "a"})


@pytest.mark.parametrize(
    ("parts", "parents", "what"),
    [
        ({"a": 500_000, "b": 400_000}, {}, "sum to 0.9"),
        ({"a": 1_000_000, "b": 600_000, "c": 500_000}, {"b": "a", "c": "a"}, "within a sum to 1.1, and it has 1"),
        ({"a": 1_000_000}, {"b": "a"}, "there is no share b"),
        ({"a": 1_000_000, "b": 1}, {"b": "z"}, "there is no share z"),
    ],
)
def test_a_tree_that_does_not_add_up_is_refused(parts: dict[str, int], parents: dict[str, str], what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        check_parts(parts, parents)


def test_shares_within_one_may_leave_some_of_it() -> None:
    check_parts({"a": 700_000, "b": 300_000, "c": 400_000}, {"c": "a"})

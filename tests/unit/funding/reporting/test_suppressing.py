"""Groups that would tell of one organisation: hidden, and never to be had by subtraction."""

from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.reporting.rows import OTHER
from fabriek.funding.reporting.suppressing import folded, suppressed

WORDS = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.dictionaries(st.sampled_from("ijklmnop"), st.integers(1, 100), min_size=1, max_size=4),
    max_size=8,
)


def test_groups_of_two_are_shown_and_the_largest_first() -> None:
    found = suppressed({"health": {"a": 1, "b": 2}, "energy": {"c": 5, "d": 6}})
    assert [(one.word, one.amount, one.organisations) for one in found] == [("energy", 11, 2), ("health", 3, 2)]


def test_what_would_be_hidden_alone_takes_the_next_smallest_along() -> None:
    found = suppressed({"health": {"a": 1, "b": 2}, "energy": {"c": 5, "d": 6}, "space": {"e": 9}})
    assert [(one.word, one.amount) for one in found] == [("energy", 11), (OTHER, 12)]
    assert found[-1].hidden == ("health", "space")


def test_two_groups_of_the_same_organisation_are_still_one() -> None:
    found = suppressed({"drenthe": {"a": 1}, "utrecht": {"a": 2}, "zeeland": {"b": 3, "c": 3}})
    assert [(one.word, one.organisations) for one in found] == [(OTHER, 3)]


def test_an_organisation_that_used_nothing_makes_no_group_of_two() -> None:
    found = suppressed({"health": {"a": 1, "b": 0}, "energy": {"c": 5, "d": 6}, "space": {"e": 0}})
    assert [one.word for one in found] == [OTHER]
    assert suppressed({}) == ()


@given(WORDS)
def test_nothing_is_lost_and_nobody_is_alone(groups: dict[str, dict[str, int]]) -> None:
    found = suppressed(groups)
    assert sum(one.amount for one in found) == sum(sum(members.values()) for members in groups.values())
    everybody = {name for members in groups.values() for name in members}
    for one in found:
        assert one.organisations >= min(2, len(everybody))
        if one.word == OTHER:
            assert len(one.hidden) >= min(2, len(groups))


@given(
    st.lists(st.frozensets(st.sampled_from("abcdef"), min_size=1), max_size=6), st.frozensets(st.sampled_from("abcdef"))
)
def test_in_no_figure_one_organisation_alone_is_folded(rows: list[frozenset[str]], hidden: frozenset[str]) -> None:
    found = folded(hidden, rows, {name: ord(name) for name in "abcdef"})
    assert found >= hidden
    for row in rows:
        assert len(row & found) != 1 or len(row) == 1

"""What an alias needs, said and weighed."""

import math
from datetime import UTC, datetime

import pytest

from fabriek.kernel.errors import InvalidInput, NotPermitted, WrongState
from fabriek.lab.registry.formats import Mark
from fabriek.lab.registry.promotion import (
    Limit,
    Outcome,
    Promotion,
    Rule,
    agree,
    format_check,
    is_same_alias,
    make_rule,
    metric_checks,
    read_limit,
    refuse,
)

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def a_rule(*limits: str, jobs: tuple[str, ...] = (), second_person: bool = True, allows_code: bool = False) -> Rule:
    told = {"second_person": second_person, "allows_code": allows_code}
    return make_rule("prj_1", "champion", limits=limits, jobs=jobs, by="per_1", at=NOON, **told)


def a_promotion() -> Promotion:
    return Promotion("prm_1", "prj_1", "tree", 3, "champion", "a" * 64, "better", "per_1", NOON)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("test_auc>=0.9", Limit("test_auc", ">=", 0.9)),
        (" loss <= 3e-1 ", Limit("loss", "<=", 0.3)),
        ("val/top 1: acc >= -1", Limit("val/top 1: acc", ">=", -1.0)),
    ],
)
def test_bounds_are_read_as_people_write_them(text: str, limit: Limit) -> None:
    assert read_limit(text) == limit
    assert read_limit(str(limit)) == limit


@pytest.mark.parametrize(
    "text", ["", "auc", "auc>0.9", "auc>=", ">=1", "auc>=nan", "auc>=1e999", "auc>=1.2.3", "a\nb>=1"]
)
def test_what_is_no_bound_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_limit(text)


def test_the_bound_itself_is_enough_and_nan_never_is() -> None:
    limit = read_limit("auc>=0.9")
    assert [limit.holds(one) for one in (0.9, 0.89999, math.inf, math.nan)] == [True, False, True, False]
    assert not read_limit("loss<=1").holds(math.nan)


def test_every_metric_is_weighed_and_one_that_was_not_logged_does_not_pass() -> None:
    rule = a_rule("auc>=0.9", "loss<=0.3")
    assert [(one.found, one.passed) for one in metric_checks(rule, {"auc": 0.95})] == [
        ("0.95", True),
        ("not logged", False),
    ]
    assert not any(one.passed for one in metric_checks(rule, None))


def test_only_data_passes_where_code_is_not_allowed() -> None:
    assert [[one.passed for one in format_check(a_rule(), mark)] for mark in Mark] == [[True], [False], [False]]
    assert format_check(a_rule(allows_code=True), Mark.CODE) == []


def test_a_rule_says_what_it_asks_for() -> None:
    assert a_rule("auc>=0.9", jobs=("evaluate",)).sentence == (
        "auc>=0.9, the job evaluate succeeded on it, a second person agrees, all its files are data"
    )
    assert a_rule(second_person=False, allows_code=True).sentence == "nothing"
    for wrong in ({"limits": ["auc"]}, {"jobs": [" "]}, {"limits": [f"m{one}>=1" for one in range(21)]}):
        with pytest.raises(InvalidInput):
            make_rule("p", "champion", **{"limits": [], "jobs": [], "second_person": True, "allows_code": False, "by": "x", "at": NOON, **wrong})  # type: ignore[arg-type]  # fmt: skip
    for alias in ("latest", "v3", "", "a b"):
        with pytest.raises(InvalidInput):
            make_rule("p", alias, limits=[], jobs=[], second_person=True, allows_code=False, by="x", at=NOON)


def test_a_second_person_agrees_who_did_not_register_it() -> None:
    agreed = agree(a_promotion(), "per_2", NOON, authors={"per_1"})
    assert (agreed.outcome, agreed.decided_by) == (Outcome.AGREED, "per_2")
    for person, authors, rule in (
        ("per_1", set[str](), "promotion.second_person"),
        ("per_2", {"per_2"}, "promotion.author"),
    ):
        with pytest.raises(NotPermitted) as refused:
            agree(a_promotion(), person, NOON, authors=authors)
        assert refused.value.fields["rule"] == rule


def test_what_is_decided_stays_so() -> None:
    refused = refuse(a_promotion(), "per_1", NOON, "too early")
    for act in (lambda: agree(refused, "per_2", NOON, authors=()), lambda: refuse(refused, "per_2", NOON, "no")):
        with pytest.raises(WrongState):
            act()
    with pytest.raises(InvalidInput):
        refuse(a_promotion(), "per_2", NOON, " ")


def test_an_alias_is_the_same_however_it_is_written() -> None:
    assert is_same_alias("Champion", "champion")
    assert not is_same_alias("champions", "champion")

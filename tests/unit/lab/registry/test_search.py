"""What is asked of models, held against them; and the order in which they come."""

import math

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.filters import Order
from fabriek.lab.metrics import Metric, ModelMetric
from fabriek.lab.registry.search import LOGGED, VERSIONS, Found, by, completed, matches, narrowed, only, ordered


def test_every_condition_must_hold() -> None:
    losses = [measured("loss", 0.25), measured("loss", 4.0)]
    one = Found({"name": "tree", "creation_timestamp": 5}, {"kind": "odd"}, {"depth": "3"}, losses)
    for text, holds in (
        ("name = 'tree'", True), ("name = 'tree' AND params.depth = '4'", False), ("tags.kind ILIKE 'O%'", True), ("tags.absent != 'x'", False),
        ("metrics.loss < 1", True), ("metrics.loss > 1", True), ("metrics.loss > 5", False), ("metrics.absent > 0", False),
        ("creation_time >= 5", True),
        ("name NOT IN ('bush', 'fern')", True), ("name LIKE '%'", True),
    ):  # fmt: skip
        assert matches(one, LOGGED.conditions(text)) is holds, text


def measured(key: str, value: float) -> ModelMetric:
    return ModelMetric("m-1", "r", Metric(key, value, 1))


def test_a_number_that_is_none_matches_no_comparison() -> None:
    one = Found({}, metrics=[measured("loss", math.nan)])
    assert not any(matches(one, LOGGED.conditions(f"metrics.loss {sign} 1")) for sign in ("<", "<=", ">", ">=", "="))


def test_what_narrows_a_search_is_read_off_the_filter() -> None:
    assert only(VERSIONS.conditions("name = 'tree' AND version_number > 1"), "name") == ("tree",)
    assert only(VERSIONS.conditions("run_id IN ('a', 'b')"), "run_id") == ("a", "b")
    assert only(VERSIONS.conditions("name != 'tree' AND name LIKE 't%'"), "name") == ()
    assert only(VERSIONS.conditions("tags.name = 'tree'"), "name") == ()


def test_a_filter_that_only_names_values_is_read_as_those() -> None:
    keys = ("name", "run_id")
    assert narrowed(VERSIONS.conditions(""), keys) == {}
    assert narrowed(VERSIONS.conditions("name = 'a' AND run_id IN ('b', 'c')"), keys) == {"name": ("a",), "run_id": ("b", "c")}  # fmt: skip
    for more in ("name != 'a'", "name = 'a' AND name = 'b'", "name LIKE 'a'", "tags.name = 'a'", "version_number = 1"):
        assert narrowed(VERSIONS.conditions(more), keys) is None


def test_the_number_of_a_version_may_stand_in_quotes() -> None:
    one = Found({"version_number": 7})
    assert matches(one, VERSIONS.conditions("version_number = '7' AND version_number < 8"))
    for wrong in ("version_number = 'x'", "version_number = ''", "version_number = '1.0'", "version_number LIKE '7'"):
        with pytest.raises(InvalidInput):
            VERSIONS.conditions(wrong)


def test_what_has_no_value_comes_last_whichever_way() -> None:
    things: list[tuple[str, int | None]] = [("a", 2), ("b", None), ("c", 1), ("d", 2)]

    def value(one: tuple[str, int | None], order: Order) -> object:
        return one[1] if order.key == "number" else one[0]

    up = ordered(things, [by("number"), by("name", descending=True)], value)
    down = ordered(things, [by("number", descending=True), by("name")], value)
    assert ["".join(name for name, _ in one) for one in (up, down)] == ["cdab", "adcb"]


def test_an_order_is_completed_by_what_decides_where_it_does_not() -> None:
    asked = by("name", descending=True)
    assert completed([asked], by("name"), by("version_number")) == [asked, by("version_number")]

"""MLflow's grammar of search, read into conditions; what is not in it is refused, quickly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.filters import EXPERIMENTS, RUNS, Condition, Order
from fabriek.lab.patterns import holds, is_like

READ = [
    ("metrics.loss < 0.5", [Condition("metric", "loss", "<", 0.5)]),
    ("metric.loss<=1e-3", [Condition("metric", "loss", "<=", 0.001)]),
    ("metrics.`val/loss x` > -3", [Condition("metric", "val/loss x", ">", -3)]),
    ('metrics."val loss" != 3', [Condition("metric", "val loss", "!=", 3)]),
    ("params.model = 'cnn'", [Condition("param", "model", "=", "cnn")]),
    ('params.model = "c\'n"', [Condition("param", "model", "=", "c'n")]),
    ("parameter.a.b != ''", [Condition("param", "a.b", "!=", "")]),
    ("tags.team ILIKE '%a_'", [Condition("tag", "team", "ILIKE", "%a_")]),
    ("tags.team is not null", [Condition("tag", "team", "IS NOT NULL", None)]),
    ("params.lr IS NULL", [Condition("param", "lr", "IS NULL", None)]),
    ("status = 'RUNNING'", [Condition("attribute", "status", "=", "RUNNING")]),
    ("attributes.created >= 1700000000000", [Condition("attribute", "start_time", ">=", 1_700_000_000_000)]),
    ("run.`Run name` LIKE 'x%'", [Condition("attribute", "run_name", "LIKE", "x%")]),
    ("run_id IN ('a', 'b')", [Condition("attribute", "run_id", "IN", ("a", "b"))]),
    ("run_id not  in ('a')", [Condition("attribute", "run_id", "NOT IN", ("a",))]),
    ("datasets.context = 'train'", [Condition("dataset", "context", "=", "train")]),
    (
        "metrics.a > 1 AND params.b = 'x and y' and tags.c = '1'",
        [Condition("metric", "a", ">", 1), Condition("param", "b", "=", "x and y"), Condition("tag", "c", "=", "1")],
    ),
    ("", []),
    ("   ", []),
]


@pytest.mark.parametrize(("text", "expected"), READ, ids=[text for text, _ in READ])
def test_a_filter_is_read(text: str, expected: list[Condition]) -> None:
    assert RUNS.conditions(text) == expected


REFUSED = [
    "metrics.loss", "metrics.loss <", "metrics.loss < 'a'", "metrics.loss LIKE 'a'", "metrics.loss is null", "params.a = 1", "params.a > '1'",
    "params.a = b",
    "params.a RLIKE 'x'", "tags.a = 'x' or tags.b = 'y'", "tags.a = 'x' tags.b = 'y'", "tags.a = 'x' and", "and tags.a = 'x'",
    "color = 'red'", "attributes.color = 'red'", "trace.a = 'x'", "run_id = ('a')", "run_id IN 'a'", "run_id IN ()", "run_id IN ('a'",
    "status IN ('a')",
    "run_id IN ('a' 'b')", "start_time > 'now'", "datasets.size = 'x'", "1 = 1", "1=1; drop table lab_runs",
    "tags.a = 'x'; --", "tags.a = 'x' /* y */",
    "tags.a = 'x' UNION SELECT 1", "metrics.a > 1)", "(metrics.a > 1)", "not tags.a = 'x'", "tags.a = 'unclosed", "\x00", "tags.a = 'x' and " * 60,
    "tags.a LIKE '" + "%a" * 30 + "'", "a" * 30_000,
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=[text[:40] for text in REFUSED])
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        RUNS.conditions(text)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        found = RUNS.conditions(text)
    except InvalidInput:
        return
    assert all(one.kind in RUNS.kinds for one in found)


def test_an_order_names_columns_and_directions() -> None:
    assert RUNS.orders(["metrics.`a b` DESC", "params.x", "start_time asc"]) == [
        Order("metric", "a b", descending=True), Order("param", "x", descending=False), Order("attribute", "start_time", descending=False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "clauses",
    [
        ["metrics.a DOWN"],
        ["metrics.a DESC, params.b"],
        [""],
        ["a b c"],
        ["metrics.a", "metrics.a DESC"],
        ["datasets.name"],
        ["x" * 30_000],
    ],
)
def test_what_is_no_order_is_refused(clauses: list[str]) -> None:
    with pytest.raises(InvalidInput):
        RUNS.orders(clauses)


def test_experiments_know_their_own_attributes_only() -> None:
    assert EXPERIMENTS.conditions("name LIKE 'a%'") == [Condition("attribute", "name", "LIKE", "a%")]
    with pytest.raises(InvalidInput):
        EXPERIMENTS.conditions("metrics.a > 1")


@pytest.mark.parametrize(
    ("value", "pattern", "fold", "expected"),
    [
        ("abc", "a%", False, True), ("abc", "%c", False, True), ("abc", "%b%", False, True), ("abc", "a_c", False, True), ("abc", "_", False, False),
        ("abc", "A%", False, False), ("abc", "A%", True, True), ("", "%", False, True), ("", "", False, True), ("abc", "", False, False),
        ("a*c", "a*c", False, True), ("abc", "a*c", False, False), ("aXbXc", "a%b%c", False, True), ("aXbX", "a%b%c", False, False),
    ],
)  # fmt: skip
def test_a_pattern_is_matched(value: str, pattern: str, fold: bool, expected: bool) -> None:  # noqa: FBT001  # a parameter of cases
    assert is_like(value, pattern, fold=fold) is expected


def test_a_pattern_that_would_blow_up_is_matched_in_one_pass() -> None:
    assert not is_like("a" * 20_000, "%a" * 20 + "%b")


def test_a_value_that_is_not_there_meets_only_is_null() -> None:
    assert holds(Condition("tag", "a", "IS NULL", None), None)
    assert not holds(Condition("tag", "a", "!=", "x"), None)
    assert holds(Condition("attribute", "name", "NOT IN", ("x",)), "y")

"""Filters and orders that are more than that: SQL, and patterns that cost a server its processor."""

import pytest

from tests.api.mlflow_bad_input.conftest import Door, refused

INJECTIONS = [
    "params.a = 'x'; DROP TABLE lab_runs; --", "params.a = 'x' OR '1' = '1'", "params.a = '' UNION SELECT * FROM identity_tokens --",
    "tags.`a` = 'x') OR 1 = 1 --", 'metrics.`a"` > 0 OR 1 = 1', "attributes.run_name = 'x' /* */ OR 1=1", "params.`' OR 1=1 --` = 'x'",
    "attributes.`id; DELETE FROM lab_runs` = 'x'", "run_id IN ('a') OR 1 = 1", "run_id IN (SELECT id FROM lab_runs)", "metrics.a > 0; PRAGMA user_version = 9",
    "attributes.start_time > 0 OR sleep(10)", "params.a = 'x' AND randomblob(1000000000)", "tags.a LIKE 'x' ESCAPE '\\'", "attributes.run_name = char(39)",
]  # fmt: skip
ORDERS = [
    "metrics.a; DROP TABLE lab_runs", "(SELECT 1)", "run_name ASC, (SELECT token FROM identity_tokens)", "metrics.`a` DESC; --", "1; DELETE FROM lab_runs",
    "CASE WHEN 1=1 THEN run_name ELSE start_time END", "start_time DESC NULLS LAST", "random()", "run_name COLLATE NOCASE", 'attributes.`run_name" DESC --`',
]  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("call", ["runs/search", "experiments/search"])
def test_a_filter_is_never_part_of_a_statement(door: Door, call: str, text: str) -> None:
    """Refused, or a name and a value that nothing has."""
    answer = door.post(call, {"experiment_ids": ["0"], "filter": text, "max_results": 10})
    assert refused(answer) or answer.json() in ({"runs": []}, {"experiments": []}), answer.text


@pytest.mark.parametrize("text", ORDERS)
@pytest.mark.parametrize("call", ["runs/search", "experiments/search"])
def test_an_order_is_never_part_of_a_statement(door: Door, call: str, text: str) -> None:
    assert refused(door.post(call, {"experiment_ids": ["0"], "order_by": [text], "max_results": 10}))


def test_quotes_in_a_value_are_only_a_value(door: Door) -> None:
    for value, count in (('"it\'s here"', 1), ("'it''s'' OR ''1''=''1'", 0), ("\"it's' OR '1'='1\"", 0)):
        answer = door.post("runs/search", {"experiment_ids": ["0"], "filter": f"run_name = {value}"})
        assert len(answer.json()["runs"]) == count, value


LONG = [
    "metrics.a" + " " * 19_000 + "> 0.", "not " * 4_000, "`" * 19_999, "(" * 19_999, "'" + "''" * 9_000, "params.a = '" + "%" * 19_000 + "'", "a." * 9_000,
    "metrics.a > 0 AND " * 1_000, "x" * 20_001, "x" * 1_000_000, "metrics.`" + "a" * 15_000, "is not null " * 1_500, "metrics.a > " + "9" * 19_000,
    "attributes.start_time > 99999999999999999999", "params.a LIKE '" + "%a" * 21 + "'", "params.a ILIKE '" + "%_" * 9_000 + "'", "run_id IN (" + "'a', " * 3_000 + ")", "metrics.a > 0" + "\x00" * 9_000,
]  # fmt: skip


@pytest.mark.parametrize("text", LONG, ids=range(len(LONG)))
@pytest.mark.parametrize("call", ["runs/search", "experiments/search"])
def test_a_filter_that_would_take_long_to_read_is_soon_answered(door: Door, call: str, text: str) -> None:
    answer = door.post(call, {"experiment_ids": ["0"], "filter": text, "max_results": 10})
    assert refused(answer) or answer.json() == {"runs": []}
    assert len(answer.content) < 2_000


def test_a_pattern_that_nearly_matches_everywhere_ends(door: Door) -> None:
    """What a matcher that goes back and tries again would not survive: as many wildcards as are taken, and a value that is long."""
    run = door.post("runs/create", {"experiment_id": "0", "run_name": "patient"}).json()["run"]["info"]["run_id"]
    assert door.post("runs/set-tag", {"run_id": run, "key": "long", "value": "a" * 60_000}).status_code == 200
    for like in ("LIKE", "ILIKE"):
        answer = door.post("runs/search", {"experiment_ids": ["0"], "filter": f"tags.long {like} '{'%a' * 18}b'"})
        assert answer.json() == {"runs": []}
    found = door.post("runs/search", {"experiment_ids": ["0"], "filter": f"tags.long LIKE '{'%a' * 18}'"})
    assert [one["info"]["run_id"] for one in found.json()["runs"]] == [run]


@pytest.mark.parametrize("name", ["²", "१२", "9" * 400, "1e400", "nan", "-0"])
def test_names_that_look_like_numbers_are_ordered_as_any(door: Door, name: str) -> None:
    assert door.post("experiments/create", {"name": name}).status_code == 200
    answer = door.post("experiments/search", {"max_results": 100, "order_by": ["name"]})
    assert answer.status_code == 200
    assert name in {one["name"] for one in answer.json()["experiments"]}


@pytest.mark.parametrize("fields", [
    {"order_by": ["run_name"] * 21}, {"order_by": ["x" * 1_000_000]}, {"order_by": [["run_name"]]}, {"order_by": [{"a": 1}]}, {"order_by": [None]},
    {"experiment_ids": [["0"]]}, {"experiment_ids": [{"a": "0"}]}, {"experiment_ids": [None]}, {"page_token": "x" * 1_000_000}, {"page_token": 7},
    {"page_token": "../../x"}, {"max_results": 2**63}, {"max_results": 10**30}, {"max_results": 1.5}, {"filter": ["a"]}, {"filter": {"a": 1}},
], ids=range(16))  # fmt: skip
def test_a_search_of_another_shape_is_refused(door: Door, fields: dict[str, object]) -> None:
    assert refused(door.post("runs/search", {"experiment_ids": ["0"]} | fields))


def test_many_experiments_are_searched_without_a_statement_that_is_too_long(door: Door) -> None:
    assert door.post("runs/search", {"experiment_ids": [str(one) for one in range(100_000)]}).status_code in {200, 400}

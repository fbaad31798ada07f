"""Too many, too long, too deep, too large, and numbers that are none."""

import gzip
import json
import zlib

import pytest

from fabriek.web.envelope import JSON_BYTES_MAX
from tests.api.mlflow_bad_input.conftest import API, JSON, Door, refused

MILLION = "x" * 1_000_000
ABSENT = "0" * 32
POSTS = [
    "experiments/create", "experiments/search", "experiments/update", "experiments/delete", "experiments/restore", "experiments/set-experiment-tag",
    "runs/create", "runs/update", "runs/search", "runs/delete", "runs/restore", "runs/log-metric", "runs/log-parameter", "runs/log-batch", "runs/set-tag",
    "runs/delete-tag", "runs/log-inputs", "runs/outputs", "logged-models", "registered-models/create", "model-versions/create",
]  # fmt: skip


def tags(count: int) -> list[dict[str, str]]:
    return [{"key": f"t{number}", "value": "x"} for number in range(count)]


def test_a_million_tags_are_refused(door: Door) -> None:
    body = json.dumps({"experiment_id": "0", "run_id": door.run, "name": "many", "tags": tags(1_000_000)}).encode()
    assert len(body) > JSON_BYTES_MAX
    assert refused(door.post("runs/log-batch", content=body, headers=JSON))


@pytest.mark.parametrize("call", ["runs/create", "runs/log-batch", "experiments/create"])
def test_as_many_tags_as_a_body_holds_are_refused_too(door: Door, call: str) -> None:
    known = len(door.post("runs/search", {"experiment_ids": ["0"], "max_results": 1_000}).json()["runs"])
    answer = door.post(call, {"experiment_id": "0", "run_id": door.run, "name": "many", "tags": tags(100_000)})
    assert refused(answer), answer.text[:300]
    assert len(door.post("runs/search", {"experiment_ids": ["0"], "max_results": 1_000}).json()["runs"]) == known


LONG: list[tuple[str, dict[str, object]]] = [
    ("experiments/create", {"name": MILLION}), ("experiments/create", {"name": "long", "tags": [{"key": MILLION, "value": "x"}]}),
    ("experiments/create", {"name": "long", "tags": [{"key": "x", "value": MILLION}]}), ("experiments/update", {"experiment_id": "0", "new_name": MILLION}),
    ("experiments/set-experiment-tag", {"experiment_id": "0", "key": MILLION, "value": "x"}),
    ("experiments/set-experiment-tag", {"experiment_id": "0", "key": "x", "value": MILLION}),
    ("runs/create", {"experiment_id": "0", "run_name": MILLION}), ("runs/create", {"experiment_id": "0", "tags": [{"key": "mlflow.runName", "value": MILLION}]}),
    ("runs/create", {"experiment_id": "0", "user_id": MILLION}), ("runs/create", {"experiment_id": "0", "tags": [{"key": MILLION, "value": "x"}]}),
    ("runs/update", {"run_id": "$run", "run_name": MILLION}), ("runs/log-metric", {"run_id": "$run", "key": MILLION, "value": 1, "timestamp": 1}),
    ("runs/log-parameter", {"run_id": "$run", "key": MILLION, "value": "x"}), ("runs/log-parameter", {"run_id": "$run", "key": "x", "value": MILLION}),
    ("runs/set-tag", {"run_id": "$run", "key": MILLION, "value": "x"}), ("runs/set-tag", {"run_id": "$run", "key": "x", "value": MILLION}),
    ("runs/set-tag", {"run_id": "$run", "key": "mlflow.runName", "value": MILLION}),
    ("runs/log-batch", {"run_id": "$run", "metrics": [{"key": MILLION, "value": 1, "timestamp": 1}]}),
    ("runs/log-batch", {"run_id": "$run", "metrics": [{"key": "m", "value": "9" * 1_000_000, "timestamp": 1}]}),
    ("runs/log-metric", {"run_id": "$run", "key": "m", "value": 1, "timestamp": "9" * 1_000_000}),
    ("runs/log-metric", {"run_id": "$run", "key": "m", "value": 1, "timestamp": 1, "step": "9" * 1_000_000}),
    ("runs/log-inputs", {"run_id": "$run", "datasets": [{"dataset": {"name": MILLION, "digest": "d", "source_type": "l", "source": "s"}}]}),
    ("runs/log-inputs", {"run_id": "$run", "datasets": [{"dataset": {"name": "n", "digest": MILLION, "source_type": "l", "source": "s"}}]}),
    ("runs/log-inputs", {"run_id": "$run", "datasets": [{"dataset": {"name": "n", "digest": "d", "source_type": MILLION, "source": "s"}}]}),
    ("runs/log-inputs", {"run_id": "$run", "datasets": [{"dataset": {"name": "n", "digest": "d", "source_type": "l", "source": MILLION}}]}),
]  # fmt: skip


@pytest.mark.parametrize(("call", "fields"), LONG, ids=range(len(LONG)))
def test_a_million_characters_are_no_name_and_no_value(door: Door, call: str, fields: dict[str, object]) -> None:
    """And are not sent back either."""
    answer = door.post(call, {key: door.run if value == "$run" else value for key, value in fields.items()})
    assert refused(answer)
    assert len(answer.content) < 2_000


@pytest.mark.parametrize(
    "call", ["runs/get", "experiments/get", "metrics/get-history", "metrics/get-history-bulk-interval"]
)
def test_a_long_question_is_an_answer_of_no(door: Door, call: str) -> None:
    """As long as a line of HTTP may be; what is longer is refused before anybody reads it."""
    for length in (8_000, 15_000):
        long = "x" * length
        answer = door.get(call, run_id=long, experiment_id=long, metric_key=long, run_ids=long)
        assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("call", POSTS)
@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"run_id":' + b"[" * 100_000 + b"]" * 100_000 + b"}"], ids=range(3)
)
def test_what_is_a_hundred_thousand_deep_is_refused(door: Door, call: str, body: bytes) -> None:
    assert refused(door.post(call, content=body, headers=JSON))


BOMB = gzip.compress(b'{"run_id": "' + b"0" * 100_000_000)
PACKED = [("gzip", BOMB), ("GZIP", BOMB), ("x-gzip", BOMB), ("deflate", zlib.compress(b"0" * 1_000_000)), ("br", b"x"), ("zstd", b"x"), ("gzip, gzip", gzip.compress(BOMB)), ("identity, gzip", BOMB)]  # fmt: skip


@pytest.mark.parametrize(("encoding", "body"), PACKED, ids=[one[0] for one in PACKED])
@pytest.mark.parametrize("call", ["runs/log-batch", "runs/log-metric", "runs/search", "experiments/create"])
def test_a_body_that_is_larger_than_it_looks_is_not_unpacked(door: Door, call: str, encoding: str, body: bytes) -> None:
    assert refused(door.post(call, content=body, headers=JSON | {"Content-Encoding": encoding}))


def test_a_packed_file_is_kept_packed(door: Door) -> None:
    place = f"/api/2.0/mlflow-artifacts/artifacts/0/{door.run}/artifacts/bomb.gz"
    assert door.web.put(place, content=BOMB, headers={"Content-Encoding": "gzip"}).status_code == 200
    assert door.web.get(place).content == BOMB


NOT_NUMBERS = [
    "nan",
    "NAN",
    "-NaN",
    "+NaN",
    "NaN ",
    " NaN",
    "inf",
    "INF",
    "+Infinity",
    "infinity",
    "0x10",
    "1_000",
    "",
    " ",
    "1,5",
    "None",
    "true",
]


@pytest.mark.parametrize("value", NOT_NUMBERS)
def test_a_text_is_a_number_only_as_mlflow_writes_it(door: Door, value: str) -> None:
    for call, fields in (
        ("runs/log-metric", {"key": "m", "value": value, "timestamp": 1}),
        ("runs/log-batch", {"metrics": [{"key": "m", "value": value, "timestamp": 1}]}),
    ):
        answer = door.post(call, {"run_id": ABSENT, **fields})
        assert refused(answer), value


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"1.5", b"9223372036854775808", b"-9223372036854775809", b"1" + b"0" * 5_000, b"true", b"[]", b"{}", b'"1e3"', b'"NaN"'])  # fmt: skip
@pytest.mark.parametrize("field", ["step", "timestamp"])
def test_a_step_and_a_time_are_whole_and_of_64_bits(door: Door, field: str, number: bytes) -> None:
    fields = {"run_id": door.run, "key": "m", "value": 1.0, "timestamp": 1, "step": 1, field: "HERE"}
    body = json.dumps(fields).encode().replace(b'"HERE"', number)
    assert refused(door.post("runs/log-metric", content=body, headers=JSON))


@pytest.mark.parametrize("number", [b"NaN", b"1e400", b"9223372036854775808", b"253402300800000", b"1" + b"0" * 5_000])
def test_a_run_begins_and_ends_in_a_year_that_there_is(door: Door, number: bytes) -> None:
    for call, field in (("runs/create", "start_time"), ("runs/update", "end_time")):
        body = json.dumps({"experiment_id": "0", "run_id": door.run, "status": "RUNNING", field: "HERE"}).encode()
        assert refused(door.post(call, content=body.replace(b'"HERE"', number), headers=JSON)), call


@pytest.mark.parametrize(
    "fields",
    [
        {"start_step": "9" * 30, "end_step": "9" * 30},
        {"start_step": "NaN", "end_step": "NaN"},
        {"max_results": "9" * 30},
        {"max_results": "-1"},
    ],
)
def test_a_chart_of_numbers_that_are_none_is_refused(door: Door, fields: dict[str, str]) -> None:
    assert refused(door.get("metrics/get-history-bulk-interval", run_ids=door.run, metric_key="m", **fields))


def test_half_a_letter_is_no_text(door: Door) -> None:
    for call, field in (("experiments/create", "name"), ("runs/create", "run_name"), ("runs/set-tag", "key"), ("runs/log-batch", "run_id")):  # fmt: skip
        body = b'{"experiment_id": "0", "' + field.encode() + b'": "\\ud800"}'
        assert refused(door.post(call, content=body, headers=JSON)), call


def test_the_dialect_has_all_the_calls_that_are_tried_here(door: Door) -> None:
    """A call that does not exist would be refused for another reason."""
    for call in POSTS:
        assert door.web.post(f"{API}/{call}", json={}).json().get("message", "").find("not part of") < 0, call

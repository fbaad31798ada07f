"""MLflow's search: conditions joined by AND over metrics, parameters, tags and attributes, and the order of what is found."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.runs import Run

_CONDITION = re.compile(
    r"\s*(?:(?P<kind>metrics?|params?|parameters?|tags?|attributes?|attr|run)\.)?"
    r"(?P<key>`[^`]+`|\"[^\"]+\"|[\w.\-/]+)\s*"
    r"(?P<operator>>=|<=|!=|=|>|<|not\s+in|in|ilike|like)\s*"
    r"(?P<value>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|-?[\d.]+(?:[eE][+-]?\d+)?|\([^)]*\))\s*",
    re.IGNORECASE,
)
CONDITIONS_MAX = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A run with what can be asked about it."""

    run: Run
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags: Mapping[str, str]


def matches(text: str) -> Callable[[Found], bool]:
    """A filter as a question to each run. Raises InvalidInput on what is not a filter."""
    tests: list[Callable[[Found], bool]] = []
    for part in (
        re.split(r"\s+and\s+(?=(?:[^'\"]*['\"][^'\"]*['\"])*[^'\"]*$)", text.strip(), flags=re.IGNORECASE)
        if text.strip()
        else []
    ):
        condition = _CONDITION.fullmatch(part)
        if condition is None or len(tests) >= CONDITIONS_MAX:
            raise InvalidInput(f"Invalid clause(s) in filter string: '{part.strip()[:100]}'")
        tests.append(
            _test(
                condition["kind"] or "attributes", condition["key"], condition["operator"].lower(), condition["value"]
            )
        )
    return lambda found: all(test(found) for test in tests)


def ordered(runs: Sequence[Found], order_by: Sequence[str]) -> list[Found]:
    """By the given columns, the newest first where they do not decide. Raises InvalidInput. Missing values come last."""
    listed = sorted(runs, key=lambda found: (found.run.started_at, found.run.id), reverse=True)
    for clause in reversed(order_by):
        named = re.fullmatch(
            r"\s*(?:(\w+)\.)?(`[^`]+`|\"[^\"]+\"|[\w.\-/]+)(?:\s+(ASC|DESC))?\s*", clause, re.IGNORECASE
        )
        if named is None:
            raise InvalidInput(f"Invalid order_by clause '{clause[:100]}'")
        kind, key, down = named[1] or "attributes", _unquoted(named[2]), (named[3] or "").upper() == "DESC"
        having = [found for found in listed if _value(found, kind, key) is not None]
        missing = [found for found in listed if _value(found, kind, key) is None]
        listed = sorted(having, key=lambda found: _sortable(_value(found, kind, key)), reverse=down) + missing
    return listed


def _test(kind: str, key: str, operator: str, written: str) -> Callable[[Found], bool]:
    name = _unquoted(key)
    wanted: object = _wanted(kind, written)
    operator = re.sub(r"\s+", " ", operator)

    def test(found: Found) -> bool:
        value = _value(found, kind, name)
        if value is None:
            return False
        return _compare(value, operator, wanted)

    return test


def _compare(value: object, operator: str, wanted: object) -> bool:
    match operator:
        case "=":
            return value == wanted
        case "!=":
            return value != wanted
        case "in" | "not in":
            return (isinstance(wanted, tuple) and value in wanted) == (operator == "in")
        case "like" | "ilike":
            pattern = re.escape(str(wanted)).replace("%", ".*").replace("_", ".")
            return (
                re.fullmatch(pattern, str(value), re.DOTALL | (re.IGNORECASE if operator == "ilike" else re.NOFLAG))
                is not None
            )
        case _:
            if not isinstance(value, int | float) or not isinstance(wanted, int | float):
                raise InvalidInput(f"Invalid comparator '{operator}' for a text")
            return {">": value > wanted, "<": value < wanted, ">=": value >= wanted, "<=": value <= wanted}[operator]


def _wanted(kind: str, written: str) -> object:
    if written.startswith("("):
        return tuple(_unquoted(one.strip()) for one in written[1:-1].split(",") if one.strip())
    if written[0] in "'\"":
        return _unquoted(written)
    if kind.lower().startswith(("param", "tag")):
        raise InvalidInput(f"Expected a quoted string value for {kind}. Got value {written}")
    return float(written)


def _value(found: Found, kind: str, key: str) -> object:
    match kind.lower():
        case "metric" | "metrics":
            return found.metrics.get(key)
        case "param" | "params" | "parameter" | "parameters":
            return found.params.get(key)
        case "tag" | "tags":
            return found.tags.get(key)
        case _:
            return _attribute(found.run, key)


def _attribute(run: Run, key: str) -> object:  # noqa: PLR0911  # a table, in the order of MLflow's documentation
    match key.lower():
        case "status":
            return str(run.status)
        case "run_id" | "run_uuid":
            return run.id
        case "run_name" | "run name" | "name":
            return run.name
        case "start_time" | "created":
            return run.started_at.timestamp() * 1000
        case "end_time":
            return run.ended_at.timestamp() * 1000 if run.ended_at else None
        case "user_id":
            return run.person
        case "artifact_uri":
            return f"mlflow-artifacts:/{run.experiment}/{run.id}/artifacts"
        case _:
            raise InvalidInput(f"Invalid attribute key '{key}' specified.")


def _sortable(value: object) -> tuple[int, object]:
    if isinstance(value, float) and math.isnan(value):
        return (1, 0.0)
    return (0, value)


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] in {"'", '"', "`"} else text

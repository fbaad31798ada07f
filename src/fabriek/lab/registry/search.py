"""What may be asked of models and versions in MLflow's grammar (see `lab/filters.py`), and how what is found is ordered.

A project has thousands of models where it has millions of runs: they are read by name or run where the filter says so, and held against the
conditions one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from fabriek.lab.filters import Condition, Grammar, Order
from fabriek.lab.metrics import ModelMetric
from fabriek.lab.patterns import holds

Scalar = str | float | int
T = TypeVar("T")


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_TIMES = frozenset({"creation_timestamp", "last_updated_timestamp"})

REGISTERED = Grammar(_same("name"), numeric=frozenset(), lists=frozenset({"name"}), kinds=frozenset({"attribute", "tag"}))  # fmt: skip
REGISTERED_ORDERS = Grammar(
    {"name": "name", "timestamp": "last_updated_timestamp", "last_updated_timestamp": "last_updated_timestamp"},
    numeric=_TIMES, lists=frozenset(), kinds=frozenset({"attribute"}),
)  # fmt: skip

VERSIONS = Grammar(
    _same("name", "version_number", "run_id", "source_path"), numeric=frozenset({"version_number"}),
    lists=frozenset({"name", "run_id"}), kinds=frozenset({"attribute", "tag"}), quotable=frozenset({"version_number"}),
)  # fmt: skip
VERSION_ORDERS = Grammar(
    _same("name", "version_number", *_TIMES), numeric=_TIMES, lists=frozenset(), kinds=frozenset({"attribute"})
)

_LOGGED_TEXTS = frozenset({"name", "model_id", "model_type", "status", "source_run_id", "experiment_id"})
LOGGED = Grammar(
    _same(*_LOGGED_TEXTS, *_TIMES)
    | {"creation_time": "creation_timestamp", "creation_timestamp_ms": "creation_timestamp"}
    | {"last_updated_time": "last_updated_timestamp", "last_updated_timestamp_ms": "last_updated_timestamp"},
    numeric=_TIMES, lists=_LOGGED_TEXTS, kinds=frozenset({"attribute", "metric", "param", "tag"}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A thing with what can be asked about it."""

    attributes: Mapping[str, Scalar]
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Sequence[ModelMetric] = ()


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def matches(one: Found, conditions: Sequence[Condition]) -> bool:
    return all(_holds(one, condition) for condition in conditions)


def _holds(one: Found, condition: Condition) -> bool:
    if condition.kind == "metric":
        values = [measured.metric.value for measured in one.metrics if measured.metric.key == condition.key]
        return any(holds(condition, value) for value in values)
    where: Mapping[str, Scalar] = {"attribute": one.attributes, "tag": one.tags, "param": one.params}[condition.kind]
    return holds(condition, where.get(condition.key))


def only(conditions: Sequence[Condition], key: str) -> tuple[str, ...]:
    """The values that an attribute may have, where the filter says which; empty where it may have any: to read less, never to decide."""
    for one in conditions:
        if (one.kind, one.key) == ("attribute", key) and one.comparator in {"=", "IN"}:
            return one.value if isinstance(one.value, tuple) else (str(one.value),)
    return ()


def narrowed(conditions: Sequence[Condition], keys: Sequence[str]) -> Mapping[str, tuple[str, ...]] | None:
    """The whole filter as the values that each of these attributes may have; None where it says more than that."""
    found: dict[str, tuple[str, ...]] = {}
    for one in conditions:
        if one.kind != "attribute" or one.key not in keys or one.comparator not in {"=", "IN"} or one.key in found:
            return None
        found[one.key] = one.value if isinstance(one.value, tuple) else (str(one.value),)
    return found


def ordered(things: Sequence[T], orders: Sequence[Order], value: Callable[[T, Order], Any]) -> list[T]:
    """The first order is the most important. What has no value for one comes last, whichever way it goes."""
    listed = list(things)
    for order in reversed(orders):
        values = {id(one): value(one, order) for one in listed}
        having = [one for one in listed if values[id(one)] is not None]
        lacking = [one for one in listed if values[id(one)] is None]
        having.sort(key=lambda one, values=values: values[id(one)], reverse=order.descending)  # type: ignore[misc]
        listed = having + lacking
    return listed


def completed(orders: Sequence[Order], *tail: Order) -> list[Order]:
    """With what decides where the given ones do not."""
    known = {(one.kind, one.key) for one in orders}
    return [*orders, *(one for one in tail if (one.kind, one.key) not in known)]


def by(key: str, *, descending: bool = False) -> Order:
    return Order("attribute", key, descending)

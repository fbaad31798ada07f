"""The SQL of search: conditions and order as one statement, so that the database finds a page among many runs."""

import operator
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, exists, false, literal, or_, select, true

from fabriek.adapters.database import Database
from fabriek.lab.filters import Condition
from fabriek.lab.runs import Run, View
from fabriek.lab.store import run_of, runs
from fabriek.lab.store_points import series
from fabriek.lab.store_tracks import inputs, params, tags
from fabriek.lab.wanted import Wanted

Test = Callable[[ColumnElement[Any], Any], ColumnElement[bool]]

NUMBERS: dict[str, Test] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class SqlSearch:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._is_sqlite = db.dialect == "sqlite"

    def runs(self, wanted: Wanted, *, limit: int, offset: int = 0) -> Sequence[Run]:
        """In the order that is asked for, else the latest first."""
        statement = select(runs).where(runs.c.project == wanted.project)
        if wanted.experiments:
            statement = statement.where(runs.c.experiment.in_(wanted.experiments))
        if wanted.view is not View.ALL:
            statement = statement.where(runs.c.is_deleted.is_(wanted.view is View.DELETED))
        if wanted.job:
            statement = statement.where(runs.c.job == wanted.job)
        for condition in wanted.conditions:
            statement = statement.where(self._holds(condition, wanted))
        statement = self._ordered(statement, wanted).limit(limit).offset(offset)
        return [run_of(row) for row in self._db.rows(statement)]

    def labels_of(self, project: str) -> Sequence[str]:
        return [row.label for row in self._db.rows(select(runs.c.label).where(runs.c.project == project).distinct())]

    def jobs_under(self, project: str, labels: Collection[str]) -> Sequence[str]:
        """Jobs whose runs carry one of the labels."""
        chosen = select(runs.c.job).where(runs.c.project == project, runs.c.label.in_(labels), runs.c.job != "")
        return [row.job for row in self._db.rows(chosen.distinct())]

    def _holds(self, asked: Condition, wanted: Wanted) -> ColumnElement[bool]:
        match asked.kind:
            case "metric":
                value = series.c.last_value
                test = NUMBERS[asked.comparator](value, asked.value)
                if asked.comparator == "!=":  # NaN, which has no value here, is unlike every number
                    test = or_(test, value.is_(None))
                known = exists().where(series.c.run == runs.c.id, series.c.key == asked.key, series.c.points > 0, test)
                return and_(_shows_metrics(wanted), known)
            case "param" | "tag":
                table = params if asked.kind == "param" else tags
                there = and_(table.c.run == runs.c.id, table.c.key == asked.key)
                if asked.comparator in {"IS NULL", "IS NOT NULL"}:
                    return exists().where(there) if asked.comparator == "IS NOT NULL" else ~exists().where(there)
                return exists().where(there, self._text(table.c.value, asked))
            case "dataset":
                return exists().where(inputs.c.run == runs.c.id, self._text(inputs.c[asked.key], asked))
            case _:
                return self._attribute(asked)

    def _attribute(self, asked: Condition) -> ColumnElement[bool]:
        column = _ATTRIBUTES[asked.key]
        if asked.key not in {"start_time", "end_time"}:
            return self._text(column, asked)
        assert isinstance(asked.value, int | float)
        try:
            instant = datetime.fromtimestamp(asked.value / 1000, UTC)
        except (OverflowError, ValueError, OSError):  # before or after all that we could keep
            is_after = asked.value > 0
            return true() if asked.comparator in ({"<", "<=", "!="} if is_after else {">", ">=", "!="}) else false()
        return NUMBERS[asked.comparator](column, instant)

    def _text(self, column: ColumnElement[Any], asked: Condition) -> ColumnElement[bool]:
        match asked.comparator:
            case "IN":
                return column.in_(asked.value if isinstance(asked.value, tuple) else ())
            case "NOT IN":
                return column.not_in(asked.value if isinstance(asked.value, tuple) else ())
            case "LIKE" | "ILIKE":
                return self._like(column, str(asked.value), fold=asked.comparator == "ILIKE")
            case comparator:
                return NUMBERS[comparator](column, asked.value)

    def _like(self, column: ColumnElement[Any], pattern: str, *, fold: bool) -> ColumnElement[bool]:
        """SQLite's own LIKE knows no case, so that GLOB stands for it; PostgreSQL's takes backslashes out unless told not to."""
        if not self._is_sqlite:
            return column.ilike(pattern, escape="") if fold else column.like(pattern, escape="")
        if fold:
            return column.ilike(pattern)
        globbed = "".join(_GLOBBED.get(char, char) for char in pattern)
        return column.op("GLOB", is_comparison=True)(globbed)

    def _ordered(self, statement: Select[Any], wanted: Wanted) -> Select[Any]:
        source: FromClause = runs
        by: list[ColumnElement[Any]] = []
        for order in wanted.orders:
            if order.kind == "attribute":
                value: ColumnElement[Any] = _ATTRIBUTES[order.key]
                last = case((value.is_(None), 1), else_=0)
            elif order.kind == "metric":
                there = series.alias()
                shows = _shows_metrics(wanted)
                source = source.outerjoin(there, and_(there.c.run == runs.c.id, there.c.key == order.key, shows))
                value = there.c.last_value
                last = case(
                    (there.c.run.is_(None), 2), (value.is_(None), 1), else_=0
                )  # NaN after numbers, and nothing after NaN
            else:
                there = (params if order.kind == "param" else tags).alias()
                source = source.outerjoin(there, and_(there.c.run == runs.c.id, there.c.key == order.key))
                value = there.c.value
                last = case((value.is_(None), 1), else_=0)
            by += [last, value.desc() if order.descending else value]
        if not any((one.kind, one.key) == ("attribute", "start_time") for one in wanted.orders):
            by.append(runs.c.started_at.desc())
        return statement.select_from(source).order_by(*by, runs.c.id)


_GLOBBED = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}

_ATTRIBUTES: dict[str, ColumnElement[Any]] = {
    "run_id": runs.c.id,
    "run_name": runs.c.name,
    "status": runs.c.status,
    "start_time": runs.c.started_at,
    "end_time": runs.c.ended_at,
    "user_id": runs.c.person,
    "artifact_uri": literal("mlflow-artifacts:/") + runs.c.experiment + "/" + runs.c.id + "/artifacts",
}


def _shows_metrics(wanted: Wanted) -> ColumnElement[bool]:
    """Whether the asker may learn anything of a run's metrics: a question that they answer is as good as seeing them."""
    if not wanted.hidden:
        return true()
    shown = runs.c.label.not_in(wanted.hidden)
    return or_(shown, runs.c.job.in_(wanted.released)) if wanted.released else shown

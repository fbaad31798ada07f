"""The SQL of metrics: series, their points, and outlines of them.

A point is one narrow row in the tree of its primary key, which is also the order of a history: on SQLite there is no second copy and
no index beside it. A series knows its end, so that points which come in order, nearly all, need no look at what is there; what comes
late or again is looked up one by one. An outline holds the extremes of 1,024 points, so that a curve of a million is drawn from a thousand.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    Row,
    String,
    Table,
    and_,
    bindparam,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from fabriek.adapters.database import Database, metadata
from fabriek.lab.metrics import Metric, Place, Series, newest_first, rank, value_of
from fabriek.lab.outlines import POINTS_OF_OUTLINE, Outline

series = Table(
    "lab_series",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("run", String, nullable=False),
    Column("key", String, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("outlined", BigInteger, nullable=False),
    # For search, which compares numbers; no value where it is NaN. `last_rank` is exact.
    Column("last_value", Float),
    Column("last_at_ms", BigInteger, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("last_rank", BigInteger, nullable=False),
    Column("end_at_ms", BigInteger, nullable=False),
    Column("end_step", BigInteger, nullable=False),
    Column("end_rank", BigInteger, nullable=False),
    Index("lab_series_key", "run", "key", unique=True),
)

points = Table(
    "lab_points",
    metadata,
    Column("series", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    Column("rank", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

_EDGES = ("first", "low", "high", "last")

outlines = Table(
    "lab_outlines",
    metadata,
    Column("series", BigInteger, primary_key=True, autoincrement=False),
    *(
        Column(f"{edge}_{part}", BigInteger, primary_key=edge == "last", autoincrement=False, nullable=False)
        for edge in _EDGES
        for part in ("at_ms", "step", "rank")
    ),
    Column("points", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

_POINT = tuple(column.name for column in points.columns)

NOWHERE: Place = (-1, 0, 0)
"""Before every point: a series that was just begun ends here."""

KEYS_AT_ONCE = 500


class SqlPoints:
    """What runs measured."""

    def __init__(self, db: Database) -> None:
        self._db = db
        dialect = postgresql if db.dialect == "postgresql" else sqlite
        self._add_if_new = dialect.insert(points).on_conflict_do_nothing().returning(points.c.series)
        self._begin = dialect.insert(series).on_conflict_do_nothing()

    def add(self, given: Mapping[str, Iterable[Metric]]) -> None:
        """Run → points. A point that is there already, to the last bit, is not kept twice.

        Needs an open transaction; alone among all that add to the same runs.
        """
        with ExitStack() as alone:
            for run in sorted(given):  # in one order, so that two servers never wait for each other
                alone.enter_context(self._db.transaction(alone=f"run:{run}"))
            wanted: dict[tuple[str, str], set[Place]] = defaultdict(set)
            for run, metrics in given.items():
                for key, value, at_ms, step in metrics:
                    wanted[run, key].add((at_ms, step, rank(value)))
            known = self._known(wanted)
            in_order: list[tuple[int, ...]] = []
            changed: list[dict[str, Any]] = []
            for name, places in wanted.items():
                row = known[name]
                added = self._fresh(row, sorted(places), in_order)
                if added:
                    changed.append(_advanced(row, added))
            if in_order:
                self._db.insert_many(points, in_order)
            for one in changed:
                if one["new_points"] - one["outlined"] >= POINTS_OF_OUTLINE:
                    one["new_outlined"] += self._outline(one["b_id"], one["outlined"])
            if changed:
                self._db.execute(_ADVANCE, [{name: one[name] for name in _ADVANCED} for one in changed])

    def series(self, runs: Sequence[str]) -> Mapping[str, Sequence[Series]]:
        """Run → its series, by key."""
        found: dict[str, list[Series]] = defaultdict(list)
        for part in _parts(runs):
            for row in self._db.rows(select(series).where(series.c.run.in_(part)).order_by(series.c.run, series.c.key)):
                if row.points:
                    found[row.run].append(_series(row))
        return found

    def one(self, run: str, key: str) -> Series | None:
        row = self._db.row(select(series).where(series.c.run == run, series.c.key == key))
        return None if row is None or not row.points else _series(row)

    def history(self, series_id: int, *, limit: int, after: Place = NOWHERE) -> Sequence[Place]:
        """Points in the order of their places, from the one after `after` on."""
        wanted = (
            select(points.c.at_ms, points.c.step, points.c.rank)
            .where(points.c.series == series_id, tuple_(points.c.at_ms, points.c.step, points.c.rank) > after)
            .order_by(points.c.at_ms, points.c.step, points.c.rank)
            .limit(limit)
        )
        return self._db.plain_rows(wanted)

    def outlines(self, series_id: int) -> Sequence[Outline]:
        """In the order of the points that they stand for; what is after the last of them has none yet."""
        ordered = (outlines.c.last_at_ms, outlines.c.last_step, outlines.c.last_rank)
        rows = self._db.rows(select(outlines).where(outlines.c.series == series_id).order_by(*ordered))
        return [_outline(row) for row in rows]

    def _known(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Row[Any]]:
        """The rows of series, those that are new begun."""
        names = list(wanted)
        found = self._rows_of(names)
        begun: list[dict[str, Any]] = [
            {
                "run": run, "key": key, "points": 0, "outlined": 0, "last_value": None, "last_at_ms": -1, "last_step": 0, "last_rank": 0,
                "end_at_ms": NOWHERE[0], "end_step": NOWHERE[1], "end_rank": NOWHERE[2],
            }
            for run, key in names if (run, key) not in found
        ]  # fmt: skip
        if begun:
            self._db.execute(self._begin, begun)
            found |= self._rows_of([(one["run"], one["key"]) for one in begun])
        return found

    def _rows_of(self, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row[Any]]:
        found: dict[tuple[str, str], Row[Any]] = {}
        for part in _parts(names):
            runs, keys = {run for run, _ in part}, {key for _, key in part}
            rows = self._db.rows(_NAMED, {"runs": list(runs), "keys": list(keys)})
            found.update(((row.run, row.key), row) for row in rows)
        return found

    def _fresh(self, row: Row[Any], places: Sequence[Place], in_order: list[tuple[int, ...]]) -> Sequence[Place]:
        """Those of the places that are not kept yet. What comes after the end goes to `in_order`; the rest is kept at once."""
        number, end = row.id, (row.end_at_ms, row.end_step, row.end_rank)
        if places[0] > end:
            in_order += [(number, *place) for place in places]
            return places
        added: list[Place] = []
        for place in places:
            if place > end:
                in_order.append((number, *place))
                added.append(place)
            elif self._db.rows(self._add_if_new, dict(zip(_POINT, (number, *place), strict=True))):
                added.append(place)
                self._widen(number, place)
        return added

    def _outline(self, series_id: int, outlined: int) -> int:
        """Draws outlines of what has none, as far as it fills them; how many points they stand for."""
        last = self._last_outline(series_id) if outlined else None
        tail = self.history(series_id, limit=2**31, after=last.last if last else NOWHERE)
        made = [
            Outline.of(tail[start : start + POINTS_OF_OUTLINE])
            for start in range(0, len(tail) - POINTS_OF_OUTLINE + 1, POINTS_OF_OUTLINE)
        ]
        if made:
            self._db.execute(insert(outlines), [_outline_row(series_id, one) for one in made])
        return POINTS_OF_OUTLINE * len(made)

    def _last_outline(self, series_id: int) -> Outline | None:
        ordered = (outlines.c.last_at_ms.desc(), outlines.c.last_step.desc(), outlines.c.last_rank.desc())
        row = self._db.row(select(outlines).where(outlines.c.series == series_id).order_by(*ordered).limit(1))
        return None if row is None else _outline(row)

    def _widen(self, series_id: int, place: Place) -> None:
        """A point that came late belongs to the first outline that ends after it, if there is one."""
        ends = tuple_(outlines.c.last_at_ms, outlines.c.last_step, outlines.c.last_rank)
        row = self._db.row(
            select(outlines)
            .where(outlines.c.series == series_id, ends > place)
            .order_by(outlines.c.last_at_ms, outlines.c.last_step, outlines.c.last_rank)
            .limit(1)
        )
        if row is not None:
            known = _outline(row)
            here = and_(outlines.c.series == series_id, ends == known.last)
            self._db.execute(update(outlines).where(here).values(**_outline_row(series_id, known.widened(place))))
            self._db.execute(update(series).where(series.c.id == series_id).values(outlined=series.c.outlined + 1))


def _parts(names: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (names[start : start + KEYS_AT_ONCE] for start in range(0, len(names), KEYS_AT_ONCE))


_NAMED = select(series).where(
    series.c.run.in_(bindparam("runs", expanding=True)), series.c.key.in_(bindparam("keys", expanding=True))
)

_ADVANCED = (
    "b_id", "new_points", "new_outlined", "new_last_value", "new_last_at_ms", "new_last_step", "new_last_rank", "new_end_at_ms", "new_end_step",
    "new_end_rank",
)  # fmt: skip

_ADVANCE = (
    update(series)
    .where(series.c.id == bindparam("b_id"))
    .values(
        points=bindparam("new_points"), outlined=series.c.outlined + bindparam("new_outlined"), last_value=bindparam("new_last_value"),
        last_at_ms=bindparam("new_last_at_ms"), last_step=bindparam("new_last_step"), last_rank=bindparam("new_last_rank"),
        end_at_ms=bindparam("new_end_at_ms"), end_step=bindparam("new_end_step"), end_rank=bindparam("new_end_rank"),
    )
)  # fmt: skip


def _advanced(row: Row[Any], added: Sequence[Place]) -> dict[str, Any]:
    """A series after more points: its count, its newest value and its end."""
    known: Place = (row.last_at_ms, row.last_step, row.last_rank)
    last = max([*added, *([known] if row.points else [])], key=newest_first)
    end = max(added[-1], (row.end_at_ms, row.end_step, row.end_rank))
    value = value_of(last[2])
    return {
        "b_id": row.id, "outlined": row.outlined, "new_points": row.points + len(added), "new_outlined": 0,
        "new_last_value": None if math.isnan(value) else value, "new_last_at_ms": last[0], "new_last_step": last[1], "new_last_rank": last[2],
        "new_end_at_ms": end[0], "new_end_step": end[1], "new_end_rank": end[2],
    }  # fmt: skip


def _series(row: Row[Any]) -> Series:
    last = Metric(row.key, value_of(row.last_rank), row.last_at_ms, row.last_step)
    return Series(row.id, row.run, row.key, row.points, last, (row.end_at_ms, row.end_step, row.end_rank))


def _outline(row: Row[Any]) -> Outline:
    named = row._mapping  # noqa: SLF001  # a row's names
    places = {edge: (named[f"{edge}_at_ms"], named[f"{edge}_step"], named[f"{edge}_rank"]) for edge in _EDGES}
    return Outline(count=row.points, **places)


def _outline_row(series_id: int, one: Outline) -> dict[str, int]:
    row = {"series": series_id, "points": one.count}
    for edge in _EDGES:
        row[f"{edge}_at_ms"], row[f"{edge}_step"], row[f"{edge}_rank"] = getattr(one, edge)
    return row

"""Leftovers, kept; and the questions whose answers say that an object is one."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Row, String, Table, and_, case, delete, exists, func, insert, or_, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.vault.care.leftovers import Heap, Leftover, Why
from fabriek.vault.care.store_checking import damages
from fabriek.vault.keeping.store import holds
from fabriek.vault.keeping.store_keys import object_keys
from fabriek.vault.store import datasets, version_objects, versions
from fabriek.vault.store_uploads import objects, upload_of, uploads
from fabriek.vault.uploads import Progress, Upload

AT_ONCE = 500
"""Names in one statement."""

leftovers = Table(
    "vault_leftovers",
    metadata,
    Column("object", String, primary_key=True),
    Column("dataset", String, nullable=False),
    Column("why", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("doomed_at", Instant),
)

_WHY = case(
    (datasets.c.erased_at.is_not(None), str(Why.ERASED)),
    (uploads.c.progress == str(Progress.COMMITTED), str(Why.UNUSED)),
    else_=str(Why.ABANDONED),
)
_SENT = objects.join(uploads, objects.c.upload == uploads.c.id).join(datasets, uploads.c.dataset == datasets.c.id)


class SqlLeftovers:
    def __init__(self, db: Database) -> None:
        self._db = db

    def over(self, now: datetime, *, limit: int) -> Sequence[Upload]:
        asked = select(uploads).select_from(uploads.join(datasets, uploads.c.dataset == datasets.c.id))
        asked = asked.where(uploads.c.progress == str(Progress.OPEN), _never(now)).order_by(uploads.c.id).limit(limit)
        return [upload_of(row) for row in self._db.rows(asked)]

    def unnamed(self, now: datetime, today: date, *, after: str, limit: int) -> Sequence[Leftover]:
        known = exists().where(leftovers.c.object == objects.c.id, leftovers.c.doomed_at.is_not(None))
        asked = (
            select(objects.c.id, objects.c.size, uploads.c.dataset, _WHY.label("why"))
            .select_from(_SENT)
            .where(objects.c.id > after, uploads.c.progress != str(Progress.OPEN), ~_used(objects.c.id), ~known)
            .where(~_kept(uploads.c.progress != str(Progress.COMMITTED), today))
            .order_by(objects.c.id)
            .limit(limit)
        )
        return [Leftover(row.id, row.dataset, Why(row.why), row.size or 0, now) for row in self._db.rows(asked)]

    def still_unnamed(self, names: Collection[str]) -> frozenset[str]:
        found: set[str] = set()
        for batch in _batches(names):
            asked = select(objects.c.id).select_from(_SENT).where(objects.c.id.in_(batch))
            asked = asked.where(uploads.c.progress != str(Progress.OPEN), ~_used(objects.c.id))
            found.update(row.id for row in self._db.rows(asked))
        return frozenset(found)

    def recorded(self, names: Collection[str]) -> frozenset[str]:
        found: set[str] = set()
        for batch in _batches(names):
            for column in (objects.c.id, version_objects.c.object, object_keys.c.object):
                found.update(row[0] for row in self._db.rows(select(column).where(column.in_(batch))))
        return frozenset(found)

    def known(self, names: Collection[str]) -> Mapping[str, Leftover]:
        found: dict[str, Leftover] = {}
        for batch in _batches(names):
            rows = self._db.rows(select(leftovers).where(leftovers.c.object.in_(batch)))
            found |= {row.object: _leftover(row) for row in rows}
        return found

    def put(self, found: Sequence[Leftover]) -> None:
        self.spare([one.object_id for one in found])
        if found:
            self._db.execute(insert(leftovers), [_values(one) for one in found])

    def doomed(self, today: date, *, after: str, limit: int) -> Sequence[Leftover]:
        asked = select(leftovers).outerjoin(datasets, leftovers.c.dataset == datasets.c.id)
        asked = asked.where(leftovers.c.doomed_at.is_not(None), leftovers.c.object > after)
        asked = asked.where(or_(datasets.c.id.is_(None), ~_kept(leftovers.c.why == str(Why.ABANDONED), today)))
        return [_leftover(row) for row in self._db.rows(asked.order_by(leftovers.c.object).limit(limit))]

    def orphans(self, seen_until: datetime, *, after: str, limit: int) -> Sequence[Leftover]:
        asked = select(leftovers).where(leftovers.c.doomed_at.is_(None), leftovers.c.seen_at <= seen_until)
        asked = asked.where(leftovers.c.object > after).order_by(leftovers.c.object).limit(limit)
        return [_leftover(row) for row in self._db.rows(asked)]

    def count_orphans(self) -> int:
        return int(self._db.scalar(select(func.count()).where(leftovers.c.doomed_at.is_(None))))

    def is_doomed(self, object_id: str) -> bool:
        asked = select(leftovers.c.object).where(leftovers.c.object == object_id, leftovers.c.doomed_at.is_not(None))
        return self._db.scalar(asked) is not None

    def spare(self, names: Collection[str]) -> None:
        for batch in _batches(names):
            self._db.execute(delete(leftovers).where(leftovers.c.object.in_(batch)))

    def forget(self, names: Collection[str]) -> None:
        for batch in _batches(names):
            # A key is there still of what arrived in plain and became no version.
            named = (
                leftovers.c.object,
                objects.c.id,
                version_objects.c.object,
                object_keys.c.object,
                damages.c.of_object,
            )
            for column in named:
                self._db.execute(delete(column.table).where(column.in_(batch)))

    def heaps(self, now: datetime, today: date) -> Sequence[Heap]:
        kept = case((_kept(uploads.c.progress != str(Progress.COMMITTED), today), 1), else_=0).label("kept")
        # Clients ask for more names than they use, and what never came is not there to be freed.
        closed = or_(uploads.c.progress != str(Progress.OPEN), _never(now))
        each = (
            select(uploads.c.dataset, _WHY.label("why"), kept, objects.c.size)
            .select_from(_SENT)
            .where(closed, ~_used(objects.c.id), objects.c.size.is_not(None))
            .subquery()
        )
        kind = (each.c.dataset, each.c.why, each.c.kept)
        sent = select(*kind, func.count().label("objects"), func.sum(each.c.size).label("size")).group_by(*kind)
        orphans = select(func.count().label("objects"), func.sum(leftovers.c.size).label("size"))
        lost = self._db.row(orphans.where(leftovers.c.why == str(Why.ORPHAN)))
        found = [
            Heap(row.dataset, Why(row.why), row.objects, int(row.size or 0), is_kept=bool(row.kept))
            for row in self._db.rows(sent)
        ]
        if lost is not None and lost.objects:
            found.append(Heap("", Why.ORPHAN, lost.objects, int(lost.size or 0)))
        return sorted(found, key=lambda heap: (heap.dataset, heap.why))


def _kept(never_a_version: Any, today: date) -> Any:
    """Whether a legal hold or a promise keeps what lies of a dataset: what `Collecting._may_go` asks of one, for all of them."""
    is_held = exists().where(holds.c.dataset == datasets.c.id, holds.c.lifted_at.is_(None))
    is_promised = and_(datasets.c.keep_until.is_not(None), datasets.c.keep_until >= today, ~never_a_version)
    return and_(datasets.c.erased_at.is_(None), or_(is_held, is_promised))


def _used(object_id: Any) -> Any:
    """Whether a version that stands, of a dataset that is not erased, uses an object."""
    standing = version_objects.join(versions, version_objects.c.version == versions.c.id)
    standing = standing.join(_owners, versions.c.dataset == _owners.c.id)
    return (
        select(version_objects.c.object)
        .select_from(standing)
        .where(version_objects.c.object == object_id, versions.c.removed_at.is_(None), _owners.c.erased_at.is_(None))
        .correlate(objects)
        .exists()
    )


_owners = datasets.alias("owners")


def _never(now: datetime) -> Any:
    return and_(
        uploads.c.progress == str(Progress.OPEN), or_(uploads.c.expires_at <= now, datasets.c.erased_at.is_not(None))
    )


def _batches(names: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(names)
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]


def _values(one: Leftover) -> dict[str, Any]:
    return {
        "object": one.object_id, "dataset": one.dataset, "why": str(one.why), "size": one.size, "seen_at": one.seen_at,
        "doomed_at": one.doomed_at,
    }  # fmt: skip


def _leftover(row: Row[Any]) -> Leftover:
    return Leftover(row.object, row.dataset, Why(row.why), row.size, row.seen_at, row.doomed_at)

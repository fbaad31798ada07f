"""Verbs of collection: what nothing names any more is doomed, then deleted, then forgotten. Killed anywhere, the next run ends it.

What may be lost is decided under the dataset's own lock, the one that a commit takes: an object is kept by a version that stands and by an
upload that is open, and neither can begin to keep an object that is doomed (`Pushing._try_commit`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import groupby, islice

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import NotFound, WrongState
from fabriek.vault.care.leftovers import ORPHAN_AGE, Heap, Leftover, Why, are_too_many, is_due, told_by_kind
from fabriek.vault.care.ports import StandsStill
from fabriek.vault.desk import Desk, Parts
from fabriek.vault.keeping.erasing import Erasing
from fabriek.vault.uploads import Progress

BATCH = 100
"""Objects decided on in one transaction, and deleted between two: as much as may go of a dataset on which a hold is set at that moment."""

OBJECTS_AT_ONCE = 2_000
"""Objects that one call deletes at most, so that it answers in good time; whoever wants all of it calls again."""

NAMES_AT_ONCE = 1_000

_NAME = re.compile(r"obj_[0-9a-z]{1,26}")


@dataclass(frozen=True, slots=True)
class Collected:
    """`freed` is gone, by kind. `kept` could go but for a legal hold or a promise to keep it, empty while there is `more`;
    `waiting` are objects without a record that were not seen long enough;
    `doubted` are such objects where they are the greater part of the store. `more`: call again.
    """

    freed: Sequence[Heap] = ()
    kept: Sequence[Heap] = ()
    waiting: int = 0
    doubted: int = 0
    more: bool = False


class Collecting(Desk):
    """What goes from the store."""

    def __init__(self, parts: Parts, erasing: Erasing) -> None:
        super().__init__(parts)
        self._erasing = erasing
        self._seen: tuple[float, tuple[Sequence[Heap], Sequence[Heap]]] | None = None

    def plan(self, *, by: Caller) -> Collected:
        """What a run now would free, and what it would keep back; nothing is changed. Goes through the names of the whole store."""
        require(by, "vault.collect")
        heaps = [heap for heap in self._heaps() if heap.why is not Why.ORPHAN]
        going = [heap for heap in heaps if not heap.is_kept]
        due, waiting, total = [], 0, 0
        for names in self._stored():
            total += len(names)
            known = self._parts.leftovers.known(names)
            for name in self._without_record(names):
                if name in known and (known[name].doomed_at or is_due(known[name], self._parts.clock.now())):
                    due.append(known[name])
                else:
                    waiting += 1
        doubted = len(due) + waiting if are_too_many(len(due) + waiting, total) else 0
        if due and not doubted:
            going.append(Heap("", Why.ORPHAN, len(due), sum(one.size for one in due)))
        kept = [heap for heap in heaps if heap.is_kept]
        return Collected(told_by_kind(going), told_by_kind(kept), 0 if doubted else waiting, doubted)

    def outlook(self, *, seconds_old_max: float = 0.0) -> tuple[Sequence[Heap], Sequence[Heap]]:
        """(what could go, what is kept back) by the records alone, for showing it; what is in the store without a record as the last run saw it.

        It takes seconds where there are hundreds of thousands of objects: a page may show one that is a little old.
        """
        now = self._parts.clock.monotonic()
        if self._seen is not None and now < self._seen[0] + seconds_old_max:
            return self._seen[1]
        heaps = self._heaps()
        going, kept = ([heap for heap in heaps if heap.is_kept is held] for held in (False, True))
        self._seen = now, (told_by_kind(going), told_by_kind(kept))
        return self._seen[1]

    def collect(self, *, listing: bool = True, despite_doubt: bool = False, by: Caller) -> Collected:
        """Frees what may go, up to OBJECTS_AT_ONCE objects. listing: also look through the store for objects without a record.

        despite_doubt: also where those are the greater part of the store. Raises Unavailable while a backup is being taken; nothing is half
        done then, and the next call goes on.
        """
        require(by, "vault.collect")
        with self._standing():
            more = self._close_uploads(by)
            more = self._doom_unnamed() or more
            waiting = doubted = 0
            if listing:
                waiting, doubted = self._doom_orphans(despite_doubt=despite_doubt)
            freed, unfinished = self._delete_doomed(by)
        more = more or unfinished
        # Counted once all is done: it goes through every record, and whoever calls again wants no answer yet.
        kept = () if more else self.outlook()[1]
        return Collected(told_by_kind(freed), kept, waiting, doubted, more)

    def _close_uploads(self, by: Caller) -> bool:
        """Uploads whose time is over become no version any more: from here on nobody can name what they brought. Whether some are left for
        another call.
        """
        parts = self._parts
        for _ in range(0, OBJECTS_AT_ONCE, BATCH):
            found = parts.leftovers.over(parts.clock.now(), limit=BATCH)
            if not found:
                return False
            for one in found:
                with parts.datasets.transaction(alone=f"dataset:{one.dataset}"):
                    upload = parts.uploads.get(one.id)
                    if upload.progress is Progress.OPEN:
                        parts.uploads.save(replace(upload, progress=Progress.ABANDONED))
                        parts.uploads.forget_uses(upload)
                        parts.audit.record("upload.abandoned", upload.id, by, dataset=upload.dataset)
        return True

    def _doom_unnamed(self) -> bool:
        """Whether some are left for another call."""
        parts, after, doomed = self._parts, "", 0
        while doomed < OBJECTS_AT_ONCE:
            found = parts.leftovers.unnamed(parts.clock.now(), parts.clock.today(), after=after, limit=BATCH)
            if not found:
                return False
            after = found[-1].object_id
            for dataset, those in _by_dataset(found):
                with parts.datasets.transaction(alone=f"dataset:{dataset}"):
                    going = self._free(dataset, those)
                    still = parts.leftovers.still_unnamed([one.object_id for one in going])
                    going = [replace(one, doomed_at=parts.clock.now()) for one in going if one.object_id in still]
                    parts.leftovers.put(going)
                doomed += len(going)
        return True

    def _doom_orphans(self, *, despite_doubt: bool) -> tuple[int, int]:
        """(how many wait for their time, how many are not believed). What has a record after all is let go."""
        parts, now, total, seen = self._parts, self._parts.clock.now(), 0, 0
        for names in self._stored():
            total += len(names)
            lost = self._without_record(names)
            seen += len(lost)
            known = parts.leftovers.known(lost)
            fresh = [Leftover(name, "", Why.ORPHAN, self._size(name), now) for name in lost if name not in known]
            if fresh:
                with parts.datasets.transaction():
                    parts.leftovers.put(fresh)
        if are_too_many(seen, total) and not despite_doubt:
            return 0, seen
        after = ""
        while due := parts.leftovers.orphans(now - ORPHAN_AGE, after=after, limit=BATCH):
            after = due[-1].object_id
            with parts.datasets.transaction():
                # In order of their names, and each until all is decided: whoever writes such a record takes one of these locks alone.
                for one in due:
                    with parts.datasets.transaction(alone=f"object:{one.object_id}"):
                        pass
                recorded = parts.leftovers.recorded([one.object_id for one in due])
                parts.leftovers.spare(recorded)
                parts.leftovers.put([replace(one, doomed_at=now) for one in due if one.object_id not in recorded])
        return parts.leftovers.count_orphans(), 0

    def _delete_doomed(self, by: Caller) -> tuple[list[Heap], bool]:
        """Outside any transaction, and only then forgotten: killed in between, the next run deletes what is gone already."""
        parts, after, freed, gone = self._parts, "", list[Heap](), 0
        while gone < OBJECTS_AT_ONCE:
            batch = parts.leftovers.doomed(parts.clock.today(), after=after, limit=BATCH)
            if not batch:
                return freed, False
            after = batch[-1].object_id
            for dataset, those in _by_dataset(batch):
                going = self._still_doomed(dataset, those)
                for one in going:
                    parts.blobs.delete(one.object_id)
                gone += len(going)
                if going:
                    freed += self._forget(dataset, going, by)
        return freed, True

    def _still_doomed(self, dataset: str, those: Sequence[Leftover]) -> Sequence[Leftover]:
        """Without those that must stay since a run that was killed: a hold may have been set meanwhile. None can have been named again, and
        if one was all the same, by a hand in the database, then it stays.
        """
        parts = self._parts
        if not dataset:
            return those
        with parts.datasets.transaction(alone=f"dataset:{dataset}"):
            going = self._free(dataset, those)
            still = parts.leftovers.still_unnamed([one.object_id for one in going])
            if named := [one.object_id for one in going if one.object_id not in still]:
                parts.leftovers.spare(named)
        return [one for one in going if one.object_id in still]

    def _forget(self, dataset: str, gone: Sequence[Leftover], by: Caller) -> list[Heap]:
        parts = self._parts
        heaps = told_by_kind([Heap(dataset, one.why, 1, one.size) for one in gone if one.size])
        # In turn with a check, which must not write down as damage that these are gone.
        with parts.datasets.transaction(alone=f"dataset:{dataset}" if dataset else ""):
            parts.leftovers.forget([one.object_id for one in gone])
            for heap in heaps:
                about = dataset or "store"
                parts.audit.record(
                    "objects.collected", about, by, why=str(heap.why), objects=heap.objects, bytes=heap.size_bytes
                )
        return heaps

    def _free(self, dataset: str, those: Sequence[Leftover]) -> list[Leftover]:
        """Those that may go of a dataset, asked once a kind."""
        free = {why for why in {one.why for one in those} if self._may_go(dataset, why)}
        return [one for one in those if one.why in free]

    def _may_go(self, dataset_id: str, why: Why) -> bool:
        """A hold keeps everything of a dataset. A promise to keep it keeps what was in a version, and not what never became one."""
        if not dataset_id or why is Why.ERASED:
            return True
        if self._erasing.is_held(dataset_id):
            return False
        if why is Why.ABANDONED:
            return True
        try:
            self._erasing.check_removable(dataset_id)
        except WrongState:
            return False
        return True

    def _heaps(self) -> Sequence[Heap]:
        return self._parts.leftovers.heaps(self._parts.clock.now(), self._parts.clock.today())

    def _stored(self) -> Iterator[list[str]]:
        """Every object in the store, by names that we made; what else lies there is not ours to judge."""
        names = (name for name in self._parts.blobs.names() if _NAME.fullmatch(name))
        while batch := list(islice(names, NAMES_AT_ONCE)):
            yield batch

    def _without_record(self, names: Sequence[str]) -> list[str]:
        recorded = self._parts.leftovers.recorded(names)
        doomed = {name for name, one in self._parts.leftovers.known(names).items() if one.dataset}
        return [name for name in names if name not in recorded and name not in doomed]

    def _size(self, name: str) -> int:
        try:
            return self._parts.blobs.size(name)
        except NotFound:
            return 0

    def _standing(self) -> AbstractContextManager[None]:
        blobs = self._parts.blobs
        return blobs.deleting() if isinstance(blobs, StandsStill) else nullcontext()


def _by_dataset(found: Iterable[Leftover]) -> Iterator[tuple[str, list[Leftover]]]:
    ordered = sorted(found, key=lambda one: one.dataset)
    for dataset, those in groupby(ordered, key=lambda one: one.dataset):
        yield dataset, list(those)

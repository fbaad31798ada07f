"""Verbs of checking: a walk through the vault in stretches, each of bounded work. It reads sealed bytes and hands none of them on."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.errors import Damaged, FabriekError, InvalidInput, NotFound, NotPermitted, Unavailable, WrongState
from fabriek.sealing.context import object_context
from fabriek.vault.care.damage import SAFE, Damage, Looked, Position
from fabriek.vault.care.examining import Examined, look_at, read_through
from fabriek.vault.care.stretches import Sample, Stretch, Task
from fabriek.vault.datasets import Dataset
from fabriek.vault.desk import Desk, Parts
from fabriek.vault.keeping.homes import KeyHome
from fabriek.vault.leafing import BY_ID, MANIFEST, MISPLACED, UNREADABLE, Leaf, Leaves, Named, Stand, stand_of
from fabriek.vault.uploads import StoredObject
from fabriek.vault.versions import Facts, Version, read_record

OBJECTS_AT_ONCE = 5_000
BYTES_AT_ONCE = 2**29
"""How much one stretch looks at: as much as answers a request in good time."""

BATCH = 500
UNTOLD_MAX = 1_000

LOST = "objects that its manifest names are not in its list, and would be collected"
_OF_PAGES = (LOST, MISPLACED, UNREADABLE)

_UNFORESEEN = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What comes of data that nobody thought of. Not everything: a store or a database that is away is nobody's damage."""

log = logging.getLogger("fabriek.vault")


class Checking(Desk):
    """What the store holds beside what was written."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._memory: tuple[str, Sample, dict[str, None]] | None = None

    def check(self, at: Position, sample: Sample, *, by: Caller) -> Looked:
        """The next stretch of a walk that begins at the empty position, for operators. Damage is written down, recorded and given back.

        Raises InvalidInput on a share that is none.
        """
        require(by, "vault.check")
        if not 0 <= sample.share <= 1:
            raise InvalidInput("the share of data to read lies between 0% and 100%", fix="--read-data 5%")
        return self.look(at, sample, objects_max=OBJECTS_AT_ONCE, bytes_max=BYTES_AT_ONCE, by=by)

    def look(self, at: Position, sample: Sample, *, objects_max: int, bytes_max: int, by: Caller = SYSTEM) -> Looked:
        """At one version at most, or at one dataset's objects without a version; more stretches of it where it is large.

        A version of which everything was read, and of which no damage stands, is marked as verified.
        """
        walk = self._parts.walk
        dataset_id = walk.dataset(at.dataset, beyond=False)
        if not dataset_id:
            return Looked(0, 0, 0, 0, 0, 0, (), None)
        here = at if at.dataset == dataset_id else Position(dataset_id)
        seen = self._remembered(here, sample)
        stretch = Stretch(self._parts.datasets.get(dataset_id), sample, objects_max, bytes_max, seen=seen)
        version = walk.version(dataset_id, here.number) if here.number < SAFE else None
        if version is not None:
            begun = here if version.number == here.number else Position(dataset_id, version.number)
            stopped = self._look_or_note(stretch, version, begun)
            following: Position | None = stopped or Position(dataset_id, version.number + 1)
        else:
            last = self._look_at_safe(stretch, here.object_id if here.number == SAFE else "")
            stopped = Position(dataset_id, SAFE, last) if last else None
            following = stopped or self._beyond(dataset_id)
        self._write_down(stretch, by)
        if stopped is not None:
            self._memory = stopped.text, sample, stretch.seen
        if version is not None and stopped is None:
            stretch.versions += 1
            if sample.share == 1:
                self._mark(version)
        return Looked(
            stretch.versions, stretch.objects, stretch.read_objects, stretch.read_bytes, stretch.authenticated, stretch.by_hash,
            tuple(stretch.damage), following,
        )  # fmt: skip

    def damage_of(self, dataset_id: str) -> Sequence[Damage]:
        """What stands of a dataset, for showing it to whoever may know of it; no path is in it."""
        return self._parts.damages.of_dataset(dataset_id)

    def damage_of_version(self, version_id: str) -> Sequence[Damage]:
        """The same of one version, with that of the objects that it shares with others."""
        return self._parts.damages.of_version(version_id)

    def damage_of_versions(self, version_ids: Collection[str]) -> Mapping[str, Sequence[Damage]]:
        """The same of many; those without any are left out."""
        return self._parts.damages.of_versions(version_ids)

    def dataset(self, damage: Damage) -> Dataset:
        """What it is damage of."""
        return self._parts.datasets.get(damage.dataset)

    def numbers(self, damage: Damage) -> Sequence[int]:
        """The versions that damage is of, lowest first."""
        if damage.object_id:
            return self._parts.walk.numbers_using(damage.dataset, damage.object_id)
        try:
            return [self._parts.versions.get(damage.version).number]
        except NotFound:
            return []  # removed since

    def untold(self) -> Sequence[Damage]:
        """Damage that nobody was told of yet. For the worker."""
        return self._parts.damages.all(limit=UNTOLD_MAX, untold=True)

    def told(self, those: Sequence[Damage]) -> None:
        with self._parts.datasets.transaction():
            for one in those:
                self._parts.damages.told(one, self._parts.clock.now())

    def _beyond(self, dataset: str) -> Position | None:
        beyond = self._parts.walk.dataset(dataset, beyond=True)
        return Position(beyond) if beyond else None

    def _remembered(self, here: Position, sample: Sample) -> dict[str, None]:
        """What the stretch before this one looked at, where it was here. Taken: a stretch that does not come to its end leaves nothing."""
        memory, self._memory = self._memory, None
        return memory[2] if memory is not None and memory[:2] == (here.text, sample) else {}

    def _look_or_note(self, stretch: Stretch, version: Version, here: Position) -> Position | None:
        """As `_look_at_version`. A version that cannot be gone through is damage of its own, and keeps the walk from no other one; its objects
        are looked at by the list then.
        """
        try:
            return self._look_at_version(stretch, version, here)
        except _UNFORESEEN:
            log.exception("version %s cannot be gone through", version.id)
            self._note(stretch, version, UNREADABLE)
            return None if here.page == BY_ID else Position(version.dataset, version.number, "", BY_ID)

    def _look_at_version(self, stretch: Stretch, version: Version, here: Position) -> Position | None:
        """Where it came to; None at the end. Objects of the version that it builds on are looked at with that one."""
        known = {one.place: one for one in self._parts.damages.of_version(version.id)}
        if not here.page:
            self._look_at_record(stretch, version, known.get((version.id, "")))
        facts = _unchecked(version)
        task = Task(version, facts, self._base(facts), known)
        leaves = None if here.page == BY_ID else self._leaves(stretch, version)
        if leaves is None:
            return self._look_by_id(stretch, task, here.object_id if here.page == BY_ID else "")
        stopped, stand = self._look_by_pages(stretch, task, leaves, here)
        if stopped is not None:
            return stopped
        standing = known.get((version.id, ""))
        if standing is not None and standing.why in _OF_PAGES and not stand.is_broken and not stand.is_lost:
            stretch.sound.append(standing)
        return self._look_by_id(stretch, task, "") if stand.is_broken else None

    def _look_by_pages(
        self, stretch: Stretch, task: Task, leaves: Leaves, here: Position
    ) -> tuple[Position | None, Stand]:
        """Each object with the first page that names it, and so with its key and a path. (Where it came to, None at the end; what was met)."""
        version, stand, after = task.version, stand_of(here.page), here.object_id
        for number, leaf in enumerate(leaves.walk(stand.place)):
            if number and stretch.is_full:
                return Position(version.dataset, version.number, "", replace(stand, place=leaf.place).text), stand
            stand = replace(stand, place=leaf.place)
            stretch.pages += 1
            stretch.page_bytes += leaf.packed_bytes
            if leaf.why:
                stand = replace(stand, is_broken=True)
                self._note_page(stretch, task, leaf)
                continue
            named = leaves.named(leaf)
            mine = self._parts.versions.among(version.id, named)
            if not after and (lost := [one for name, one in named.items() if name not in mine]):
                stand = replace(stand, is_lost=True)
                self._note(stretch, version, LOST, lost[0].path, sum(one.files for one in lost))
            names = [name for name in named if name in mine and name > after and name not in stretch.seen]
            for name in self._look_at(stretch, task, self._own(task, names), named):
                if stretch.is_full:
                    return Position(version.dataset, version.number, name, stand.text), stand
            after = ""
        return None, stand

    def _look_by_id(self, stretch: Stretch, task: Task, after: str) -> Position | None:
        """Where the pages cannot be read here, or not all of them: by the hashes of the sealed bytes."""
        version, batch = task.version, min(BATCH, stretch.objects_max)
        while names := self._parts.walk.own_objects(version.id, task.parent, after=after, limit=batch):
            if after and stretch.is_full:
                return Position(version.dataset, version.number, after, BY_ID)
            fresh = [name for name in names if name not in stretch.seen]
            for name in self._look_at(stretch, task, fresh, {}):
                if stretch.is_full:
                    return Position(version.dataset, version.number, name, BY_ID)
            after = names[-1]
        return None

    def _own(self, task: Task, names: Sequence[str]) -> Sequence[str]:
        inherited = self._parts.versions.among(task.parent, names) if task.parent and names else frozenset()
        return [name for name in names if name not in inherited]

    def _look_at(self, stretch: Stretch, task: Task, names: Sequence[str], named: Mapping[str, Named]) -> Iterator[str]:
        """Gives each name behind which more remain to be looked at."""
        parts, dataset, facts = self._parts, stretch.dataset, task.facts
        arrived = parts.walk.arrived(names) if names else {}
        for name in names:
            standing, kept, inside = task.known.get(("", name)), arrived.get(name, StoredObject(name)), named.get(name)
            if facts is not None and name == facts.manifest:
                kept = replace(kept, sha256=facts.manifest_sha256)
            if stretch.sample.draws(name) or standing is not None:
                context = object_context(dataset.organisation, dataset.id, name)
                found = read_through(parts.blobs, kept, inside.key if inside else None, context)
            else:
                found = look_at(parts.blobs, kept)
            stretch.add(found)
            stretch.remember(name)
            if found.why:
                unnamed = MANIFEST if facts is not None and name == facts.manifest else ""
                path, files = (inside.path, inside.files) if inside else (unnamed, 0)
                stretch.note(Damage(dataset.id, task.version.id, name, found.why, parts.clock.now(), path, files))
            elif standing is not None:
                stretch.sound.append(standing)
            if name != names[-1]:
                yield name

    def _look_at_safe(self, stretch: Stretch, after: str) -> str:
        """What was sealed here for runs, jobs and packages: each object has its own wrapped key."""
        parts, dataset = self._parts, stretch.dataset
        known = {one.place: one for one in parts.damages.of_dataset(dataset.id)}
        while batch := parts.walk.safe_objects(dataset.id, after=after, limit=500):
            for name, stored in batch:
                standing, kept = known.get(("", name)), StoredObject(name, stored.size, stored.sha256)
                if stretch.sample.draws(name) or standing is not None:
                    key, why = self._safe_key(dataset, name)
                    context = object_context(dataset.organisation, dataset.id, name)
                    found = Examined(why) if why else read_through(parts.blobs, kept, key, context)
                else:
                    found = look_at(parts.blobs, kept)
                stretch.add(found)
                if found.why:
                    stretch.damage.append(Damage(dataset.id, "", name, found.why, parts.clock.now()))
                elif standing is not None:
                    stretch.sound.append(standing)
                after = name
                if stretch.is_full:
                    return name
        return ""

    def _look_at_record(self, stretch: Stretch, version: Version, standing: Damage | None) -> None:
        """Its signature, its sequence number beside the audit log's, its manifest among its objects, and whether its key opens."""
        why = ""
        try:
            facts = self._believed(version)
            if not self._parts.versions.uses(version.id, facts.manifest):
                why = "the list of its objects lacks its manifest"
            elif stretch.dataset.key_home is KeyHome.INSTALLATION:
                self._parts.cipher.unwrap(self._epoch_of(version), version.wrapped_key, version.id)
        except Damaged as error:
            why = error.detail
        except NotFound:
            why = "the key that opens it is gone"
        except (Unavailable, WrongState):
            return  # the master key is away, or it was erased just now: that is nobody's damage
        if why:
            self._note(stretch, version, why)
        elif standing is not None and standing.why not in _OF_PAGES:
            stretch.sound.append(standing)

    def _note(self, stretch: Stretch, version: Version, why: str, path: str = "", files: int = 0) -> None:
        stretch.note(Damage(version.dataset, version.id, "", why, self._parts.clock.now(), path, files))

    def _note_page(self, stretch: Stretch, task: Task, leaf: Leaf) -> None:
        """Of an object that is the parent's too it is said there."""
        if not leaf.object_id:
            self._note(stretch, task.version, leaf.why, MANIFEST)
        elif self._own(task, [leaf.object_id]):
            now, version = self._parts.clock.now(), task.version
            stretch.note(Damage(version.dataset, version.id, leaf.object_id, leaf.why, now, MANIFEST))

    def _base(self, facts: Facts | None) -> str:
        """The version that this one builds on, if it stands."""
        if facts is None or not facts.parent:
            return ""
        try:
            return self._parts.versions.get(facts.parent).id
        except NotFound:
            return ""

    def _leaves(self, stretch: Stretch, version: Version) -> Leaves | None:
        """Its pages, where its record holds and the key is here."""
        parts, dataset = self._parts, stretch.dataset
        if dataset.key_home is not KeyHome.INSTALLATION:
            return None
        try:
            facts = self._believed(version)
            key = parts.cipher.unwrap(self._epoch_of(version), version.wrapped_key, version.id)
        except FabriekError:
            return None
        return Leaves(parts.blobs, dataset, facts, key)

    def _safe_key(self, dataset: Dataset, name: str) -> tuple[bytes | None, str]:
        """(the key, where it is to be had; what is wrong with it)."""
        parts = self._parts
        try:
            number, wrapped, _ = parts.epoch_keys.object_key(dataset.id, name)
            return parts.cipher.unwrap(parts.epoch_keys.get(dataset.id, number), wrapped, name), ""
        except Damaged:
            return None, "its key does not open"
        except (NotFound, NotPermitted, Unavailable):
            return None, ""

    def _write_down(self, stretch: Stretch, by: Caller) -> None:
        """The event is the dataset's: one about the version itself would be newer than its record, and make it count as damaged for ever."""
        parts, dataset = self._parts, stretch.dataset.id
        if not stretch.damage and not stretch.sound:
            return
        # Alone with whoever removes, gives up, collects or erases: what went lawfully while it was looked at is nobody's damage.
        with parts.datasets.transaction(alone=f"dataset:{dataset}"):
            if parts.datasets.get(dataset).erased_at is not None:
                stretch.damage, stretch.sound = [], []
            stretch.damage = [one for one in stretch.damage if self._still_stands(one)]
            found = {one.place for one in stretch.damage}
            mended = [one for one in stretch.sound if one.place not in found]
            for one in stretch.damage:
                if parts.damages.put(one):
                    parts.audit.record("damage.found", one.dataset, by, version=one.version, object=one.object_id)
            for one in mended:
                parts.damages.remove(one)
                parts.audit.record("damage.mended", one.dataset, by, version=one.version, object=one.object_id)

    def _still_stands(self, one: Damage) -> bool:
        """Whether the version is there still, or the object is of another one, or was sealed here and is wanted."""
        parts = self._parts
        try:
            if one.version and parts.versions.get(one.version):
                return True
        except NotFound:
            pass  # removed, and its objects may be another version's
        if not one.object_id:
            return False
        if parts.walk.numbers_using(one.dataset, one.object_id):
            return True
        try:
            parts.epoch_keys.object_key(one.dataset, one.object_id)
        except NotFound:
            return False
        return not parts.leftovers.is_doomed(one.object_id)

    def _mark(self, version: Version) -> None:
        """Not later than the version it builds on was: objects that both use were read with that one."""
        parts = self._parts
        if parts.damages.of_version(version.id):
            return
        at, facts = parts.clock.now(), _unchecked(version)
        if (parent := self._base(facts)) and parts.walk.do_share(version.id, parent):
            before = parts.versions.get(parent).verified_at
            if before is None:
                return
            at = min(at, before)
        with parts.datasets.transaction():
            parts.walk.verified(version.id, at)


def _unchecked(version: Version) -> Facts | None:
    try:
        return read_record(version.record.text)
    except Damaged:
        return None

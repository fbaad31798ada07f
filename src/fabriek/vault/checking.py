"""Verbs of checking: a walk through the vault in stretches, each of bounded work. It reads sealed bytes and hands none of them on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.errors import Damaged, FabriekError, InvalidInput, NotFound, NotPermitted, Unavailable, WrongState
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import read_manifest
from fabriek.sealing.objects import open_stream
from fabriek.vault.damage import SAFE, Damage, Looked, Position
from fabriek.vault.datasets import Dataset
from fabriek.vault.desk import Desk
from fabriek.vault.examining import Examined, Inside, inside_of, look_at, read_through
from fabriek.vault.homes import KeyHome
from fabriek.vault.uploads import StoredObject
from fabriek.vault.versions import Facts, Version, read_record

OBJECTS_AT_ONCE = 5_000
BYTES_AT_ONCE = 2**29
"""How much one stretch looks at: as much as answers a request in good time."""

UNTOLD_MAX = 1_000
MANIFEST = "(the list of its files)"


@dataclass(frozen=True, slots=True)
class Reading:
    """Which objects are read: a share of them, drawn by `seed` and their names so that stretches draw alike. What counts as damaged is read
    in any case, to see whether it was mended.
    """

    share: float
    seed: str = ""

    def draws(self, object_id: str) -> bool:
        drawn = hashlib.sha256(f"{self.seed}\n{object_id}".encode()).digest()[:8]
        return int.from_bytes(drawn, "big") < self.share * 2**64


@dataclass(slots=True)
class _Stretch:
    """What is under way: its bounds, and what it came to."""

    dataset: Dataset
    reading: Reading
    objects_max: int
    bytes_max: int
    versions: int = 0
    objects: int = 0
    read_objects: int = 0
    read_bytes: int = 0
    authenticated: int = 0
    by_hash: int = 0
    damage: list[Damage] = field(default_factory=list)
    sound: list[Damage] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return self.objects >= self.objects_max or self.read_bytes >= self.bytes_max

    def add(self, found: Examined) -> None:
        self.objects += 1
        if found.read_bytes is not None:
            self.read_objects += 1
            self.read_bytes += found.read_bytes
            self.authenticated += found.authenticated
            self.by_hash += not found.why and not found.authenticated


class Checking(Desk):
    """What the store holds beside what was written."""

    def check(self, at: Position, reading: Reading, *, by: Caller) -> Looked:
        """The next stretch of a walk that begins at the empty position, for operators. Damage is written down, recorded and given back.

        Raises InvalidInput on a share that is none.
        """
        require(by, "vault.check")
        if not 0 <= reading.share <= 1:
            raise InvalidInput("the share of data to read lies between 0% and 100%", fix="--read-data 5%")
        return self.look(at, reading, objects_max=OBJECTS_AT_ONCE, bytes_max=BYTES_AT_ONCE, by=by)

    def look(self, at: Position, reading: Reading, *, objects_max: int, bytes_max: int, by: Caller = SYSTEM) -> Looked:
        """At one version at most, or at one dataset's objects without a version; more stretches of it where it is large.

        A version of which everything was read, and of which no damage stands, is marked as verified.
        """
        walk = self._parts.walk
        dataset_id = walk.dataset(at.dataset, beyond=False)
        if not dataset_id:
            return Looked(0, 0, 0, 0, 0, 0, (), None)
        here = at if at.dataset == dataset_id else Position(dataset_id)
        stretch = _Stretch(self._parts.datasets.get(dataset_id), reading, objects_max, bytes_max)
        version = walk.version(dataset_id, here.number) if here.number < SAFE else None
        if version is not None:
            last = self._look_at_version(stretch, version, here.object_id if version.number == here.number else "")
            number = version.number
        else:
            last = self._look_at_safe(stretch, here.object_id if here.number == SAFE else "")
            number = SAFE
        self._write_down(stretch, by)
        if version is not None and not last:
            stretch.versions += 1
            if reading.share == 1:
                self._mark(version)
        return Looked(
            stretch.versions, stretch.objects, stretch.read_objects, stretch.read_bytes, stretch.authenticated, stretch.by_hash,
            tuple(stretch.damage), self._following(dataset_id, number, last),
        )  # fmt: skip

    def damage_of(self, dataset_id: str) -> Sequence[Damage]:
        """What stands of a dataset, for showing it to whoever may know of it; no path is in it."""
        return self._parts.damages.of_dataset(dataset_id)

    def damage_of_version(self, version_id: str) -> Sequence[Damage]:
        """The same of one version, with that of the objects that it shares with others."""
        return self._parts.damages.of_version(version_id)

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

    def _following(self, dataset: str, number: int, last: str) -> Position | None:
        """last: the object that was come to; empty where all were looked at."""
        if last:
            return Position(dataset, number, last)
        if number < SAFE:
            return Position(dataset, number + 1)
        beyond = self._parts.walk.dataset(dataset, beyond=True)
        return Position(beyond) if beyond else None

    def _look_at_version(self, stretch: _Stretch, version: Version, after: str) -> str:
        """Objects of the version that it builds on are looked at with that one."""
        parts, dataset = self._parts, stretch.dataset
        known = {one.place: one for one in parts.damages.of_version(version.id)}
        names, facts = parts.versions.objects(version.id), _unchecked(version)
        if not after:
            self._look_at_record(stretch, version, known.get((version.id, "")))
        own = sorted(name for name in names - self._inherited(facts) if name > after)
        more, own = len(own) > stretch.objects_max, own[: stretch.objects_max]
        arrived, inside = parts.walk.arrived(own), None
        for name in own:
            standing, kept = known.get(("", name)), arrived.get(name, StoredObject(name))
            if facts is not None and name == facts.manifest:
                kept = replace(kept, sha256=facts.manifest_sha256)
            if stretch.reading.draws(name) or standing is not None:
                inside = inside or self._inside(dataset, version, facts)
                context = object_context(dataset.organisation, dataset.id, name)
                found = read_through(parts.blobs, kept, inside.keys.get(name), context)
            else:
                found = look_at(parts.blobs, kept)
            stretch.add(found)
            if found.why:
                inside = inside or self._inside(dataset, version, facts)
                path, files = (MANIFEST, 0) if facts and name == facts.manifest else inside.paths.get(name, ("", 0))
                now = parts.clock.now()
                stretch.damage.append(Damage(dataset.id, version.id, name, found.why, now, path, files))
            elif standing is not None:
                stretch.sound.append(standing)
            if stretch.is_full and (more or name != own[-1]):
                return name
        if inside is not None and not inside.keys.keys() <= names:
            self._note(stretch, version, "objects that its manifest names are not in its list, and would be collected")
        return ""

    def _look_at_safe(self, stretch: _Stretch, after: str) -> str:
        """What was sealed here for runs, jobs and packages: each object has its own wrapped key."""
        parts, dataset = self._parts, stretch.dataset
        known = {one.place: one for one in parts.damages.of_dataset(dataset.id)}
        while batch := parts.walk.safe_objects(dataset.id, after=after, limit=500):
            for name, stored in batch:
                standing, kept = known.get(("", name)), StoredObject(name, stored.size, stored.sha256)
                if stretch.reading.draws(name) or standing is not None:
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

    def _look_at_record(self, stretch: _Stretch, version: Version, standing: Damage | None) -> None:
        """Its signature, its sequence number beside the audit log's, its manifest among its objects, and whether its key opens."""
        why = ""
        try:
            facts = self._believed(version)
            if facts.manifest not in self._parts.versions.objects(version.id):
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
        elif standing is not None:
            stretch.sound.append(standing)

    def _note(self, stretch: _Stretch, version: Version, why: str) -> None:
        stretch.damage.append(Damage(version.dataset, version.id, "", why, self._parts.clock.now()))

    def _inherited(self, facts: Facts | None) -> frozenset[str]:
        if facts is None or not facts.parent:
            return frozenset()
        try:
            return self._parts.versions.objects(self._parts.versions.get(facts.parent).id)
        except NotFound:
            return frozenset()

    def _inside(self, dataset: Dataset, version: Version, facts: Facts | None) -> Inside:
        """Opened where the key is here; empty otherwise, or where the manifest is what is damaged."""
        if facts is None or dataset.key_home is not KeyHome.INSTALLATION:
            return Inside()
        parts = self._parts
        try:
            key = parts.cipher.unwrap(self._epoch_of(version), version.wrapped_key, version.id)
            context = object_context(dataset.organisation, dataset.id, facts.manifest)
            raw = b"".join(open_stream(parts.blobs.get(facts.manifest), key, context))
            made = inside_of(read_manifest(raw))
        except FabriekError:
            return Inside()
        made.keys[facts.manifest] = key
        return made

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

    def _write_down(self, stretch: _Stretch, by: Caller) -> None:
        """The event is the dataset's: one about the version itself would be newer than its record, and make it count as damaged for ever."""
        parts, found = self._parts, {one.place for one in stretch.damage}
        mended = [one for one in stretch.sound if one.place not in found]
        if not stretch.damage and not mended:
            return
        with parts.datasets.transaction():
            for one in stretch.damage:
                if parts.damages.put(one):
                    parts.audit.record("damage.found", one.dataset, by, version=one.version, object=one.object_id)
            for one in mended:
                parts.damages.remove(one)
                parts.audit.record("damage.mended", one.dataset, by, version=one.version, object=one.object_id)

    def _mark(self, version: Version) -> None:
        """Not later than the version it builds on was: objects that both use were read with that one."""
        parts = self._parts
        if parts.damages.of_version(version.id):
            return
        at, facts = parts.clock.now(), _unchecked(version)
        if facts is not None and self._inherited(facts) & parts.versions.objects(version.id):
            before = parts.versions.get(facts.parent).verified_at
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

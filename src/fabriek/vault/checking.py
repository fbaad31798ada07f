"""Verbs of checking: a walk through the vault in stretches, each of bounded work. It reads sealed bytes and hands none of them on."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.errors import Damaged, FabriekError, InvalidInput, NotFound, NotPermitted, Unavailable, WrongState
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import Manifest, read_manifest
from fabriek.sealing.objects import open_stream
from fabriek.vault.damage import SAFE, Damage, Looked, Position
from fabriek.vault.datasets import Dataset
from fabriek.vault.desk import Desk
from fabriek.vault.homes import KeyHome
from fabriek.vault.uploads import StoredObject
from fabriek.vault.versions import Facts, Version, read_record

OBJECTS_AT_ONCE = 5_000
BYTES_AT_ONCE = 2**29
"""How much one stretch looks at: as much as answers a request in good time."""


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


@dataclass(frozen=True, slots=True)
class _Inside:
    """What the manifest of a version says of its objects: their keys, and the first path that lies in each, with how many do."""

    keys: dict[str, bytes] = field(default_factory=dict)
    paths: dict[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Count:
    objects: int = 0
    read_objects: int = 0
    read_bytes: int = 0
    authenticated: int = 0
    versions: int = 0
    damage: list[Damage] = field(default_factory=list)
    sound: list[Damage] = field(default_factory=list)


Enough = Callable[[], bool]


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
        parts, count = self._parts, _Count()
        dataset_id = parts.walk.dataset(at.dataset, beyond=False)
        if not dataset_id:
            return self._looked(count, None)
        dataset = parts.datasets.get(dataset_id)
        here = at if at.dataset == dataset_id else Position(dataset_id)
        version = parts.walk.version(dataset_id, here.number) if here.number < SAFE else None
        enough = lambda: count.objects >= objects_max or count.read_bytes >= bytes_max  # noqa: E731
        if version is not None:
            if version.number != here.number:
                here = Position(dataset_id, version.number)
            last = self._look_at_version(dataset, version, here.object_id, reading, count, enough)
            following = (
                Position(dataset_id, version.number + 1) if last is None else Position(dataset_id, version.number, last)
            )
        else:
            after = here.object_id if here.number == SAFE else ""
            last = self._look_at_safe(dataset, after, reading, count, enough)
            beyond = parts.walk.dataset(dataset_id, beyond=True)
            following = Position(dataset_id, SAFE, last) if last is not None else Position(beyond) if beyond else None
        self._write_down(count, by)
        if version is not None and last is None:
            count.versions += 1
            if reading.share == 1:
                self._mark(version)
        return self._looked(count, following)

    def _looked(self, count: _Count, following: Position | None) -> Looked:
        by_hash = (
            count.read_objects
            - count.authenticated
            - sum(1 for one in count.damage if one.object_id and one.why in _READ)
        )
        return Looked(
            count.versions, count.objects, count.read_objects, count.read_bytes, count.authenticated, max(by_hash, 0),
            count.damage, following,
        )  # fmt: skip

    def _look_at_version(
        self, dataset: Dataset, version: Version, after: str, reading: Reading, count: _Count, enough: Enough
    ) -> str | None:
        """None when it is through, else the object it came to. Objects of the version that it builds on are looked at with that one."""
        parts = self._parts
        known = {one.place: one for one in parts.damages.of_version(version.id)}
        names = parts.versions.objects(version.id)
        facts = self._facts(dataset, version, names, known, count) if not after else _unchecked(version)
        own = sorted(name for name in names - self._inherited(facts) if name > after)
        inside: _Inside | None = None
        arrived = parts.walk.arrived(own)
        for name in own:
            kept, standing = arrived.get(name), known.get(("", name))
            is_read = reading.draws(name) or standing is not None
            if is_read and inside is None:
                inside = self._inside(dataset, version, facts)
            why = self._wrong(dataset, name, kept, (inside.keys.get(name) if inside else None), count, is_read=is_read)
            count.objects += 1
            if why:
                inside = inside if inside is not None else self._inside(dataset, version, facts)
                count.damage.append(self._damage(dataset, version, name, why, facts, inside))
            elif standing is not None:
                count.sound.append(standing)
            if enough() and name != own[-1]:
                return name
        return None

    def _look_at_safe(
        self, dataset: Dataset, after: str, reading: Reading, count: _Count, enough: Enough
    ) -> str | None:
        parts = self._parts
        known = {one.place: one for one in parts.damages.of_dataset(dataset.id)}
        while batch := parts.walk.safe_objects(dataset.id, after=after, limit=500):
            for name, stored in batch:
                standing = known.get(("", name))
                is_read = reading.draws(name) or standing is not None
                key, why = None, ""
                if is_read:
                    key, why = self._safe_key(dataset, name)
                why = why or self._wrong(
                    dataset, name, StoredObject(name, stored.size, stored.sha256), key, count, is_read=is_read
                )
                count.objects += 1
                if why:
                    count.damage.append(Damage(dataset.id, "", name, why, parts.clock.now()))
                elif standing is not None:
                    count.sound.append(standing)
                after = name
                if enough():
                    return name
        return None

    def _facts(
        self,
        dataset: Dataset,
        version: Version,
        names: frozenset[str],
        known: dict[tuple[str, str], Damage],
        count: _Count,
    ) -> Facts | None:
        """What the record says, once it holds; damage of the version itself where it does not."""
        why = ""
        try:
            facts: Facts | None = self._believed(version)
        except Damaged as error:
            facts, why = _unchecked(version), error.detail
        if facts is not None and facts.manifest not in names:
            why = why or "the list of its objects lacks its manifest"
        if not why and dataset.key_home is KeyHome.INSTALLATION:
            try:
                self._parts.cipher.unwrap(self._epoch_of(version), version.wrapped_key, version.id)
            except (Damaged, NotFound):
                why = "the key of its manifest does not open"
            except Unavailable:
                pass  # the master key is away: that is nobody's damage, and opens say so themselves
        if why:
            count.damage.append(Damage(dataset.id, version.id, "", why, self._parts.clock.now()))
        elif standing := known.get((version.id, "")):
            count.sound.append(standing)
        return facts

    def _inherited(self, facts: Facts | None) -> frozenset[str]:
        if facts is None or not facts.parent:
            return frozenset()
        try:
            return self._parts.versions.objects(self._parts.versions.get(facts.parent).id)
        except NotFound:
            return frozenset()

    def _inside(self, dataset: Dataset, version: Version, facts: Facts | None) -> _Inside:
        """Opened where the key is here; empty otherwise, or where the manifest is what is damaged."""
        if facts is None or dataset.key_home is not KeyHome.INSTALLATION:
            return _Inside()
        parts = self._parts
        try:
            key = parts.cipher.unwrap(self._epoch_of(version), version.wrapped_key, version.id)
            context = object_context(facts.organisation, facts.dataset, facts.manifest)
            manifest: Manifest = read_manifest(b"".join(open_stream(parts.blobs.get(facts.manifest), key, context)))
        except FabriekError:
            return _Inside()
        made = _Inside(keys={facts.manifest: key})
        for file in manifest.files:
            for part in file.parts:
                made.keys[part.object_id] = part.key
                path, files = made.paths.get(part.object_id, (file.path, 0))
                made.paths[part.object_id] = (path, files + 1)
        return made

    def _wrong(
        self, dataset: Dataset, name: str, kept: StoredObject | None, key: bytes | None, count: _Count, *, is_read: bool
    ) -> str:
        """Why the object is not what was written; empty where it is, as far as was looked."""
        blobs = self._parts.blobs
        try:
            size = blobs.size(name)
        except NotFound:
            return GONE
        if kept is not None and kept.size is not None and size != kept.size:
            return f"it has {size} bytes, and {kept.size} were written"
        if not is_read:
            return ""
        count.read_objects += 1
        seen = _Hashed(blobs.get(name))
        try:
            if key is None:
                for _ in seen:
                    continue
            else:
                for _ in open_stream(seen, key, object_context(dataset.organisation, dataset.id, name)):
                    continue
        except NotFound:
            return GONE
        except Damaged:
            return CHANGED
        finally:
            count.read_bytes += seen.size
        if kept is not None and kept.sha256 and seen.hexdigest() != kept.sha256:
            return CHANGED
        count.authenticated += key is not None
        return ""

    def _safe_key(self, dataset: Dataset, name: str) -> tuple[bytes | None, str]:
        parts = self._parts
        try:
            number, wrapped, _ = parts.epoch_keys.object_key(dataset.id, name)
            return parts.cipher.unwrap(parts.epoch_keys.get(dataset.id, number), wrapped, name), ""
        except Damaged:
            return None, "its key does not open"
        except (NotFound, NotPermitted, Unavailable, WrongState):
            return None, ""

    def _damage(
        self, dataset: Dataset, version: Version, name: str, why: str, facts: Facts | None, inside: _Inside
    ) -> Damage:
        path, files = inside.paths.get(name, ("", 0))
        if facts is not None and name == facts.manifest:
            path = MANIFEST
        return Damage(dataset.id, version.id, name, why, self._parts.clock.now(), path, files)

    def _write_down(self, count: _Count, by: Caller) -> None:
        """The event is the dataset's: one about the version itself would be newer than its record, and make it count as damaged for ever."""
        parts = self._parts
        if not count.damage and not count.sound:
            return
        with parts.datasets.transaction():
            for one in count.damage:
                if parts.damages.put(one):
                    parts.audit.record("damage.found", one.dataset, by, version=one.version, object=one.object_id)
            for one in count.sound:
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


MANIFEST = "(the list of its files)"
GONE = "it is gone from the store"
CHANGED = "its bytes are not those that were written"
_READ = frozenset({CHANGED})


class _Hashed:
    """Pieces on their way through, counted and hashed."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._digest, self.size = pieces, hashlib.sha256(), 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._digest.update(piece)
            self.size += len(piece)
            yield piece

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def _unchecked(version: Version) -> Facts | None:
    try:
        return read_record(version.record.text)
    except Damaged:
        return None

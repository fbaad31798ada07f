"""Verbs on files that others' clients send: announce one, take its bytes, give it up. They are sealed in memory as they come.

What was taken is durable, stretch by stretch, each an object under a key of its own, which is kept wrapped under the dataset's epoch until the
upload becomes a version (`joining.py`). Nothing plain touches a disk.
"""

import hashlib
import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import (
    AlreadyExists,
    InvalidInput,
    NotFound,
    NotPermitted,
    QuotaExhausted,
    Stale,
    WrongState,
    nothing_here,
)
from fabriek.kernel.stored import Stored
from fabriek.sealing.context import object_context
from fabriek.sealing.digests import FileDigest
from fabriek.sealing.objects import KEY_BYTES, SALT_BYTES, seal
from fabriek.sealing.packing import PART_BYTES
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.desk import Desk, Parts
from fabriek.vault.intake.arrivals import FILES_MAX, STRETCH_SECONDS_MAX, Arrival, Stretch, check_arrival, check_room
from fabriek.vault.intake.joining import Joining
from fabriek.vault.intake.wiping import Wiping
from fabriek.vault.keeping.epochs import Epoch
from fabriek.vault.keeping.erasing import Erasing
from fabriek.vault.pushing import TRIES, Pushing
from fabriek.vault.uploads import OBJECTS_MAX, Progress, Upload, check_open, left_too_long
from fabriek.vault.versions import Version

HASHES_KEPT = 1_000


class WrongChecksum(InvalidInput):
    """What arrived is not what its sender says it sent. None of it is kept."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one sending must come to. `algorithm`: a name that hashlib knows."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Landed:
    """A stretch whose object is in the store, and that nothing speaks of yet. Its key is wrapped when it is counted, and not before: the
    dataset may begin another epoch while a request of hours goes on.
    """

    stretch: Stretch
    key: bytes
    stored: Stored


class Arriving(Desk):
    """From an announced file to all of its bytes. For the person who opened the upload, as long as they may write to the dataset."""

    def __init__(self, parts: Parts, pushing: Pushing, erasing: Erasing) -> None:
        super().__init__(parts)
        self._pushing = pushing
        self._joining = Joining(parts, pushing)
        self._wiping = Wiping(parts, erasing)
        # How far a file has been hashed: what else would be read back from the store for it once it is whole.
        self._hashes: OrderedDict[str, tuple[int, FileDigest]] = OrderedDict()
        self._guard = threading.Lock()

    def open(self, project: str, reference: str, *, by: Caller) -> Upload:
        """An upload that gathers files, for `finish`. Raises as `Pushing.open_upload`, and NotPermitted (`key_home.server`)."""
        self._check_sealable(self._pushing.find(reference, project=project, by=by))
        return self._pushing.open_upload(project, reference, by=by)

    def begin(self, upload_id: str, path: str, size: int, *, told: str = "", lone: bool = False, by: Caller) -> Arrival:
        """Announces a file of an upload. Raises InvalidInput on its path or size, AlreadyExists, QuotaExhausted, WrongState, NotPermitted."""
        parts = self._parts
        upload, dataset = self._held(upload_id, by)
        self._check_sealable(self._refuse_erased(dataset))
        check_arrival(path, size, told)
        sha256 = hashlib.sha256().hexdigest() if size == 0 else ""
        arrival = Arrival(parts.ids.new("arr"), upload.id, path, size, told, lone, parts.clock.now(), sha256=sha256)
        with parts.datasets.transaction(alone=f"arriving:{by.person}"):
            check_open(parts.uploads.get(upload.id), parts.clock.now())
            check_room(size, parts.arrivals.on_the_way(by.person, parts.clock.now()), parts.arriving_bytes_max)
            _check_beside(path, parts.arrivals.of_upload(upload.id, beside=path), parts.arrivals.count(upload.id))
            parts.arrivals.add(arrival)
        return arrival

    def begin_alone(self, project: str, reference: str, path: str, size: int, *, told: str = "", by: Caller) -> Arrival:
        """Announces a file that becomes a version by itself, beside what the newest one holds."""
        parts = self._parts
        check_arrival(path, size, told)
        check_room(size, parts.arrivals.on_the_way(by.person, parts.clock.now()), parts.arriving_bytes_max)
        upload = self.open(project, reference, by=by)
        return self.begin(upload.id, path, size, told=told, lone=True, by=by)

    def look(self, arrival_id: str, *, by: Caller) -> tuple[Arrival, Upload]:
        """How much of it is durable. Raises NotFound for everyone but the holder, WrongState when its time is over.

        A file that is whole and should be a version by now becomes one here: whoever sent its last byte heard no answer and asks again.
        """
        arrival, upload, _ = self._arrival(arrival_id, by)
        if upload.progress is Progress.OPEN:
            check_open(upload, self._parts.clock.now())
            if arrival.lone and arrival.is_whole:
                self._joining.finish(upload.id, by=by)
                upload = self._parts.uploads.get(upload.id)
        return arrival, upload

    def take(
        self, arrival_id: str, offset: int, chunks: Iterable[bytes], *, checksum: Checksum | None = None, by: Caller
    ) -> tuple[Arrival, Upload]:
        """Takes bytes from `offset` on, until the stream ends. All of `arrived` is durable when this returns, and after an error too.

        Raises Stale where `offset` is not where it stands, InvalidInput on more than was announced, WrongChecksum, WrongState, StorageFull.
        """
        arrival, upload, dataset = self._arrival(arrival_id, by)
        if offset != arrival.arrived:
            raise _elsewhere(arrival)
        if not arrival.is_whole:
            check_open(upload, self._parts.clock.now())
            self._refuse_erased(dataset)
            arrival = self._take(arrival, upload, dataset, chunks, checksum)
        return self.look(arrival.id, by=by)

    def check_holder(self, *, upload: str = "", arrival: str = "", by: Caller) -> None:
        """Raises NotFound for everyone but who opened the upload, or the one of the file."""
        if upload:
            self._held(upload, by)
        if arrival:
            self._arrival(arrival, by)

    def files(self, upload_id: str, *, by: Caller) -> Sequence[Arrival]:
        """Those of an upload, by path, for whoever holds it. Once it is a version, their names stand there alone."""
        upload, _ = self._held(upload_id, by)
        return self._parts.arrivals.of_upload(upload.id)

    def finish(self, upload_id: str, *, by: Caller) -> Version:
        """Makes the upload a version: what the newest one holds, with these files added or in place of those of the same path.

        Asked again, the same version. Raises WrongState while a file is not whole or there is none, InvalidInput where paths collide.
        """
        return self._joining.finish(upload_id, by=by)

    def give_up(self, arrival_id: str, *, by: Caller) -> None:
        """Forgets a file with its bytes. Raises WrongState when it is in a version, and under a legal hold."""
        arrival, upload, _ = self._arrival(arrival_id, by)
        self._wiping.give_up(arrival, upload)

    def give_up_all(self, upload_id: str, *, by: Caller) -> None:
        """Forgets all files of an upload with their bytes, and ends it. Raises WrongState when it is a version, and under a legal hold."""
        upload, _ = self._held(upload_id, by)
        for arrival in self._parts.arrivals.of_upload(upload.id):
            self._wiping.give_up(arrival, upload)
        self._wiping.end(upload)

    def forget_overdue(self) -> bool:
        """Forgets what nobody went on with, with its bytes, and what is in a version, without. For the worker. Whether to call again."""
        return self._wiping.forget_overdue()

    def _take(
        self, arrival: Arrival, upload: Upload, dataset: Dataset, chunks: Iterable[bytes], checksum: Checksum | None
    ) -> Arrival:
        """Without a checksum each stretch counts once it is durable; with one nothing does before all of it was checked."""
        parts = self._parts
        # Before anything is read: where no key is to be had all of it would be in vain.
        parts.cipher.check(self._current_epoch(dataset.id))
        digest = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        known, held, start = self._hashed_to(arrival), list[_Landed](), arrival.arrived
        try:
            # `held` is what was never given to `_count`, and so is nobody's for certain.
            for pieces in _stretches(_at_most(chunks, arrival.size - start), parts.clock.monotonic):
                trial = known.copy() if known else None
                through = _through(pieces, [one for one in (trial, digest) if one])
                landed = self._land(arrival, start, through, upload, dataset)
                start, known = start + landed.stretch.length, trial
                held.append(landed)
                if checksum is None:
                    given, held = held, []
                    arrival = self._count_or_drop(arrival, dataset, given, known)
            _check_sum(digest, checksum)
        except BaseException:
            self._drop(held)
            raise
        return self._count_or_drop(arrival, dataset, held, known) if held else arrival

    def _land(self, arrival: Arrival, start: int, pieces: Iterable[bytes], upload: Upload, dataset: Dataset) -> _Landed:
        """One stretch into the store. Its name is minted first, so that what a killed server left is known to be nobody's."""
        parts = self._parts
        name, key, salt = parts.ids.new("obj"), parts.ids.random(KEY_BYTES), parts.ids.random(SALT_BYTES)
        with parts.datasets.transaction(alone=f"upload:{upload.id}"):
            check_open(parts.uploads.get(upload.id), parts.clock.now())
            self._refuse_erased(parts.datasets.get(dataset.id))
            parts.uploads.mint(upload, [name], objects_max=OBJECTS_MAX)
        length = 0

        def counted() -> Iterator[bytes]:
            nonlocal length
            for piece in pieces:
                length += len(piece)
                yield piece

        context = object_context(dataset.organisation, dataset.id, name)
        stored = parts.blobs.put(name, seal(counted(), key, context, salt))
        return _Landed(Stretch(arrival.id, start, length, name), key, stored)

    def _count_or_drop(
        self, arrival: Arrival, dataset: Dataset, held: Sequence[_Landed], known: FileDigest | None
    ) -> Arrival:
        try:
            return self._count(arrival, dataset, held, known)
        except (InvalidInput, NotFound, Stale, WrongState):
            # Refused for certain. After anything else, as a lost answer to the commit, it may count all the same, and the sender be told so
            # when it asks where the file stands; what none counts is collected with the upload.
            self._drop(held)
            raise

    def _drop(self, held: Sequence[_Landed]) -> None:
        """What it leaves while a backup is taken is collected with the upload."""
        self._delete([landed.stretch.object_id for landed in held])

    def _count(self, arrival: Arrival, dataset: Dataset, held: Sequence[_Landed], known: FileDigest | None) -> Arrival:
        """What landed is the arrival's from here on, under keys of the newest epoch. Raises Stale when another sending was quicker."""
        for _ in range(TRIES):
            epoch = self._current_epoch(dataset.id)
            wrapped = [self._parts.cipher.wrap(epoch, one.key, one.stretch.object_id) for one in held]
            if counted := self._try_count(arrival, epoch, held, wrapped, known):
                return counted
        raise Stale("the keys of this dataset are being renewed", fix="ask where the file stands, and go on from there")

    def _try_count(
        self,
        arrival: Arrival,
        epoch: Epoch,
        held: Sequence[_Landed],
        wrapped: Sequence[bytes],
        known: FileDigest | None,
    ) -> Arrival | None:
        """In turn with whoever wipes it, rotates or erases. None where another epoch has begun: the key of this one may be gone by now."""
        parts, dataset = self._parts, epoch.dataset
        with parts.datasets.transaction(alone=f"dataset:{dataset}"):
            if self._refuse_erased(parts.datasets.get(dataset)).epoch != epoch.number:
                return None
            stands = parts.arrivals.get(arrival.id)
            check_open(parts.uploads.get(arrival.upload), parts.clock.now())
            if stands.given_up:
                raise nothing_here()
            if stands.arrived != held[0].stretch.start:
                raise _elsewhere(stands)
            for landed, key in zip(held, wrapped, strict=True):
                parts.epoch_keys.keep_object_key(dataset, landed.stretch.object_id, epoch.number, key, landed.stored)
                if not parts.uploads.stored(landed.stretch.object_id, landed.stored, parts.clock.now()):
                    raise left_too_long()  # collected while it travelled
                stands = replace(stands, arrived=stands.arrived + landed.stretch.length)
                if stands.is_whole and known:
                    sha256, blocks = known.hashes()
                    stands = replace(stands, sha256=sha256, blocks=blocks)
                parts.arrivals.save(stands, landed.stretch)
        self._remember(stands, known)
        return stands

    def _hashed_to(self, arrival: Arrival) -> FileDigest | None:
        """The hash of all that has arrived, where this server took it; None where it would have to be read back."""
        with self._guard:
            place, known = self._hashes.pop(arrival.id, (0, None))
        if arrival.arrived == 0:
            return FileDigest(arrival.size)
        return known if place == arrival.arrived else None

    def _remember(self, arrival: Arrival, known: FileDigest | None) -> None:
        with self._guard:
            self._hashes.pop(arrival.id, None)
            if known is not None and not arrival.is_whole:
                self._hashes[arrival.id] = (arrival.arrived, known)
                if len(self._hashes) > HASHES_KEPT:
                    self._hashes.popitem(last=False)

    def _held(self, upload_id: str, by: Caller) -> tuple[Upload, Dataset]:
        """An upload of a person's. Raises NotFound for anybody else and for a job's, NotPermitted when they may not write any more."""
        upload, dataset = self._pushing.upload(upload_id, by=by)
        if upload.job:
            raise nothing_here()
        if dataset.kind is not Kind.CODE:  # of which it is asked already whether they may submit jobs
            self._require_owner(dataset, by)
        return upload, dataset

    def _arrival(self, arrival_id: str, by: Caller) -> tuple[Arrival, Upload, Dataset]:
        arrival = self._parts.arrivals.get(arrival_id)
        if arrival.given_up:
            raise nothing_here()
        return arrival, *self._held(arrival.upload, by)

    def _check_sealable(self, dataset: Dataset) -> None:
        if dataset.home:
            raise NotPermitted(
                f"the keys of {dataset.name} live with the organisation that owns it, so nothing is sealed or joined for it here",
                rule="key_home.server",
                fix="push it, which seals on your own machine: fabriek data push",
            )


def _check_beside(path: str, others: Sequence[Arrival], count: int) -> None:
    """Raises QuotaExhausted, AlreadyExists, InvalidInput where one path would be a file and the folder of another."""
    if count >= FILES_MAX:
        raise QuotaExhausted(
            f"an upload takes at most {FILES_MAX} files this way", limit=FILES_MAX, used=count, fix="push the folder: fabriek data push"
        )  # fmt: skip
    for other in others:
        if other.path == path:
            raise AlreadyExists(
                f"{path!r} is in this upload already", fix="go on with it, or give it up first", arrival=other.id
            )
        raise InvalidInput(f"{min(path, other.path)!r} would be both a file and a folder", fix="rename one of them")


def _check_sum(digest: "hashlib._Hash | None", checksum: Checksum | None) -> None:
    if checksum and digest and not hmac.compare_digest(digest.digest(), checksum.digest):
        raise WrongChecksum("the bytes that arrived are not those of the checksum", fix="send them again")


def _elsewhere(arrival: Arrival) -> Stale:
    return Stale(f"the file stands at {arrival.arrived} bytes", fix="ask where it stands, and go on from there")


def _at_most(chunks: Iterable[bytes], left: int) -> Iterator[bytes]:
    """Raises InvalidInput where more comes than was announced."""
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise InvalidInput("more bytes arrived than were announced", fix="announce the file with its whole length")
        yield chunk


def _stretches(chunks: Iterable[bytes], now: Callable[[], float]) -> Iterator[Iterator[bytes]]:
    """The stream cut into what one object holds; each is to be read to its end before the next. An empty chunk is no end: bytes may follow it."""
    source = (chunk for chunk in chunks if chunk)
    ahead = next(source, b"")

    def one() -> Iterator[bytes]:
        nonlocal ahead
        began, room = now(), PART_BYTES
        while ahead and room and now() - began < STRETCH_SECONDS_MAX:
            piece, ahead = (ahead, b"") if len(ahead) <= room else (ahead[:room], ahead[room:])
            room -= len(piece)
            yield piece
            ahead = ahead or next(source, b"")

    while ahead:
        yield one()


def _through(pieces: Iterable[bytes], digests: "Sequence[FileDigest | hashlib._Hash]") -> Iterator[bytes]:
    for piece in pieces:
        for digest in digests:
            digest.update(piece)
        yield piece

"""How files that arrived become a version: beside what the newest one holds, under its manifest's keys, sealed here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import Damaged, InvalidInput, NotFound, Stale, Unavailable, WrongState, nothing_here
from fabriek.sealing.adding import Added, added
from fabriek.sealing.book import Book
from fabriek.sealing.digests import FileDigest
from fabriek.sealing.manifest import File, Part
from fabriek.sealing.pages import Page
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.desk import Desk, Parts
from fabriek.vault.intake.arrivals import Arrival
from fabriek.vault.paging import PageReader, Writing
from fabriek.vault.pushing import TRIES, Committed, Pushing
from fabriek.vault.safe import Safe
from fabriek.vault.uploads import USE_MAX, Progress, Upload, check_open
from fabriek.vault.versions import Version

EMPTY = Book(Page(0), lambda _: b"")
FILE_MODE = 0o644


class Joining(Desk):
    """One verb."""

    def __init__(self, parts: Parts, pushing: Pushing) -> None:
        super().__init__(parts)
        self._pushing = pushing

    def finish(self, upload_id: str, *, by: Caller) -> Version:
        """The version that the upload's files make with the newest one's. Idempotent. Raises WrongState, InvalidInput, Unavailable."""
        parts = self._parts
        for _ in range(TRIES):
            upload, dataset = self._pushing.upload(upload_id, by=by)
            if upload.job:
                raise nothing_here()
            if upload.progress is Progress.COMMITTED:
                return parts.versions.get(upload.version)
            check_open(upload, parts.clock.now())
            if dataset.kind is not Kind.CODE:
                self._require_owner(dataset, by)
            self._refuse_erased(dataset)
            arrived = parts.arrivals.of_upload(upload.id)
            _check_whole(arrived)
            try:
                return self._join(upload, dataset, arrived, by)
            except Stale:
                continue  # another push came between, or a file of ours was given up: look again at what there is
            except WrongState:
                # Asked in the commits' turn: what another one has written shows outside only once it is on the disk.
                with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
                    is_open = parts.uploads.get(upload_id).progress is Progress.OPEN
                if is_open:
                    raise
                # The same finish, asked twice at once: the other one's version is ours.
        raise Unavailable("too many pushes to this dataset at once", fix="finish again", retry_after_seconds=1)

    def _join(self, upload: Upload, dataset: Dataset, arrived: Sequence[Arrival], by: Caller) -> Version:
        parts = self._parts
        fresh = {one.path: self._file(one, dataset) for one in arrived}
        parent = self._pushing.newest(dataset.id)
        base = parent.id if parent else ""
        # In the commits' own turn: what another finish has just made of the upload must not be undone.
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            stands = parts.uploads.get(upload.id)
            check_open(stands, parts.clock.now())
            parts.uploads.save(replace(stands, parent=base))
        written = Writing(parts, upload, dataset)
        try:
            made = self._added(dataset, parent, fresh, written)
            manifest, key = written.finish(made.root)
            sealed = frozenset(written.objects) - {manifest}
            own = sorted({part.object_id for file in fresh.values() for part in file.parts} | sealed)
            left = sorted(made.left | {self._believed(parent).manifest}) if parent else []
            count = len(own) + (parts.versions.count_objects(base) - len(left) if parent else 0)
            said = Committed(
                manifest, key, made.root.count, made.root.size_bytes, made.root.sha256(), count, on_parent=bool(parent)
            )

            def name_objects() -> None:
                """In the commit's transaction: of two that finish at once neither names what the other one made."""
                self._check_same(upload, dataset, base, arrived)
                parts.uploads.forget_uses(upload)
                for at in range(0, max(len(own), len(left)), USE_MAX):
                    parts.uploads.use(upload, own[at : at + USE_MAX], left[at : at + USE_MAX])
                # From the commit on they stand in the sealed manifest alone.
                parts.arrivals.forget_names(upload.id)

            version = self._pushing.commit(upload.id, said, on_newest=True, check=name_objects, by=by)
        except (InvalidInput, NotFound, Stale, WrongState):
            # Refused for certain. After anything else the version may stand all the same; what none uses is collected later.
            written.forget()
            raise
        with parts.datasets.transaction():
            stretches = parts.arrivals.stretches(*[one.id for one in arrived])
            parts.epoch_keys.forget_object_keys(dataset.id, [stretch.object_id for stretch in stretches])
        return version

    def _added(self, dataset: Dataset, parent: Version | None, fresh: Mapping[str, File], written: Writing) -> Added:
        """The pages of all. Raises Stale where the parent cannot be read since it went meanwhile: that is no damage, and another is the newest."""
        try:
            book = PageReader(self._parts, dataset).book(parent) if parent else EMPTY
            return added(book, fresh, written.keep)
        except (Damaged, NotFound):
            with self._parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
                self._check_newest(dataset, parent.id if parent else "")
            raise

    def _check_newest(self, dataset: Dataset, base: str) -> None:
        newest = self._pushing.newest(dataset.id)
        if (newest.id if newest else "") != base:
            raise Stale("the newest version of this dataset is another one meanwhile", fix="finish again")

    def _check_same(self, upload: Upload, dataset: Dataset, base: str, arrived: Sequence[Arrival]) -> None:
        self._check_newest(dataset, base)
        if {one.id for one in self._parts.arrivals.of_upload(upload.id)} != {one.id for one in arrived}:
            raise Stale("the files of this upload changed", fix="finish again")

    def _file(self, arrival: Arrival, dataset: Dataset) -> File:
        """Raises WrongState when its keys are gone: they were renewed, or the dataset was erased."""
        parts = self._parts
        stretches = parts.arrivals.stretches(arrival.id)
        try:
            keys = [parts.epoch_keys.object_key(dataset.id, stretch.object_id)[:2] for stretch in stretches]
            opened = [
                parts.cipher.unwrap(parts.epoch_keys.get(dataset.id, number), wrapped, stretch.object_id)
                for (number, wrapped), stretch in zip(keys, stretches, strict=True)
            ]
        except NotFound:
            raise WrongState(f"{arrival.path!r} cannot be opened any more", fix="send it again") from None
        placed = tuple(
            Part(stretch.object_id, key, 0, stretch.length) for stretch, key in zip(stretches, opened, strict=True)
        )
        sha256, blocks = (arrival.sha256, arrival.blocks) if arrival.sha256 else self._hashed(arrival, dataset)
        return File(arrival.path, FILE_MODE, arrival.size, sha256, placed, "", blocks)

    def _hashed(self, arrival: Arrival, dataset: Dataset) -> tuple[str, tuple[str, ...]]:
        """Read back from the store, once: the server that took its bytes has died since."""
        parts, safe, digest = self._parts, Safe(self._parts), FileDigest(arrival.size)
        for stretch in parts.arrivals.stretches(arrival.id):
            for piece in safe.open(dataset.id, stretch.object_id):
                digest.update(piece)
        sha256, blocks = digest.hashes()
        # In turn with whoever gives it up, and with commits: where the same finish, asked twice, has been quicker, the names that it
        # took away stay away.
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            parts.arrivals.save(replace(parts.arrivals.get(arrival.id), sha256=sha256, blocks=blocks))
        return sha256, blocks


def _check_whole(arrived: Sequence[Arrival]) -> None:
    if not arrived:
        raise WrongState("no file has arrived", fix="send one, then finish")
    missing = [one for one in arrived if not one.is_whole]
    if missing:
        raise WrongState(
            f"{len(missing)} of {len(arrived)} files have not arrived whole, {missing[0].path!r} first",
            fix="send the rest of them, or give them up, then finish",
        )

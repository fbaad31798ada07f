"""How files that arrived become a version: beside what the newest one holds, under its manifest's keys, sealed here."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import Damaged, NotFound, QuotaExhausted, Stale, Unavailable, WrongState, nothing_here
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import File, Manifest, Part, make_manifest, read_manifest
from fabriek.sealing.objects import KEY_BYTES, SALT_BYTES, open_bytes, seal_bytes
from fabriek.vault.arrivals import JOINED_FILES_MAX, Arrival
from fabriek.vault.datasets import Dataset
from fabriek.vault.desk import Desk, Parts
from fabriek.vault.pushing import TRIES, Committed, Pushing
from fabriek.vault.safe import Safe
from fabriek.vault.uploads import OBJECT_BYTES_MAX, OBJECTS_MAX, Progress, Upload, check_open
from fabriek.vault.versions import Version

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
            self._require_owner(dataset, by)
            self._refuse_erased(dataset)
            arrived = parts.arrivals.of_upload(upload.id)
            _check_whole(arrived)
            try:
                return self._join(upload, dataset, arrived, by)
            except Stale:
                continue  # another push came between, or a file of ours was given up: look again at what there is
            except WrongState:
                if parts.uploads.get(upload_id).progress is Progress.OPEN:
                    raise
                # The same finish, asked twice at once: the other one's version is ours.
        raise Unavailable("too many pushes to this dataset at once", fix="finish again", retry_after_seconds=1)

    def _join(self, upload: Upload, dataset: Dataset, arrived: Sequence[Arrival], by: Caller) -> Version:
        parts = self._parts
        fresh = {one.path: self._file(one, dataset) for one in arrived}
        parent = self._pushing.newest(dataset.id)
        held = self._manifest_of(parent, dataset).files if parent else ()
        manifest = make_manifest([*(file for file in held if file.path not in fresh), *fresh.values()])
        # In the commits' own turn: what another finish has just made of the upload must not be undone.
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            stands = parts.uploads.get(upload.id)
            check_open(stands, parts.clock.now())
            parts.uploads.save(replace(stands, parent=parent.id if parent else ""))
        said = self._sealed(manifest, upload, dataset)

        def check_unchanged() -> None:
            if {one.id for one in parts.arrivals.of_upload(upload.id)} != {one.id for one in arrived}:
                raise Stale("the files of this upload changed", fix="finish again")

        try:
            version = self._pushing.commit(upload.id, said, on_newest=True, check=check_unchanged, by=by)
        except BaseException as error:
            parts.blobs.delete(said.manifest_object)
            if isinstance(error, NotFound):
                check_unchanged()  # an object is gone because its file was given up
            raise
        with parts.datasets.transaction():
            for one in arrived:
                for stretch in parts.arrivals.stretches(one.id):
                    parts.epoch_keys.forget_object_key(dataset.id, stretch.object_id)
        return version

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
        return File(arrival.path, FILE_MODE, arrival.size, arrival.sha256 or self._hashed(arrival, dataset), placed)

    def _hashed(self, arrival: Arrival, dataset: Dataset) -> str:
        """Read back from the store, once: the server that took its bytes has died since."""
        parts, safe, digest = self._parts, Safe(self._parts), hashlib.sha256()
        for stretch in parts.arrivals.stretches(arrival.id):
            for piece in safe.open(dataset.id, stretch.object_id):
                digest.update(piece)
        with parts.datasets.transaction(alone=f"arrival:{arrival.id}"):
            parts.arrivals.save(replace(parts.arrivals.get(arrival.id), sha256=digest.hexdigest()))
        return digest.hexdigest()

    def _manifest_of(self, version: Version, dataset: Dataset) -> Manifest:
        """Raises Damaged, since what cannot be read cannot be added to, and QuotaExhausted on more files than are joined here."""
        parts, facts = self._parts, self._believed(version)
        if facts.files > JOINED_FILES_MAX:
            raise QuotaExhausted(
                f"{dataset.name}@{facts.number} has {facts.files} files, more than are joined here",
                limit=JOINED_FILES_MAX,
                used=facts.files,
                fix="push the folder: fabriek data push",
            )
        key = parts.cipher.unwrap(self._epoch_of(version), version.wrapped_key, version.id)
        try:
            sealed = b"".join(parts.blobs.get(facts.manifest))
        except NotFound:
            raise Damaged("a manifest is gone from the store", fix="restore a backup", where=facts.manifest) from None
        if hashlib.sha256(sealed).hexdigest() != facts.manifest_sha256:
            raise Damaged("the manifest is not the one that was signed", fix="fabriek data verify", where="manifest")
        return read_manifest(open_bytes(sealed, key, object_context(dataset.organisation, dataset.id, facts.manifest)))

    def _sealed(self, manifest: Manifest, upload: Upload, dataset: Dataset) -> Committed:
        parts = self._parts
        name, key, salt = parts.ids.new("obj"), parts.ids.random(KEY_BYTES), parts.ids.random(SALT_BYTES)
        with parts.datasets.transaction(alone=f"upload:{upload.id}"):
            parts.uploads.mint(upload, [name], objects_max=OBJECTS_MAX + TRIES)
        sealed = seal_bytes(manifest.to_bytes(), key, object_context(dataset.organisation, dataset.id, name), salt)
        stored = parts.blobs.put(name, [sealed], bytes_max=OBJECT_BYTES_MAX)
        with parts.datasets.transaction():
            parts.uploads.stored(name, stored, parts.clock.now())
        return Committed(
            name, key, manifest.objects(), len(manifest.files), manifest.size_bytes, manifest.content_hash()
        )


def _check_whole(arrived: Sequence[Arrival]) -> None:
    if not arrived:
        raise WrongState("no file has arrived", fix="send one, then finish")
    missing = [one for one in arrived if not one.is_whole]
    if missing:
        raise WrongState(
            f"{len(missing)} of {len(arrived)} files have not arrived whole, {missing[0].path!r} first",
            fix="send the rest of them, or give them up, then finish",
        )

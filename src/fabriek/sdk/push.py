"""A push: a folder sealed here and sent in objects. What the parent version holds is not sent again."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from fabriek.kernel.errors import NotFound, NotPermitted, Unavailable, WrongState
from fabriek.schemas.vault import CommitIn, DatasetOut, MintIn, MintOut, UploadIn, UploadOut, VersionOut
from fabriek.sdk.client import Client
from fabriek.sdk.folders import Snapshot, read_piece
from fabriek.sdk.journal import Journal, tag_of
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import Manifest
from fabriek.sealing.objects import KEY_BYTES, SALT_BYTES, seal, sealed_size
from fabriek.sealing.packing import Piece, Plan, placed, plan

SENT_AT_ONCE = 4
TRIES = 3

Progress = Callable[[int], None]
"""Told how many bytes more are done."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to. `sent_bytes` of plaintext travelled; the rest was there already."""

    version: VersionOut
    sent_bytes: int
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends to one upload."""

    client: Client
    upload: UploadOut
    journal: Journal
    read: Callable[[Snapshot, Piece], Iterator[bytes]] | None = None
    """Where the bytes come from; none: from the folder itself."""
    adds: bool = False
    """The version holds what its parent did and more, so that the parent must still be the newest."""

    @property
    def path(self) -> str:
        return f"/api/v1/uploads/{self.upload.upload}"

    def send(self, taken: Snapshot, made: Plan, progress: Progress) -> VersionOut:
        """Every new object, then the manifest, then the commit. Nothing is visible to anybody before the last."""
        return self.commit(self.send_objects(taken, made, progress))

    def send_objects(self, taken: Snapshot, made: Plan, progress: Progress) -> Manifest:
        """Every new object, and what says where each file is."""
        return placed(made, self._objects(taken, made.objects, progress))

    def commit(self, manifest: Manifest) -> VersionOut:
        raw = manifest.to_bytes()
        name, key = self._deliver(lambda: iter([raw]), len(raw), self._mint(1)[0])
        wanted = CommitIn.model_construct(
            manifest_object=name,
            manifest_key=key,
            objects=sorted(manifest.objects()),
            files=len(manifest.files),
            size_bytes=manifest.size_bytes,
            content_hash=manifest.content_hash(),
            on_newest=self.adds,
        )
        return VersionOut.model_validate(self.client.post(f"{self.path}/commit", json=wanted.model_dump(mode="json")))

    def _objects(
        self, taken: Snapshot, wanted: Sequence[Sequence[Piece]], progress: Progress
    ) -> list[tuple[str, bytes]]:
        contents = {one.path: one.sha256 for one in taken.found}
        tags = [tag_of([(contents[one.path], one.offset, one.length) for one in pieces]) for pieces in wanted]
        arrived = self.journal.arrived
        missing = [number for number, tag in enumerate(tags) if tag not in arrived]
        read = self.read or read_piece
        names = dict(zip(missing, self._mint(len(missing)), strict=True))
        progress(sum(one.length for number, pieces in enumerate(wanted) if number not in names for one in pieces))

        def one(number: int) -> None:
            pieces = wanted[number]
            length = sum(piece.length for piece in pieces)
            name, key = self._deliver(
                lambda: (part for piece in pieces for part in read(taken, piece)), length, names[number]
            )
            self.journal.add(tags[number], name, key)
            progress(length)

        if len(missing) <= 1:
            for number in missing:
                one(number)
        else:
            with ThreadPoolExecutor(SENT_AT_ONCE, thread_name_prefix="fabriek-push") as pool:
                try:
                    for _ in pool.map(one, missing):
                        pass
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
        return [arrived[tag] for tag in tags]

    def _mint(self, count: int) -> list[str]:
        names: list[str] = []
        while len(names) < count:
            wanted = MintIn(count=min(count - len(names), 10_000))
            answer = self.client.post(f"{self.path}/objects", json=wanted.model_dump())
            names += MintOut.model_validate(answer).objects
        return names

    def _deliver(self, plain: Callable[[], Iterator[bytes]], length: int, name: str) -> tuple[str, bytes]:
        """Seals and sends one object. Sent again, it is another object under another key: the same key never seals twice."""
        for attempt in range(TRIES):
            key = secrets.token_bytes(KEY_BYTES)
            context = object_context(self.upload.organisation, self.upload.dataset, name)
            sealed = seal(plain(), key, context, secrets.token_bytes(SALT_BYTES))
            try:
                self.client.send_sealed(f"{self.path}/objects/{name}", sealed, sealed_size(length))
            except Unavailable:
                if attempt == TRIES - 1:
                    raise
                name = self._mint(1)[0]
            else:
                break
        return name, key


def open_upload(client: Client, known: DatasetOut, label: str, journal: Journal) -> UploadOut:
    """The upload that was interrupted, when it is still open and would get the same label; else a new one."""
    if journal.upload:
        with suppress(NotFound, NotPermitted, WrongState):
            going_on = UploadOut.model_validate(client.post(f"/api/v1/uploads/{journal.upload}/resume"))
            if going_on.label == (label or known.label):
                return going_on
    opening = UploadIn(label=label)
    path = f"/api/v1/projects/{known.project}/datasets/{known.id}/uploads"
    upload = UploadOut.model_validate(client.post(path, json=opening.model_dump()))
    journal.begin(upload.upload)
    return upload


def send_folder(
    client: Client,
    upload: UploadOut,
    taken: Snapshot,
    parent: Manifest | None,
    progress: Progress,
    journal: Journal | None = None,
) -> VersionOut:
    """Sends what is new and makes the upload a version. What the journal says has arrived is not sent again."""
    made = plan(taken.found, parent)
    progress(taken.size_bytes - made.bytes_to_send)
    return Sender(client, upload, journal or Journal()).send(taken, made, progress)

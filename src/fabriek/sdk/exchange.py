"""Files that come from and go to other houses, for the client: Crypt4GH, opened and made on this machine and never in plain on its disk."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fabriek.kernel.errors import InvalidInput, NotFound, Stale, WrongState
from fabriek.schemas.vault import DatasetOut, UploadOut, VersionOut
from fabriek.sdk.client import Client
from fabriek.sdk.crypt4gh import Container, sealed
from fabriek.sdk.environment import memory_folder
from fabriek.sdk.folders import READ_BYTES, Snapshot
from fabriek.sdk.journal import Journal, journal_of
from fabriek.sdk.opened import OpenedVersion
from fabriek.sdk.places import place_of
from fabriek.sdk.push import Pushed, Sender, open_upload
from fabriek.sdk.vault import Vault
from fabriek.sealing.packing import Found, Piece, placed, plan
from fabriek.sealing.paths import check_paths

SUFFIX = ".c4gh"
FILE_MODE = 0o644


def _silent(_: int) -> None:
    """Nobody watches."""


def _unsaid(_: str) -> None:
    """Nobody listens."""


class Exchange:
    """In and out."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._vault = Vault(client)

    def bring_in(
        self,
        files: Sequence[str | Path],
        name: str,
        *,
        key: bytes,
        label: str = "",
        project: str = "",
        progress: Callable[[int], None] = _silent,
        expect: Callable[[int], None] = _silent,
        tell: Callable[[str], None] = _unsaid,
    ) -> Pushed:
        """Crypt4GH files as the next version of a dataset, beside what its newest one holds; made when there is none.

        Each is read twice: once to its end, before anything is sent, and once to seal it again. `key`: the secret key that opens them, of
        `crypt4gh.read_secret_key`. One that was interrupted goes on. Raises InvalidInput on a file that is not for this key, Damaged on a
        changed or cut one, Stale when somebody else pushed meanwhile, NotPermitted.
        """
        containers = _by_path([Container(Path(file), key) for file in files])
        for path, one in containers.items():
            if one.ends_on_a_border:
                tell(f"{path}: its last block is a full one. Crypt4GH marks no end, so a cut just there cannot be seen")
        expect(2 * sum(one.size for one in containers.values()))
        fresh = [Found(path, FILE_MODE, one.size, _hashed(one, progress)) for path, one in containers.items()]
        home, _, bare = name.rpartition("/")
        try:
            known = self._vault.show(name, project=home or project)
        except NotFound:
            known = self._vault.create(bare, label=label, project=home or project)
        named = (
            self._client.url,
            known.id,
            "crypt4gh",
            *sorted(str(one.file.resolve()) for one in containers.values()),
        )
        with journal_of(memory_folder() / "pushes", *named) as journal:
            try:
                pushed = self._send(containers, fresh, known, label, journal, project, progress)
            except (NotFound, Stale, WrongState):
                journal.forget()
                raise
            journal.forget()
        return pushed

    def take_out(
        self, reference: str, path: str, recipients: Sequence[bytes], *, sender: bytes | None = None, project: str = ""
    ) -> Iterator[bytes]:
        """One file of a version as a Crypt4GH file for these public keys, in pieces. Needs the right to take it away, as a pull does."""
        if not recipients:
            raise InvalidInput("nobody is named who may open it", fix="--recipient PUBLIC_KEY")
        with self._vault.opened(reference, project=project) as version:
            yield from sealed(version.read(version.file(path)), recipients, sender)

    def _send(
        self,
        containers: dict[str, Container],
        fresh: Sequence[Found],
        known: DatasetOut,
        label: str,
        journal: Journal,
        project: str,
        progress: Callable[[int], None],
    ) -> Pushed:
        upload = open_upload(self._client, known, label, journal)
        parent = OpenedVersion(self._client, upload.parent) if upload.parent else None
        try:
            manifest = parent.manifest if parent else None
            held = [
                Found(one.path, one.mode, one.size, one.sha256, one.link)
                for one in (manifest.files if manifest else ())
                if one.path not in containers
            ]
            check_paths([one.path for one in (*held, *fresh)])
            taken = Snapshot(Path(), (*held, *fresh), {})
            made = plan(taken.found, manifest)
            is_same = parent and not made.fresh and placed(made, []).content_hash() == parent.manifest.content_hash()
            if parent and is_same and known.label == upload.label:
                return Pushed(self._version(parent.grant.version, project), 0, unchanged=True)

            def read(_: Snapshot, piece: Piece) -> Iterator[bytes]:
                return containers[piece.path].read(piece.offset, piece.length)

            version = self._sender(upload, journal, read).send(taken, made, progress)
        finally:
            if parent:
                parent.close()
        return Pushed(version, made.bytes_to_send)

    def _sender(
        self, upload: UploadOut, journal: Journal, read: Callable[[Snapshot, Piece], Iterator[bytes]]
    ) -> Sender:
        return Sender(self._client, upload, journal, read=read, adds=True)

    def _version(self, version: str, project: str) -> VersionOut:
        return VersionOut.model_validate(self._client.get(place_of(self._client, version, project).version_path))


def _by_path(containers: Sequence[Container]) -> dict[str, Container]:
    """Each under its own name without the suffix. Raises InvalidInput where two would have the same."""
    named: dict[str, Container] = {}
    for one in containers:
        path = one.file.name.removesuffix(SUFFIX) or one.file.name
        if path in named:
            raise InvalidInput(
                f"two of the files would be {path!r}", fix="rename one of them, or import them one by one"
            )
        named[path] = one
    check_paths(list(named))
    return named


def _hashed(container: Container, progress: Callable[[int], None]) -> str:
    """Reads it to its end: nothing of a file that does not hold is sent."""
    digest, told = hashlib.sha256(), 0
    for piece in container.read(0, container.size):
        digest.update(piece)
        told += len(piece)
        if told >= READ_BYTES:
            progress(told)
            told = 0
    progress(told)
    return digest.hexdigest()

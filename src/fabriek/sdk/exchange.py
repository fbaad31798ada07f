"""Files that come from and go to other houses, for the client: Crypt4GH, opened and made on this machine and never in plain on its disk."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from fabriek.kernel.errors import InvalidInput, NotFound, Stale, WrongState
from fabriek.schemas.vault import DatasetOut, VersionOut
from fabriek.sdk.client import Client
from fabriek.sdk.crypt4gh import Container, sealed
from fabriek.sdk.environment import memory_folder
from fabriek.sdk.gathering import Gathering
from fabriek.sdk.hashes import Hashes
from fabriek.sdk.hashing import READ_BYTES
from fabriek.sdk.journal import Journal, journal_of
from fabriek.sdk.opened import OpenedVersion
from fabriek.sdk.places import place_of
from fabriek.sdk.push import Pushed, open_upload, send_beside
from fabriek.sdk.sending import Fill, Sender
from fabriek.sdk.vault import Vault
from fabriek.sealing.digests import BLOCK_BYTES, Digest, FileDigest, block_length
from fabriek.sealing.manifest import File, Part, make_manifest
from fabriek.sealing.packing import HELD_MAX, Held, joined, tag_of
from fabriek.sealing.paths import rank

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
        fresh = [_hashed(path, one, progress) for path, one in containers.items()]
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
        fresh: Sequence[File],
        known: DatasetOut,
        label: str,
        journal: Journal,
        project: str,
        progress: Callable[[int], None],
    ) -> Pushed:
        upload = open_upload(self._client, known, label, journal)
        parent = OpenedVersion(self._client, upload.parent) if upload.parent else None
        try:
            _check_beside(parent, containers)
            sender, held = Sender(self._client, upload), _held(parent, containers)
            sending = Gathering(sender, Hashes(None), journal, progress)
            on_the_way = [_Incoming(file, containers[file.path], sender, journal, progress) for file in fresh]
            try:
                for one in on_the_way:
                    one.send(held, sending.send)
            except BaseException:
                sending.stop()
                raise
            sending.finish()
            placed = [one.placed() for one in on_the_way]
            version = send_beside(sender, placed, parent, even_same=known.label != upload.label)
            if version is None:
                assert parent is not None, "the same as nothing"
                return Pushed(self._version(parent.grant.version, project), 0, unchanged=True)
        finally:
            if parent:
                parent.close()
        return Pushed(version, sum(one.sent_bytes for one in on_the_way))

    def _version(self, version: str, project: str) -> VersionOut:
        return VersionOut.model_validate(self._client.get(place_of(self._client, version, project).version_path))


class _Incoming:
    """A file on its way: of its blocks those are sent that lie nowhere yet."""

    def __init__(
        self, file: File, container: Container, sender: Sender, journal: Journal, progress: Callable[[int], None]
    ) -> None:
        """file: with its hashes, and without a place."""
        self._file, self._container = file, container
        self._sender, self._journal, self._progress = sender, journal, progress
        self._hashes = file.blocks or (file.sha256,)
        self._parts: list[tuple[Part, ...]] = [()] * len(self._hashes)
        self._sent: list[int] = []

    def send(self, held: Held, send: Callable[[Callable[[], None]], None]) -> None:
        """send: has something done in another thread."""
        if self._file.size == 0:
            return
        for number, sha256 in enumerate(self._hashes):
            length = block_length(self._file.size, number)
            known = held.find(sha256, length, is_block=bool(self._file.blocks))
            if known is not None:
                self._parts[number] = known
                self._progress(length)
            else:
                send(lambda number=number, length=length: self._send_block(number, length))  # type: ignore[misc]  # bound now

    def placed(self) -> File:
        """Once all of it is on the server's disk."""
        return replace(self._file, parts=joined(part for block in self._parts for part in block))

    @property
    def sent_bytes(self) -> int:
        return sum(self._sent)

    def _send_block(self, number: int, length: int) -> None:
        sha256 = self._hashes[number]
        tag = tag_of([(sha256, length), ("block" if self._file.blocks else "file", 0)])
        arrived = self._journal.arrived.get(tag)
        if arrived is None:
            tries: list[Digest] = []
            placed = self._sender.deliver(lambda: self._filling(number, length, tries), length)
            if tries[-1].hexdigest() != sha256:
                raise InvalidInput(f"{self._container.file} changed while it was being read", fix="import it again")
            arrived = placed.object_id, placed.key
            self._journal.add(tag, *arrived)
            self._sent.append(length)
        self._sender.use(arrived[0])
        self._parts[number] = (Part(*arrived, 0, length),)
        self._progress(length)

    def _filling(self, number: int, length: int, tries: list[Digest]) -> Fill:
        """The block as a stream, from its beginning. tries: gets what hashes it."""
        taken = Digest(self._file.size)
        tries.append(taken)
        pieces, held = self._container.read(number * BLOCK_BYTES, length), memoryview(b"")

        def fill(room: memoryview) -> int:
            nonlocal held
            count = 0
            while count < len(room) and (held or (held := memoryview(next(pieces, b"")))):
                some = min(len(held), len(room) - count)
                room[count : count + some] = held[:some]
                held, count = held[some:], count + some
            taken.update(room[:count])
            return count

        return fill


def _held(parent: OpenedVersion | None, paths: Iterable[str]) -> Held:
    """What the parent has: first at these paths, then wherever, as far as it can be held."""
    held = Held()
    if parent is not None:
        there = (parent.book.find(path) for path in paths)
        for file in chain((one for one in there if one is not None), parent.book.files()):
            held.learn_file(file)
            if len(held) >= HELD_MAX:
                break
    return held


def _check_beside(parent: OpenedVersion | None, paths: Iterable[str]) -> None:
    """Before anything is sent. Raises InvalidInput where the parent has a folder of the same path; ours lie in none."""
    for path in paths if parent is not None else ():
        behind = next(parent.book.files(rank(f"{path}/")), None) if parent is not None else None
        if behind is not None and behind.path.startswith(f"{path}/"):
            raise InvalidInput(f"{path!r} would be both a file and a folder", fix="rename the file")


def _by_path(containers: Sequence[Container]) -> dict[str, Container]:
    """Each under its own name without the suffix, in the order of a version's paths. Raises InvalidInput where two would have the same."""
    named: dict[str, Container] = {}
    for one in containers:
        path = one.file.name.removesuffix(SUFFIX) or one.file.name
        if path in named:
            raise InvalidInput(
                f"two of the files would be {path!r}", fix="rename one of them, or import them one by one"
            )
        named[path] = one
    return {
        file.path: named[file.path] for file in make_manifest([File(path, FILE_MODE, 0, "") for path in named]).files
    }


def _hashed(path: str, container: Container, progress: Callable[[int], None]) -> File:
    """Reads it to its end: nothing of a file that does not hold is sent."""
    digest, told = FileDigest(container.size), 0
    for piece in container.read(0, container.size):
        digest.update(piece)
        told += len(piece)
        if told >= READ_BYTES:
            progress(told)
            told = 0
    progress(told)
    sha256, blocks = digest.hashes()
    return File(path, FILE_MODE, container.size, sha256, (), "", blocks)

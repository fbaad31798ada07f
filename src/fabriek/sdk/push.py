"""A push: a folder sealed here and sent in objects, and the pages that say where all of it is. What the parent version holds is not sent again."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from heapq import merge

from fabriek.kernel.errors import NotFound, NotPermitted, WrongState
from fabriek.kernel.invalid import checked
from fabriek.schemas.vault import DatasetOut, UploadIn, UploadOut, VersionOut
from fabriek.sdk.client import Client
from fabriek.sdk.folders import Survey
from fabriek.sdk.gathering import Gathering, Progress
from fabriek.sdk.hashes import Hashes
from fabriek.sdk.journal import Journal
from fabriek.sdk.opened import OpenedVersion
from fabriek.sdk.sending import PagePack, Sender
from fabriek.sealing.manifest import File, Manifest, Part
from fabriek.sealing.packing import HELD_MAX, Held
from fabriek.sealing.pages import Growing, Page, Ref
from fabriek.sealing.paths import rank


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to. `sent_bytes` of plaintext travelled; the rest was there already."""

    version: VersionOut
    sent_bytes: int
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What sending a folder came to: no version where nothing is new."""

    version: VersionOut | None
    sent_bytes: int


class _Parent:
    """The version that a push builds on, read beside the folder: page by page, in the order of the paths."""

    def __init__(self, opened: OpenedVersion) -> None:
        self.opened = opened
        self.seen = {opened.grant.manifest_object}
        self.pages: dict[str, Part] = {}
        self._files = self._read()
        self._next: File | None = None
        self._step()

    def at(self, path: str) -> File | None:
        """Asked path by path in their order."""
        wanted = rank(path)
        while self._next is not None and self._next_rank < wanted:
            self._step()
        return self._next if self._next is not None and self._next_rank == wanted else None

    def _step(self) -> None:
        self._next = next(self._files, None)
        self._next_rank = rank(self._next.path) if self._next is not None else ""

    def rest(self) -> Iterator[File]:
        """All behind the path that was asked last; so that all its objects are known at the end."""
        while self._next is not None:
            file, self._next = self._next, next(self._files, None)
            yield file

    def learn(self, held: Held) -> None:
        """Every content, as far as they can be held."""
        for file in self.opened.book.files():
            held.learn_file(file)
            if len(held) >= HELD_MAX:
                return

    def _read(self) -> Iterator[File]:
        for page in self.opened.book.pages(self._know):
            self.seen |= page.objects()
            yield from page.files

    def _know(self, ref: Ref) -> None:
        self.seen.add(ref.part.object_id)
        self.pages[ref.sha256] = ref.part


def open_upload(client: Client, known: DatasetOut, label: str, journal: Journal, *, anew: bool = False) -> UploadOut:
    """The upload that was interrupted, when it is still open and would get the same label; else a new one. anew: a new one in any case."""
    if journal.upload and not anew:
        with suppress(NotFound, NotPermitted, WrongState):
            going_on = UploadOut.model_validate(client.post(f"/api/v1/uploads/{journal.upload}/resume"))
            if going_on.label == (label or known.label):
                return going_on
    with checked("fabriek data labels lists the labels"):
        opening = UploadIn(label=label)
    path = f"/api/v1/projects/{known.project}/datasets/{known.id}/uploads"
    upload = UploadOut.model_validate(client.post(path, json=opening.model_dump()))
    journal.begin(upload.upload)
    return upload


def send_folder(
    client: Client,
    upload: UploadOut,
    taken: Survey,
    parent: OpenedVersion | None,
    progress: Progress,
    journal: Journal | None = None,
    hashes: Hashes | None = None,
    *,
    even_same: bool = False,
) -> Sent:
    """What is new of a folder, and a version of it; none where the parent says the same already, unless `even_same`.

    What the journal says has arrived is not sent again. Raises Changed, and what the server refuses.
    """
    with closing(hashes or Hashes(None)) as memory:
        sender, base = Sender(client, upload), _Parent(parent) if parent else None
        known = {"known_as": base.at, "learn": base.learn} if base else {}
        # A parent of one page is in memory already: looking through it costs nothing.
        count = parent.book.count if parent and parent.book.root.level else 0
        gathering = Gathering(sender, memory, journal or Journal(), progress, count=count, **known)  # type: ignore[arg-type]  # by name
        kept: set[str] = set()
        with closing(gathering.files(taken)) as files:
            root = _pages(files, gathering, sender, base, kept)
        memory.save()
    if base is not None and root.sha256() == base.opened.book.root.sha256() and not even_same:
        return Sent(None, 0)
    return Sent(_commit(sender, root, base, kept), gathering.sent_bytes)


def send_beside(
    sender: Sender, fresh: Sequence[File], parent: OpenedVersion | None, *, even_same: bool = False
) -> VersionOut | None:
    """A version of what the parent holds and of these files, in place of those of the same path; none where the parent says the same
    already, unless `even_same`. fresh: in the order of their paths, each with its place. Only while the parent is the newest version.
    """
    base, kept = _Parent(parent) if parent else None, set[str]()
    paths = {file.path for file in fresh}
    held = (file for file in base.rest() if file.path not in paths) if base else iter(())
    gathering = Gathering(sender, Hashes(None), Journal(), lambda _: None)
    root = _pages(merge(held, fresh, key=lambda file: rank(file.path)), gathering, sender, base, kept)
    if base is not None and root.sha256() == base.opened.book.root.sha256() and not even_same:
        return None
    return _commit(sender, root, base, kept, on_newest=True)


def _commit(sender: Sender, root: Page, base: _Parent | None, kept: set[str], *, on_newest: bool = False) -> VersionOut:
    if base is None:
        return sender.commit(root, [], inherited=0, on_parent=False, on_newest=on_newest)
    for _ in base.rest():
        pass
    kept &= base.seen
    left = sorted(base.seen - kept)
    return sender.commit(root, left, inherited=len(kept), on_parent=True, on_newest=on_newest)


def _pages(files: Iterable[File], gathering: Gathering, sender: Sender, base: _Parent | None, kept: set[str]) -> Page:
    """The outermost page, once all below it are kept. kept: gets what the pages and files point at."""
    pack = PagePack(sender, gathering.send)

    def keep(page: Page, sha256: str) -> Part:
        known = base.pages.get(sha256) if base else None
        if known is not None:
            kept.add(known.object_id)
            return known
        return pack.add(page)

    growing = Growing(keep)
    try:
        for file in files:
            if base is not None:
                kept.update(part.object_id for part in file.parts)
            growing.add(file)
        root = growing.finish()
        pack.flush()
    except BaseException:
        gathering.stop()
        raise
    gathering.finish()
    return root


def send_files(client: Client, upload: UploadOut, taken: Survey) -> Manifest:
    """The folder's objects alone, for `commit_files`."""
    gathering = Gathering(Sender(client, upload), Hashes(None), Journal(), lambda _: None)
    with closing(gathering.files(taken)) as files:
        found = tuple(files)
    gathering.finish()
    return Manifest(found)


def commit_files(client: Client, upload: UploadOut, manifest: Manifest) -> VersionOut:
    """Files whose objects the upload has already, as its version."""
    sender = Sender(client, upload)
    for name in sorted(manifest.objects()):
        sender.use(name)
    gathering = Gathering(sender, Hashes(None), Journal(), lambda _: None)
    return sender.commit(_pages(manifest.files, gathering, sender, None, set()), [], inherited=0, on_parent=False)

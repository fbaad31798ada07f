"""Datasets, for the client. Data is sealed and opened here: the server sees sealed bytes and never what they say."""

from builtins import list as List  # noqa: N812  # the class has a method of that name
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from urllib.parse import quote

from fabriek.kernel.errors import Damaged, FabriekError, InvalidInput, NotFound, WrongState
from fabriek.kernel.invalid import checked
from fabriek.schemas.base import PageOut
from fabriek.schemas.vault import (
    AccessRequestIn,
    AccessRequestOut,
    AgreementIn,
    AgreementOut,
    DatasetIn,
    DatasetOut,
    GrantOut,
    OpenedOut,
    TagIn,
    TagOut,
    UploadOut,
    VersionOut,
)
from fabriek.sdk.client import Client
from fabriek.sdk.environment import memory_folder
from fabriek.sdk.fetching import Fetched, Nowhere, fetch
from fabriek.sdk.folders import Changed, Survey, survey
from fabriek.sdk.hashes import hashes_of
from fabriek.sdk.journal import Journal, journal_of
from fabriek.sdk.opened import HEAD_OF_PAGES_FETCHED_BYTES, OpenedVersion
from fabriek.sdk.places import place_of
from fabriek.sdk.pull import Pulled, chosen, pull_file, pull_files
from fabriek.sdk.push import Pushed, Sent, commit_files, open_upload, send_files, send_folder
from fabriek.sealing.comparing import Change, changes
from fabriek.sealing.manifest import Manifest
from fabriek.sealing.merging import merged

CODE_BYTES_MAX = 256 * 2**20
CODE_SKIPPED = frozenset(
    {".git", ".hg", ".venv", "venv", "__pycache__", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)
"""Folders that are not what a job runs; a virtual environment also holds links that lead out."""


def _silent(_: int) -> None:
    """Nobody watches."""


def _unsaid(_: str) -> None:
    """Nobody listens."""


class Vault:
    """Push, pull, verify, share."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, name: str, *, label: str = "", key_home: str = "", project: str = "") -> DatasetOut:
        """A dataset with no versions. `key_home`: installation (default) or organisation. Raises AlreadyExists, NotPermitted naming the rule."""
        with checked("fabriek data labels lists the labels"):
            wanted = DatasetIn(name=name, label=label, key_home=key_home)
        path = f"/api/v1/projects/{self._client.the_project(project)}/datasets"
        return DatasetOut.model_validate(self._client.post(path, json=wanted.model_dump()))

    def list(self, *, project: str = "", cursor: str = "") -> PageOut[DatasetOut]:
        path = f"/api/v1/projects/{self._client.the_project(project)}/datasets"
        return PageOut[DatasetOut].model_validate(self._client.get(path, params={"cursor": cursor}))

    def show(self, reference: str, *, project: str = "") -> DatasetOut:
        return DatasetOut.model_validate(self._client.get(place_of(self._client, reference, project).path))

    def versions(self, reference: str, *, project: str = "") -> List[VersionOut]:
        answer = self._client.get(f"{place_of(self._client, reference, project).path}/versions")
        return [VersionOut.model_validate(one) for one in answer]

    def push(
        self,
        folder: str | Path,
        name: str,
        *,
        label: str = "",
        key_home: str = "",
        project: str = "",
        read_all: bool = False,
        progress: Callable[[int], None] = _silent,
        expect: Callable[[int], None] = _silent,
        tell: Callable[[str], None] = _unsaid,
        take: Callable[[Path], Survey] = survey,
    ) -> Pushed:
        """The folder as the next version of a dataset, which is made when there is none. Unchanged data makes no version.

        A push that was interrupted goes on: what had arrived is not sent again. A file that changes meanwhile is told of, and all is
        tried once more. `read_all`: files are read also where nobody seems to have touched them since the last push. `key_home`: of a dataset
        that is made; it stays. `take`: what of the folder is pushed. `progress` is told of every byte done, `expect` how many there are.

        Raises InvalidInput before anything is sent when the folder holds what cannot be pushed, NotPermitted naming the rule, WrongState where
        the dataset has another key home.
        """
        taken = take(Path(folder))
        expect(taken.size_bytes)
        home, _, bare = name.rpartition("/")
        try:
            known = self.show(name, project=home or project)
        except NotFound:
            known = self.create(bare, label=label, key_home=key_home, project=home or project)
        if key_home and known.key_home != key_home:
            raise WrongState(
                f"the keys of {bare} live with the {known.key_home}",
                fix="push it as another dataset, or leave --key-home out",
            )
        named = (self._client.url, known.id, str(taken.root))
        with journal_of(memory_folder() / "pushes", *named) as journal:
            try:
                return self._push(taken, known, label, journal, project, progress, read_all=read_all)
            except Changed as error:
                tell(f"{error.detail}; trying once more")
            return self._push(take(Path(folder)), known, label, journal, project, progress, read_all=read_all)

    def _push(
        self,
        taken: Survey,
        known: DatasetOut,
        label: str,
        journal: Journal,
        project: str,
        progress: Callable[[int], None],
        *,
        read_all: bool,
    ) -> Pushed:
        upload = open_upload(self._client, known, label, journal)
        with self._parent(upload) as parent:

            def send(upload: UploadOut, parent: OpenedVersion | None) -> Sent:
                hashes = None if read_all else hashes_of(memory_folder() / "hashes", taken.root)
                even_same = known.label != upload.label
                return send_folder(self._client, upload, taken, parent, progress, journal, hashes, even_same=even_same)

            try:
                try:
                    sent = send(upload, parent)
                except Damaged:
                    # What cannot be read cannot be built upon; everything is sent, and the next version is whole again. In an upload of
                    # its own: the server was told of objects in this one that the version to come does not use.
                    if parent is None:
                        raise
                    upload = open_upload(self._client, known, label, journal, anew=True)
                    self._give_back(upload)
                    sent = send(upload, None)
            except (NotFound, WrongState):
                # The server knows nothing of what the journal says: the next push starts anew.
                journal.forget()
                raise
        journal.forget()
        if sent.version is None:
            assert parent is not None, "the same as nothing"
            return Pushed(self._version(parent.grant.version, project), 0, unchanged=True)
        return Pushed(sent.version, sent.sent_bytes)

    def push_code(self, folder: str | Path, *, project: str = "") -> str:
        """A code folder for a job; the id of its version. The same code once more is the same version."""
        taken = survey(Path(folder), skip=CODE_SKIPPED, bytes_max=CODE_BYTES_MAX)
        path = f"/api/v1/projects/{self._client.the_project(project)}/code"
        upload = UploadOut.model_validate(self._client.post(path))
        with self._parent(upload) as parent:
            try:
                sent = send_folder(self._client, upload, taken, parent, _silent)
            except Damaged:  # as with a push: all of it, in an upload of its own
                if parent is None:
                    raise
                upload = UploadOut.model_validate(self._client.post(path))
                self._give_back(upload)
                sent = send_folder(self._client, upload, taken, None, _silent)
            if sent.version is not None:
                return sent.version.id
            assert parent is not None, "the same as nothing"
            return parent.grant.version

    def pull(
        self,
        reference: str,
        into: str | Path,
        *,
        project: str = "",
        paths: Sequence[str] = (),
        overwrite: bool = False,
        progress: Callable[[int], None] = _silent,
    ) -> Path:
        """The version's files in a folder; the folder. See `fetch` for what was kept."""
        fetched = self.fetch(reference, into, project=project, paths=paths, overwrite=overwrite, progress=progress)
        return fetched.folder

    def fetch(
        self,
        reference: str,
        into: str | Path,
        *,
        project: str = "",
        paths: Sequence[str] = (),
        overwrite: bool = False,
        progress: Callable[[int], None] = _silent,
        expect: Callable[[int], None] = _silent,
    ) -> Pulled:
        """Like `pull`, and tells what it came to. Files that are there are kept unless `overwrite`; `paths`: these files and folders
        only.
        """
        with self.opened(reference, project=project) as version:
            expect(sum(file.size for file in chosen(version.book, paths)) if paths else version.book.size_bytes)
            return pull_files(version, Path(into), paths=paths, overwrite=overwrite, progress=progress)

    def diff(self, older: str, newer: str, *, project: str = "") -> List[Change]:
        """What the files of one version have become in another, by path. Raises as `opened` does."""
        with self.opened(older, project=project) as before, self.opened(newer, project=project) as after:
            return list(changes(before.book.files(), after.book.files()))

    def verify(self, reference: str, *, project: str = "", progress: Callable[[int], None] = _silent) -> List[Fetched]:
        """Fetches and checks every file and keeps none; those that are damaged, by path."""
        with self.opened(reference, project=project) as version:
            damaged = []
            for done in fetch(version, version.book.files(), lambda _: Nowhere()):
                progress(done.file.size)
                if done.damage:
                    damaged.append(done)
        return sorted(damaged, key=lambda one: one.file.path)

    def read(
        self, reference: str, path: str, *, project: str = "", start: int = 0, stop: int | None = None
    ) -> Iterator[bytes]:
        """The bytes of one file, or a part of it, fetching no more than it needs. Raises NotFound."""
        with self.opened(reference, project=project) as version:
            yield from version.read(version.file(path), start, stop)

    @contextmanager
    def opened(self, reference: str, *, project: str = "") -> Iterator[OpenedVersion]:
        """A version, open until the block ends. Raises NotPermitted (`data.take_away`), NotFound, Damaged."""
        path = place_of(self._client, reference, project).version_path
        version = OpenedVersion(self._client, GrantOut.model_validate(self._client.post(f"{path}/grants")))
        try:
            yield version
        finally:
            version.close()

    def agree(
        self,
        reference: str,
        *,
        project: str,
        purposes: List[str],
        until: date,
        right: str = "compute",
        home: str = "",
        places: List[str] | None = None,
    ) -> AgreementOut:
        """Lets `project` use the data for these purposes to the end of the day `until`. `home`: where a bare name is."""
        with checked("fabriek data agree NAME --project P --purpose civilian --until DATE --place NL"):
            wanted = AgreementIn(project=project, purposes=purposes, right=right, until=until, places=places or [])
        path = f"{place_of(self._client, reference, home or self._client.project or project).path}/agreements"
        return AgreementOut.model_validate(self._client.post(path, json=wanted.model_dump(mode="json")))

    def agreements(self, reference: str, *, project: str = "") -> List[AgreementOut]:
        answer = self._client.get(f"{place_of(self._client, reference, project).path}/agreements")
        return [AgreementOut.model_validate(one) for one in answer]

    def end_agreement(self, agreement: str) -> AgreementOut:
        """Ends it: what the project has open closes, and nothing opens any more."""
        return AgreementOut.model_validate(self._client.post(f"/api/v1/agreements/{agreement}/end"))

    def request(
        self,
        reference: str,
        *,
        purpose: str,
        right: str = "compute",
        reason: str = "",
        project: str = "",
        answers: Mapping[str, str] | None = None,
        draft: bool = False,
    ) -> AccessRequestOut:
        """Asks the owner for access, with answers to the form of its terms. A draft is kept and not sent."""
        with checked("fabriek data terms NAME shows what the form asks"):
            wanted = AccessRequestIn(
                purpose=purpose, right=right, reason=reason, answers=dict(answers or {}), draft=draft
            )
        path = f"{place_of(self._client, reference, project).path}/access-requests"
        return AccessRequestOut.model_validate(self._client.post(path, json=wanted.model_dump()))

    def requests(self, reference: str, *, project: str = "") -> List[AccessRequestOut]:
        """What was asked of you, the owner."""
        answer = self._client.get(f"{place_of(self._client, reference, project).path}/access-requests")
        return [AccessRequestOut.model_validate(one) for one in answer]

    def log(self, reference: str, *, project: str = "") -> List[OpenedOut]:
        """Who opened the data, newest first. For its owner."""
        answer = self._client.get(f"{place_of(self._client, reference, project).path}/log")
        return [OpenedOut.model_validate(one) for one in answer]

    def tag(self, reference: str, tag: str, *, project: str = "") -> TagOut:
        """From now on NAME@tag is this version; moved when it stood elsewhere. For the data's owner."""
        path = f"{place_of(self._client, reference, project).version_path}/tags"
        return TagOut.model_validate(self._client.post(path, json=TagIn(tag=tag).model_dump()))

    def untag(self, reference: str, tag: str, *, project: str = "") -> None:
        """The tag stands for nothing again."""
        self._client.delete(f"{place_of(self._client, reference, project).path}/tags/{quote(tag, safe='')}")

    def tags(self, reference: str, *, project: str = "") -> List[TagOut]:
        """By name."""
        answer = self._client.get(f"{place_of(self._client, reference, project).path}/tags")
        return [TagOut.model_validate(one) for one in answer]

    def remove(self, reference: str, *, project: str = "") -> VersionOut:
        """Takes a version away for good; it must be named: NAME@3. Raises WrongState while a tag names it or somebody has it open."""
        return VersionOut.model_validate(self._client.delete(self._named(reference, project)))

    def to_remove(self, reference: str, *, project: str = "") -> VersionOut:
        """What `remove` would take away, for asking somebody first. Raises NotFound, InvalidInput."""
        return VersionOut.model_validate(self._client.get(self._named(reference, project)))

    def _named(self, reference: str, project: str) -> str:
        """Where the version is that the reference itself names. Raises InvalidInput where it means the newest one."""
        place = place_of(self._client, reference, project)
        if place.version == "newest":
            raise InvalidInput(f"{reference!r} does not say which version", fix=f"name it: {reference}@3")
        return place.version_path

    def _version(self, version: str, project: str) -> VersionOut:
        return VersionOut.model_validate(self._client.get(place_of(self._client, version, project).version_path))

    def _give_back(self, upload: UploadOut) -> None:
        """The grant on a parent that is not read. A server that is away ends it by itself."""
        if upload.parent is not None:
            with suppress(FabriekError):
                self._client.delete(f"/api/v1/grants/{upload.parent.grant}")

    @contextmanager
    def _parent(self, upload: UploadOut) -> Iterator[OpenedVersion | None]:
        """The version that an upload builds on; its grant is given back when the push is over."""
        if upload.parent is None:
            yield None
            return
        try:
            version = OpenedVersion(self._client, upload.parent, head_bytes=HEAD_OF_PAGES_FETCHED_BYTES)
        except Damaged:
            # What cannot be read cannot be built upon; everything is sent, and the next version is whole again.
            self._give_back(upload)
            yield None
            return
        try:
            yield version
        finally:
            version.close()


def open_grant(client: Client, grant: str, into: Path) -> Pulled:
    """For a job's node: the granted version's files in a folder that exists and is empty. Raises Damaged, NotPermitted."""
    return pull_files(opened_grant(client, grant), into)


def opened_grant(client: Client, grant: str) -> OpenedVersion:
    """For whoever holds the grant. Raises Damaged, NotPermitted."""
    return OpenedVersion(client, GrantOut.model_validate(client.get(f"/api/v1/grants/{grant}")))


def open_granted_file(client: Client, grant: str, path: str, place: Path) -> None:
    """For a job's node: one file of the granted version, at a place that nothing has yet. Raises NotFound, Damaged, NotPermitted."""
    shown = GrantOut.model_validate(client.get(f"/api/v1/grants/{grant}"))
    pull_file(OpenedVersion(client, shown), path, place)


def seal_upload(client: Client, upload: str, directory: Path) -> VersionOut:
    """For a job's node: the folder as the version that its upload was opened for."""
    shown = UploadOut.model_validate(client.get(f"/api/v1/uploads/{upload}"))
    version = send_folder(client, shown, survey(directory), None, _silent).version
    assert version is not None, "it builds on nothing that could be the same"
    return version


def seal_part(client: Client, upload: str, directory: Path) -> Manifest:
    """For one member of a job on several nodes: the folder's objects sent, for `commit_parts`."""
    shown = UploadOut.model_validate(client.get(f"/api/v1/uploads/{upload}"))
    return send_files(client, shown, survey(directory))


def commit_parts(client: Client, upload: str, parts: Mapping[int, Manifest]) -> tuple[VersionOut, tuple[str, ...]]:
    """What members sent as one version, and the paths where they had left different things. parts: by the members' numbers."""
    shown = UploadOut.model_validate(client.get(f"/api/v1/uploads/{upload}"))
    manifest, apart = merged(parts)
    return commit_files(client, shown, manifest), apart

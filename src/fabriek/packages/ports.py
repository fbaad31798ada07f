"""What packages need from the outside world."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from fabriek.access.projects import Project
from fabriek.packages.advisories import Advised
from fabriek.packages.files import Approval, File
from fabriek.packages.names import Pinned
from fabriek.packages.requests import Request, State
from fabriek.vault.safe import SealedObject


class Files(Protocol):
    """Storage of what is known of files. Every change joins the transaction that is open."""

    def add(self, file: File, raw_metadata: bytes) -> None:
        """Raises AlreadyExists when a file of that name is kept."""

    def get(self, name: str) -> File:
        """Raises NotFound."""

    def metadata(self, name: str) -> bytes:
        """METADATA to the byte. Raises NotFound."""

    def save(self, file: File) -> None: ...

    def of_package(self, package: str) -> Sequence[File]:
        """By name; all of every package where none is named."""

    def withdrawn(self) -> Sequence[str]:
        """The names of all withdrawn files, sorted."""


class Approvals(Protocol):
    """Storage of approvals."""

    def put(self, approval: Approval) -> None:
        """Keeps the first where the file is approved there already."""

    def of_files(self, files: Collection[str]) -> Sequence[Approval]: ...

    def packages(self, projects: Collection[str]) -> Sequence[str]:
        """The packages with a file that is approved in one of these places and not withdrawn, sorted."""

    def names(self) -> Collection[str]:
        """Packages with an approved file anywhere: what a new name may be mistaken for."""


class Requests(Protocol):
    """Storage of requests."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def put(self, request: Request) -> None: ...

    def get(self, request_id: str) -> Request:
        """Raises NotFound."""

    def of_project(self, project: str) -> Sequence[Request]:
        """Newest first; those of all where none is named."""

    def open_for(self, project: str, package: Pinned) -> Request | None:
        """One that waits for its files or its decision."""

    def in_state(self, state: State) -> Sequence[Request]:
        """Oldest first."""


class Advisories(Protocol):
    """What is known against packages."""

    def about(self, packages: Sequence[Pinned]) -> Sequence[Advised]:
        """One answer for each package."""


class Safe(Protocol):
    """Where bytes are sealed; the vault's own."""

    def put(self, dataset_id: str, chunks: Iterable[bytes]) -> SealedObject: ...

    def open(self, dataset_id: str, object_id: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]: ...

    def remove(self, dataset_id: str, object_id: str) -> None: ...


class Rooms(Protocol):
    """Where the vault keeps what belongs to the installation and to no project."""

    def common_room(self, name: str) -> str: ...


class Projects(Protocol):
    """What packages ask of access."""

    def project(self, name: str) -> Project:
        """By id or slug. Raises NotFound."""

    def is_alone(self) -> bool:
        """Whether one person is all there is."""

"""A wheel that is kept, sealed, and for whom it is approved."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from fabriek.packages.findings import Finding

EVERYBODY = ""
"""In place of a project: approved for all."""


class Standing(StrEnum):
    """How a file stands with one who looks. A file is on the index only where it is approved."""

    KEPT = "kept"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class File:
    """`name` is the file's own, which no other has; `package` is normalised. `sha256` is of the plain bytes, `object_id` the sealed object.

    A withdrawn file is never deleted: what was made with it refers to it.
    """

    name: str
    package: str
    version: str
    sha256: str
    size_bytes: int
    object_id: str
    tags: str
    requires_python: str
    licence: str
    summary: str
    findings: tuple[Finding, ...]
    added_by: str
    added_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_for: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """`project`: an id, or EVERYBODY. `despite`: why it was approved against a grave finding."""

    file: str
    project: str
    request: str
    by: str
    at: datetime
    despite: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file with the approvals that the one who looks may know of."""

    file: File
    approvals: tuple[Approval, ...] = field(default=())

    @property
    def standing(self) -> Standing:
        if self.file.withdrawn_at is not None:
            return Standing.WITHDRAWN
        return Standing.APPROVED if self.approvals else Standing.KEPT

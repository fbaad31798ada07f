"""Packages and requests for them on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire

Pinned = Annotated[str, Field(min_length=4, max_length=200)]
"""NAME==VERSION."""

Reason = Annotated[str, Field(min_length=1, max_length=500)]


class FindingOut(Wire):
    """`weight`: grave (approved only with a reason), look, note. `rule`: a word to compare."""

    rule: str
    weight: str
    says: str


class PackageFileOut(Wire):
    """`standing`: kept, approved or withdrawn. `projects`: for which it is approved, as far as the caller may know; empty with
    `everybody` for all.
    """

    file: str
    package: str
    version: str
    standing: str
    everybody: bool
    projects: list[str]
    approved_by: str
    approved_at: datetime | None
    sha256: str
    size_bytes: int
    tags: str
    requires_python: str
    licence: str
    summary: str
    findings: list[FindingOut]
    withdrawn_for: str


class PackageRequestIn(Wire):
    package: Pinned
    reason: Reason


class PackageRequestOut(Wire):
    """`trouble`: why the files could not be fetched; the request waits. `page`: where to look at it in a browser."""

    id: str
    package: str
    project: str
    by: str
    reason: str
    state: str
    asked_at: datetime
    trouble: str
    decided_by: str
    decided_at: datetime | None
    decision: str
    page: str
    files: list[PackageFileOut] = Field(default_factory=list)


class ApproveIn(Wire):
    """`everybody`: for all projects and not the asking one alone. `despite`: why, against a grave finding."""

    everybody: bool = False
    despite: Annotated[str, Field(max_length=500)] = ""


class RefuseIn(Wire):
    reason: Reason


class WithdrawIn(Wire):
    package: Pinned
    reason: Reason

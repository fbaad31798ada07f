"""A base model: what somebody else trained, and a project brought in. Its revisions are named by what they hold."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.lab.artifacts import checked

FILES_MAX = 10_000
FILE_BYTES_MAX = 50_000_000_000
"""The client reads no larger file over plain HTTP; models that are larger come in parts."""

PATH_CHARACTERS_MAX = 400
CARD = "README.md"
MAIN = "main"

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._\-]{0,94}[A-Za-z0-9])?"
_NAME = re.compile(rf"(?:{_PART}/)?{_PART}")
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,99}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

RESERVED = frozenset(
    {
        "api", "blob", "commit", "commits", "contents", "datasets", "discussions", "kernels", "models", "paths-info", "plan", "raw", "refs",
        "resolve", "revision", "spaces", "tree",
    }
)  # fmt: skip
"""Words that stand beside names in addresses."""


class NoSuchModel(NotFound):
    """Or one that the caller may not know of: both read the same to the byte."""


class NoSuchRevision(NotFound):
    """The model is there, and has no such branch or commit."""


class NoSuchFile(NotFound):
    """The revision is there, at `commit`, and has no such file."""

    def __init__(self, detail: str, *, commit: str) -> None:
        super().__init__(detail)
        self.commit = commit


@dataclass(frozen=True, slots=True)
class BaseModel:
    """`name` is NAME or ORG/NAME. `label` is that of all its revisions, and only rises. `branches`: name → commit."""

    project: str
    name: str
    label: str
    organisation: str
    created_at: datetime
    created_by: str
    changed_at: datetime
    branches: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a revision. `is_code`: loading it may run what its author wrote."""

    path: str
    sha256: str
    size: int
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Revision:
    """What a model was at one push. `sha256` is over licence and files, and `commit` its beginning, so that the same push is the same commit
    anywhere. `facts` are what the card says of itself; `card` is Markdown, as it was written.
    """

    project: str
    name: str
    commit: str
    sha256: str
    licence: str
    card: str
    facts: Mapping[str, Any]
    size: int
    files: int
    has_code: bool
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that arrived for a model, sealed as `object_id`. `kind`: what they are by their first bytes, see formats."""

    project: str
    name: str
    sha256: str
    object_id: str
    size: int
    kind: str
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """That somebody read a revision, as it was then: a job, or a person on a day. It outlives the model."""

    project: str
    name: str
    commit: str
    job: str
    person: str
    day: date
    sha256: str
    licence: str
    label: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """What somebody wants to bring in. `card` is the text of README.md, empty without one; `licence` and `label` are empty where nobody says."""

    name: str
    branch: str
    licence: str
    label: str
    allow_code: bool
    card: str
    files: tuple[ModelFile, ...]


def check_name(name: str) -> str:
    """Raises InvalidInput on what the clients would not take as the name of a model."""
    wrong = (
        not _NAME.fullmatch(name)
        or "--" in name
        or ".." in name
        or name.endswith((".git", ".ipynb"))
        or len(name) > 96
        or RESERVED.intersection(name.split("/"))
    )
    if wrong:
        raise InvalidInput(
            f"{name[:100]!r} is not a name for a base model",
            fix="NAME or ORG/NAME of letters, digits, '-', '_' and '.', 96 at most, without '--' and '..'",
        )
    return name


def check_branch(branch: str) -> str:
    """Raises InvalidInput, also on what could be taken for a commit."""
    if not _BRANCH.fullmatch(branch) or ".." in branch or re.fullmatch(r"[0-9A-Fa-f]{7,64}", branch):
        raise InvalidInput(
            f"{branch[:100]!r} is not a name for a revision",
            fix="letters, digits, '-', '_' and '.', 100 at most, and nothing that reads as a commit: main, v1.0",
        )
    return branch


def check_sha256(said: str) -> str:
    if not _SHA256.fullmatch(said):
        raise InvalidInput("a file is named by its SHA-256, in 64 small hexadecimal digits", fix="fabriek model push")
    return said


def is_commit(revision: str) -> bool:
    return _COMMIT.fullmatch(revision) is not None


def check_files(files: Sequence[ModelFile]) -> None:
    """Raises InvalidInput on none, too many or too large ones, and on a path that leads anywhere but below the model."""
    if not 1 <= len(files) <= FILES_MAX:
        raise InvalidInput(
            f"a base model has from one to {FILES_MAX:,} files, not {len(files):,}", fix="push its folder"
        )
    paths = {one.path for one in files}
    if len(paths) != len(files):
        raise InvalidInput("a path stands twice", fix="push a folder of files")
    for one in files:
        check_path(one.path)
        check_sha256(one.sha256)
        if not 0 <= one.size <= FILE_BYTES_MAX:
            raise InvalidInput(
                f"{one.path} has {one.size:,} bytes, and clients read at most {FILE_BYTES_MAX:,} of one file",
                fix="save the model in parts: save_pretrained(…, max_shard_size='5GB')",
            )
        parts = one.path.split("/")
        if any("/".join(parts[:count]) in paths for count in range(1, len(parts))):
            raise InvalidInput(f"{one.path} lies below a file", fix="push a folder of files")


def check_path(path: str) -> str:
    """Raises InvalidInput, in whatever spelling a path leads elsewhere: clients write files where their paths say."""
    try:
        plain = checked(path)
    except InvalidInput:
        plain = ""
    names = plain.split("/")
    if (
        not plain
        or plain != path
        or len(path) > PATH_CHARACTERS_MAX
        or not path.isprintable()
        or any(name != name.strip() or name.endswith(".") or name.lower() == ".git" for name in names)
        or any(char in path for char in '<>:"|?*%')
    ):
        raise InvalidInput(
            f"{path[:100]!r} is not a path for a file of a model",
            fix="plain names with '/' between, below the model's folder; none of < > : \" | ? * %",
        )
    return path


def digest_of(licence: str, files: Sequence[ModelFile]) -> str:
    """SHA-256 over the licence, and path, content and mark of each file."""
    told = [licence, sorted([one.path, one.sha256, one.size, one.is_code] for one in files)]
    return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()


def commit_of(digest: str) -> str:
    """The first 40 digits of that: as long as the clients expect a commit to be."""
    return digest[:40]

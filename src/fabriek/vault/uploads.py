"""An upload: a version in the making. Objects arrive one by one; the commit makes them a version, all or none."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fabriek.kernel.errors import WrongState
from fabriek.sealing.objects import sealed_size
from fabriek.sealing.packing import PART_BYTES

OPEN_FOR = timedelta(days=7)
"""How long an upload may take: longer than the longest job, whose output is sent at its end."""

OBJECT_BYTES_MAX = sealed_size(PART_BYTES)
"""The largest object that a client may send."""

MINT_MAX = 10_000
USE_MAX = 10_000
"""Names of objects in one request."""

OBJECTS_MAX = 2_000_000
"""Objects of one version: at 8 MiB each, sixteen terabytes of small files."""


class Progress(StrEnum):
    OPEN = "open"
    COMMITTED = "committed"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Upload:
    """`person` or, for a job's output, `job` holds it: nobody else may add to it or commit it. `version` is what it became."""

    id: str
    dataset: str
    label: str
    person: str
    job: str
    parent: str
    opened_at: datetime
    expires_at: datetime
    progress: Progress = Progress.OPEN
    version: str = ""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of an upload; `size` and `sha256` of the sealed bytes, None and empty until it has arrived."""

    id: str
    size: int | None = None
    sha256: str = ""


def check_open(upload: Upload, now: datetime) -> None:
    """Raises WrongState when it is committed or too old."""
    if upload.progress is Progress.COMMITTED:
        raise WrongState("this upload is committed already", fix="open another: fabriek data push")
    if upload.progress is Progress.ABANDONED or now >= upload.expires_at:
        raise left_too_long()


def left_too_long() -> WrongState:
    return WrongState("this upload was left open for too long", fix="push again: what is unchanged is not sent twice")

"""Holds, dates and erasures on the wire."""

from datetime import date, datetime

from fabriek.schemas.base import Wire
from fabriek.schemas.keys import Reason


class BecauseIn(Wire):
    """Why; it stays on record."""

    reason: Reason


class HoldOut(Wire):
    """A legal hold. People are named by id."""

    id: str
    reason: str
    set_by: str
    set_at: datetime
    lifted_by: str = ""
    lifted_at: datetime | None = None
    lifted_because: str = ""


class RetentionIn(Wire):
    """Not erased before the end of `keep_until`; erased when `erase_after` has passed. None: no such date."""

    keep_until: date | None = None
    erase_after: date | None = None


class ErasureOut(Wire):
    """An erasure that was asked for. Confirm it with the dataset's name within a day; then the keys are gone at `erased_at`."""

    id: str
    dataset: str
    name: str
    versions: int
    asked_at: datetime
    erased_at: datetime | None = None
    certificate: str = ""


class ConfirmIn(Wire):
    """The dataset's name, said once more."""

    name: str


class CertificateOut(Wire):
    """The signed certificate of an erasure: a DSSE envelope."""

    text: str

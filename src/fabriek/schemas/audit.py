"""The audit log on the wire."""

from datetime import datetime

from fabriek.schemas.base import Wire


class EventOut(Wire):
    """One act. Everything is an id, a code or a figure; who an id is, the people's pages say, as long as they may."""

    id: str
    at: datetime
    action: str
    subject: str
    person: str
    organisation: str
    job: str
    request: str
    facts: dict[str, str | int | bool]


class CheckpointOut(Wire):
    """What the log commits to: `size` entries whose tree has this `root` (base64). `note` is the signed form, for witnesses."""

    origin: str
    size: int
    root: str
    key: str
    note: str


class WitnessedOut(Wire):
    """Another party saw the first `size` entries."""

    name: str
    size: int
    at: datetime


class VerifiedOut(Wire):
    """The outcome of a verification, made by the client. `findings` names what does not hold, the first bad place first.

    `key_from`: `pinned` (kept on this machine since an earlier time), `given`, or `log` (taken from the log itself, just now).
    """

    says: str
    consistent: bool
    entries: int
    key: str
    key_from: str
    findings: list[str]
    pending: list[str]
    witnessed: WitnessedOut | None = None

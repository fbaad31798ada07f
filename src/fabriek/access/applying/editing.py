"""Who edits an application, and which edit it is at: so that two people do not write over each other unseen."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fabriek.access.applying.applications import Application, ApplicationState
from fabriek.access.applying.calls import Call
from fabriek.kernel.errors import Stale, WrongState

OTHERS_MAX = 50


@dataclass(frozen=True, slots=True)
class Editing:
    """`revision`: how often it was edited. `others`: people of other organisations who edit along, by their ids."""

    application: str
    revision: int = 0
    edited_at: datetime | None = None
    edited_by: str = ""
    others: tuple[str, ...] = ()


AskedAgain = Callable[[Application], frozenset[str]]
"""The fields that a reviewer asked an applicant about, and that may be changed while the clock stands still."""


def nothing_asked(_: Application) -> frozenset[str]:
    return frozenset()


def open_fields(application: Application, call: Call, asked_again: AskedAgain) -> frozenset[str]:
    """What may be changed now: all of a draft, later only what was asked about."""
    if application.state is ApplicationState.DRAFT:
        return frozenset(one.name for one in call.fields)
    return asked_again(application)


def check_open(application: Application, names: frozenset[str], allowed: frozenset[str]) -> None:
    """Raises WrongState on an edit of what was submitted."""
    if application.state is ApplicationState.DRAFT or (names and names <= allowed):
        return
    shut = ", ".join(sorted(names - allowed)) or "it"
    raise WrongState(
        f"the application is {application.state}: {shut} cannot be changed any more",
        fix=f"fabriek apply show {application.id} shows what was submitted"
        + (f"; asked about: {', '.join(sorted(allowed))}" if allowed else ""),
    )


def check_revision(editing: Editing, revision: int | None) -> None:
    """Raises Stale where somebody else edited since. None: whoever asks did not read before."""
    if revision is not None and revision != editing.revision:
        raise Stale(
            f"somebody changed this application since you opened it: it is at edit {editing.revision}, yours began at {revision}",
            fix="open it again, and make your change there",
            revision=editing.revision,
        )

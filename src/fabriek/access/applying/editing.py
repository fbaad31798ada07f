"""Who edits an application, and which edit it is at: so that two people do not write over each other unseen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fabriek.access.applying.answers import faults_of, refusal
from fabriek.access.applying.applications import Application, ApplicationState
from fabriek.access.applying.calls import Call, Form
from fabriek.access.applying.faults import Fault, fields_of, is_empty
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


def merged(
    asked: Form, kept: Mapping[str, Any], given: Mapping[str, Any], *, strict: bool
) -> tuple[dict[str, Any], list[Fault]]:
    """The answers after an edit, and what is wrong with what was given; an empty one takes an answer out. `given` is cleaned.

    Raises InvalidInput on anything that is wrong, or, where it is not `strict`, on what is wrong with all of it together.
    """
    whole = {**kept, **given}
    faults = [
        one
        for one in faults_of(asked, whole)
        if (not one.field or fields_of([one]) <= given.keys()) and not one.missing
    ]
    if faults and (strict or not all(one.field for one in faults)):
        raise refusal(asked, faults)
    lost = fields_of([one for one in faults if not one.kept])
    after = {name: one for name, one in kept.items() if name not in given or name in lost}
    # What the form no longer asks goes with the first edit: nobody could take it out from a page that does not show it.
    after = {name: one for name, one in after.items() if asked.field(name) is not None}
    return after | {name: one for name, one in given.items() if name not in lost and not is_empty(one)}, faults

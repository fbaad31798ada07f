"""The event: one act, written in the act's own transaction. It holds ids only; names live in tables that can be erased."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import Damaged

Fact = str | int | bool

INTEGER_MAX = 2**53
"""Beyond this, JSON readers disagree about integers. Source: RFC 8785, section 3.2.2.3."""

FACTS_CHARACTERS_MAX = 16_000
"""An entry must fit its bundle's two-byte length, with all its other fields."""

_WORD = re.compile(r"[A-Za-z0-9_.:+/{}=,-]{0,200}")
"""What an id, a code, a label, an instant or the template of a route looks like. No space and no @: no sentence and no address fits."""

_REQUEST = re.compile(r"req_[0-9a-z]{1,26}")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log. `facts` is canonical JSON, kept as text: what was hashed is what is stored, to the byte.

    `at` is RFC 3339 in UTC with microseconds. Empty fields mean that there was none: no job, no organisation, no request.
    """

    id: str
    at: str
    action: str
    subject: str
    person: str
    organisation: str
    job: str
    request: str
    facts: str


def new_event(
    action: str, subject: str, by: Caller, facts: Mapping[str, Fact], *, event_id: str, at: datetime
) -> Event:
    """The event of an act. Free text in it is a bug of ours, and stops the act: the log can never be cleaned of a name."""
    for name, value in {"action": action, "subject": subject, **facts}.items():
        if isinstance(value, str):
            assert is_word(value), f"the audit event {action!r} has free text in {name}"
        else:
            assert isinstance(value, int), f"the audit event {action!r} has a {type(value).__name__} in {name}"
            assert abs(value) <= INTEGER_MAX, f"the audit event {action!r} has too large a number in {name}"
    text = canonical(facts)
    assert len(text) <= FACTS_CHARACTERS_MAX, f"the audit event {action!r} has too many facts"
    return Event(
        id=event_id,
        at=at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        action=action,
        subject=subject,
        person=by.person,
        organisation=by.organisation,
        job=by.job,
        # A caller may choose its own request id, and then it may say anything: only ours enter the log.
        request=by.request_id if _REQUEST.fullmatch(by.request_id) else "",
        facts=text,
    )


def is_word(text: str) -> bool:
    """Whether it may stand in the log: an id or a code, and nothing that a person wrote."""
    return _WORD.fullmatch(text) is not None


def facts_of(event: Event) -> dict[str, Fact]:
    """The facts, parsed. Raises Damaged when the stored text is not what `new_event` writes."""
    try:
        facts = json.loads(event.facts)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise _changed(event)
    return facts


def instant_of(event: Event) -> datetime:
    """When it was, parsed. Raises Damaged when the stored text is not what `new_event` writes."""
    try:
        return datetime.fromisoformat(event.at)
    except ValueError:
        raise _changed(event) from None


def _changed(event: Event) -> Damaged:
    return Damaged(
        "an event of the audit log was changed where it is stored", where=event.id, fix="fabriek audit verify"
    )


def canonical(value: object) -> str:
    """JSON in the one form that is hashed: sorted keys, no spaces, no floats. RFC 8785 for ASCII keys and the values we allow."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def entry_of(event: Event) -> bytes:
    """The bytes that become a leaf: canonical JSON of all fields, with the version of this form in `v`.

    The facts are spliced in as stored and never parsed, so that a changed byte in them changes the leaf, even one that JSON would overlook.
    """
    fields = {
        "action": event.action,
        "at": event.at,
        "id": event.id,
        "job": event.job,
        "organisation": event.organisation,
        "person": event.person,
        "request": event.request,
        "subject": event.subject,
    }
    parts = {name: canonical(value) for name, value in fields.items()} | {"facts": event.facts, "v": "1"}
    return ("{" + ",".join(f'"{name}":{parts[name]}' for name in sorted(parts)) + "}").encode()

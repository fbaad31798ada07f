"""What a notice says: the same words as a mail and as a body for programs, signed."""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fabriek.compute.jobs import Job, State
from fabriek.compute.notices.notices import MAIL, Notice, Occasion

REASON_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Letter:
    """`to` is an address of mail or of the web. `headers` are for the web."""

    notice: Notice
    to: str
    subject: str
    text: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def is_mail(self) -> bool:
        return self.notice.target == MAIL


def facts_of(
    notice: Notice, job: Job, states: Sequence[State], *, project: str, link: str, is_open: bool
) -> dict[str, str]:
    """What may be said. states: of all elements, where the notice is of an array. is_open: the job reads nothing above the lowest label,
    so that its name and reason may leave the house; both can come from data.
    """
    of_array = bool(job.array)
    facts = {
        "id": notice.id, "occasion": str(notice.occasion), "job": notice.subject, "number": str(job.array_number) if of_array else job.short,
        "project": project, "state": _state(notice, job, states), "at": notice.made_at.isoformat(timespec="seconds"), "link": link,
    }  # fmt: skip
    if of_array and notice.occasion is Occasion.END:
        facts["elements"] = ", ".join(f"{count} {state}" for state, count in sorted(Counter(states).items()))
    if is_open:
        facts["name"] = job.name
        if notice.occasion is not Occasion.BEGIN and not of_array:
            facts["reason"] = job.reason[:REASON_CHARACTERS_MAX]
    return facts


def mail_of(notice: Notice, facts: dict[str, str], to: str) -> Letter:
    what = "Array" if "elements" in facts else "Job"
    lines = [f"{name}: {' '.join(value.split())}" for name, value in facts.items() if value]
    return Letter(notice, to, f"{what} {facts['number']}: {facts['state']}", "\n".join(lines) + "\n")


def signed_of(notice: Notice, facts: dict[str, str], to: str, key: str, now: datetime) -> Letter:
    """For programs: JSON, and over its bytes and the instant of sending an HMAC-SHA-256 that only the project's key makes."""
    body = json.dumps(facts, sort_keys=True).encode()
    at = str(int(now.timestamp()))
    headers = (
        ("Content-Type", "application/json"),
        ("Idempotency-Key", notice.id),
        ("Fabriek-Signature", f"t={at},v1={signature(key, at, body)}"),
    )
    return Letter(notice, to, "", "", body, headers)


def signature(key: str, at: str, body: bytes) -> str:
    """Of a body that is sent at this second, in hex. What it is made over is `at`, a dot, and the body."""
    return hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def _state(notice: Notice, job: Job, states: Sequence[State]) -> str:
    if notice.occasion is Occasion.BEGIN:
        return State.RUNNING
    if notice.occasion is Occasion.END and len(states) > 1:
        return State.SUCCEEDED if set(states) == {State.SUCCEEDED} else State.FAILED
    return job.state

"""A notice: what is to be told of a job, to whom, and how far that is. It says ids, a state and a link; more only of the lowest label."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from fabriek.kernel.errors import InvalidInput

MAIL = "mail"
"""The target that means the address of who submitted the job."""

KEPT = "secret:"
"""Before the name of a secret whose value is the address: many are as good as a password."""

ASKED_MAX = 4
"""By one job."""

TRIED_FOR = timedelta(days=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)
CLAIMED_FOR = timedelta(minutes=2)
"""So long nobody else sends what one worker has taken: longer than any attempt at sending lasts."""

HELD_FOR = timedelta(seconds=15)

ERROR_CHARACTERS_MAX = 200


class Occasion(StrEnum):
    """`end`: however it ended. `fail`: it failed or was lost. Of an array `begin` and `fail` are its first, `end` is its last."""

    BEGIN = "begin"
    END = "end"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class NoticeAsked:
    """What a job's owner asked to be told. target: `mail`, an address on the web, or `secret:NAME` for one that is kept as a secret."""

    target: str
    occasions: tuple[Occasion, ...]

    @property
    def shown(self) -> str:
        """Of an address only the host: the rest of it is often a password."""
        return f"{','.join(self.occasions)}:{shown(self.target)}"


@dataclass(frozen=True, slots=True)
class Notice:
    """`subject` is the job, or the array as a whole; `job` the one that gave occasion. The id is the same however often it is written."""

    id: str
    subject: str
    job: str
    project: str
    occasion: Occasion
    target: str
    made_at: datetime
    next_at: datetime
    tries: int = 0
    sent_at: datetime | None = None
    given_up_at: datetime | None = None
    error: str = ""

    @property
    def standing(self) -> str:
        """In a word or two: what became of it."""
        return "sent" if self.sent_at else "given up" if self.given_up_at else "waiting"


_ASKED = re.compile(
    r"(?:((?:begin|end|fail)(?:,(?:begin|end|fail))*):)?(mail|https?://.+|secret:[A-Za-z_]\w{0,63})", re.ASCII
)


def notice_asked_of(text: str) -> NoticeAsked:
    """`mail`, `https://…` or `secret:NAME`, before it the occasions: `begin,fail:mail`; without them when it ended. Raises InvalidInput."""
    found = _ASKED.fullmatch(text)
    if found is None:
        raise InvalidInput(
            "this says neither whom to tell nor when", fix="--notify mail, or --notify begin,fail:https://…"
        )
    said = (found[1] or Occasion.END).split(",")
    return NoticeAsked(found[2], tuple(one for one in Occasion if one in said))


def shown(target: str) -> str:
    return target if target == MAIL or target.startswith(KEPT) else f"https://{urlsplit(target).hostname}/…"


def new_notice(subject: str, job: str, project: str, occasion: Occasion, target: str, at: datetime) -> Notice:
    known = hashlib.sha256(f"{subject}\n{occasion}\n{target}".encode()).hexdigest()[:26]
    return Notice(f"ntc_{known}", subject, job, project, occasion, target, at, at)


def due_now(asked: Sequence[NoticeAsked], happened: Sequence[Occasion]) -> list[tuple[str, Occasion]]:
    """Target and occasion of what is to be told: each target once, by the first occasion of `happened` that it asked for."""
    found = ((one.target, next((each for each in happened if each in one.occasions), None)) for one in asked)
    return [(target, occasion) for target, occasion in found if occasion is not None]


def claimed(notice: Notice, now: datetime) -> Notice:
    return replace(notice, tries=notice.tries + 1, next_at=now + CLAIMED_FOR)


def held(notice: Notice, now: datetime) -> Notice:
    """Its occasion is not whole yet: elements of its array have not ended."""
    return replace(notice, made_at=now, next_at=now + HELD_FOR)


def sent(notice: Notice, now: datetime) -> Notice:
    return replace(notice, sent_at=now, error="")


def failed(notice: Notice, why: str, now: datetime) -> Notice:
    """Tried again after a pause that doubles, up to an hour; given up a day after the occasion."""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(notice.tries - 1, 20))
    over = now + pause > notice.made_at + TRIED_FOR
    return replace(
        notice, error=why[:ERROR_CHARACTERS_MAX], next_at=now + pause, given_up_at=now if over else notice.given_up_at
    )

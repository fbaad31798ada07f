"""What a grid operator announces: a message by its own id, with from when to when how much may be drawn, and what it was answered."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fabriek.kernel.errors import AlreadyExists, InvalidInput, WrongState

AHEAD = timedelta(hours=24)
"""A message that begins sooner than this after it came is late. Netcode elektriciteit, capacity-limiting contract: a day before at the latest."""

SPAN_MAX = timedelta(days=31)
FAR_MAX = timedelta(days=366)
WATTS_MAX = 10**10
"""Ten gigawatts: above any connection, so that a figure in watts that was meant in kilowatts is seen."""


class Standing(StrEnum):
    """`confirmed`: it holds. Of what does not: another message took its place, or took it back, or it was never taken."""

    CONFIRMED = "confirmed"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


class Late(StrEnum):
    """What of a message came too late; it is followed all the same."""

    NO = ""
    DAY = "less than a day ahead"
    BEGUN = "after it began"


@dataclass(frozen=True, slots=True)
class Said:
    """What the message says. `replaces`: the id of an earlier one that it changes, or takes back where `withdraws`; then it has no times and no
    watts.
    """

    id: str
    announced_at: datetime
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    watts: int | None = None
    replaces: str = ""
    withdraws: bool = False

    @property
    def digest(self) -> str:
        """The same for the same content, in whatever zone its instants were written."""
        instants = [one.timestamp() if one else None for one in (self.announced_at, self.begins_at, self.ends_at)]
        return hashlib.sha256(
            repr((self.id, *instants, self.watts, self.replaces, self.withdraws)).encode()
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class Message:
    """`limit`: the announced limit that it became; empty where it became none. `sent_by`: whose credential brought it; `confirmed_by`: who
    answered, and `answer` what.
    """

    said: Said
    received_at: datetime
    sent_by: str
    standing: Standing
    late: Late
    limit: str
    confirmation: str
    confirmed_at: datetime
    confirmed_by: str
    answer: str
    followed_by: str = ""


def check(said: Said, now: datetime) -> None:
    """Raises InvalidInput on what nobody could follow: it has passed, ends before it begins, or is out of all measure."""
    if not 0 < len(said.id) <= 200 or not said.id.isprintable():
        raise InvalidInput("a message has an id of 1 to 200 printable characters", fix="send the id of your message")
    if said.replaces == said.id:
        raise InvalidInput("a message cannot take its own place", fix="give the change an id of its own")
    if said.withdraws:
        if not said.replaces or (said.begins_at, said.ends_at, said.watts) != (None, None, None):
            raise InvalidInput(
                "a message that takes back names the other in `replaces`, and no limit", fix="leave from, to and kw out"
            )
        return
    _check_limit(said, now)


def _check_limit(said: Said, now: datetime) -> None:
    if said.begins_at is None or said.ends_at is None or said.watts is None:
        raise InvalidInput("a message says from when to when how many kW", fix="send from, to and kw")
    if said.watts < 0 or said.watts > WATTS_MAX:
        raise InvalidInput(
            f"{said.watts / 1000:g} kW is no power of a connection: it is from 0 to {WATTS_MAX // 1000:,} kW",
            fix="send kilowatts",
        )
    if said.ends_at <= said.begins_at:
        raise InvalidInput(
            "the limit ends before it begins", fix="swap from and to; instants carry their zone, as +01:00"
        )
    if said.ends_at - said.begins_at > SPAN_MAX:
        raise InvalidInput(
            f"a limit lasts at most {SPAN_MAX.days} days", fix="announce a lasting change as a contract, or in parts"
        )
    if said.ends_at <= now:
        raise InvalidInput("the limit lies wholly in the past", fix="send one that ends in the future")
    if said.begins_at - now > FAR_MAX:
        raise InvalidInput("the limit begins more than a year from now", fix="look at the year of `from`")


def late(said: Said, now: datetime) -> Late:
    if said.begins_at is None or said.begins_at - now >= AHEAD:
        return Late.NO
    return Late.BEGUN if said.begins_at <= now else Late.DAY


def same(kept: Message, said: Said) -> Message:
    """The kept one, for a message that comes again. Raises AlreadyExists where it says something else by the same id."""
    if kept.said.digest != said.digest:
        raise AlreadyExists(
            f"a message {said.id} with other content came at {kept.received_at:%Y-%m-%d %H:%M} UTC, and stands",
            fix="send the change under an id of its own, with `replaces`",
        )
    return kept


def followed(kept: Message, by: Said) -> Message:
    """The earlier message once another has changed it or taken it back. Raises WrongState where it holds no more."""
    if kept.standing is not Standing.CONFIRMED:
        newest = f", the newest is {kept.followed_by}" if kept.followed_by else ""
        raise WrongState(
            f"message {kept.said.id} is {kept.standing}{newest}", fix="name the message that holds in `replaces`"
        )
    return replace(kept, standing=Standing.WITHDRAWN if by.withdraws else Standing.REPLACED, followed_by=by.id)

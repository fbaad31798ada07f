"""Alarms of the clocks, and reminders: each is written once, to who must act, and sent by mail where there is a relay."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

PAUSE = timedelta(minutes=5)
TRIES_MAX = 12


@dataclass(frozen=True, slots=True)
class Told:
    """`id` is made of what it is about, so that the same is never written twice. `what`: alarm-50, alarm-80, alarm-100, reminder, asked, decided."""

    id: str
    person: str
    application: str
    what: str
    percent: int
    made_at: datetime
    next_at: datetime
    tries: int = 0
    sent_at: datetime | None = None
    given_up: bool = False


def new_told(person: str, application: str, what: str, at: datetime, *, percent: int = 0, turn: str = "") -> Told:
    """turn: tells two of the same apart, such as the number of a question."""
    return Told(f"{application}:{what}:{turn}:{person}", person, application, what, percent, at, at)


def sent(told: Told, at: datetime) -> Told:
    return replace(told, sent_at=at, given_up=False)


def failed(told: Told, at: datetime) -> Told:
    """As it is while it is being sent, and stays where that fails."""
    tries = told.tries + 1
    return replace(told, tries=tries, next_at=at + PAUSE * tries, given_up=tries >= TRIES_MAX)


WORDS = {
    "alarm-50": "half of the time for application {short} is used",
    "alarm-80": "four fifths of the time for application {short} are used",
    "alarm-100": "the time for application {short} is used up",
    "asked": "you were asked something about application {short}",
    "answered": "the applicant answered about application {short}",
    "decided": "there is a decision on application {short}",
    "reminder": "your assessment of application {short} was due",
    "released": "you need not assess application {short} any more",
    "assigned": "you were asked to assess application {short}",
}


def sentence(told: Told) -> str:
    """What it says: ids only, since mail leaves the house."""
    return WORDS[told.what].format(short=told.application[-6:])

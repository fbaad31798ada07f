"""A reminder of a review of access: that something still waits for an answer, to one person, once for each day on which one is due."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fabriek.access.joining.reviews import Review

PAUSE = timedelta(minutes=5)
TRIES_MAX = 12


@dataclass(frozen=True, slots=True)
class Reminder:
    """`days_before`: how long before the last day it was due. With the review and the person it is what makes it one."""

    review: str
    person: str
    days_before: int
    made_at: datetime
    next_at: datetime
    tries: int = 0
    sent_at: datetime | None = None
    given_up: bool = False

    @property
    def name(self) -> str:
        """What its mail is called, however often it is sent."""
        return f"{self.review}.{self.days_before}.{self.person}"


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent. No name of a project or a person: mail leaves the house."""

    reminder: Reminder
    to: str
    subject: str
    text: str


def new_reminder(review: Review, person: str, days_before: int, at: datetime) -> Reminder:
    return Reminder(review.id, person, days_before, at, at)


def sent(one: Reminder, at: datetime) -> Reminder:
    return replace(one, sent_at=at, given_up=False)


def tried(one: Reminder, at: datetime) -> Reminder:
    """As it is while it is being sent, and stays where that fails."""
    tries = one.tries + 1
    return replace(one, tries=tries, next_at=at + PAUSE * tries, given_up=tries >= TRIES_MAX)


def given_up(one: Reminder) -> Reminder:
    """Nothing waits for their answer any more, or they are not here."""
    return replace(one, given_up=True)


def letter_of(one: Reminder, review: Review, waiting: int, to: str, base: str) -> Letter:
    """waiting: how many memberships or roles nobody has answered for."""
    what = "membership" if review.project else "role"
    count = f"1 {what} waits" if waiting == 1 else f"{waiting} {what}s wait"
    where = (
        f"Decide at {base}/projects/{review.project}, or with: fabriek project review --project {review.project}"
        if review.project
        else "Decide with: fabriek org review"
    )
    text = (
        f"{count} in the review of access of {review.quarter}.\n\n{where}\n\n"
        f"The last day is {review.due_on:%d-%m-%Y}. What nobody confirms by then stands still: it is kept without its rights.\n"
    )
    return Letter(one, to, f"Review of access: {count} for an answer", text)

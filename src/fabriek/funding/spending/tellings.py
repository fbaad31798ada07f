"""What a project's leads were told of its credits: each thing once, by mail where there is a relay."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

PAUSE = timedelta(minutes=5)
TRIES_MAX = 12


@dataclass(frozen=True, slots=True)
class Telling:
    """`id` is made of what it is about and of who is told, so that nobody is told twice. `about`: the same without the person. `says`: amounts,
    days and the project's address, since mail leaves the house.
    """

    id: str
    about: str
    project: str
    person: str
    says: str
    made_at: datetime
    next_at: datetime
    tries: int = 0
    sent_at: datetime | None = None
    given_up: bool = False


def new_telling(about: str, project: str, person: str, says: str, at: datetime) -> Telling:
    return Telling(f"{about}:{person}", about, project, person, says, at, at)


def sent(telling: Telling, at: datetime) -> Telling:
    return replace(telling, sent_at=at, given_up=False)


def failed(telling: Telling, at: datetime) -> Telling:
    """As it is while it is being sent, and stays where that fails."""
    tries = telling.tries + 1
    return replace(telling, tries=tries, next_at=at + PAUSE * tries, given_up=tries >= TRIES_MAX)

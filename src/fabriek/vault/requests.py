"""A request for access: somebody who may know of a dataset asks its owner for an agreement."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabriek.vault.agreements import DataRight

REASON_CHARACTERS_MAX = 2_000


class Answer(StrEnum):
    WAITING = "waiting"
    AGREED = "agreed"


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """`project` is where the data would be used; empty when the asker has none yet. Nothing is deleted: an agreement answers it."""

    id: str
    dataset: str
    project: str
    organisation: str
    person: str
    purpose: str
    right: DataRight
    reason: str
    asked_at: datetime
    answer: Answer = Answer.WAITING

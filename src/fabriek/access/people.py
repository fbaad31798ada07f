"""A person: an id for ever, and a name that can be erased. A service is one too: somebody signed for it."""

from dataclasses import dataclass
from enum import StrEnum


class PersonKind(StrEnum):
    PERSON = "person"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Person:
    """`roles`: those held everywhere, by their words in `roles`. The name and address are kept apart, so that they can go.

    `signed_for_by`: the person who answers for a service. `confirms`: has a second factor, so that high acts ask for it.
    """

    id: str
    organisation: str
    name: str
    email: str
    roles: frozenset[str] = frozenset()
    active: bool = True
    kind: PersonKind = PersonKind.PERSON
    signed_for_by: str = ""
    confirms: bool = False

"""A person: an id for ever, and a name that can be erased."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """`roles`: those held everywhere, by their words in `roles`. The name and address are kept apart, so that they can go."""

    id: str
    organisation: str
    name: str
    email: str
    roles: frozenset[str] = frozenset()
    active: bool = True

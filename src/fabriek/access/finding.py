"""Whom somebody names, by id or address."""

from fabriek.access.addresses import address_of
from fabriek.access.people import Person
from fabriek.access.ports import People
from fabriek.kernel.errors import NotFound


def person_named(people: People, said: str) -> Person:
    """Whoever it is, a service or somebody who left too: the verb says whom it takes. Raises NotFound, InvalidInput on an address that is none."""
    found = people.with_email(address_of(said)) if "@" in said else people.get(said)
    if found is None:
        raise NotFound("there is no such person", fix="fabriek org show ORGANISATION")
    return found

"""An organisation: the body that people belong to, and that holds data."""

import re
from dataclasses import dataclass
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput


class OrganisationKind(StrEnum):
    """What kind of body; calls are open to some and not to others."""

    STARTUP = "startup"
    COMPANY = "company"
    HOSPITAL = "hospital"
    UNIVERSITY = "university"
    PUBLIC = "public"
    FUNDER = "funder"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Organisation:
    """`country`: ISO 3166 alpha-2. `kvk`: the number in the Dutch business register, where there is one."""

    id: str
    slug: str
    name: str
    kind: OrganisationKind
    country: str
    kvk: str = ""


NUMBERS = "numbers"
"""Alone with the register's numbers: two organisations that get one at once would both find it free."""


def check(organisation: Organisation) -> None:
    """Raises InvalidInput on a country or register number that cannot be one. A new firm leaves the number out."""
    if not re.fullmatch(r"[A-Z]{2}", organisation.country):
        raise InvalidInput(f"{organisation.country!r} is not a country", fix="write two capitals, such as NL")
    if organisation.kvk and not re.fullmatch(r"\d{8}", organisation.kvk, re.ASCII):
        raise InvalidInput(
            "a KvK number has eight digits", fix="correct it, or leave it out: a new firm may have none yet"
        )


def slug_of(name: str) -> str:
    """A name in addresses: `Ziekenhuis Noord` → `ziekenhuis-noord`. Empty where nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")

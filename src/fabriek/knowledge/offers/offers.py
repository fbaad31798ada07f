"""An offer: a service with the terms on which each kind of asker has it. What is offered is dated data."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from fabriek.access.describing import FIRMS, SMALL
from fabriek.access.organisations import OrganisationKind
from fabriek.kernel.dated import by_name, read_rows, shipped
from fabriek.kernel.languages import Words, read_words

ASKERS = ("startup", "sme", "company", "hospital", "university", "public", "elsewhere")
"""Who may ask. `elsewhere`: of no country that takes part, whatever else they are."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`who`: for these askers. `price`: empty where it is not for them, and then `instead` says what is."""

    who: frozenset[str]
    price: Words
    instead: Words


@dataclass(frozen=True, slots=True)
class Offer:
    """`working_days`: until there is an answer. `start`: the page on which it begins, and the command that does the same."""

    name: str
    title: Words
    says: Words
    working_days: int
    start: str
    command: str
    terms: tuple[Terms, ...]
    valid_from: date
    source: str

    def terms_for(self, asker: str) -> Terms:
        """Every asker has some: those of the first row that names them."""
        return next(one for one in self.terms if asker in one.who)


def offers_on(day: date) -> tuple[Offer, ...]:
    """What is offered that day, in the order of the file."""
    return offers_of(shipped("fabriek.knowledge", "offers.toml"), day)


def offers_of(text: str, day: date) -> tuple[Offer, ...]:
    """Of each name the row that is in force. Raises InvalidInput on a slip in the file."""
    return tuple(by_name(read_rows(text, "offer", _offer), day).values())


def asker_of(kind: OrganisationKind, size: str, *, takes_part: bool) -> str:
    """Who an organisation is here. takes_part: whether its country does."""
    if not takes_part:
        return "elsewhere"
    if kind in FIRMS:
        return "startup" if kind is OrganisationKind.STARTUP else "sme" if size in SMALL else "company"
    return {OrganisationKind.HOSPITAL: "hospital", OrganisationKind.UNIVERSITY: "university"}.get(kind, "public")


def _offer(row: dict[str, Any]) -> Offer:
    terms = tuple(_terms(one) for one in row["terms"])
    if missing := [one for one in ASKERS if not any(one in each.who for each in terms)]:
        raise ValueError(f"it has no terms for {missing[0]}")
    days = row["working_days"]
    if type(days) is not int or not 1 <= days <= 250:
        raise ValueError("working_days is a whole number from 1 to 250")
    if not str(row["start"]).startswith("/"):
        raise ValueError("start is a page of the portal, such as /apply/guide")
    return Offer(
        str(row["name"]), read_words(row["title"]), read_words(row["says"]), days, row["start"], str(row["command"]), terms, row["valid_from"],
        row["source"],
    )  # fmt: skip


def _terms(row: dict[str, Any]) -> Terms:
    who = frozenset(row["who"])
    if unknown := sorted(who - set(ASKERS)):
        raise ValueError(f"nobody who asks is called {unknown[0]!r}; {', '.join(ASKERS)}")
    if ("price" in row) == ("instead" in row):
        raise ValueError("terms have a price, or say what there is instead")
    return Terms(
        who, read_words(row["price"]) if "price" in row else {}, read_words(row["instead"]) if "instead" in row else {}
    )

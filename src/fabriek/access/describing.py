"""How an organisation is described for those who pay: its sector, its region, its size, and the group it belongs to."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol

from fabriek.access.organisations import Organisation, OrganisationKind
from fabriek.access.ports import Organisations
from fabriek.access.roles import administers
from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput, NotPermitted

SMALL = frozenset({"micro", "small", "medium"})
"""Sizes of small and medium-sized enterprises: they compute free of charge."""

FIRMS = frozenset({OrganisationKind.STARTUP, OrganisationKind.COMPANY})


@dataclass(frozen=True, slots=True)
class Description:
    """Each is empty until it is known. `head`: the id of the organisation that stands at the head of its group; with none it is its own."""

    organisation: str
    sector: str = ""
    region: str = ""
    size: str = ""
    head: str = ""


class Descriptions(Protocol):
    """Storage of descriptions."""

    def of(self, organisation: str) -> Description:
        """An empty one where nobody said anything."""

    def put(self, description: Description) -> None: ...

    def members(self, head: str) -> Sequence[str]:
        """The ids of organisations that belong to the group of this one, by id; itself left out."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words that may be used, each of sectors and regions with nothing that a reader could mistake."""

    sectors: tuple[str, ...]
    regions: tuple[str, ...]
    sizes: tuple[str, ...]


@cache
def words() -> Words:
    read = tomllib.loads(shipped("fabriek.access", "describing.toml"))
    sectors = tuple(str(row["name"]) for row in read["sector"])
    return Words(sectors, _names(read, "region"), _names(read, "size"))


def _names(read: dict[str, list[dict[str, list[str]]]], head: str) -> tuple[str, ...]:
    return tuple(name for row in read[head] for name in row["names"])


def is_commercial(kind: OrganisationKind, size: str) -> bool:
    """A firm that pays: one that is not small. Of a company nobody has said so yet, and it counts as large until somebody does."""
    return kind in FIRMS and size not in (SMALL | ({""} if kind is OrganisationKind.STARTUP else set()))


class Describing:
    """Says what an organisation is. What decides on money is said by the installation's administrators alone."""

    def __init__(self, descriptions: Descriptions, bodies: Organisations, audit: Audit) -> None:
        self._descriptions, self._bodies, self._audit = descriptions, bodies, audit

    def of(self, organisation: str) -> Description:
        """By id or slug. Raises NotFound."""
        return self._descriptions.of(self._bodies.named(organisation).id)

    def shown(self, organisation: str, *, by: Caller) -> Description:
        """For those who say it, those of the organisation, and those who see all funding. Raises NotFound, NotPermitted."""
        body = self._bodies.named(organisation)
        if by.organisation != body.id and not administers(by, body.id):
            require(by, "funding.view")
        return self._descriptions.of(body.id)

    def head_of(self, organisation: str) -> Organisation:
        """Who stands at the head of its group: caps count for a group as one."""
        body = self._bodies.named(organisation)
        head = self._descriptions.of(body.id).head
        return self._bodies.named(head) if head else body

    def group_of(self, organisation: str) -> Sequence[str]:
        """The ids of all that belong to its group, its head first."""
        head = self.head_of(organisation).id
        return [head, *self._descriptions.members(head)]

    def describe(
        self, organisation: str, *, sector: str | None = None, region: str | None = None, size: str | None = None,
        head: str | None = None, by: Caller,
    ) -> Description:  # fmt: skip
        """Changes what is given. Raises NotPermitted, NotFound, InvalidInput on a word that is not known or a group within a group."""
        body = self._bodies.named(organisation)
        if not administers(by, body.id):
            raise NotPermitted(
                "only an administrator says what an organisation is",
                rule="organisation.describe",
                fix="fabriek org show",
            )
        if size is not None or head is not None:
            require(by, "organisation.create")
        known = words()
        _check("sector", sector, known.sectors)
        _check("region", region, known.regions)
        _check("size", size, known.sizes)
        with self._bodies.transaction(alone="descriptions"):
            now = self._descriptions.of(body.id)
            given = {"sector": sector, "region": region, "size": size, "head": self._head(body, head)}
            changed = replace(now, **{name: value for name, value in given.items() if value is not None})
            if changed != now:
                self._descriptions.put(changed)
                self._audit.record("organisation.described", body.id, by)
        return changed

    def _head(self, body: Organisation, named: str | None) -> str | None:
        if not named:
            return named
        head = self._bodies.named(named)
        if head.id == body.id:
            return ""
        if self._descriptions.members(body.id):
            raise InvalidInput(
                f"{body.slug} is the head of a group itself", fix="give those that belong to it another head first"
            )
        if self._descriptions.of(head.id).head:
            raise InvalidInput(f"{head.slug} belongs to a group itself", fix="name the head of that group")
        return head.id


def _check(what: str, said: str | None, known: tuple[str, ...]) -> None:
    if said and said not in known:
        raise InvalidInput(f"{said!r} is no {what} that is known here", fix=f"one of {', '.join(known)}")

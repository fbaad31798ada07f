"""Roles that are kept apart: what one person does not hold together, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from fabriek.access.roles import GLOBAL
from fabriek.kernel.dated import read_rows, shipped
from fabriek.kernel.errors import NotPermitted


@dataclass(frozen=True, slots=True)
class Apart:
    """Two roles of `roles.GLOBAL`."""

    roles: frozenset[str]
    reason: str
    source: str
    valid_from: date


def apart_of(text: str) -> tuple[Apart, ...]:
    """The pairs of a data file. Raises InvalidInput, naming the row, on one that names no two roles."""

    def read(row: dict[str, object]) -> Apart:
        named = row["roles"]
        roles = frozenset(named) if isinstance(named, list) else frozenset()
        if len(roles) != 2 or roles - GLOBAL.keys():  # a pair
            raise ValueError(f"{named!r} are not two roles")
        return Apart(roles, str(row["reason"]), str(row["source"]), row["valid_from"])  # type: ignore[arg-type]  # read_rows looked at it

    return read_rows(text, "apart", read)


@cache
def pairs() -> Sequence[Apart]:
    """Those that come with Fabriek."""
    return apart_of(shipped("fabriek.access", "roles_apart.toml"))


def check_apart(held: Iterable[str], given: Iterable[str], today: date) -> None:
    """Raises NotPermitted where a role that is given now makes a pair that is kept apart. What was held together before stays as it is."""
    before = frozenset(held)
    after = before | frozenset(given)
    for one in pairs():
        if one.valid_from <= today and one.roles <= after and not one.roles <= before:
            first, second = sorted(one.roles)
            raise NotPermitted(
                f"{first} and {second} are kept apart: {one.reason}",
                rule="role.apart",
                fix="take the other role first, or appoint somebody else",
            )

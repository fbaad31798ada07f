"""Scopes: what a token may be narrowed to, in words that people understand. Each is a set of rights, as data.

No scope holds a right with which more could be had: to make credentials, to change who is in a project, to erase, or a high act. What is
narrowed can therefore never be widened by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from fabriek.kernel.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Scope:
    """`says`: what it opens, for the person who chooses."""

    says: str
    rights: frozenset[str]


SCOPES: dict[str, Scope] = {
    "read": Scope(
        "look at everything that you may see, and pull data",
        frozenset({"project.view", "data.view", "job.view", "lab.view", "knowledge.view", "machine.view", "funding.view"}),
    ),
    "lab": Scope(
        "log runs, models and files to the lab, and read them", frozenset({"project.view", "lab.view", "lab.write"})
    ),
    "data": Scope("push and pull data", frozenset({"project.view", "data.view", "data.write"})),
    "jobs": Scope(
        "submit, follow and cancel jobs, and read what they log",
        frozenset({"project.view", "data.view", "lab.view", "job.submit", "job.view", "job.cancel", "machine.view"}),
    ),
    "audit": Scope("read the audit log", frozenset({"audit.read"})),
    "grid": Scope("for a grid operator's program: say what may be drawn, and nothing else", frozenset({"power.announce"})),
    "meter": Scope("for a meter of power: say what it reads, and nothing else", frozenset({"power.meter"})),
    "operations": Scope(
        "for an operator's own programs: power limits, usage elsewhere, the cluster's accounts",
        frozenset({"machine.view", "power.manage", "usage.import", "cluster.manage", "simulate"}),
    ),
}  # fmt: skip

WIDEST = frozenset[str]().union(*(scope.rights for scope in SCOPES.values()))
"""What a narrowed token can hold at most, whoever its person is: one that is narrowed to a project alone holds this there."""


@lru_cache(maxsize=256)
def kept_by(scopes: frozenset[str]) -> frozenset[str]:
    """What these open together. One that is no longer known opens nothing: a release that drops a scope must not widen a token."""
    if not scopes:
        return WIDEST
    return frozenset[str]().union(*(SCOPES[one].rights for one in scopes if one in SCOPES))


def check_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """Raises InvalidInput on a word that is no scope."""
    asked = frozenset(scopes)
    if unknown := sorted(asked - SCOPES.keys()):
        raise InvalidInput(f"{unknown[0]!r} is not a scope", fix=f"one or more of {', '.join(SCOPES)}")
    return asked

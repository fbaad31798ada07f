"""Roles and the rights they give. A role held everywhere gives its rights everywhere; one in a project gives them there."""

from functools import lru_cache

from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import InvalidInput

EVERYONE = frozenset({"application.submit", "knowledge.ask", "knowledge.view", "access.request"})
"""What every person who signed in may do."""

_OPERATOR = frozenset({
    "application.review", "funding.view", "funding.award", "funding.contribute", "funding.oversee", "funding.propose", "power.manage", "audit.read",
    "power.announce", "power.meter",
    "ops.backup",
    "machine.view", "simulate", "package.add", "package.approve", "usage.import", "cluster.manage", "keys.rotate", "vault.seal",
    "vault.check", "vault.collect", "project.oversee", "person.view", "case.handle", "training.teach", "knowledge.harvest",
})  # fmt: skip

GLOBAL: dict[str, frozenset[str]] = {
    "reviewer": frozenset({"application.review"}),
    "funder": frozenset({"funding.contribute", "funding.view", "funding.award", "funding.propose", "funding.sign"}),
    "director": frozenset({"funding.view", "funding.direct", "application.review"}),
    "operator": _OPERATOR,
    "grid_operator": frozenset({"power.announce"}),
    "meter": frozenset({"power.meter"}),
    "expert": frozenset({"knowledge.answer", "knowledge.be_booked"}),
    "desk": frozenset({"knowledge.answer", "case.handle"}),
    "teacher": frozenset({"training.teach"}),
    "security_officer": frozenset({
        "audit.read", "package.approve", "data.hold", "keys.rotate", "vault.seal", "person.doors", "person.view", "person.remove",
    }),
    "key_holder": frozenset({"organisation.keys"}),
    "organisation_administrator": frozenset({"organisation.manage", "organisation.appoint"}),
    "auditor": frozenset({"audit.read", "funding.view", "person.view"}),
    "administrator": _OPERATOR | {
        "organisation.create", "person.invite", "person.appoint", "person.remove", "person.doors",
    },
}  # fmt: skip

ADMINISTRATOR = "administrator"
OF_AN_ORGANISATION = frozenset({"organisation_administrator", "key_holder"})
"""Roles whose rights count within one's own organisation only: its administrators appoint them."""

_MEMBER = frozenset({
    "project.view", "data.view", "data.write", "data.manage", "job.submit", "job.view", "job.cancel", "lab.view", "lab.write",
    "knowledge.publish", "package.ask",
})  # fmt: skip

PROJECT: dict[str, frozenset[str]] = {"member": _MEMBER, "lead": _MEMBER | {"project.manage", "service.create"}}


SERVICES_EVERYWHERE = frozenset({"knowledge.view"})
"""What every service may do."""

OPEN_TO_SERVICES = frozenset({"auditor", "grid_operator", "meter"})
"""The roles held everywhere that count where a service has them: those that look on, and decide nothing; and those of programs that only
say what they know, a grid operator's and a meter's.
"""


@lru_cache(maxsize=256)
def rights_of_service(roles: frozenset[str]) -> frozenset[str]:
    """What these give a service together: whatever else somebody wrote into its row gives it nothing."""
    return SERVICES_EVERYWHERE.union(*(GLOBAL[role] for role in roles & OPEN_TO_SERVICES))


@lru_cache(maxsize=256)
def rights_of(roles: frozenset[str]) -> frozenset[str]:
    """What these global roles give together, with what everyone has."""
    return EVERYONE.union(*(GLOBAL[role] for role in roles))


@lru_cache(maxsize=1_024)
def rights_in(role: str, kept: frozenset[str]) -> frozenset[str]:
    """What a role in a project gives, of that what is kept. Asked at every request, for each project that its person is in."""
    return PROJECT[role] & kept


def administers(by: Caller, organisation: str) -> bool:
    """Whether the caller lets people into this organisation: its own administrator, or one of the installation."""
    own = by.may("organisation.manage") and by.organisation == organisation
    return by is SYSTEM or by.may("person.invite") or own


def check_global(roles: frozenset[str]) -> None:
    """Raises InvalidInput on a word that is not a role."""
    if unknown := sorted(roles - GLOBAL.keys()):
        raise InvalidInput(f"{unknown[0]!r} is not a role", fix=f"one of {', '.join(sorted(GLOBAL))}")

"""Who asks, and what they may do. Every verb of every service begins with `require`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fabriek.kernel.errors import NotPermitted

ANY_PROJECT = "*"

HIGH = frozenset({
    "data.hold", "funding.contribute", "funding.direct", "funding.oversee", "funding.propose", "funding.sign", "keys.rotate",
    "organisation.appoint", "organisation.keys", "person.appoint", "person.remove", "service.create",
})  # fmt: skip
"""Rights for acts that ask their person to show a strong factor again, where they have one."""


@dataclass(frozen=True, slots=True)
class Right:
    """A named permission such as `job.submit`; `project` narrows it where the route has one."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Caller:
    """The person, worker or job behind a request, with the rights they hold.

    `rights` are those held everywhere (an operator's, a reviewer's); `project_rights` maps project id → rights there.
    `job` is set for a job's own token: such a caller can do that job's work and nothing else. `credential`: what they came in by.
    `narrowed`: it opens less than its person may do, or is a service's, so that it makes no other. `unconfirmed`: high acts are shut until a
    strong factor was shown. `by_slug`: the ids of their projects by what addresses call them, where they are known.
    """

    person: str
    organisation: str = ""
    name: str = ""
    rights: frozenset[str] = frozenset()
    project_rights: dict[str, frozenset[str]] = field(default_factory=dict)
    job: str = ""
    request_id: str = ""
    credential: str = ""
    narrowed: bool = False
    unconfirmed: bool = False
    by_slug: Mapping[str, str] = field(default_factory=dict)

    def may(self, right: str, *, project: str = "") -> bool:
        return right in self.rights or right in self.project_rights.get(project, frozenset())

    def is_member_of(self, project: str) -> bool:
        return project in self.project_rights


SYSTEM = Caller(person="system", name="Fabriek")
"""The factory's own worker: it settles, sequences and admits. No request ever becomes this caller."""


def require_whole(by: Caller) -> None:
    """For acts with which more could be had later: credentials, links, memberships. Raises NotPermitted for a narrowed token and for a job's."""
    if by.narrowed or by.job:
        raise NotPermitted(
            "this token opens only a part of what its person may do, so it makes no credential and changes nobody's rights",
            rule="token.narrowed",
            fix="sign in yourself: fabriek login, or the portal",
        )


def require(by: Caller, right: str, *, project: str = "") -> None:
    """Raises NotPermitted unless the caller holds the right. The refusal is recorded at the edge, after the act rolled back."""
    if by is SYSTEM:
        return
    if by.may(right, project=project):
        if right in HIGH and by.unconfirmed:
            raise unconfirmed()
        return
    raise NotPermitted(
        f"this needs the right {right}" + (" in this project" if project else ""),
        rule=right,
        fix="fabriek whoami shows the rights you hold; ask the project's lead for this one",
    )


def require_confirmed(by: Caller) -> None:
    """For high acts that no right stands for: to sign, to destroy. Raises NotPermitted (`login.confirm`)."""
    if by.unconfirmed:
        raise unconfirmed()


def unconfirmed() -> NotPermitted:
    """For high acts that no right stands for, too."""
    return NotPermitted(
        "this act asks you to show again that it is you", rule="login.confirm", fix="fabriek login --confirm"
    )

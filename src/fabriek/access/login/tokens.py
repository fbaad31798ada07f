"""Personal tokens: what a person's programs come with. Narrowed to scopes and to a project, good for some days, shown once."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from fabriek.access.login.credentials import Credential, CredentialKind, hash_of, is_open, new_token
from fabriek.access.login.ports import Credentials, CredentialsOfPeople
from fabriek.access.login.scopes import check_scopes
from fabriek.access.ports import Organisations, Projects
from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require_whole
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, QuotaExhausted, nothing_here
from fabriek.kernel.ids import Ids

DAYS_DEFAULT = 30
OF_ONE_MAX = 50
"""Open at once, of one person or service: a program that makes a token at each run and never revokes one is stopped while it can be seen."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token is to be. `scopes`: empty is all that its person may do. `project`: id or slug; empty is everywhere. `days`: 0 is the usual."""

    name: str
    scopes: Collection[str] = ()
    project: str = ""
    days: int = 0


class Tokens:
    """A person's own. days_max: the longest that one may last."""

    def __init__(
        self, credentials: Credentials, theirs: CredentialsOfPeople, bodies: Organisations, projects: Projects, audit: Audit, clock: Clock,
        ids: Ids, *, days_max: int,
    ) -> None:  # fmt: skip
        self._credentials, self._theirs, self._bodies, self._projects = credentials, theirs, bodies, projects
        self._audit, self._clock, self._ids, self._days_max = audit, clock, ids, days_max

    def create(self, wanted: Wanted, *, by: Caller) -> tuple[Credential, str]:
        """A token of the caller's own and its secret, which is shown once. Raises NotPermitted for a narrowed caller, InvalidInput,
        AlreadyExists on a name that is open, QuotaExhausted.
        """
        require_whole(by)
        project = self._own_project(wanted.project, by)
        return self.issue(by.person, wanted, project, by=by)

    def issue(self, person: str, wanted: Wanted, project: str, *, by: Caller) -> tuple[Credential, str]:
        """For `create`, and for services. Whoever calls has checked that `by` may."""
        scopes, lasts = check_scopes(wanted.scopes), self._lasts(wanted.days)
        if not _NAME.fullmatch(wanted.name):
            raise InvalidInput(
                "a token's name has letters, digits, spaces and . _ - and begins with a letter or digit, 64 at most",
                fix="name what will use it: nightly-training",
            )
        now, secret = self._clock.now(), new_token(self._ids)
        made = Credential(
            hash_of(secret), CredentialKind.API, person, now + lasts, project=project, id=self._ids.new("crd"), name=wanted.name,
            scope=scopes, made_at=now,
        )  # fmt: skip
        with self._bodies.transaction(alone=f"tokens:{person}"):
            have = self.of(person)
            if any(one.name == wanted.name for one in have):
                raise AlreadyExists(
                    f"there is a token {wanted.name} already", fix=f"choose another name, or revoke it: {wanted.name}"
                )
            if len(have) >= OF_ONE_MAX:
                raise QuotaExhausted(
                    f"there are {len(have)} tokens already", fix="fabriek token revoke NAME", limit=OF_ONE_MAX, used=len(have)
                )  # fmt: skip
            self._credentials.add(made)
            self._audit.record(
                "token.created", made.id, by, person=person, scopes="+".join(sorted(scopes)) or "all", project=project or "all",
                days=lasts.days,
            )  # fmt: skip
        return made, secret

    def list(self, *, by: Caller) -> Sequence[Credential]:
        """The caller's own, newest first."""
        require_whole(by)
        return self.of(by.person)

    def revoke(self, name: str, *, by: Caller) -> Credential:
        """By name or id; from then on it opens nothing. Raises NotFound."""
        require_whole(by)
        return self.revoke_of(by.person, name, by=by)

    def revoke_of(self, person: str, name: str, *, by: Caller) -> Credential:
        """For `revoke`, and for services. Whoever calls has checked that `by` may."""
        with self._bodies.transaction():
            found = next((one for one in self.of(person) if name in {one.name, one.id}), None)
            if found is None:
                raise NotFound("there is no such token", fix="fabriek token ls")
            self._theirs.remove_with([found.id])
            self._audit.record("token.revoked", found.id, by, person=person)
        return found

    def of(self, person: str) -> Sequence[Credential]:
        """Those that are open, newest first. Tokens of a login have no name, and are not among them."""
        now = self._clock.now()
        return [
            one
            for one in self._theirs.of_person(person)
            if one.kind is CredentialKind.API and one.name and is_open(one, now)
        ]

    def _lasts(self, days: int) -> timedelta:
        asked = days or min(DAYS_DEFAULT, self._days_max)
        if not 1 <= asked <= self._days_max:
            raise InvalidInput(
                f"a token lasts 1 to {self._days_max} days", fix=f"--days {self._days_max}, and a new one after that"
            )
        return timedelta(days=asked)

    def _own_project(self, name: str, by: Caller) -> str:
        if not name:
            return ""
        project = self._projects.named(name)
        if not by.is_member_of(project.id):
            raise nothing_here()
        return project.id

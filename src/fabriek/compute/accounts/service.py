"""Keeping a cluster's accounts in step with projects and their members."""

import os
import pwd
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.compute.accounts.plan import Change, ClusterAccount, Plan, Verb, account_name, plan
from fabriek.funding.allocations import is_in_force
from fabriek.funding.service import Funding
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, Unavailable, WrongState

USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


class AccountBook(Protocol):
    """The accounts of a cluster."""

    def present(self) -> Mapping[str, ClusterAccount]:
        """By name, those that are not ours too. Raises Unavailable."""

    def apply(self, change: Change) -> None:
        """Takes one step; done twice is done once. Raises Unavailable, InvalidInput with the cluster's own reason."""


class Memberships(Protocol):
    """Who is in which project, as one short text."""

    def mark(self) -> str: ...


class Transactions(Protocol):
    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class Synced:
    """`done` is empty where it was only asked what would be done."""

    planned: tuple[Change, ...]
    done: tuple[Change, ...]
    left: tuple[str, ...]


class ClusterAccounts:
    """`book` is None where no cluster runs the jobs. `users`: a TOML file, `"olga@factory.example" = "olga"`."""

    def __init__(
        self, book: AccountBook | None, users: Path | None, *, access: Access, funding: Funding, audit: Audit, clock: Clock,
        transactions: Transactions, memberships: Memberships,
    ) -> None:  # fmt: skip
        self._book, self._users = book, users
        self._access, self._funding, self._audit, self._clock = access, funding, audit, clock
        self._transactions, self._memberships = transactions, memberships
        self._mark = ""
        self._seen: frozenset[str] = frozenset()

    def sync(self, *, by: Caller, dry_run: bool = False) -> Synced:
        """Brings the cluster's accounts in step, or says only what that would take. What the cluster refuses is left and named. Raises
        WrongState where there is no cluster, Unavailable.
        """
        require(by, "cluster.manage")
        if self._book is None:
            raise WrongState("this factory runs no jobs on Slurm", fix="FABRIEK_EXECUTOR=slurm")
        found = self._plan(self._book)
        if dry_run:
            return Synced(found.changes, (), found.left)
        done: list[Change] = []
        left = list(found.left)
        try:
            for change in found.changes:
                try:
                    self._book.apply(change)
                    done.append(change)
                except InvalidInput as error:
                    left.append(f"{change}: {error.detail}")
        finally:
            self._record(done, len(left), by)
        self._seen = frozenset(one.name for one in self.wanted())
        return Synced(found.changes, tuple(done), tuple(left))

    def follow(self) -> bool:
        """Brings the cluster in step where somebody came into a project or left one since the last look: whoever is out may submit no more,
        and not only when the next full look is due. For the worker. Whether there was something to do.
        """
        mark = self._memberships.mark()
        if mark == self._mark:
            return False
        self._mark = mark
        self.sync(by=SYSTEM)
        return True

    def account_of(self, project: str) -> str:
        """The account of a project, by its slug; one that was never seen is made first. Raises Unavailable, also where the operator has
        something to correct: that is not the job's doing.
        """
        name = account_name(project)
        if name not in self._seen:
            try:
                self.sync(by=SYSTEM)
            except InvalidInput as error:
                raise Unavailable(error.detail, fix=error.fix, retry_after_seconds=60) from None
        return name

    def wanted(self) -> list[ClusterAccount]:
        """One account for each project. It is open while an allocation of the project is in force; under it may submit those of its active
        members that are somebody on the cluster, and we.
        """
        today = self._clock.today()
        allocations = self._funding.allocations(by=SYSTEM)
        names, ours = self._names(), pwd.getpwuid(os.getuid()).pw_name
        found = []
        for project in sorted({one.project for one in allocations}):
            people = [person for _, person in self._access.members(project, by=SYSTEM) if person.active]
            users = frozenset(names[one.email] for one in people if one.email in names) | {ours}
            in_force = any(one.project == project and is_in_force(one, today) for one in allocations)
            name = account_name(self._access.project(project).slug)
            found.append(ClusterAccount(name, project, users, open=in_force))
        return found

    def _plan(self, book: AccountBook) -> Plan:
        return plan(self.wanted(), book.present())

    def _names(self) -> Mapping[str, str]:
        """Address → user of the cluster. Raises InvalidInput naming the line that cannot be."""
        if self._users is None:
            return {}
        try:
            read = tomllib.loads(self._users.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidInput(
                f"{self._users} cannot be read: {error}", fix="correct the file of slurm_users"
            ) from None
        for email, user in read.items():
            if not isinstance(user, str) or not USER.fullmatch(user):
                raise InvalidInput(f"{email} cannot be the user {user!r}", fix=f"correct {self._users}")
        return {email.lower(): user for email, user in read.items()}

    def _record(self, done: list[Change], left: int, by: Caller) -> None:
        if not done:
            return
        count = Counter(one.verb for one in done)
        with self._transactions.transaction():
            self._audit.record(
                "cluster.accounts_synced", "cluster", by, accounts_added=count[Verb.ADD_ACCOUNT], users_added=count[Verb.ADD_USER],
                users_removed=count[Verb.REMOVE_USER], closed=count[Verb.CLOSE], reopened=count[Verb.REOPEN], left=left,
            )  # fmt: skip

"""What differs between the accounts that a cluster has and those that projects and their members call for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "fabriek-"


@dataclass(frozen=True, slots=True)
class ClusterAccount:
    """`project` is the id that its mark names; empty for an account that is none of ours. `users` may submit under it as long as it is
    `open`; `blocked` are those who are still there and may not.
    """

    name: str
    project: str
    users: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()
    open: bool = True


class Verb(StrEnum):
    ADD_ACCOUNT = "add account"
    ADD_USER = "add user"
    REMOVE_USER = "remove user"
    CLOSE = "close account"
    REOPEN = "reopen account"


@dataclass(frozen=True, slots=True)
class Change:
    """One step. `user` for those two that are about one, `project` for a new account."""

    verb: Verb
    account: str
    user: str = ""
    project: str = ""

    def __str__(self) -> str:
        match self.verb:
            case Verb.ADD_USER:
                return f"add user {self.user} to {self.account}"
            case Verb.REMOVE_USER:
                return f"remove user {self.user} from {self.account}"
            case _:
                return f"{self.verb} {self.account}"


@dataclass(frozen=True, slots=True)
class Plan:
    """`left`: what is not as it should be and stays so, each with the reason."""

    changes: tuple[Change, ...]
    left: tuple[str, ...] = ()


def account_name(slug: str) -> str:
    """The account of a project on a cluster."""
    return f"{PREFIX}{slug}"


def plan(wanted: Sequence[ClusterAccount], present: Mapping[str, ClusterAccount]) -> Plan:
    """What makes the present accounts the wanted ones. An account that does not bear the mark of the very project is left alone, and so is
    every account that nobody wants: a second factory may share the cluster.
    """
    changes: list[Change] = []
    left: list[str] = []
    for account in wanted:
        there = present.get(account.name)
        if there is not None and there.project != account.project:
            left.append(f"{account.name}: the cluster has an account of that name that is not this project's")
            continue
        if there is None:
            changes.append(Change(Verb.ADD_ACCOUNT, account.name, project=account.project))
            there = ClusterAccount(account.name, account.project)
        changes += _steps(account, there)
    return Plan(tuple(changes), tuple(left))


def _steps(wanted: ClusterAccount, there: ClusterAccount) -> list[Change]:
    # Shut before anything else, opened after everything else.
    steps = [Change(Verb.CLOSE, wanted.name)] if there.open and not wanted.open else []
    gone = sorted((there.users | there.blocked) - wanted.users)
    steps += [Change(Verb.REMOVE_USER, wanted.name, user) for user in gone]
    steps += [Change(Verb.ADD_USER, wanted.name, user) for user in sorted(wanted.users - there.users)]
    return steps + ([Change(Verb.REOPEN, wanted.name)] if wanted.open and not there.open else [])

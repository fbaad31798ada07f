"""A cluster's accounts, as `sacctmgr` keeps them. Ours bear a mark in their description; nothing of it was written by a user."""

import re
from collections import defaultdict
from collections.abc import Mapping

from fabriek.compute.accounts.plan import Change, ClusterAccount, Verb
from fabriek.compute.executors.slurm_commands import SlurmCommands
from fabriek.kernel.errors import InvalidInput

MARK = re.compile(r"fabriek (prj_[0-9a-z]+)")
NOTHING_NEW = "Nothing new added"
ACTIVE = "active"
SHUT, UNBOUND = "0", "-1"
"""How many jobs may be submitted: none, or as many as anybody's."""


class Sacctmgr:
    """Our user must be an administrator of the accounts."""

    def __init__(self, commands: SlurmCommands) -> None:
        self._commands = commands

    def present(self) -> Mapping[str, ClusterAccount]:
        marks = {
            name: match[1] if (match := MARK.fullmatch(description)) else ""
            for name, description in self._rows("account", "account,description")
        }
        users: dict[str, set[str]] = defaultdict(set)
        blocked: dict[str, set[str]] = defaultdict(set)
        shut: set[str] = set()
        for account, user, all_may, one_may in self._rows("associations", "account,user,grpsubmit,maxsubmit"):
            if user:
                (blocked if one_may == SHUT else users)[account].add(user)
            elif all_may == SHUT:
                shut.add(account)
        return {
            name: ClusterAccount(name, project, frozenset(users[name]), frozenset(blocked[name]), open=name not in shut)
            for name, project in marks.items()
        }

    def apply(self, change: Change) -> None:
        account = f"name={change.account}"
        match change.verb:
            case Verb.ADD_ACCOUNT:
                mark = f"fabriek {change.project}"
                self._add("account", account, f"description={mark}", "organization=fabriek")
            case Verb.ADD_USER:
                self._add("user", f"name={change.user}", f"account={change.account}")
                self._let_submit(change, UNBOUND)
            case Verb.REMOVE_USER:
                self._remove_user(change)
            case Verb.CLOSE:
                self._change("modify", "account", "where", account, "set", f"grpsubmitjobs={SHUT}")
            case Verb.REOPEN:
                self._change("modify", "account", "where", account, "set", f"grpsubmitjobs={UNBOUND}")

    def _remove_user(self, change: Change) -> None:
        """One who has jobs there cannot be removed yet, and submits no more meanwhile."""
        self._leave_as_default(change)
        try:
            self._change("remove", "user", "where", f"name={change.user}", f"account={change.account}")
        except InvalidInput as error:
            if ACTIVE in error.detail:
                self._let_submit(change, SHUT)
            raise

    def _leave_as_default(self, change: Change) -> None:
        """Slurm does not remove a user from the account that is theirs by default, as long as they have another."""
        named = f"name={change.user}"
        default = self._rows("user", "defaultaccount", "where", named)
        if default != [[change.account]]:
            return
        rows = self._rows("associations", "account", "where", f"user={change.user}")
        if others := [account for (account,) in rows if account != change.account]:
            self._change("modify", "user", "where", named, "set", f"defaultaccount={others[0]}")

    def _let_submit(self, change: Change, count: str) -> None:
        where = (f"name={change.user}", f"account={change.account}")
        self._change("modify", "user", "where", *where, "set", f"maxsubmitjobs={count}")

    def _add(self, *words: str) -> None:
        try:
            self._change("add", *words)
        except InvalidInput as error:
            if NOTHING_NEW not in error.detail:
                raise

    def _change(self, *words: str) -> None:
        self._commands.ask("sacctmgr", "--immediate", *words)

    def _rows(self, kind: str, columns: str, *where: str) -> list[list[str]]:
        words = ("--noheader", "--parsable2", "list", kind, *where, f"format={columns}")
        return [line.split("|") for line in self._commands.ask("sacctmgr", *words).splitlines() if line]

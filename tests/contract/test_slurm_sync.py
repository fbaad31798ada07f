"""A real cluster's accounts, kept in step with projects and their members."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from fabriek.access.people import Person
from fabriek.access.store import SqlMemberships, memberships
from fabriek.compute.accounts.plan import account_name
from fabriek.compute.accounts.service import ClusterAccounts, Synced
from fabriek.compute.executors.sacctmgr import Sacctmgr
from fabriek.compute.executors.slurm_commands import SlurmCommands
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotPermitted, Unavailable, WrongState
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.factories.waiting import until
from tests.servers import slurm

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]


@dataclass
class Place:
    """A town with two projects of one person, beside a real cluster."""

    town: Town
    cluster: slurm.Cluster
    users: Path
    person: Caller
    projects: list[str]

    def sync(self, *, dry_run: bool = False) -> Synced:
        return self.accounts.sync(by=self.town.operator, dry_run=dry_run)

    @property
    def accounts(self) -> ClusterAccounts:
        book = Sacctmgr(SlurmCommands(self.cluster.environment["SLURM_CONF"]))
        services = self.town.services
        return ClusterAccounts(
            book, self.users, access=services.access, funding=services.funding, audit=services.audit, clock=self.town.clock,
            transactions=services.database, memberships=SqlMemberships(services.database),
        )  # fmt: skip

    def listed(self) -> list[str]:
        """Every association of the cluster, `account|user|of all|of one`."""
        columns = "format=account,user,grpsubmit,maxsubmit"
        return self.cluster.command("sacctmgr", "-nP", "list", "associations", columns).split()

    def mine(self) -> list[str]:
        names = {account_name(one) for one in self.projects}
        return [one for one in self.listed() if one.split("|")[0] in names]

    def leave(self, project: str) -> None:
        """The person is a member no more."""
        services = self.town.services
        home = services.access.project(project)
        gone = (memberships.c.project == home.id, memberships.c.person == self.person.person)
        with services.database.transaction():
            services.database.execute(delete(memberships).where(*gone))

    def name(self, user: str) -> None:
        """Who the person is on the cluster from now on."""
        self.users.write_text(f'"{self.account.email}" = "{user}"\n')

    @property
    def account(self) -> Person:
        return self.town.services.access.person(self.person.person)

    def sbatch(self, project: str, *words: str) -> "subprocess.CompletedProcess[str]":
        asked = ["sbatch", "--parsable", "--account", account_name(project), "--output", "/dev/null", "--chdir", "/"]
        return subprocess.run(
            [*asked, *words], env=self.cluster.environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def place(slurm_cluster: slurm.Cluster, tmp_path: Path) -> Iterator[Place]:
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    person = town.person("weefsel")
    projects = [town.project(person), town.project(person)]
    made = Place(town, slurm_cluster, tmp_path / "users.toml", person, projects)
    made.name("daemon")
    yield made
    database.close()


def test_asked_only_what_would_be_done_nothing_is(place: Place) -> None:
    before = place.listed()
    said = place.sync(dry_run=True)
    assert len(said.planned) == 6
    assert (said.done, said.left) == ((), ())
    assert place.listed() == before


def test_projects_become_accounts_with_their_members_once_and_jobs_run_under_them(place: Place) -> None:
    first = place.sync()
    assert first.done == first.planned
    for project in place.projects:
        found = {f"{account_name(project)}|{user}||" for user in ("", "daemon", "root")}
        assert found <= set(place.listed())
    assert place.sync() == Synced((), (), ())
    assert place.sbatch(place.projects[0], "--wrap", "true").returncode == 0
    events = place.town.services.audit.events(by=place.town.operator, limit=100, subject="cluster").items
    assert [one.action for one in events] == ["cluster.accounts_synced"]
    assert json.loads(events[0].facts)["users_added"] == 4


def test_the_first_job_of_a_project_brings_its_account_along(place: Place) -> None:
    accounts, (first, second) = place.accounts, place.projects
    assert place.mine() == []
    assert accounts.account_of(first) == account_name(first)
    assert place.sbatch(first, "--wrap", "true").returncode == 0
    place.cluster.command("sacctmgr", "-i", "remove", "account", "where", f"name={account_name(second)}")
    assert accounts.account_of(second) == account_name(second)
    assert [one for one in place.mine() if one.startswith(account_name(second))] == []  # asked once, not for each job


def test_who_leaves_a_project_loses_it_also_where_it_was_their_default(place: Place) -> None:
    place.sync()
    for project in place.projects:
        place.leave(project)
        assert [str(one) for one in place.sync().done] == [f"remove user daemon from {account_name(project)}"]
    assert [one for one in place.mine() if "daemon" in one] == []


def test_who_has_jobs_still_submits_no_more_and_goes_when_they_are_over(place: Place) -> None:
    place.sync()
    project = place.projects[0]
    running = place.sbatch(project, "--uid", "daemon", "--wrap", "sleep 600")
    assert running.returncode == 0, running.stderr
    job = running.stdout.strip()
    until(
        lambda: place.cluster.command("sacct", "-X", "-n", "-j", job)
    )  # accounts hear of a job a moment after the controller
    place.leave(project)
    said = place.sync()
    assert said.done == ()
    assert "active" in said.left[0]
    assert f"{account_name(project)}|daemon||0" in place.listed()
    refused = place.sbatch(project, "--uid", "daemon", "--wrap", "true")
    assert refused.returncode != 0
    place.cluster.command("scancel", job)
    until(lambda: place.sync().left == ())
    assert [one for one in place.mine() if one.startswith(f"{account_name(project)}|daemon")] == []


def test_who_was_blocked_and_comes_back_may_submit_again(place: Place) -> None:
    place.sync()
    where = ("where", "name=daemon", f"account={account_name(place.projects[0])}")
    place.cluster.command("sacctmgr", "-i", "modify", "user", *where, "set", "maxsubmitjobs=0")
    assert [str(one) for one in place.sync().done] == [f"add user daemon to {account_name(place.projects[0])}"]
    assert place.sbatch(place.projects[0], "--uid", "daemon", "--wrap", "true").returncode == 0


def test_a_project_that_is_over_may_submit_nothing_until_it_has_an_allocation_again(place: Place) -> None:
    place.sync()
    place.town.clock.move(timedelta(days=400))
    assert [str(one) for one in place.sync().done] == [f"close account {account_name(one)}" for one in place.projects]
    refused = place.sbatch(place.projects[0], "--wrap", "true")
    assert refused.returncode != 0
    assert "limit" in refused.stderr.lower()
    assert place.sync() == Synced((), (), ())
    place.town.clock.move(-timedelta(days=400))
    assert [str(one) for one in place.sync().done] == [f"reopen account {account_name(one)}" for one in place.projects]
    assert place.sbatch(place.projects[0], "--wrap", "true").returncode == 0


def test_accounts_that_are_not_ours_are_never_touched(place: Place) -> None:
    taken = account_name(place.projects[0])
    for name in (taken, "physics"):
        place.cluster.command("sacctmgr", "-i", "add", "account", name, "cluster=fac", "description=theirs")
    place.cluster.command("sacctmgr", "-i", "add", "user", "name=games", f"account={taken},physics")
    before = [one for one in place.listed() if not one.startswith(account_name(place.projects[1]))]
    said = place.sync()
    assert taken in said.left[0]
    assert [one for one in place.listed() if not one.startswith(account_name(place.projects[1]))] == before
    assert {one.account for one in said.done} == {account_name(place.projects[1])}


def test_a_file_of_users_that_cannot_be_changes_nothing(place: Place) -> None:
    before = place.listed()
    for text in ('"a@b.example" = "alice account=root"', '"a@b.example" = 3', "not toml", '"a@b.example" = ""'):
        place.users.write_text(text)
        with pytest.raises(InvalidInput):
            place.sync()
        with pytest.raises(Unavailable):  # a job waits for the operator, and does not fail
            place.accounts.account_of(place.projects[0])
    place.users.unlink()
    with pytest.raises(InvalidInput, match="cannot be read"):
        place.sync()
    assert place.listed() == before


def test_nobody_but_an_operator_may_and_nobody_without_a_cluster_can(place: Place) -> None:
    with pytest.raises(NotPermitted):
        place.accounts.sync(by=place.town.again(place.person))
    with pytest.raises(WrongState, match="no jobs on Slurm"):
        place.town.services.cluster_accounts.sync(by=place.town.operator)


def test_who_leaves_is_out_of_the_cluster_at_the_next_look_and_not_only_at_the_next_full_one(place: Place) -> None:
    accounts = place.accounts
    assert accounts.follow(), "the first look finds what nobody looked at"
    assert not accounts.follow()
    mine = f"{account_name(place.projects[0])}|daemon||"
    assert mine in place.listed()
    place.leave(place.projects[0])
    assert accounts.follow()
    assert mine not in place.listed()
    assert place.sbatch(place.projects[0], "--uid", "daemon", "--wrap", "true").returncode != 0
    assert not accounts.follow()

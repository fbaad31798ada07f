"""Secrets, on both databases: who sets, who lists, who gets, and what lies in the rows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text, update

from fabriek.adapters.database import Database
from fabriek.compute.jobs import Job, State
from fabriek.compute.requests import JobAsked
from fabriek.compute.secrets.secrets import use_of
from fabriek.compute.secrets.store import secrets as rows
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import Damaged, NotFound, NotPermitted, QuotaExhausted, WrongState
from tests.contract.test_worker import Shop, a_worker
from tests.factories.executor import MemoryExecutor
from tests.factories.services import a_town

CANARY = "canary-9f3b1d"


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Iterator[Shop]:
    town = a_town(database, tmp_path / "home")
    person = town.person("weefsel")
    project = town.project(person)
    assert isinstance(town.services.executor, MemoryExecutor)
    made = Shop(town, town.again(person), project, a_worker(town), town.services.executor)
    yield made
    made.worker._starter.close()
    made.worker._upkeep.close()


def naming(shop: Shop, *secrets: str) -> Job:
    asked = JobAsked(("sleep", "60"), secrets=tuple(use_of(one) for one in secrets))
    return shop.town.services.compute.submit(shop.project, asked, by=shop.person)


def node_of(shop: Shop, job: Job) -> Caller:
    """Its node, by the token that the node was handed."""
    spec = next(one.spec for handle, one in shop.executor._attempts.items() if handle.job == job.id)
    return shop.town.services.identity.caller_of(spec.node_token)


def test_a_running_jobs_node_gets_what_the_job_names_and_nothing_else(shop: Shop) -> None:
    box = shop.town.services.strongbox
    box.set(shop.project, "TOKEN", CANARY, by=shop.person)
    box.set(shop.project, "OTHER", "not asked for", by=shop.person)
    job = shop.work(naming(shop, "TOKEN=HF_TOKEN"), State.RUNNING)
    assert box.for_job(job.id, by=node_of(shop, job)) == {"TOKEN": CANARY}
    listed = {one.name: one for one in box.list(shop.project, by=shop.person)}
    assert listed["TOKEN"].used_at == shop.town.clock.now()
    assert listed["OTHER"].used_at is None


def test_nothing_that_is_handed_over_or_kept_holds_the_value(shop: Shop) -> None:
    services = shop.town.services
    services.strongbox.set(shop.project, "TOKEN", CANARY, by=shop.person)
    job = shop.work(naming(shop, "TOKEN"), State.RUNNING)
    services.strongbox.for_job(job.id, by=node_of(shop, job))
    assert all(CANARY not in one.spec.to_json() for one in shop.executor._attempts.values())
    database = services.database
    tables = database.rows(
        text("select name from sqlite_master where type = 'table'")
        if database.dialect == "sqlite"
        else text("select tablename from pg_tables where schemaname = 'public'")
    )
    looked = 0
    for (table,) in tables:
        found = [bytes(str(tuple(row)), "utf-8") for row in database.rows(text(f'select * from "{table}"'))]  # noqa: S608  # our own names
        looked += len(found)
        assert not any(CANARY.encode() in row for row in found), table
    assert looked > 20


def test_nobody_but_the_jobs_own_node_gets_its_secrets(shop: Shop) -> None:
    services = shop.town.services
    services.strongbox.set(shop.project, "TOKEN", CANARY, by=shop.person)
    job, other = shop.work(naming(shop, "TOKEN"), State.RUNNING), shop.work(naming(shop), State.RUNNING)
    for by in (shop.person, shop.town.operator, node_of(shop, other)):
        with pytest.raises(NotFound, match="no such thing"):
            services.strongbox.for_job(job.id, by=by)


def test_a_job_that_is_over_gets_nothing_more(shop: Shop) -> None:
    shop.town.services.strongbox.set(shop.project, "TOKEN", CANARY, by=shop.person)
    job = shop.work(naming(shop, "TOKEN"), State.RUNNING)
    node = node_of(shop, job)
    shop.town.services.compute.cancel(shop.project, job.id, by=shop.person)
    shop.work(job, State.CANCELLED)
    with pytest.raises(WrongState, match="cancelled"):
        shop.town.services.strongbox.for_job(job.id, by=node)


def test_a_job_that_names_no_secret_of_the_project_is_not_taken_also_not_in_a_dry_run(shop: Shop) -> None:
    services, asked = shop.town.services, JobAsked(("true",), secrets=(use_of("TOKEN"),))
    for act in (services.compute.submit, services.planner.plan):
        with pytest.raises(NotFound, match="no secret TOKEN") as refused:
            act(shop.project, asked, by=shop.person)
        assert refused.value.fix == "fabriek secret set TOKEN"
    assert services.compute.list(shop.project, limit=10, cursor="", by=shop.person).items == []


def test_a_secret_that_was_removed_meanwhile_is_named_as_the_reason(shop: Shop) -> None:
    box = shop.town.services.strongbox
    box.set(shop.project, "TOKEN", CANARY, by=shop.person)
    job = shop.work(naming(shop, "TOKEN"), State.RUNNING)
    box.remove(shop.project, "TOKEN", by=shop.person)
    with pytest.raises(NotFound, match="the secret TOKEN was removed"):
        box.for_job(job.id, by=node_of(shop, job))
    with pytest.raises(NotFound, match="no such secret"):
        box.remove(shop.project, "TOKEN", by=shop.person)


def test_a_new_value_takes_the_place_of_the_old(shop: Shop) -> None:
    box = shop.town.services.strongbox
    box.set(shop.project, "TOKEN", "the old one", by=shop.person)
    box.set(shop.project, "TOKEN", CANARY, by=shop.person)
    job = shop.work(naming(shop, "TOKEN"), State.RUNNING)
    assert box.for_job(job.id, by=node_of(shop, job)) == {"TOKEN": CANARY}
    assert len(box.list(shop.project, by=shop.person)) == 1


def test_only_a_lead_sets_and_removes_and_a_stranger_sees_none(shop: Shop) -> None:
    access, box = shop.town.services.access, shop.town.services.strongbox
    member, stranger = shop.town.person("weefsel"), shop.town.person("elsewhere")
    access.add_member(shop.project, member.person, "member", by=shop.person)
    member = shop.town.again(member)
    box.set(shop.project, "TOKEN", CANARY, by=shop.person)
    for by in (member, stranger):
        with pytest.raises(NotPermitted, match=r"project\.manage"):
            box.set(shop.project, "TOKEN", "mine", by=by)
        with pytest.raises(NotPermitted, match=r"project\.manage"):
            box.remove(shop.project, "TOKEN", by=by)
    assert [one.name for one in box.list(shop.project, by=member)] == ["TOKEN"]
    with pytest.raises(NotPermitted):
        box.list(shop.project, by=stranger)


@pytest.mark.parametrize("moved", ["name", "project"])
def test_a_row_that_was_moved_behind_our_back_does_not_open(shop: Shop, moved: str) -> None:
    services = shop.town.services
    services.strongbox.set(shop.project, "THEIRS", CANARY, by=shop.person)
    services.strongbox.set(shop.project, "TOKEN", "another", by=shop.person)
    project = shop.town.project(shop.person) if moved == "project" else shop.project
    home = services.access.project(project).id
    place = {"project": home} if moved == "project" else {"name": "TOKEN"}
    name = "THEIRS" if moved == "project" else "TOKEN"
    person = shop.town.again(shop.person)
    theirs = next(one for one in services.strongbox.list(shop.project, by=person) if one.name == "THEIRS")
    with services.database.transaction():
        if moved == "name":
            services.database.execute(
                update(rows).where(rows.c.name == "TOKEN").values(sealed=theirs.sealed, wrapped=theirs.wrapped)
            )
        else:
            services.database.execute(update(rows).where(rows.c.id == theirs.id).values(**place))
    here = replace(shop, person=person, project=project)
    job = here.work(naming(here, name), State.RUNNING)
    with pytest.raises(Damaged):
        services.strongbox.for_job(job.id, by=node_of(here, job))


def test_a_project_has_so_many_secrets_and_no_more(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fabriek.compute.secrets.strongbox.SECRETS_MAX", 2)
    box = shop.town.services.strongbox
    for name in ("A", "B"):
        box.set(shop.project, name, CANARY, by=shop.person)
    box.set(shop.project, "A", "another", by=shop.person)
    with pytest.raises(QuotaExhausted) as full:
        box.set(shop.project, "C", CANARY, by=shop.person)
    assert full.value.fields == {"limit": 2, "used": 2}

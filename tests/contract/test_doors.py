"""Who may go into a session, and for how long: asked at every visit, on both databases."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from fabriek.access.store import projects
from fabriek.adapters.database import Database
from fabriek.compute.jobs import Job, State
from fabriek.compute.progress import handle_of
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.terms import Terms
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import (
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    WrongState,
)
from tests.contract.test_worker import Shop, a_worker
from tests.factories.executor import MemoryExecutor
from tests.factories.services import a_town
from tests.factories.vault import fill


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Iterator[Shop]:
    town = a_town(database, tmp_path / "home")
    person = town.person("weefsel")
    project = town.project(person)
    executor = town.services.executor
    assert isinstance(executor, MemoryExecutor)
    made = Shop(town, town.again(person), project, a_worker(town), executor)
    yield made
    made.worker._starter.close()
    made.worker._upkeep.close()


@pytest.fixture
def session(shop: Shop) -> Job:
    asked = JobAsked(("sleep", "60"), wall_seconds_max=3_600, terms=Terms(port=8_888))
    return shop.work(shop.town.services.compute.submit(shop.project, asked, by=shop.person), State.RUNNING)


def visitor(shop: Shop, session: Job) -> tuple[str, Caller]:
    """A secret at the door, and whose it is."""
    services = shop.town.services
    code = services.doors.code_for(shop.project, session.id, by=shop.person)
    secret = services.job_secrets.enter(code, session.id)
    return secret, services.identity.caller_at_door(secret, session.id)


def test_who_started_it_goes_in(shop: Shop, session: Job) -> None:
    _, caller = visitor(shop, session)
    assert caller.person == shop.person.person
    assert shop.town.services.doors.behind(session.id, by=caller).name == "port.sock"
    assert shop.town.services.doors.shell_of(session.id, by=caller).name == "shell.sock"


def test_a_code_opens_once_soon_and_one_door(shop: Shop, session: Job) -> None:
    services = shop.town.services
    code = services.doors.code_for(shop.project, session.id, by=shop.person)
    with pytest.raises(NotAuthenticated):
        services.job_secrets.enter(code, "job_other")
    services.job_secrets.enter(code, session.id)
    late = services.doors.code_for(shop.project, session.id, by=shop.person)
    shop.town.clock.move(timedelta(seconds=61))
    for again in (code, late, "guess"):
        with pytest.raises(NotAuthenticated):
            services.job_secrets.enter(again, session.id)


def test_a_visit_is_to_one_job_and_is_no_token_for_anything_else(shop: Shop, session: Job) -> None:
    identity = shop.town.services.identity
    secret, _ = visitor(shop, session)
    with pytest.raises(NotAuthenticated):
        identity.caller_at_door(secret, "job_other")
    for opens in (identity.caller_of, identity.caller_of_session, identity.caller_of_lab_token):
        with pytest.raises(NotAuthenticated):
            opens(secret)
    token = identity.issue_token(shop.person.person, by=shop.person)
    with pytest.raises(NotAuthenticated):
        identity.caller_at_door(token, session.id)


def test_a_colleague_and_a_stranger_stay_outside(shop: Shop, session: Job) -> None:
    services = shop.town.services
    colleague = shop.town.person("weefsel")
    services.access.add_member(shop.project, colleague.person, "member", by=shop.person)
    colleague = shop.town.again(colleague)
    with pytest.raises(NotPermitted, match="who started it"):
        services.doors.code_for(shop.project, session.id, by=colleague)
    with pytest.raises(NotPermitted):
        services.doors.behind(session.id, by=colleague)
    stranger = shop.town.person("elders")
    with pytest.raises(NotFound):
        services.doors.behind(session.id, by=stranger)
    with pytest.raises(NotPermitted):
        services.doors.code_for(shop.project, session.id, by=stranger)


def test_the_door_shuts_with_the_job(shop: Shop, session: Job) -> None:
    services = shop.town.services
    secret, caller = visitor(shop, session)
    shop.executor.end(handle_of(session))
    shop.settled(session)
    with pytest.raises(WrongState):
        services.doors.behind(session.id, by=caller)
    with pytest.raises(NotAuthenticated):
        services.identity.caller_at_door(secret, session.id)


def test_a_job_that_serves_nothing_has_no_door(shop: Shop) -> None:
    running = shop.work(shop.submit("sleep", "60"), State.RUNNING)
    with pytest.raises(WrongState, match="serves nothing"):
        shop.town.services.doors.behind(running.id, by=shop.person)


def test_more_time_is_held_told_and_charged(shop: Shop, session: Job) -> None:
    doors, before = shop.town.services.doors, shop.left()
    longer = doors.extend(shop.project, session.id, 3_600, by=shop.person)
    assert (longer.wall_seconds_max, longer.held_micro) == (7_200, 2 * session.held_micro)
    assert shop.left() == before - session.held_micro
    assert shop.executor.told == [(handle_of(session), "extend:7200")]
    shop.town.clock.move(timedelta(minutes=90))
    shop.executor.end(handle_of(session))
    ended = shop.settled(session)
    assert ended.used_micro * 4 == longer.held_micro * 3
    assert shop.town.services.funding.balanced()


def test_no_more_time_beyond_credits_limits_or_while_others_wait(shop: Shop, session: Job) -> None:
    doors = shop.town.services.doors
    with pytest.raises(InvalidInput, match="120 hours"):
        doors.extend(shop.project, session.id, 120 * 3_600, by=shop.person)
    left = shop.left()
    shop.submit("sleep", "60", cpus=4)
    with pytest.raises(WrongState, match="others wait"):
        doors.extend(shop.project, session.id, 3_600, by=shop.person)
    assert shop.left() < left
    assert shop.executor.told == []


@pytest.mark.parametrize(("right", "comes_in"), [("compute", False), ("view", True)])
def test_who_may_only_compute_on_data_does_not_look_at_it_through_a_session(
    shop: Shop, right: str, *, comes_in: bool
) -> None:
    """Above the line where output waits for a release, a notebook would show what the log may not."""
    vault, owner = shop.town.services.vault, shop.person
    partner = shop.town.person("partner")
    theirs = shop.town.project(partner)
    partner = shop.town.again(partner)
    with shop.town.services.database.transaction():  # as an award on another route than the short one would make it
        shop.town.services.database.execute(update(projects).values(label_ceiling="export-controlled"))
    vault.create(shop.project, "cells", label="export-controlled", by=owner)
    fill(shop.town.services, vault.open_upload(shop.project, "cells", label="", by=owner), {"a.txt": b"a"}, by=owner)
    until = date(2027, 1, 1)
    vault.agree("cells", home=shop.project, project=theirs, purposes=["civilian"], right=right, until=until, by=owner)
    asked = JobAsked(("sleep", "60"), inputs=(InputAsked(f"{shop.project}/cells", "/data"),), terms=Terms(port=8_888))
    job = shop.town.services.compute.submit(theirs, asked, by=partner)
    there = Shop(shop.town, partner, theirs, shop.worker, shop.executor)
    there.work(job, State.RUNNING)
    if comes_in:
        assert shop.town.services.doors.code_for(theirs, job.id, by=partner)
        return
    for way in (
        lambda: shop.town.services.doors.code_for(theirs, job.id, by=partner),
        lambda: shop.town.services.doors.behind(job.id, by=partner),
        lambda: shop.town.services.doors.shell_of(job.id, by=partner),
    ):
        with pytest.raises(NotPermitted):
            way()


def test_where_jobs_are_on_other_hosts_a_session_is_refused_before_it_costs_anything(
    database: Database, tmp_path: Path
) -> None:
    town = a_town(database, tmp_path / "home", doors=False)
    person = town.person("weefsel")
    project = town.project(person)
    asked = JobAsked(("sleep", "60"), terms=Terms(port=8_888))
    with pytest.raises(NotPermitted, match="hosts of their own") as refused:
        town.services.compute.submit(project, asked, by=town.again(person))
    assert refused.value.fields["rule"] == "session.other_host"


def test_no_code_is_given_for_a_job_into_which_no_way_leads(shop: Shop) -> None:
    running = shop.work(shop.submit("sleep", "60"), State.RUNNING)
    doors = shop.town.services.doors
    doors._executor = object()  # type: ignore[assignment]  # as an executor that reaches into nothing
    for ask in (
        lambda: doors.code_for(shop.project, running.id, by=shop.person),
        lambda: doors.shell_of(running.id, by=shop.person),
    ):
        with pytest.raises(NotPermitted) as refused:
            ask()
        assert refused.value.fields["rule"] == "session.other_host"

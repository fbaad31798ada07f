"""A plan says what the act would do, and leaves nothing, on both databases."""

from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.compute.requests import JobAsked
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import CreditsExhausted, NotPermitted
from fabriek.worker.admission import admit_jobs
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once


class Desk:
    def __init__(self, town: Town) -> None:
        self.town, self.services = town, town.services
        person = town.person("weefsel")
        self.project = town.project(person)
        self.person: Caller = town.again(person)

    def left(self) -> dict[str, int]:
        home = self.services.access.project(self.project)
        return {str(one.resource): one.left for one in self.services.funding.left(home.id)}

    def kept(self) -> tuple[int, int]:
        """Jobs and events that there are."""
        jobs = self.services.compute.list(self.project, limit=100, cursor="", by=self.person).items
        return len(jobs), len(self.services.audit.events(by=self.town.operator, limit=500).items)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    return Desk(a_town(database, tmp_path / "home"))


def test_a_plan_is_what_the_act_does(desk: Desk) -> None:
    asked = JobAsked(("true",), cpus=2, wall_seconds_max=7200)
    before, kept = desk.left(), desk.kept()
    plan = desk.services.planner.plan(desk.project, asked, by=desk.person)
    assert (desk.left(), desk.kept()) == (before, kept)
    job = desk.services.compute.submit(desk.project, asked, by=desk.person)
    assert (plan.job.held_micro, plan.job.share, plan.job.label) == (job.held_micro, job.share, job.label)
    assert plan.left_micro == desk.left()["cpu_hour"]
    assert plan.starts_now


def test_a_plan_beside_a_full_machine_says_when(desk: Desk) -> None:
    asked = JobAsked(("true",), cpus=4)
    desk.services.compute.submit(desk.project, asked, by=desk.person)
    admit_jobs(desk.services)
    plan = desk.services.planner.plan(desk.project, asked, by=desk.person)
    assert not plan.starts_now
    assert plan.until is not None
    assert plan.until > desk.services.clock.now()
    assert plan.reason


def test_what_would_stop_the_job_stops_the_plan(desk: Desk) -> None:
    stranger = desk.town.person("elders")
    kept = desk.kept()
    with pytest.raises(CreditsExhausted):
        desk.services.planner.plan(
            desk.project, JobAsked(("true",), cpus=4, wall_seconds_max=3600 * 24 * 360), by=desk.person
        )
    with pytest.raises(NotPermitted):
        desk.services.planner.plan(desk.project, JobAsked(("true",)), by=stranger)
    assert desk.kept() == kept


def test_plans_and_acts_at_once_leave_the_acts_alone(desk: Desk) -> None:
    asked = JobAsked(("true",))

    def act(number: int) -> object:
        do = desk.services.compute.submit if number % 2 else desk.services.planner.plan
        return do(desk.project, asked, by=desk.person)

    outcomes = at_once(act, times=8)
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    assert desk.kept()[0] == 4
    assert desk.services.funding.balanced()

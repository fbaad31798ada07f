"""Credits that run out, lapse and end: from the ledger to what is refused, and back, on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from fabriek.adapters.database import Database
from fabriek.compute.jobs import State as JobState
from fabriek.compute.progress import handle_of
from fabriek.compute.requests import JobAsked
from fabriek.funding.ledger import Kind
from fabriek.funding.resources import Resource
from fabriek.funding.spending.standing import State
from fabriek.funding.spending.store_standing import SqlLapses, SqlStandings, SqlTellings
from fabriek.funding.store import SqlAllocations, SqlLedger, allocations
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotFound, NotPermitted
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from fabriek.web.services import Services
from fabriek.worker.notifying import Messenger
from tests.contract.test_shapes import CLUSTER, Hall, a_hall
from tests.factories.duties import a_science_project
from tests.factories.services import Town, a_town
from tests.factories.spending import Purse
from tests.factories.threads import at_once
from tests.factories.vault import fill
from tests.servers.mailbox import Mailbox, taking_mail

GPU, CPU, TIB = Resource.GPU_HOUR, Resource.CPU_HOUR, Resource.TIB_HOUR


class House(Purse):
    """One project with a year's allocation on a machine with two nodes."""

    hall: Hall

    @property
    def services(self) -> Services:
        return self.town.services

    def after(self, days: float) -> State:
        """So many days later, when the worker has looked."""
        self.hall.town.clock.move(timedelta(days=days))
        self.services.running_out.round()
        return self.state()

    def state(self) -> State:
        found = self.services.running_out.overview(self.hall.project, by=self.hall.person)
        return State(found.standing.state)

    def refused(self, gpus: str) -> str:
        with pytest.raises(CreditsExhausted) as error:
            self.hall.ask(gpus=gpus)
        assert "fabriek apply new" in error.value.fix
        return str(error.value.fields.get("rule", ""))

    def told(self) -> list[str]:
        """What its lead was told, oldest first."""
        found = SqlTellings(self.database).of_project(self.project, self.hall.person.person)
        return [one.about.partition(":")[0] for one in sorted(found, key=lambda one: (one.made_at, one.id))]


def a_house(town: Town) -> House:
    hall = a_hall(town)
    made = House(town, hall.project)
    made.hall = hall
    return made


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with taking_mail() as made:
        yield made


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    made = a_house(a_town(database, tmp_path / "home", capacity=CLUSTER))
    with database.transaction():
        SqlAllocations(database).move_end(made.allocation.id, date(2027, 12, 31))
    yield made
    made.hall.worker._starter.close()
    made.hall.worker._upkeep.close()


def test_bill_gpu_hours_that_are_gone_keep_out_jobs_with_gpus_alone(house: House) -> None:
    house.spend(GPU, 100)
    assert house.refused("a100:1") == "spending.unit_empty"
    house.town.clock.move(timedelta(minutes=2))
    house.hall.worker.round()
    assert house.hall.worker._upkeep._crediting.beside.wait()
    written = SqlStandings(house.database).get(house.project)
    assert written is not None
    assert (written.state, set(written.empty)) == (State.NO_NEW_JOBS, {GPU})
    assert house.hall.ask(gpus="0").state is JobState.QUEUED
    assert house.after(400) is not State.CLOSED


def test_bill_storage_that_is_gone_keeps_out_every_job_and_those_that_run_finish(house: House) -> None:
    house.give(TIB, 10)
    running = house.hall.runs()
    house.spend(TIB, 10)
    assert [house.refused(gpus) for gpus in ("0", "a100:1")] == ["spending.storage_empty"] * 2
    asked = JobAsked(("true",), array="0-3")
    for act in (house.services.planner.plan, house.services.compute.submit):
        with pytest.raises(CreditsExhausted, match="storage is empty since 2026-11-24"):
            act(house.slug, asked, by=house.hall.person)
    assert house.after(0) is State.NO_NEW_JOBS
    assert house.services.running_out.in_trouble(by=house.hall.person) == {house.project: State.NO_NEW_JOBS}
    house.hall.executor.end(handle_of(running))
    assert house.hall.settled(running).state is JobState.SUCCEEDED
    house.give(TIB, 1)
    assert house.hall.ask(gpus="0").state is JobState.QUEUED
    assert house.after(0) is State.OPEN


def test_bill_after_30_days_without_storage_data_is_shut_and_nothing_is_deleted(house: House) -> None:
    services, slug, person = house.services, house.hall.project, house.hall.person
    services.vault.create(slug, "grain", label="open", by=person)
    version = fill(services, services.vault.open_upload(slug, "grain", label="", by=person), {"a.txt": b"a"}, by=person)
    house.give(TIB, 10)
    house.spend(TIB, 10)
    assert [house.after(0), house.after(29)] == [State.NO_NEW_JOBS, State.NO_NEW_JOBS]
    house.hall.town.clock.move(timedelta(hours=13.5))
    open_grant = services.vault.open("grain", project=slug, by=person)
    assert house.state() is State.NO_NEW_JOBS
    assert house.after(1 / 24) is State.DATA_SHUT
    for act in (
        lambda: services.vault.open("grain", project=slug, by=person),
        lambda: services.vault.open_upload(slug, "grain", label="", by=person),
        lambda: services.vault.grant_to_job(version.id, "job_1", project=house.project, purpose="civilian"),
    ):
        with pytest.raises(NotPermitted, match="nothing is deleted") as shut:
            act()
        assert (shut.value.fields["rule"], "fabriek apply new" in shut.value.fix) == ("spending.data_shut", True)
    assert services.vault.close_what_ended() == 1
    with pytest.raises(NotPermitted):
        services.vault.grant(open_grant.grant.id, by=person)
    house.give(TIB, 1)
    assert services.vault.open("grain", project=slug, by=person).facts.number == 1
    assert house.after(0) is State.OPEN


def test_what_a_job_has_open_stays_open_when_data_is_shut(house: House) -> None:
    services, slug, person = house.services, house.hall.project, house.hall.person
    services.vault.create(slug, "grain", label="open", by=person)
    version = fill(services, services.vault.open_upload(slug, "grain", label="", by=person), {"a.txt": b"a"}, by=person)
    house.give(TIB, 10)
    house.spend(TIB, 10)
    house.after(0)
    house.hall.town.clock.move(timedelta(days=29))
    grant = services.vault.grant_to_job(version.id, "job_1", project=house.project, purpose="civilian")
    assert house.after(1) is State.DATA_SHUT
    assert services.vault.close_what_ended() == 0
    assert services.vault.grant(grant.id, by=replace(person, job="job_1")).grant.id == grant.id


def test_bill_a_project_that_owes_for_60_days_is_closed_and_opens_when_credits_come(house: House) -> None:
    house.owe(TIB, 5)
    assert [house.after(0), house.after(59), house.after(1)] == [State.NO_NEW_JOBS, State.DATA_SHUT, State.CLOSED]
    assert [house.refused(gpus) for gpus in ("0", "a100:1")] == ["spending.closed"] * 2
    house.give(TIB, 6)
    assert house.hall.ask(gpus="0").state is JobState.QUEUED
    assert house.after(0) is State.OPEN
    assert house.told() == ["owing", "data_shut", "closed", "open"]


def test_bill_of_a_grant_that_is_hardly_used_after_six_months_60_percent_remain(house: House) -> None:
    house.give(GPU, 99_900)
    house.spend(GPU, 39_999)
    one = house.allocation
    shares = house.balance(Kind.SHARE, one.share, GPU)
    house.hall.town.clock.move(timedelta(days=180))
    house.services.running_out.round()
    assert house.balance(Kind.ALLOCATION, one.id, GPU) == 60_001 * MICRO
    house.hall.town.clock.move(timedelta(days=1))
    outcomes = at_once(lambda _number: house.services.running_out.round(), times=4)
    assert {type(one) for one in outcomes} == {int}, outcomes
    assert house.balance(Kind.ALLOCATION, one.id, GPU) == 20_001 * MICRO
    assert house.balance(Kind.SHARE, one.share, GPU) == shares + 40_000 * MICRO
    assert "lapse" in house.told()
    house.after(30)
    assert house.balance(Kind.ALLOCATION, one.id, GPU) == 20_001 * MICRO
    assert not any(SqlLedger(house.database).sums().values())


def test_bill_a_commercial_project_loses_nothing(house: House) -> None:
    with house.database.transaction():
        house.database.execute(update(allocations).values(commercial=True))
    house.after(200)
    assert house.balance(Kind.ALLOCATION, house.allocation.id, GPU) == 100 * MICRO


def test_what_jobs_hold_is_not_cut(house: House) -> None:
    held = house.hall.ask(gpus="a100:1", wall_seconds_max=50 * 3600)
    house.after(181)
    assert house.balance(Kind.ALLOCATION, house.allocation.id, GPU) == 50 * MICRO
    assert held.held_micro == 50 * MICRO


def test_bill_leads_are_warned_90_60_and_30_days_before_the_end_each_once(house: House) -> None:
    services, ends = house.services, house.allocation.ends_on
    house.spend(GPU, 60)
    house.spend(CPU, 20_000)
    house.give(CPU, 1)
    today = services.clock.today()
    house.hall.town.clock.move(timedelta(days=(ends - today).days - 100))
    for _ in range(100):
        house.after(1)
        house.services.running_out.round()
    found = SqlTellings(house.database).of_project(house.project, house.hall.person.person)
    warned = sorted(one.about.split(":")[-1] for one in found if one.about.startswith("ends:"))
    assert warned == ["30", "60", "90"]
    assert all(
        one.says.startswith(f"Project {house.hall.project}: its allocation ends on 2027-12-31")
        for one in found
        if one.about.startswith("ends:")
    )


def test_a_warning_reaches_the_lead_by_mail_once(database: Database, tmp_path: Path, mailbox: Mailbox) -> None:
    mail = {
        "mail_host": "127.0.0.1",
        "mail_port": mailbox.port,
        "mail_tls": "none",
        "mail_from": "factory@factory.example",
    }
    house = a_house(a_town(database, tmp_path / "home", capacity=CLUSTER, **mail))
    house.after(1)
    for _ in range(3):
        house.hall.town.clock.move(timedelta(minutes=6))
        messenger = Messenger(house.services)
        messenger.round()
        messenger.close()
    letters = [mail for _, mail in mailbox.came if str(mail["Subject"]).startswith("Credits of project")]
    assert len(letters) == 1
    says = letters[0].get_content()
    assert "its allocation ends on 2026-12-25, in 30 days" in says
    assert f"/projects/{house.hall.project}" in says
    house.hall.worker._starter.close()
    house.hall.worker._upkeep.close()


def test_nobody_else_sees_how_a_project_stands(house: House) -> None:
    stranger = house.hall.town.person("elsewhere")
    with pytest.raises((NotPermitted, NotFound)):
        house.services.running_out.overview(house.hall.project, by=stranger)


def test_rules_that_cannot_be_read_keep_the_server_from_starting(database: Database, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text("[[rule]]\nid = 'spending.closed'\nvalid_from = 2026-01-01\nsource = 's'\n")
    with pytest.raises(InvalidInput, match="number 1 lacks 'days'"):
        a_town(database, tmp_path / "home", running_out=tmp_path / "rules.toml")


def test_a_places_teacher_is_not_told_what_they_know(house: House) -> None:
    with house.database.transaction():
        house.database.execute(update(allocations).values(application="cls_1/1"))
    house.spend(GPU, 100)
    house.after(400)
    assert house.told() == []


def test_storage_that_is_read_on_without_credits_is_owed_closes_the_project_and_is_paid_when_credits_come(
    house: House,
) -> None:
    metering, clock = house.services.metering, house.town.clock
    house.give(TIB, 10)
    for hour, state in ((0, State.OPEN), (1, State.NO_NEW_JOBS)):
        metering.book(house.project, Purpose.CIVILIAN, TIB, 6 * MICRO, f"meter_{hour}", clock.now())
        assert house.after(0) is state
    assert house.balance(Kind.DEBT, house.allocation.id, TIB) == -2 * MICRO
    house.after(59)
    assert house.after(1) is State.CLOSED
    house.give(TIB, 3)
    metering.pay(house.project)
    assert house.balance(Kind.DEBT, house.allocation.id, TIB) == 0
    assert house.balance(Kind.ALLOCATION, house.allocation.id, TIB) == MICRO
    assert house.after(0) is State.OPEN


def test_what_a_classs_students_used_counts_for_the_grant_that_it_was_split_off(
    database: Database, tmp_path: Path
) -> None:
    """Half of the grant is used, by its students: nothing is cut of it."""
    town = a_town(database, tmp_path / "home")
    teacher = town.person("uni", "organisation_administrator", kind="university")
    slug, paying = a_science_project(town, teacher, gpu_hours=400, months="6")
    teacher = town.again(teacher)
    town.clock.move(timedelta(days=170))
    rows = "email,name\n" + "".join(f"s{number}@uni.example,S {number}\n" for number in range(4))
    ends = town.clock.today() + timedelta(days=15)
    _, seated = town.services.teaching.create("DL 101", slug, rows, 50, ends, by=teacher)
    for one in seated:
        project = town.services.access.project(one.project.id)
        town.services.funding.hold(project.id, Purpose.CIVILIAN, GPU, 50 * MICRO, f"job_{one.place.number}")
        town.services.funding.settle(f"job_{one.place.number}", 50 * MICRO)
    town.clock.move(timedelta(days=12))
    town.services.running_out.round()
    left = {one.resource: one.left for one in town.services.funding.left(town.services.access.project(slug).id)}
    assert left[GPU] == 200 * MICRO
    cut = {one.resource: one.cut for one in SqlLapses(database).of_project(town.services.access.project(slug).id)}
    assert cut[GPU] == 0
    assert cut[CPU] > 0  # of which nobody used anything
    assert {one.allocation for one in SqlLapses(database).of_project(town.services.access.project(slug).id)} == {paying}
    assert town.services.funding.balanced()

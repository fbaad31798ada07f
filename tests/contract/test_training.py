"""Lessons, seats and certificates, and the labels that ask for one, on both databases."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from fabriek.access.store import projects
from fabriek.adapters.database import Database
from fabriek.bootstrap.knowledge import training_of
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.knowledge.training import courses
from fabriek.knowledge.training.courses import Lesson
from fabriek.vault.labelling.policy import read_labels, shipped_labels
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once
from tests.factories.vault import fill


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


class School:
    """A teacher, and lessons in three days."""

    def __init__(self, town: Town) -> None:
        self.town, self.training = town, town.services.training
        self.teacher = town.person("factory", "teacher")

    @property
    def day(self) -> date:
        return self.town.clock.today() + timedelta(days=3)

    def lesson(self, course: str = "secured-data", seats: int = 2) -> Lesson:
        return self.training.give(course, self.day, "Assen", "nl", seats, by=self.teacher)

    def certify(self, person: Caller, course: str = "secured-data") -> None:
        """They take the course, on its day."""
        lesson = self.lesson(course)
        self.training.sign_up(lesson.id, by=person)
        self.town.clock.move(timedelta(days=3))
        assert self.training.record(lesson.id, person.person, attended=True, by=self.teacher)

    def states(self, lesson: Lesson, people: Sequence[Caller]) -> list[str]:
        shown = [self.training.show(lesson.id, by=one).mine for one in people]
        return [str(one.state) if one else "" for one in shown]


@pytest.fixture
def school(town: Town) -> School:
    return School(town)


def test_of_eight_who_want_the_last_seats_the_others_wait_and_move_up_in_their_order(school: School) -> None:
    lesson, people = school.lesson(seats=2), [school.town.person("weefsel") for _ in range(5)]
    at_once(lambda number: school.training.sign_up(lesson.id, by=people[number]), times=5)
    assert sorted(school.states(lesson, people)) == ["booked"] * 2 + ["waiting"] * 3
    seats = school.training.show(lesson.id, by=school.teacher).seats
    queue = [one.person for one in courses.waiting(seats)]
    assert [school.training.show(lesson.id, by=one).place for one in people if one.person == queue[1]] == [2]
    booked = next(one for one in people if one.person not in queue)
    school.training.leave(lesson.id, by=booked)
    shown = school.training.show(lesson.id, by=school.teacher)
    assert {one.person for one in shown.seats if one.state == "booked"} >= {queue[0]}
    assert [one.person for one in courses.waiting(shown.seats)] == queue[1:]
    school.town.clock.move(timedelta(seconds=1))
    school.training.sign_up(lesson.id, by=booked)  # behind those who wait
    assert courses.waiting(school.training.show(lesson.id, by=school.teacher).seats)[-1].person == booked.person
    with pytest.raises(AlreadyExists):
        school.training.sign_up(lesson.id, by=booked)
    assert not school.training.show(lesson.id, by=booked).seats  # who comes is the teacher's to know


def test_who_was_there_gets_a_certificate_that_counts_until_its_last_day(school: School) -> None:
    lesson = school.lesson()
    here, absent, stranger = (school.town.person("weefsel") for _ in range(3))
    for one in (here, absent):
        school.training.sign_up(lesson.id, by=one)
    with pytest.raises(WrongState, match="it is on 2026-11-27"):
        school.training.record(lesson.id, here.person, attended=True, by=school.teacher)
    school.town.clock.move(timedelta(days=3))
    with pytest.raises(NotPermitted, match="its teacher"):
        school.training.record(lesson.id, here.person, attended=True, by=school.town.person("factory", "teacher"))
    with pytest.raises(NotPermitted):
        school.training.record(lesson.id, here.person, attended=True, by=here)
    with pytest.raises(NotFound):
        school.training.record(lesson.id, stranger.person, attended=True, by=school.teacher)
    given = school.training.record(lesson.id, here.person, attended=True, by=school.teacher)
    assert given
    assert school.training.record(lesson.id, absent.person, attended=False, by=school.teacher) is None
    for one in (here, absent):
        with pytest.raises(WrongState):
            school.training.record(lesson.id, one.person, attended=True, by=school.teacher)
    assert (given.given_on, given.until) == (date(2026, 11, 27), date(2028, 11, 26))
    assert [school.training.has(one.person, "secured-data") for one in (here, absent, stranger)] == [True, False, False]
    school.town.clock.move(timedelta(days=730))
    assert school.training.has(here.person, "secured-data")
    school.town.clock.move(timedelta(days=1))
    assert not school.training.has(here.person, "secured-data")
    assert [one.id for one in school.training.certificates(by=here)] == [given.id]


def test_a_course_asks_for_another_first_and_its_teacher_takes_no_seat(school: School) -> None:
    person, lesson = school.town.person("weefsel"), school.lesson("parallel-training")
    with pytest.raises(NotPermitted, match="first-job first"):
        school.training.sign_up(lesson.id, by=person)
    with pytest.raises(NotPermitted, match="teacher takes no place"):
        school.training.sign_up(lesson.id, by=school.teacher)
    school.certify(person, "first-job")
    assert school.training.sign_up(lesson.id, by=person).state == "booked"  # on the day itself


def test_what_was_called_off_or_is_over_takes_nobody(school: School) -> None:
    person, lesson = school.town.person("weefsel"), school.lesson()
    school.training.sign_up(lesson.id, by=person)
    school.training.cancel(lesson.id, by=school.teacher)
    assert school.states(lesson, [person]) == ["cancelled"]
    other = school.lesson()
    assert [one.lesson.id for one in school.training.calendar(by=person)] == [other.id]
    school.town.clock.move(timedelta(days=4))
    for act in (
        lambda: school.training.sign_up(lesson.id, by=person),
        lambda: school.training.sign_up(other.id, by=person),
        lambda: school.training.cancel(other.id, by=school.teacher),
    ):
        with pytest.raises(WrongState):
            act()
    for unknown in (
        lambda: school.training.sign_up("lsn_nobodys", by=person),
        lambda: school.training.leave(other.id, by=person),
    ):
        with pytest.raises(NotFound):
            unknown()


@pytest.mark.parametrize(
    "wrong",
    [
        {"course": "whaling"},
        {"days": -1},
        {"days": 731},
        {"place": "  "},
        {"place": "x" * 201},
        {"language": "dutch"},
        {"seats": 0},
    ],
)
def test_what_cannot_be_a_lesson_is_refused(school: School, wrong: dict[str, object]) -> None:
    said = {"course": "secured-data", "days": 3, "place": "Assen", "language": "nl", "seats": 2} | wrong
    on = school.town.clock.today() + timedelta(days=said["days"])  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        school.training.give(said["course"], on, said["place"], said["language"], said["seats"], by=school.teacher)  # type: ignore[arg-type]
    with pytest.raises(NotPermitted):
        school.training.give("secured-data", school.day, "Assen", "nl", 2, by=school.town.person("weefsel"))


LABEL = "departementaal-vertrouwelijk"


class Zone:
    """A sealed dataset with an agreement on it, in an installation that is accredited, under the labels that are shipped."""

    def __init__(self, school: School) -> None:
        self.school, self.town, owner = school, school.town, school.town.person("defensie", kind="public")
        self.vault, self.project = self.town.services.vault, self.town.project(owner)
        self.owner, self.home = self.town.again(owner), self.town.services.access.project(self.project).id
        with self.town.services.database.transaction():
            self.town.services.database.execute(
                update(projects).where(projects.c.id == self.home).values(label_ceiling=LABEL)
            )
        for name, label in (("radar", LABEL), ("leaves", "internal")):
            self.vault.create(self.project, name, label=label, by=self.owner)
            upload = self.vault.open_upload(self.project, name, label="", by=self.owner)
            fill(self.town.services, upload, {"a.txt": b"a"}, by=self.owner)
        until = self.town.clock.today() + timedelta(days=1_000)
        self.vault.agree(
            "radar",
            home=self.project,
            project=self.project,
            purposes=["civilian"],
            right="compute",
            until=until,
            by=self.owner,
        )

    def open(self, name: str = "radar") -> object:
        return self.vault.open(name, project=self.project, by=self.owner)

    def submit(self) -> object:
        asked = JobAsked(("true",), inputs=(InputAsked("radar", "/data"),))
        return self.town.services.compute.submit(self.project, asked, by=self.owner)

    def start(self) -> object:
        """What a node is given as the job starts, for who submitted it."""
        (found,) = self.vault.inputs_for_job(["radar"], project=self.project, purpose="civilian", by=SYSTEM)
        return self.vault.grant_to_job(
            found.version, "job_1", project=self.home, purpose="civilian", person=self.owner.person
        )


@pytest.fixture
def zone(database: Database, tmp_path: Path) -> Zone:
    return Zone(School(a_town(database, tmp_path / "home", accredited=True)))


def test_a_sealed_zone_is_opened_by_who_took_the_course_and_by_nobody_else(zone: Zone) -> None:
    for act in (zone.open, zone.submit, zone.start):
        with pytest.raises(NotPermitted, match="no lesson of it is planned yet") as refused:
            act()
        assert refused.value.fields["rule"] == "label.training"
        assert refused.value.fix == "take a place: fabriek training ls --course secured-data"
    zone.school.lesson()
    with pytest.raises(NotPermitted, match="its next lesson is on 2026-11-27"):
        zone.open()
    assert zone.open("leaves")
    zone.school.certify(zone.owner)
    for act in (zone.open, zone.submit, zone.start):
        assert act()


def test_a_certificate_that_is_over_closes_the_zone_again_for_jobs_that_wait_too(zone: Zone) -> None:
    zone.school.certify(zone.owner)
    assert zone.submit()
    zone.town.clock.move(timedelta(days=731))
    for act in (zone.open, zone.submit, zone.start):
        with pytest.raises(NotPermitted, match="no certificate of it in force"):
            act()


def test_the_labels_that_are_shipped_ask_for_the_course_where_the_state_seals() -> None:
    labels = shipped_labels()
    asking = [name for name in labels.names if labels.training(name)]
    assert asking == [LABEL, "stg-confidentieel", "stg-geheim", "stg-zeer-geheim"]
    assert labels.training("stg-geheim") == ["secured-data"]
    assert labels.training("personal+export-controlled") == []


def test_a_label_that_asks_for_a_course_that_is_none_stops_the_start(town: Town) -> None:
    services = town.services
    wrong = shipped("fabriek.vault", "labels.toml").replace('training = "secured-data"', 'training = "whaling"')
    with pytest.raises(InvalidInput, match="departementaal-vertrouwelijk asks for the course 'whaling'"):
        training_of(
            services.database, labels=read_labels(wrong), audit=services.audit, clock=services.clock, ids=services.ids
        )
    with pytest.raises(InvalidInput, match="training of the label"):
        read_labels(wrong.replace('"whaling"', "true"))

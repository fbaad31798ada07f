"""A teacher and thirty students on both databases: budgets that hold, students apart, and a term that ends."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from fabriek.access.joining.classes import KEPT_DAYS, ClassState, PlaceState
from fabriek.access.store import people
from fabriek.adapters.database import Database
from fabriek.compute.jobs import State
from fabriek.compute.requests import JobAsked
from fabriek.compute.store import jobs
from fabriek.funding.classes.places import Seated
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import (
    AlreadyExists,
    CreditsExhausted,
    InvalidInput,
    NotFound,
    NotPermitted,
    WrongState,
)
from fabriek.worker.terms import end_terms
from tests.factories.services import Town, a_town

LIST = "email,name\n" + "".join(f"s{number:02}@uni.example,Student {number}\n" for number in range(1, 31))
ONE = "email,name\none@uni.example,One\n"


class Course:
    """A town with a teacher whose project has hours, and who lets people into their university."""

    def __init__(self, town: Town, gpu_hours: int = 400) -> None:
        self.town, self.services, self.teaching = town, town.services, town.services.teaching
        teacher = town.person("uni", "organisation_administrator", kind="university")
        self.project = town.project(teacher, gpu_hours=gpu_hours)
        self.teacher = town.again(teacher)
        self.ends = town.clock.today() + timedelta(days=20)

    def made(self, students: str = LIST, each: int = 10) -> list[Seated]:
        _, seated = self.teaching.create("Deep learning 101", self.project, students, each, self.ends, by=self.teacher)
        self.teacher = self.town.again(self.teacher)
        return list(seated)

    def left(self, project: str) -> dict[str, tuple[float, float]]:
        """Resource → (granted, left), in hours."""
        found = self.services.funding.left(self.services.access.project(project).id)
        return {str(one.resource): (one.granted / 1e6, one.left / 1e6) for one in found}

    def student(self, one: Seated) -> Caller:
        return self.town.caller(self.services.access.person(one.person.id))

    def submit(self, one: Seated, hours: int = 1) -> str:
        asked = JobAsked(argv=("true",), wall_seconds_max=3600 * hours)
        return self.services.compute.submit(one.project.slug, asked, by=self.student(one)).id


@pytest.fixture
def course(database: Database, tmp_path: Path) -> Course:
    return Course(a_town(database, tmp_path / "home"))


def test_thirty_students_have_a_budget_each_and_the_rest_stays_with_the_teacher(course: Course) -> None:
    before = course.left(course.project)
    seated = course.made()
    assert [one.place.number for one in seated] == list(range(1, 31))
    assert len({one.project.id for one in seated}) == 30
    assert course.left(course.project)["gpu_hour"] == (100, 100)
    for one in seated:
        granted = course.left(one.project.slug)
        assert granted["gpu_hour"] == (10, 10)
        assert granted["cpu_hour"][0] == before["cpu_hour"][1] / 40
    assert course.services.funding.balanced()
    assert [one.title for one in course.teaching.list(by=course.teacher)] == ["Deep learning 101"]
    # What a student is sent signs in that student, once.
    person, _ = course.services.identity.redeem(seated[7].code)
    assert person.email == "s08@uni.example"


def test_students_see_nothing_of_each_other_and_cannot_spend_more_than_theirs(course: Course) -> None:
    first, second = course.made(LIST.partition("s03")[0])
    me = course.student(first)
    assert [one.slug for one in course.services.access.projects_of(me)] == [first.project.slug]
    for act in (
        lambda: course.teaching.seats("deep-learning-101", by=me),
        lambda: course.teaching.end("deep-learning-101", by=me),
        lambda: course.teaching.create("Mine", first.project.slug, ONE, 1, course.ends, by=me),
        lambda: course.services.access.add_member(first.project.slug, second.person.id, "member", by=me),
        lambda: course.services.compute.list(second.project.slug, limit=1, cursor="", by=me),
    ):
        with pytest.raises((NotFound, NotPermitted)):
            act()
    hours = int(course.left(first.project.slug)["cpu_hour"][1])
    with pytest.raises(CreditsExhausted):
        course.submit(first, hours + 1)
    assert course.submit(first)


@pytest.mark.parametrize(("each", "left"), [(11, 20), (20, 20)])
def test_a_budget_that_does_not_fit_is_refused_with_what_is_left(
    database: Database, tmp_path: Path, each: int, left: int
) -> None:
    course = Course(a_town(database, tmp_path / "home"), gpu_hours=left)
    with pytest.raises(CreditsExhausted, match=f"{left} are left"):
        course.made("email,name\na@uni.example,A\nb@uni.example,B\n", each)
    assert course.left(course.project)["gpu_hour"] == (left, left)
    assert len(course.services.access.people_of("uni", by=course.teacher)) == 1


def test_a_line_that_cannot_be_leaves_nothing_half_done(course: Course) -> None:
    course.town.person("elsewhere")
    for students, line in (
        (ONE + "two@elsewhere.example,Two,elsewhere\n", 3),  # a cell too many
        (
            "email,name,organisation\none@uni.example,One,\ntwo@x.example,Two,elsewhere\n",
            3,
        ),  # not the teacher's to invite
        ("email,name,organisation\none@uni.example,One,nowhere\n", 2),
        (ONE + f"{course.services.access.person(course.teacher.person).email},Me\n", 3),
    ):
        with pytest.raises(InvalidInput) as refused:
            course.made(students)
        assert [one["field"] for one in refused.value.fields["errors"]] == [f"line {line}"]
    assert len(course.services.access.people_of("uni", by=course.teacher)) == 1
    assert course.left(course.project)["gpu_hour"] == (400, 400)
    assert course.teaching.list(by=course.teacher) == []


def test_who_was_here_before_gets_a_place_and_no_link_that_a_teacher_could_use(course: Course) -> None:
    """Of another organisation, too: and a teacher who lists an administrator comes in as nobody."""
    other = course.services.access.person(course.town.person("elsewhere").person)
    chief = course.services.access.person(course.town.operator.person)
    seated = course.made(f"email,name\n{other.email},X\n{chief.email},Y\none@uni.example,One\n")
    assert [bool(one.code) for one in seated] == [False, False, True]
    assert seated[0].person.organisation != course.teacher.organisation
    assert course.student(seated[0]).is_member_of(seated[0].project.id)


def test_a_teacher_who_lets_nobody_in_makes_no_second_self_by_a_class(course: Course) -> None:
    """A link to a person with any address at all would be one: the second of two who must agree, or whoever was invited by that address."""
    access, town, teacher = course.services.access, course.town, course.town.person("uni")
    project = town.project(teacher, gpu_hours=20)
    (known,) = [town.person("uni")]
    for victim in ("student@uni.example", "chief@ministry.example", "one@uni.example"):
        with pytest.raises(InvalidInput, match="only an administrator of its organisation lets somebody in") as refused:
            course.teaching.create("Mine", project, f"email,name\n{victim},X\n", 1, course.ends, by=town.again(teacher))
        assert [one["field"] for one in refused.value.fields["errors"]] == ["line 2"]
    assert {one.id for one in access.people_of("uni", by=course.teacher)} == {
        course.teacher.person, teacher.person, known.person,
    }  # fmt: skip
    # Whom an administrator let in before is seated by any lead, and gets no link.
    row = f"email,name\n{access.person(known.person).email},X\n"
    _, seated = course.teaching.create("Mine", project, row, 1, course.ends, by=town.again(teacher))
    assert [(one.person.id, one.code) for one in seated] == [(known.person, "")]


def test_students_are_added_and_dropped_and_what_was_not_used_goes_back(course: Course) -> None:
    course.made(LIST.partition("s03")[0])
    (third,) = course.teaching.add("deep-learning-101", ONE, by=course.teacher)
    assert third.place.number == 3
    assert course.left(course.project)["gpu_hour"] == (370, 370)
    with pytest.raises(InvalidInput, match="in this class already"):
        course.teaching.add("deep-learning-101", ONE, by=course.teacher)
    with pytest.raises(AlreadyExists):
        course.made(ONE)
    course.teacher = course.town.again(course.teacher)
    course.teaching.drop("deep-learning-101", "one@uni.example", by=course.teacher)
    assert course.left(course.project)["gpu_hour"] == (380, 380)
    assert not course.student(third).is_member_of(third.project.id)
    with pytest.raises(NotFound):
        course.teaching.drop("deep-learning-101", "one@uni.example", by=course.teacher)
    states = [one.place.state for one in course.teaching.seats("deep-learning-101", by=course.teacher)]
    assert states == [PlaceState.ACTIVE, PlaceState.ACTIVE, PlaceState.DROPPED]
    assert course.services.funding.balanced()


def test_who_left_by_themselves_is_dropped_too_and_their_budget_comes_back(course: Course) -> None:
    (one,) = course.made(ONE)
    course.services.vault.remove_member(one.project.slug, one.person.id, by=course.student(one))
    course.teaching.drop("deep-learning-101", one.person.id, by=course.teacher)
    assert course.left(course.project)["gpu_hour"] == (400, 400)


def test_a_narrowed_token_makes_no_class_and_so_no_link(course: Course) -> None:
    """Not even one that holds the right: with a student's link more could be had later."""
    narrowed = replace(course.teacher, narrowed=True)
    for act in (
        lambda: course.teaching.create("Quiet", course.project, ONE, 1, course.ends, by=narrowed),
        lambda: course.teaching.create(
            "Quiet", course.project, ONE, 1, course.ends, by=replace(course.teacher, job="job_1")
        ),
    ):
        with pytest.raises(NotPermitted) as refused:
            act()
        assert refused.value.fields["rule"] == "token.narrowed"
    course.made(ONE)
    with pytest.raises(NotPermitted):
        course.teaching.add("deep-learning-101", LIST, by=replace(course.teacher, narrowed=True))


def test_who_has_left_gets_no_place(course: Course) -> None:
    gone = course.services.access.person(course.town.person("uni").person)
    course.services.identity.close_person(gone.id, by=course.town.operator)
    with course.services.database.transaction():
        course.services.database.execute(update(people).where(people.c.id == gone.id).values(active=False))
    with pytest.raises(InvalidInput, match="has left, or is a service"):
        course.made(f"email,name\n{gone.email},Gone\n")


def test_a_term_is_extended_as_far_as_the_money_lasts(course: Course) -> None:
    (one,) = course.made(ONE)
    later = course.town.clock.today() + timedelta(days=31)
    for wrong in (course.ends, date(2020, 1, 1), later + timedelta(days=1)):
        with pytest.raises(InvalidInput, match="can be extended to"):
            course.teaching.extend("deep-learning-101", wrong, by=course.teacher)
    assert course.teaching.extend("deep-learning-101", later, by=course.teacher).ends_on == later
    course.town.clock.move(timedelta(days=25))
    end_terms(course.services)
    assert course.submit(one)


def test_a_term_ends_by_itself_jobs_that_wait_stop_and_results_stay_for_a_while(course: Course) -> None:
    first, second = course.made(LIST.partition("s03")[0])
    waiting = course.submit(first)
    end_terms(course.services)
    assert course.teaching.get("deep-learning-101", by=course.teacher).state is ClassState.OPEN
    course.town.clock.move(timedelta(days=21))
    end_terms(course.services)
    job = course.services.compute.get(first.project.slug, waiting, by=course.student(first))
    assert job.state is State.CANCELLED
    with pytest.raises(CreditsExhausted):
        course.submit(second)
    ended = course.teaching.get("deep-learning-101", by=course.teacher)
    assert ended.state is ClassState.ENDED
    with pytest.raises(WrongState):
        course.teaching.add("deep-learning-101", ONE, by=course.teacher)
    # What they made can be taken out for some weeks, and then the course is closed to them; nothing is deleted.
    assert course.services.compute.list(first.project.slug, limit=9, cursor="", by=course.student(first)).items
    course.town.clock.move(timedelta(days=KEPT_DAYS))
    end_terms(course.services)
    assert not course.student(first).project_rights
    course.teacher = course.town.again(course.teacher)
    assert course.teaching.get("deep-learning-101", by=course.teacher).state is ClassState.CLOSED
    assert course.services.compute.list(first.project.slug, limit=9, cursor="", by=course.teacher).items
    assert course.teaching.unfinished() == []
    assert course.services.funding.balanced()


def test_a_place_that_cannot_be_closed_keeps_no_other_open(
    course: Course, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = course.made(LIST.partition("s03")[0])
    course.town.clock.move(timedelta(days=21 + KEPT_DAYS))
    whole = course.services.vault.remove_member

    def first_fails(project: str, person: str, *, by: Caller) -> None:
        if person == first.person.id:
            raise WrongState("not now", fix="later")
        whole(project, person, by=by)

    monkeypatch.setattr(course.services.vault, "remove_member", first_fails)
    end_terms(course.services)
    assert not course.student(second).project_rights
    assert course.student(first).project_rights
    assert "place 1" in caplog.text
    course.teacher = course.town.again(course.teacher)
    assert course.teaching.get("deep-learning-101", by=course.teacher).state is ClassState.ENDED
    monkeypatch.undo()
    end_terms(course.services)
    assert not course.student(first).project_rights
    assert course.teaching.get("deep-learning-101", by=course.teacher).state is ClassState.CLOSED


def test_what_a_dropped_students_jobs_hold_comes_back_while_the_class_goes_on(course: Course) -> None:
    first, second = course.made(LIST.partition("s03")[0])
    before = course.left(course.project)["cpu_hour"][1]
    given = course.left(first.project.slug)["cpu_hour"][1]
    waiting, runs, others = course.submit(first), course.submit(first), course.submit(second)
    with course.services.database.transaction():
        course.services.database.execute(
            update(jobs).where(jobs.c.id == runs).values(state=str(State.RUNNING), started_at=course.town.clock.now())
        )
    course.teaching.drop("deep-learning-101", first.person.id, by=course.teacher)
    end_terms(course.services)
    states = [course.services.compute.get(first.project.slug, one, by=course.teacher).state for one in (waiting, runs)]
    assert states == [State.CANCELLED, State.RUNNING]
    course.services.funding.release(waiting)  # as the worker does with what was cancelled
    course.services.funding.settle(runs, 250_000)
    end_terms(course.services)
    assert course.left(first.project.slug)["cpu_hour"][1] == 0
    assert course.left(course.project)["cpu_hour"][1] == before + given - 0.25
    # Nobody else's work or budget is touched, and the class goes on.
    assert (
        course.services.compute.get(second.project.slug, others, by=course.student(second)).state is not State.CANCELLED
    )
    assert course.left(second.project.slug)["cpu_hour"][0] == given
    assert course.teaching.get("deep-learning-101", by=course.teacher).state is ClassState.OPEN
    assert course.services.funding.balanced()


def test_a_class_that_cannot_be_ended_keeps_no_other_from_its_end(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.made(ONE)
    other, _ = course.teaching.create(
        "Another", course.project, LIST.partition("s02")[0], 1, course.ends, by=course.teacher
    )
    course.town.clock.move(timedelta(days=21))
    whole = course.teaching.end_term

    def first_fails(course_id: str) -> object:
        if course_id != other.id:
            raise WrongState("not now", fix="later")
        return whole(course_id)

    monkeypatch.setattr(course.teaching, "end_term", first_fails)
    end_terms(course.services)
    assert [one.state for one in course.teaching.list(by=course.teacher)] == [ClassState.ENDED, ClassState.OPEN]


def test_what_a_running_job_gives_back_after_the_end_goes_to_the_teacher_too(course: Course) -> None:
    (one,) = course.made(ONE)
    job = course.submit(one)
    before = course.left(course.project)["cpu_hour"][1]
    course.teaching.end("deep-learning-101", by=course.teacher)
    held = course.left(one.project.slug)["cpu_hour"]
    assert held[1] == 0 < held[0]
    course.services.funding.settle(job, 250_000)
    end_terms(course.services)
    assert course.left(one.project.slug)["cpu_hour"][1] == 0
    assert course.left(course.project)["cpu_hour"][1] > before
    assert course.services.funding.balanced()
    with pytest.raises(WrongState):
        course.teaching.end("deep-learning-101", by=course.teacher)

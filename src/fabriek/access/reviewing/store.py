"""The SQL of reviewing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Integer, Row, String, Table, Text, insert, select, update

from fabriek.access.reviewing.assessments import Assignment
from fabriek.access.reviewing.cases import Case, Question
from fabriek.access.reviewing.clocks import Pause, ReviewClock
from fabriek.access.reviewing.decisions import Decision, Verdict
from fabriek.access.reviewing.history import Shown, Step
from fabriek.access.reviewing.scaling import Measured
from fabriek.access.reviewing.telling import Told
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant

cases = Table(
    "access_cases",
    metadata,
    Column("id", String, primary_key=True),
    Column("call", String, nullable=False, index=True),
    Column("started_at", Instant, nullable=False),
    Column("days", Integer, nullable=False),
    Column("pauses", JSON, nullable=False),
    Column("stopped_at", Instant),
    Column("round_at", Instant),
    Column("taken_by", String, nullable=False),
    Column("checked_by", String, nullable=False),
    Column("nodes_asked", Integer, nullable=False),
    Column("measured", JSON, nullable=False),
    Column("told", JSON, nullable=False),
    Column("objection_until", Date),
)

questions = Table(
    "access_case_questions",
    metadata,
    Column("id", String, primary_key=True),
    Column("application", String, nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("back_to", String, nullable=False),
    Column("fields", JSON, nullable=False, server_default="[]"),
    Column("answer", Text, nullable=False),
    Column("answered_by", String, nullable=False),
    Column("answered_at", Instant),
)

steps = Table(
    "access_case_steps",
    metadata,
    Column("id", String, primary_key=True),
    Column("application", String, nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("act", String, nullable=False),
    Column("person", String, nullable=False),
    Column("part", String, nullable=False),
    Column("state", String, nullable=False),
    Column("words", Text, nullable=False),
    Column("shown", String, nullable=False),
)

assignments = Table(
    "access_assignments",
    metadata,
    Column("id", String, primary_key=True),
    Column("application", String, nullable=False, index=True),
    Column("person", String, nullable=False, index=True),
    Column("assigned_by", String, nullable=False),
    Column("assigned_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("declined_at", Instant),
    Column("reason", Text, nullable=False),
    Column("conflict", Boolean, nullable=False),
    Column("submitted_at", Instant),
    Column("scores", JSON, nullable=False),
    Column("text", Text, nullable=False),
    Column("total", Integer),
)

decisions = Table(
    "access_decisions",
    metadata,
    Column("application", String, primary_key=True),
    Column("id", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("motive", Text, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("needs_second", Boolean, nullable=False),
    Column("gpu_hours", Integer, nullable=False),
    Column("share", String, nullable=False),
    Column("signed_by", String, nullable=False),
    Column("signed_at", Instant),
    Column("objection_until", Date),
)

notices = Table(
    "access_review_notices",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False, index=True),
    Column("application", String, nullable=False),
    Column("what", String, nullable=False),
    Column("percent", Integer, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", Instant),
    Column("given_up", Boolean, nullable=False),
)


class SqlCases:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, case: Case) -> None:
        clock = case.clock
        pauses = [[one.began_at.isoformat(), one.ended_at.isoformat() if one.ended_at else ""] for one in clock.pauses]
        self._db.put(
            cases,
            {
                "id": case.id, "call": case.call, "started_at": clock.started_at, "days": clock.days, "pauses": pauses,
                "stopped_at": clock.stopped_at, "round_at": case.round_at, "taken_by": case.taken_by, "checked_by": case.checked_by,
                "nodes_asked": case.nodes_asked, "measured": [asdict(one) for one in case.measured], "told": sorted(case.told),
                "objection_until": case.objection_until,
            },
            ["id"],
        )  # fmt: skip

    def case(self, application: str) -> Case | None:
        row = self._db.row(select(cases).where(cases.c.id == application))
        return None if row is None else _case(row)

    def running(self) -> Sequence[Case]:
        wanted = select(cases).where(cases.c.stopped_at.is_(None)).order_by(cases.c.started_at, cases.c.id)
        return [_case(row) for row in self._db.rows(wanted)]

    def put_question(self, question: Question) -> None:
        self._db.put(questions, asdict(question) | {"fields": sorted(question.fields)}, ["id"])

    def questions(self, application: str) -> Sequence[Question]:
        wanted = select(questions).where(questions.c.application == application).order_by(questions.c.id)
        return [Question(**_named(row) | {"fields": frozenset(row.fields)}) for row in self._db.rows(wanted)]

    def add_step(self, step: Step) -> None:
        self._db.execute(insert(steps).values(**asdict(step)))

    def steps(self, application: str) -> Sequence[Step]:
        wanted = select(steps).where(steps.c.application == application).order_by(steps.c.at, steps.c.id)
        return [Step(**_named(row) | {"shown": Shown(row.shown)}) for row in self._db.rows(wanted)]


class SqlAssignments:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, assignment: Assignment) -> None:
        self._db.put(assignments, asdict(assignment) | {"scores": dict(assignment.scores)}, ["id"])

    def of_application(self, application: str) -> Sequence[Assignment]:
        # By person: ids are drawn by time of joining, which says nothing of who was asked or answered first.
        wanted = select(assignments).where(assignments.c.application == application).order_by(assignments.c.person)
        return [Assignment(**_named(row)) for row in self._db.rows(wanted)]

    def of_person(self, person: str) -> Sequence[Assignment]:
        wanted = select(assignments).where(assignments.c.person == person).order_by(assignments.c.due_at)
        return [Assignment(**_named(row)) for row in self._db.rows(wanted)]

    def put_decision(self, decision: Decision) -> None:
        self._db.put(decisions, asdict(decision), ["application"])

    def decision(self, application: str) -> Decision | None:
        row = self._db.row(select(decisions).where(decisions.c.application == application))
        return None if row is None else Decision(**_named(row) | {"verdict": Verdict(row.verdict)})


class SqlReviewNotices:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, told: Told) -> bool:
        if self._db.row(select(notices.c.id).where(notices.c.id == told.id)) is not None:
            return False
        self._db.execute(insert(notices).values(**asdict(told)))
        return True

    def of_person(self, person: str) -> Sequence[Told]:
        wanted = select(notices).where(notices.c.person == person).order_by(notices.c.made_at.desc(), notices.c.id)
        return [Told(**_named(row)) for row in self._db.rows(wanted.limit(50))]

    def unsent(self, now: datetime, *, limit: int) -> Sequence[Told]:
        waits = (notices.c.sent_at.is_(None), notices.c.given_up.is_(False), notices.c.next_at <= now)
        wanted = select(notices).where(*waits).order_by(notices.c.next_at, notices.c.id).limit(limit)
        return [Told(**_named(row)) for row in self._db.rows(wanted)]

    def save(self, told: Told) -> None:
        self._db.execute(update(notices).where(notices.c.id == told.id).values(**asdict(told)))


def _named(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001  # the documented way to a row's names


def _case(row: Row[Any]) -> Case:
    pauses = tuple(
        Pause(datetime.fromisoformat(began), datetime.fromisoformat(ended) if ended else None)
        for began, ended in row.pauses
    )
    clock = ReviewClock(row.started_at, row.days, pauses, row.stopped_at)
    measured: Sequence[Mapping[str, Any]] = row.measured
    return Case(
        row.id, row.call, clock, row.round_at, row.taken_by, row.checked_by, row.nodes_asked, tuple(Measured(**one) for one in measured),
        frozenset(row.told), row.objection_until,
    )  # fmt: skip

"""The SQL of compute: jobs, decisions, power limits."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    false,
    func,
    insert,
    select,
    text,
    update,
)

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant, instant_of
from fabriek.compute.contenders import Waiting
from fabriek.compute.decisions import Because, Decision
from fabriek.compute.gpus import MILLI, Gpus
from fabriek.compute.jobs import ENDED, EarlierLog, Job, JobInput, Priority, Shape, State, seconds_left
from fabriek.compute.limits import AnnouncedLimit
from fabriek.compute.notices.notices import NoticeAsked, Occasion
from fabriek.compute.placement import Placement
from fabriek.compute.secrets.secrets import SecretUse
from fabriek.compute.terms import USUAL, Terms
from fabriek.compute.uses import Use
from fabriek.kernel.errors import NotFound
from fabriek.kernel.purposes import Purpose

TAKE_NUMBERS = text(
    "insert into compute_counters (name, last) values ('job', :count) "
    "on conflict (name) do update set last = compute_counters.last + :count returning last"
)
"""Both databases read this alike."""

PRIORITIES = {str(one): one for one in Priority}

IDS_AT_ONCE = 500
"""In one question: a statement takes so many values and no more."""

jobs = Table(
    "compute_jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False, index=True),
    Column("person", String, nullable=False),
    Column("name", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("argv", JSON, nullable=False),
    Column("cpus", Integer, nullable=False),
    Column("gpus", Integer, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("wall_seconds_max", Integer, nullable=False),
    Column("share", String, nullable=False),
    Column("label", String, nullable=False),
    Column("submitted_at", Instant, nullable=False),
    Column("priority", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("exit_code", Integer),
    Column("changed_at", Instant),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("ran_seconds", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("code", String, nullable=False),
    Column("environment", JSON, nullable=False),
    Column("environment_hash", String, nullable=False),
    Column("experiment", String, nullable=False),
    Column("run", String, nullable=False, index=True),
    Column("output", String, nullable=False),
    Column("energy_joules", Float, nullable=False),
    Column("requirements", Text, nullable=False),
    Column("log", String, nullable=False),
    Column("cancelling", Boolean, nullable=False),
    Column("resource", String, nullable=False),
    Column("held_micro", BigInteger, nullable=False),
    Column("used_micro", BigInteger, nullable=False),
    Column("settled", Boolean, nullable=False, index=True),
    Column("number", BigInteger, nullable=False, server_default="0", index=True),
    Column("array", String, nullable=False, server_default="", index=True),
    Column("array_number", BigInteger, nullable=False, server_default="0", index=True),
    Column("array_index", Integer),
    Column("array_at_once", Integer, nullable=False, server_default="0"),
    Column("terms", JSON, nullable=False, server_default="{}"),
    Column("requeues", Integer, nullable=False, server_default="0"),
    Column("earlier_logs", JSON, nullable=False, server_default="[]"),
    Column("secrets", JSON, nullable=False, server_default="[]"),
    Column("notify", JSON, nullable=False, server_default="[]"),
    Column("use", JSON, nullable=False, server_default="{}"),
    Column("nodes", Integer, nullable=False, server_default="1"),
    Column("gpu_kind", String, nullable=False, server_default=""),
    Column("gpus_milli", Integer),
    Column("placed", JSON(none_as_null=True)),
    Column("preempting", Boolean, nullable=False, server_default=false()),
    Column("co2_grams", Float, nullable=False, server_default="0"),
)
"""`gpus` counts the devices, for servers that know no parts of one; `gpus_milli` says how much, and is null in rows of theirs."""

GPUS = ("gpus", "gpu_kind", "gpus_milli")

counters = Table(
    "compute_counters",
    metadata,
    Column("name", String, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

decisions = Table(
    "compute_decisions",
    metadata,
    Column("job", String, primary_key=True),
    Column("starts", Boolean, nullable=False),
    Column("code", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", Instant),
    Column("decided_at", Instant, nullable=False),
)

limits = Table(
    "compute_power_limits",
    metadata,
    Column("id", String, primary_key=True),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
    Column("watts", BigInteger, nullable=False),
    Column("source", String, nullable=False),
)


_NAMES = tuple(column.name for column in jobs.columns)

_ASKED = frozenset({
    "id", "project", "person", "name", "purpose", "argv", "submitted_at", "inputs", "code", "environment", "requirements",
    "experiment", "number", "array", "array_number", "array_index", "secrets", "notify",
    "nodes", "gpus", "gpu_kind", "gpus_milli",
})  # fmt: skip
"""What stands when a job is added and never changes. A label does: it rises with what the job reads."""

NO_TERMS = "{}"
_TERMS = cast(jobs.c.terms, Text)

_SAVE = update(jobs).where(jobs.c.id == bindparam("saved"))
"""Built once: a job is saved at every step of its way."""


class SqlJobs:
    """Jobs, in either database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, new: Sequence[Job]) -> None:
        self._db.execute(insert(jobs), [_values(job) for job in new])

    def get(self, job_id: str) -> Job:
        row = self._db.row(select(jobs).where(jobs.c.id == job_id))
        if row is None:
            raise NotFound("there is no such job", fix="fabriek job ls")
        return _job(row)

    def save(self, job: Job) -> None:
        changed = self._db.execute(_SAVE, _values(job, leaving_out=_ASKED) | {"saved": job.id})
        assert changed == 1, f"{job.id} was never added"

    def of_project(self, project: str, *, limit: int, before: str, active: bool = False) -> Sequence[Job]:
        # Ids are ULIDs: their order is that of submission.
        wanted = select(jobs).where(jobs.c.project == project).order_by(jobs.c.id.desc()).limit(limit)
        if before:
            wanted = wanted.where(jobs.c.id < before)
        if active:
            wanted = wanted.where(jobs.c.state.not_in(ENDED))
        return [_job(row) for row in self._db.rows(wanted)]

    def named(self, project: str, name: str, state: State, *, since: datetime) -> Sequence[Job]:
        """Those in this state that were submitted since then, newest first."""
        mine = select(jobs).where(jobs.c.project == project, jobs.c.name == name, jobs.c.state == str(state))
        return [_job(row) for row in self._db.rows(mine.where(jobs.c.submitted_at >= since).order_by(jobs.c.id.desc()))]

    def in_states(self, states: frozenset[State]) -> Sequence[Job]:
        return [_job(row) for row in self._db.rows(select(jobs).where(jobs.c.state.in_(states)).order_by(jobs.c.id))]

    def unsettled(self) -> Sequence[Job]:
        wanted = select(jobs).where(jobs.c.settled.is_(False), jobs.c.state.in_(ENDED)).order_by(jobs.c.id)
        return [_job(row) for row in self._db.rows(wanted)]

    def numbers(self, count: int) -> range:
        last = int(self._db.scalar(TAKE_NUMBERS, {"count": count}))
        return range(last - count + 1, last + 1)

    def called(self, project: str, number: int, index: int | None) -> Job:
        mine = select(jobs).where(jobs.c.project == project)
        if index is None:
            row = self._db.row(mine.where(jobs.c.number == number))
        else:
            row = self._db.row(mine.where(jobs.c.array_number == number, jobs.c.array_index == index))
        if row is None:
            raise NotFound("there is no such job", fix="fabriek job ls")
        return _job(row)

    def among(self, ids: Iterable[str]) -> Mapping[str, Job]:
        found, asked = dict[str, Job](), sorted(set(ids))
        for start in range(0, len(asked), IDS_AT_ONCE):
            wanted = select(jobs).where(jobs.c.id.in_(asked[start : start + IDS_AT_ONCE]))
            found |= {row.id: _job(row) for row in self._db.rows(wanted)}
        return found

    def of_array(self, array: str) -> Sequence[Job]:
        rows = self._db.rows(select(jobs).where(jobs.c.array == array, jobs.c.array != "").order_by(jobs.c.id))
        return [_job(row) for row in rows]

    def states(self, ids: Iterable[str]) -> Mapping[str, Sequence[State]]:
        found: dict[str, list[State]] = defaultdict(list)
        asked = sorted(set(ids))
        for start in range(0, len(asked), IDS_AT_ONCE):
            part = asked[start : start + IDS_AT_ONCE]
            wanted = select(jobs.c.id, jobs.c.array, jobs.c.state).where(jobs.c.id.in_(part) | jobs.c.array.in_(part))
            for row in self._db.rows(wanted):
                for name in {row.id, row.array}.intersection(part):
                    found[name].append(State(row.state))
        return found

    def waiting(self, *, bound: bool = False) -> Sequence[tuple[Waiting, Terms]]:
        c = jobs.c
        wanted = select(
            c.id, c.share, c.cpus, c.gpus, c.memory_bytes, c.wall_seconds_max, c.ran_seconds, c.requeues, c.submitted_at, c.priority,
            c.array, c.array_at_once, c.project, c.label, c.purpose, _TERMS, c.nodes, c.gpu_kind, c.gpus_milli,
        ).where(c.state == State.QUEUED).order_by(c.id)  # fmt: skip
        if bound:
            wanted = wanted.where(_TERMS != NO_TERMS)
        # Elements of arrays are alike, and came at one instant: what is the same is read once.
        shapes: dict[tuple[Any, ...], Shape] = {}
        instants: dict[Any, datetime] = {}
        known = {NO_TERMS: USUAL}
        found = []
        for row in self._db.plain_rows(wanted):
            job, share, cpus, gpus, memory, wall, ran, requeues, at, priority, array, at_once, *whose, terms = row[:16]
            more = row[16:]
            size = (cpus, gpus, memory, wall, ran, requeues, *more)
            if size not in shapes:
                left = seconds_left(wall, ran, requeues)
                shapes[size] = Shape(cpus, _gpus(gpus, more[1], more[2]), memory, left, more[0])
            if at not in instants:
                instants[at] = instant_of(at)
            came = instants[at]
            line = Waiting(
                job,
                share,
                shapes[size],
                came,
                PRIORITIES[priority],
                None,
                array,
                at_once,
                0,
                whose[0],
                False,
                whose[1],
                whose[2],
            )
            # Most ask for nothing or for the same, and reading that ten thousand times takes longer than all the rest of the row.
            if terms not in known:
                known[terms] = Terms.from_json(json.loads(terms))
            found.append((line, known[terms]))
        return found

    def count_by_state(self) -> dict[str, int]:
        rows = self._db.rows(select(jobs.c.state, func.count()).group_by(jobs.c.state))
        return dict(tuple(row) for row in rows)

    def finished(self, *, limit: int) -> Sequence[Job]:
        ran = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
        wanted = (
            select(jobs)
            .where(jobs.c.state.in_(ran), jobs.c.started_at.is_not(None))
            .order_by(jobs.c.id.desc())
            .limit(limit)
        )
        return [_job(row) for row in reversed(self._db.rows(wanted))]

    def finished_within(self, begin: datetime, end: datetime, *, limit: int) -> tuple[Sequence[Job], int]:
        came = jobs.c.submitted_at >= begin, jobs.c.submitted_at < end
        which = (*came, jobs.c.state.in_((State.SUCCEEDED, State.FAILED)), jobs.c.started_at.is_not(None))
        rows = self._db.rows(select(jobs).where(*which).order_by(jobs.c.id.desc()).limit(limit))
        return [_job(row) for row in reversed(rows)], int(self._db.scalar(select(func.count()).where(*which)) or 0)


class SqlDecisions:
    """The last decision on each job that waits."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, made: Sequence[Decision], at: datetime) -> None:
        if not made:
            return
        self._db.execute(delete(decisions).where(decisions.c.job.in_([one.job for one in made])))
        rows = [
            {"job": one.job, "starts": one.starts, "code": str(one.code), "reason": one.reason, "until": one.until, "decided_at": at}
            for one in made
        ]  # fmt: skip
        self._db.execute(insert(decisions), rows)

    def last(self, job_id: str) -> Decision | None:
        row = self._db.row(select(decisions).where(decisions.c.job == job_id))
        return None if row is None else Decision(row.job, row.starts, Because(row.code), row.reason, row.until)


class SqlPowerLimits:
    """Announced limits."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, limit: AnnouncedLimit) -> None:
        self._db.execute(insert(limits).values(**asdict(limit)))

    def get(self, limit_id: str) -> AnnouncedLimit:
        row = self._db.row(select(limits).where(limits.c.id == limit_id))
        if row is None:
            raise NotFound("there is no such limit", fix="fabriek power limit ls")
        return _limit(row)

    def save(self, limit: AnnouncedLimit) -> None:
        self._db.execute(update(limits).where(limits.c.id == limit.id).values(**asdict(limit)))

    def from_on(self, at: datetime) -> Sequence[AnnouncedLimit]:
        rows = self._db.rows(select(limits).where(limits.c.ends_at > at).order_by(limits.c.starts_at))
        return [_limit(row) for row in rows]


def _values(job: Job, leaving_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    plain = {name: getattr(job, name) for name in _NAMES if name not in leaving_out and name not in GPUS}
    plain |= {
        "placed": job.placed.as_json() if job.placed else None,
        "terms": job.terms.as_json(),
        "earlier_logs": [asdict(one) for one in job.earlier_logs],
        "use": job.use.as_json(),
    }
    if "argv" in plain:
        plain |= {"gpus": job.gpus.devices, "gpu_kind": job.gpus.kind, "gpus_milli": job.gpus.milli}
        plain |= {"argv": list(job.argv), "inputs": [asdict(one) for one in job.inputs]}
        plain |= {"secrets": [asdict(one) for one in job.secrets], "notify": [asdict(one) for one in job.notify]}
    return plain


def _job(row: Row[Any]) -> Job:
    kept = dict(row._mapping)  # noqa: SLF001  # the documented way to a row's names
    kept["argv"] = tuple(kept["argv"])
    kept["gpus"] = _gpus(row.gpus, kept.pop("gpu_kind"), kept.pop("gpus_milli"))
    kept["placed"] = Placement.from_json(row.placed) if row.placed else None
    kept["inputs"] = tuple(JobInput(**one) for one in kept["inputs"])
    kept["terms"] = Terms.from_json(kept["terms"])
    kept["earlier_logs"] = tuple(EarlierLog(**one) for one in kept["earlier_logs"])
    kept["secrets"] = tuple(SecretUse(**one) for one in kept["secrets"])
    kept["notify"] = tuple(NoticeAsked(one["target"], tuple(map(Occasion, one["occasions"]))) for one in kept["notify"])
    kept["use"] = Use.from_json(kept["use"])
    kept |= {"purpose": Purpose(row.purpose), "priority": Priority(row.priority), "state": State(row.state)}
    return Job(**kept)


def _gpus(count: int, kind: str, milli: int | None) -> Gpus:
    return Gpus(count * MILLI if milli is None else milli, kind)


def _limit(row: Row[Any]) -> AnnouncedLimit:
    return AnnouncedLimit(row.id, row.starts_at, row.ends_at, row.watts, row.source)

"""The ladder at work: what stands is looked at each round, what is due is written down and told, and nothing is done twice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fabriek.audit.service import Audit
from fabriek.compute.contenders import LEAVES_SECONDS
from fabriek.compute.executors.contract import Caps
from fabriek.compute.jobs import ON_THE_MACHINE, Job, Priority, State, move, reserved_end
from fabriek.compute.limits import AnnouncedLimit
from fabriek.compute.machine import Machine
from fabriek.compute.ports import Jobs, PowerLimits
from fabriek.compute.power import Limit, capped_draw, draw, idle_watts
from fabriek.compute.powering.acts import CAPPED_FOR_POWER, ENDED_FOR_POWER, FOR_POWER, Taken
from fabriek.compute.powering.ladder import STEPS, Act, Breach, Climb, Standing, Step, climb
from fabriek.compute.powering.ports import Acts, Readings
from fabriek.compute.powering.readings import watts_of_now
from fabriek.compute.powering.telling import cause, said
from fabriek.funding.policy.ladders import Ladder
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import FabriekError
from fabriek.kernel.ids import Ids
from fabriek.kernel.units import MICRO

FRESH = timedelta(minutes=5)
"""How old a meter's word may be to count for now."""

SPARED = timedelta(hours=1)
"""For how long what was put back by a meter's word waits until the meter leaves room for it."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How it stands with the ladder. `why`: in one sentence; empty where nothing is being done or to come. `acts`: what stands of what was done."""

    climb: Climb
    why: str
    held_why: str
    acts: Sequence[Taken] = ()
    can_cap: bool = False

    @property
    def step(self) -> str:
        """The highest step that is being taken, by what is due and by what stands; empty for none."""
        standing = [one.step for one in self.acts if not one.failed]
        taken = [*standing, *([self.climb.step] if self.climb.step else []), *([Step.HOLD] if self.held_why else [])]
        return str(max(taken, key=STEPS.index)) if taken else ""


NOTHING = Outlook(Climb(), "", "")


class PowerGuard:
    """Any number of workers may run rounds; each act is taken once."""

    def __init__(
        self, jobs: Jobs, limits: PowerLimits, acts: Acts, readings: Readings, *, machine: Machine, ladder: Callable[[], Ladder | None],
        caps: Caps | None, audit: Audit, clock: Clock, ids: Ids,
    ) -> None:  # fmt: skip
        self._jobs, self._limits, self._acts, self._readings = jobs, limits, acts, readings
        self._machine, self._ladder, self._caps = machine, ladder, caps
        self._audit, self._clock, self._ids = audit, clock, ids

    def outlook(
        self, standing: Sequence[Job] | None = None, announced: Sequence[AnnouncedLimit] | None = None
    ) -> Outlook:
        """What the ladder does now, and why. standing, announced: what was read a moment ago, where it was."""
        now = self._clock.now()
        announced = self._limits.from_on(now) if announced is None else announced
        contract = self._machine.contract
        acts = self._acts.standing() if contract is not None or announced else ()
        if contract is None and not announced:
            return NOTHING
        there = self._jobs.in_states(ON_THE_MACHINE) if standing is None else standing
        limits = [Limit(one.starts_at, one.ends_at, one.watts) for one in announced]
        table = self._machine.table(self._clock.today())
        drawn = self._drawn(now)
        found = climb(
            self._standing(there, acts, now), idle_watts(table, self._machine.capacity.nodes), contract, limits, self._ladder(), now,
            drawn_watts=drawn,
        )  # fmt: skip
        zone = self._machine.zone
        why = said(found, now, zone, can_cap=self._caps is not None)
        breach = found.breach if found.held else None
        held_why = f"since {cause(breach, now, zone)}" if breach else self._spared(drawn, limits, now)
        if held_why and not why:
            why = f"No job starts {held_why}."
        return Outlook(found, why, held_why, acts, self._caps is not None)

    def round(self) -> int:
        """Does what is due; how many acts were taken. Safe to repeat, and after a stop it goes on where it stood."""
        if self._machine.contract is None and not self._limits.from_on(self._clock.now()) and not self._acts.standing():
            return 0
        standing = self._jobs.in_states(ON_THE_MACHINE)
        self._close(standing)
        self._cap_what_was_written()
        found = self.outlook(standing)
        if found is NOTHING:
            return self._lift([one.job for one in self._acts.standing() if one.step is Step.CAP], standing)
        if found.climb.breach is not None:
            self._time(standing, found.climb.breach)
        taken = sum(self._take(act) for act in found.climb.acts)
        self._cap_what_was_written()
        return taken + self._lift(found.climb.lifts, standing)

    def _drawn(self, now: datetime) -> int | None:
        return watts_of_now(self._readings.within(now - FRESH, now), now - FRESH, now)

    def _spared(self, drawn: int | None, limits: Sequence[Limit], now: datetime) -> str:
        """What a meter had us put back does not come back by the plan, which it was right by, but when the meter leaves room."""
        if drawn is None:
            return ""
        put_back = [
            one for one in self._acts.since(now - SPARED) if one.metered and one.step in {Step.SUSPEND, Step.DRAIN}
        ]  # fmt: skip
        watts = [limit.watts for limit in limits if limit.starts <= now < limit.ends]
        watts += [self._machine.contract.watts] if self._machine.contract else []
        if not put_back or not watts or drawn + max(one.watts for one in put_back) <= min(watts):
            return ""
        return f"since the meter says {drawn} W of {min(watts)} W, which leaves no room for what was put back"

    def _standing(self, jobs: Sequence[Job], acts: Sequence[Taken], now: datetime) -> list[Standing]:
        by_attempt = {(one.job, one.attempt, one.step): one for one in acts}
        return [self._one(job, by_attempt, now) for job in jobs]

    def _one(self, job: Job, acts: dict[tuple[str, int, Step], Taken], now: datetime) -> Standing:
        table, ladder = self._machine.table(self._clock.today()), self._ladder()
        cap = acts.get((job.id, job.attempts, Step.CAP))
        full = draw(job.shape, table)
        able = self._caps is not None and ladder is not None and job.placed is not None and not job.gpus.part_milli
        capped = capped_draw(job.shape, table, ladder.cap_part) if able and ladder else full
        is_capped = cap is not None and cap.done_at is not None and not cap.failed
        told = acts.get((job.id, job.attempts, Step.DRAIN)) or acts.get((job.id, job.attempts, Step.SUSPEND))
        leave = job.terms.signal_seconds + LEAVES_SECONDS
        going = job.preempting or job.cancelling
        # Who leaves for another, or was cancelled, was told at an instant that nobody wrote down: it counts as gone.
        # A clock that was set back does not make it stay longer.
        soon = now + timedelta(seconds=leave)
        gone_by = (min(told.due_at, soon) if told is not None else soon) if going else None
        return Standing(
            job.id, job.priority, capped if is_capped else full, reserved_end(job, now), leave, full,
            full if cap is not None and cap.failed else capped,
            begun_at=job.started_at if job.state is State.RUNNING else None,
            preemptible=job.terms.preemptible and job.state is State.RUNNING, waits=job.state is State.ADMITTED,
            capped=cap is not None, gone_by=gone_by, ending=job.cancelling,
        )  # fmt: skip

    def _take(self, act: Act, *, told: bool = False) -> bool:
        """Whether it was taken: the job may have left since, and another worker may have been first. told: the job leaves already."""
        now = self._clock.now()
        with self._jobs.transaction(alone=f"job:{act.job}"):
            job = self._jobs.get(act.job)
            changed = self._changed(job, act.step, now) if not told else job if job.preempting else None
            if changed is None or any(
                one.job == job.id and one.attempt == job.attempts and one.step is act.step
                for one in self._acts.standing()
            ):
                return False
            breach = act.breach
            self._acts.add(
                Taken(
                    self._ids.new("pwa"), job.id, job.attempts, act.step, breach.at, breach.allowed_watts, breach.planned_watts,
                    breach.metered, act.watts, now, now + timedelta(seconds=act.leave_seconds),
                    done_at=None if act.step is Step.CAP else now,
                )
            )  # fmt: skip
            if changed != job:
                self._jobs.save(changed)
            if told:
                return True
            self._audit.record(
                _EVENTS[act.step], job.id, SYSTEM, project=job.project, watts=act.watts, allowed_watts=breach.allowed_watts
            )  # fmt: skip
        return True

    def _time(self, standing: Sequence[Job], breach: Breach) -> None:
        """Who leaves for another is timed from when its power is wanted: one that never leaves would count as gone for ever."""
        timed = {(one.job, one.attempt) for one in self._acts.standing() if one.step is Step.SUSPEND}
        for job in standing:
            if job.preempting and (job.id, job.attempts) not in timed:
                self._take(Act(job.id, Step.SUSPEND, breach, 0, job.terms.signal_seconds + LEAVES_SECONDS), told=True)

    def _changed(self, job: Job, step: Step, now: datetime) -> Job | None:
        """The job with the step taken; None where it cannot be taken any more."""
        if step is Step.CAP:
            return job if job.state is State.RUNNING and job.priority is Priority.ECO and not job.preempting else None
        if step is Step.DRAIN:
            ended = replace(job, cancelling=True, reason=ENDED_FOR_POWER)
            return ended if job.state is State.RUNNING and not job.cancelling else None
        if job.state is State.ADMITTED:
            return replace(move(job, State.QUEUED, at=now, reason=FOR_POWER.removeprefix("is ")), placed=None)
        stays = job.state is State.RUNNING and job.terms.preemptible and not job.preempting and not job.cancelling
        return replace(job, preempting=True, reason=FOR_POWER) if stays else None

    def _cap_what_was_written(self) -> None:
        """Outside any transaction, since it asks the machine. What a stop left undone is done now."""
        if self._caps is None or (ladder := self._ladder()) is None:
            return
        watts = int(self._machine.table(self._clock.today()).gpu_watts_full * ladder.cap_part // MICRO)
        for taken in self._acts.standing():
            if taken.step is not Step.CAP or taken.done_at is not None:
                continue
            failed = not self._told(taken.job, watts)
            self._note(taken, CAPPED_FOR_POWER, failed=failed)

    def _note(self, taken: Taken, reason: str, *, failed: bool) -> None:
        now = self._clock.now()
        with self._jobs.transaction(alone=f"job:{taken.job}"):
            job = self._jobs.get(taken.job)
            self._acts.save(replace(taken, done_at=now, failed=failed))
            if job.state is State.RUNNING and job.attempts == taken.attempt and not failed and not job.reason:
                self._jobs.save(replace(job, reason=reason))
            if failed:
                self._audit.record("power.not_capped", job.id, SYSTEM, project=job.project)

    def _told(self, job_id: str, watts: int) -> bool:
        """Whether the machine bounds each GPU of the job to that; 0 W takes the bound away."""
        job = self._jobs.get(job_id)
        if self._caps is None or job.placed is None:
            return False
        try:
            for node, devices in zip(job.placed.nodes, job.placed.devices, strict=True):
                self._caps.cap(node, devices, watts)
        except FabriekError:
            return False
        return True

    def _lift(self, jobs: Sequence[str], standing: Sequence[Job]) -> int:
        """What was capped draws its full power again."""
        there = {job.id for job in standing}
        lifted = 0
        for taken in [one for one in self._acts.standing() if one.step is Step.CAP and one.job in jobs]:
            if taken.job in there and not taken.failed and not self._told(taken.job, 0):
                continue  # the next round tries again
            with self._jobs.transaction(alone=f"job:{taken.job}"):
                job = self._jobs.get(taken.job)
                self._acts.save(replace(taken, ended_at=self._clock.now()))
                if job.state is State.RUNNING and job.reason == CAPPED_FOR_POWER:
                    self._jobs.save(replace(job, reason=""))
                self._audit.record("power.cap_lifted", job.id, SYSTEM, project=job.project)
            lifted += 1
        return lifted

    def _close(self, standing: Sequence[Job]) -> None:
        """Acts on attempts that are no longer there are over; a GPU that was capped for one is not for who comes next."""
        there = {(job.id, job.attempts) for job in standing if job.state is not State.ADMITTED}
        for taken in self._acts.standing():
            if (taken.job, taken.attempt) in there:
                continue
            if taken.step is Step.CAP and taken.done_at is not None and not taken.failed:
                self._told(taken.job, 0)
            with self._jobs.transaction(alone=f"job:{taken.job}"):
                self._acts.save(replace(taken, ended_at=self._clock.now()))


_EVENTS = {Step.CAP: "power.capped", Step.SUSPEND: "power.put_back", Step.DRAIN: "power.ended"}

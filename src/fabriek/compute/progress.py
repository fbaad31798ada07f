"""What the worker does with jobs: let in, begin, watch, settle. Every step goes through the table and is safe to repeat."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fabriek.audit.service import Audit
from fabriek.compute.bills import accounted, was_lost_by_the_machine
from fabriek.compute.contenders import Waiting, running_of
from fabriek.compute.costs import real_cost
from fabriek.compute.decisions import Decision
from fabriek.compute.executors.accounts import Account
from fabriek.compute.executors.contract import Handle, ObservedState, Phase
from fabriek.compute.gates import States, gate_of, hopeless
from fabriek.compute.jobs import (
    ENDED,
    EXIT_AGAIN,
    ON_THE_MACHINE,
    EarlierLog,
    Job,
    State,
    may_run_again,
    move,
    state_after,
)
from fabriek.compute.machine import Machine
from fabriek.compute.notices.outbox import Outbox
from fabriek.compute.order import DECIDES_HERE
from fabriek.compute.partitions import NOWHERE
from fabriek.compute.ports import Decisions, JobNames, Jobs, PowerLimits, Queue
from fabriek.compute.power import Limit, energy_joules
from fabriek.compute.powering.acts import ENDED_FOR_POWER, FOR_POWER
from fabriek.compute.powering.carbon import co2_grams
from fabriek.compute.powering.guard import PowerGuard
from fabriek.compute.sharing.agreed import agreed
from fabriek.compute.sharing.remembering import Means, Remembering
from fabriek.compute.sharing.rules import RULES_HERE
from fabriek.compute.snapshot import Snapshot
from fabriek.compute.terms import USUAL, Terms
from fabriek.compute.uses import Use
from fabriek.funding.reporting.uses import Facts
from fabriek.funding.service import Funding
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotPermitted

BEGUN = frozenset({State.STARTING, State.RUNNING})
FOR_ANOTHER = "is put back for another job"


class Progress:
    """The worker's half of a job's life."""

    def __init__(
        self, jobs: Jobs, names: JobNames, queue: Queue, decisions: Decisions, power_limits: PowerLimits, *,
        funding: Funding, audit: Audit, clock: Clock, machine: Machine, outbox: Outbox, means: Means, guard: PowerGuard,
    ) -> None:  # fmt: skip
        self._jobs, self._names, self._queue, self._decisions, self._limits = (
            jobs,
            names,
            queue,
            decisions,
            power_limits,
        )
        self._funding, self._audit, self._clock, self._machine = funding, audit, clock, machine
        self._outbox, self._guard = outbox, guard
        self._remembering = Remembering(means, machine.capacity, RULES_HERE)
        self._said: dict[str, Decision] = {}

    def snapshot(self) -> Snapshot:
        """Everything that the next decision needs, at this instant."""
        now = self._clock.now()
        table = self._machine.table(self._clock.today())
        standing = self._jobs.in_states(ON_THE_MACHINE)
        waiting = self._queue.waiting()
        states = self._states_waited_for([terms for _, terms in waiting])
        # What stands is mostly of the shape of something that waits: one object for both is found without comparing them.
        shapes = {line.shape: line.shape for line, _ in waiting}
        running = tuple(running_of(job, now, shapes) for job in standing)
        announced, shares = self._limits.from_on(now), agreed(self._funding.view(), self._funding.shares)
        return Snapshot(
            capacity=self._machine.capacity,
            table=table,
            running=running,
            queued=tuple(
                line
                if terms is USUAL
                else line._replace(gate=gate_of(terms, states, now, self._machine.zone), preemptible=terms.preemptible)
                for line, terms in self._in_partitions(waiting)
            ),
            shares=shares.parts,
            contract=self._machine.contract,
            limits=tuple(Limit(one.starts_at, one.ends_at, one.watts) for one in announced),
            starts_held=self._guard.outlook(standing, announced).held_why,
            zone=self._machine.zone,
            order=DECIDES_HERE,
            rules=shares.rules,
            lately=self._remembering.lately(running, now),
        )

    def among(self, job: Job) -> tuple[int, ...]:
        """The nodes on which it may stand; empty: on each. Raises NotPermitted where there is none."""
        return self._machine.among(job.label, job.purpose)

    def _in_partitions(self, waiting: Sequence[tuple[Waiting, Terms]]) -> Sequence[tuple[Waiting, Terms]]:
        """Each with the nodes on which it may stand. One that none takes any more waits for nodes that are not there, and says so."""
        if not self._machine.partitions:
            return waiting
        among = dict[tuple[str, str], tuple[int, ...]]()
        for line, _ in waiting:
            if (of := (line.label, line.purpose)) not in among:
                try:
                    among[of] = self._machine.among(*of)
                except NotPermitted:
                    among[of] = NOWHERE
        return [
            (line._replace(shape=replace(line.shape, among=among[line.label, line.purpose])), terms)
            for line, terms in waiting
        ]

    def remember(self) -> None:
        """Writes down what everybody used lately."""
        with self._jobs.transaction():
            self._remembering.keep(self._clock.now())

    def drop_hopeless(self) -> int:
        """Cancels waiting jobs that can never start: what they wait for will not come, or their deadline has. How many."""
        now = self._clock.now()
        bound = [(line, terms) for line, terms in self._queue.waiting(bound=True) if terms.after or terms.deadline]
        states = self._states_waited_for([terms for _, terms in bound])
        dropped = 0
        for line, terms in bound:
            if reason := hopeless(terms, line.shape.wall_seconds_max, states, now):
                with self._jobs.transaction(alone=f"job:{line.job}"):
                    waiting = self._jobs.get(line.job)
                    if waiting.state is State.QUEUED:
                        self._end(waiting, State.CANCELLED, reason, None, now)
                        dropped += 1
        return dropped

    def apply(self, made: Sequence[Decision]) -> int:
        """Lets in what was decided and still waits, and keeps every reason that changed. How many were let in."""
        now = self._clock.now()
        self.remember()
        fresh = [one for one in made if self._said.get(one.job) != one]
        starting = [one for one in made if one.starts]
        if not fresh and not starting:
            return 0
        let_in = 0
        with self._jobs.transaction(alone="admission"):
            self._decisions.keep(fresh, now)
            for decision in starting:
                let_in += self._let_in(decision, now)
            for decision in fresh:
                for job_id in decision.preempts:
                    self._preempt(job_id)
        self._said = {one.job: one for one in made if not one.starts}
        return let_in

    def _let_in(self, decision: Decision, at: datetime) -> bool:
        """Whether it waited still. One at a time with who cancels it: what they were told stands."""
        with self._jobs.transaction(alone=f"job:{decision.job}"):
            job = self._jobs.get(decision.job)
            if job.state is not State.QUEUED:  # it was cancelled since the snapshot
                return False
            self._jobs.save(replace(move(job, State.ADMITTED, at=at), placed=decision.placed))
            self._audit.record("job.admitted", job.id, SYSTEM, code=str(decision.code))
        return True

    def _preempt(self, job_id: str) -> None:
        """Marks a running job as one that is put back; who watches it tells it so."""
        with self._jobs.transaction(alone=f"job:{job_id}"):
            job = self._jobs.get(job_id)
            if job.state is State.RUNNING and job.terms.preemptible and not job.preempting:
                self._jobs.save(replace(job, preempting=True, reason=FOR_ANOTHER))
                self._audit.record("job.preempted", job.id, SYSTEM, project=job.project)

    def to_begin(self) -> Sequence[Job]:
        """Let in and not begun, and those whose beginning a stopped server left half-way."""
        return self._jobs.in_states(frozenset({State.ADMITTED, State.STARTING}))

    def begin(self, job_id: str) -> Job | None:
        """Moves an admitted job to starting: a new attempt. The job as it is if it was starting; None if it was cancelled."""
        with self._jobs.transaction(alone=f"job:{job_id}"):
            job = self._jobs.get(job_id)
            if job.state is State.STARTING:
                return job
            if job.state is not State.ADMITTED:
                return None
            begun = move(job, State.STARTING, at=self._clock.now())
            self._jobs.save(begun)
            self._audit.record("job.starting", job.id, SYSTEM, attempt=begun.attempts)
        return begun

    def note(self, job_id: str, *, run: str = "", output: str = "", environment_hash: str = "") -> Job:
        """Writes down what a job got: its run, its output version, its environment."""
        with self._jobs.transaction(alone=f"job:{job_id}"):
            job = self._jobs.get(job_id)
            noted = replace(
                job,
                run=run or job.run,
                output=output or job.output,
                environment_hash=environment_hash or job.environment_hash,
            )
            self._jobs.save(noted)
        return noted

    def fail(self, job_id: str, reason: str) -> None:
        """Ends a job that could not be started."""
        with self._jobs.transaction(alone=f"job:{job_id}"):
            job = self._jobs.get(job_id)
            if job.state is State.STARTING:
                self._end(job, State.FAILED, reason, None, self._clock.now())

    def started(self) -> Sequence[Job]:
        """Those that have processes to look at."""
        return self._jobs.in_states(BEGUN)

    def observe(self, job_id: str, seen: ObservedState) -> bool:
        """Writes down what the executor saw; whether the job's state changed."""
        with self._jobs.transaction(alone=f"job:{job_id}"):
            job = self._jobs.get(job_id)
            if job.state not in BEGUN:
                return False
            if not says_more(job, seen):
                return False
            begun = seen.phase in {Phase.RUNNING, Phase.SEALING} or seen.started_at is not None
            changed = job.state is State.STARTING and begun
            if changed:
                job = move(job, State.RUNNING, at=seen.started_at or self._clock.now(), reason=job.reason)
                job = replace(job, environment_hash=seen.image_hash or job.environment_hash)
                self._jobs.save(job)
                self._outbox.write(job)
                self._audit.record("job.running", job.id, SYSTEM)
            if seen.phase in {Phase.LOST, Phase.ABSENT}:
                reason = seen.reason or "nothing of it is left on the machine"
                at = max(seen.ended_at or self._clock.now(), job.started_at or job.submitted_at)
                self._end(job, State.LOST, reason, None, at, seen)
                return True
            if seen.phase is Phase.DONE:
                self._end_as_seen(job, seen)
                return True
        return changed

    def to_queue_again(self) -> Sequence[Job]:
        """Suspended: their attempt is over, and what it left is to be collected before the next."""
        return self._jobs.in_states(frozenset({State.SUSPENDED}))

    def queue_again(self, job_id: str, log: EarlierLog, account: Account | None = None) -> None:
        """Puts a suspended job back into the queue, with the sealed output of the attempt that is over, and the accounts of it."""
        with self._jobs.transaction(alone=f"job:{job_id}"):
            job = self._jobs.get(job_id)
            if job.state is State.SUSPENDED:
                job = accounted(job, account) if account else job
                waiting = move(job, State.QUEUED, at=self._clock.now(), reason=job.reason)
                self._jobs.save(replace(waiting, earlier_logs=(*job.earlier_logs, log)))
                self._audit.record("job.queued", job.id, SYSTEM, attempt=job.attempts)

    def unsettled(self) -> Sequence[Job]:
        return self._jobs.unsettled()

    def settle(self, job_id: str, account: Account | None = None, *, log: str = "") -> None:
        """Charges the real use, bounded by the machine's accounts of it, and gives the rest of the hold back. Idempotent: the ledger takes one
        settlement for a job. log: its sealed output, where it left any.
        """
        with self._jobs.transaction(alone=f"job:{job_id}"):
            job = self._jobs.get(job_id)
            if job.settled:
                return
            assert job.state in ENDED, f"{job_id} has not ended"
            job = accounted(job, account) if account else job
            used_micro = self._used_micro(job)
            today = self._clock.today()
            part = self._machine.part_of(job.terms.work, today)
            energy = energy_joules(job.shape, self._machine.table(today), job.ran_seconds, part)
            co2 = co2_grams(energy, self._machine.mixes, today)
            self._funding.settle(job.id, used_micro, facts_of(job, energy, co2))
            settled = replace(job, settled=True, used_micro=used_micro, energy_joules=energy, co2_grams=co2)
            self._jobs.save(replace(settled, log=log or job.log))
            self._audit.record("job.settled", job.id, SYSTEM, used_micro=used_micro, resource=job.resource)

    def _used_micro(self, job: Job) -> int:
        if job.ran_seconds <= 0 or was_lost_by_the_machine(job, walls=not self._machine.without_walls()):
            return 0
        on = job.submitted_at.astimezone(self._machine.zone).date()
        return real_cost(job, self._machine, on).amount_micro

    def _end_as_seen(self, job: Job, seen: ObservedState) -> None:
        job = replace(job, output=seen.output)
        self._record_hosts(job, seen)
        at = max(seen.ended_at or self._clock.now(), job.started_at or job.submitted_at)
        if job.state is State.STARTING:
            self._end(job, State.CANCELLED if job.cancelling else State.FAILED, seen.reason, seen.exit_code, at, seen)
        elif job.cancelling:
            why = ENDED_FOR_POWER if job.reason == ENDED_FOR_POWER else "cancelled while it ran"
            self._end(job, State.CANCELLED, why, seen.exit_code, at, seen)
        elif job.preempting and (seen.again or seen.exit_code == EXIT_AGAIN):
            # It did not ask for this: it has the time that was left, and none of its requeues is used up.
            why = (FOR_POWER if job.reason == FOR_POWER else FOR_ANOTHER).removeprefix("is ")
            back = move(job, State.SUSPENDED, at=at, reason=why, exit_code=seen.exit_code)
            self._jobs.save(replace(back, preempting=False, use=_use_after(job, back, seen)))
            self._audit.record("job.suspended", job.id, SYSTEM, requeues=back.requeues)
        elif (seen.again or seen.exit_code == EXIT_AGAIN) and may_run_again(job):
            again = move(job, State.SUSPENDED, at=at, reason="asked to run again", exit_code=seen.exit_code)
            self._jobs.save(replace(again, requeues=job.requeues + 1, use=_use_after(job, again, seen)))
            self._audit.record("job.suspended", job.id, SYSTEM, requeues=again.requeues + 1)
        elif seen.reason:
            # A job that the limits stopped has failed, whatever code its processes left behind.
            self._end(job, State.FAILED, seen.reason, seen.exit_code, at, seen)
        else:
            self._end(job, state_after(seen.exit_code), seen.hint, seen.exit_code, at, seen)

    def _record_hosts(self, job: Job, seen: ObservedState) -> None:
        """Those that the job had named, one by one. What it asked for beside them is counted only: the log keeps no words of a job."""
        for host in job.terms.hosts:
            if times := seen.reached.get(host):
                self._audit.record(
                    "job.reached", job.id, SYSTEM, host=host.replace("[", "").replace("]", ""), times=times
                )
        if seen.refused:
            self._audit.record("job.kept_from_hosts", job.id, SYSTEM, times=sum(seen.refused.values()))

    def _states_waited_for(self, terms: Sequence[Terms]) -> States:
        return self._names.states({after.job for one in terms for after in one.after})

    def _end(
        self, job: Job, to: State, reason: str, exit_code: int | None, at: datetime, seen: ObservedState | None = None
    ) -> None:
        """seen: of its attempt; None where there is none."""
        ended = move(job, to, at=at, reason=reason, exit_code=exit_code)
        self._jobs.save(replace(ended, use=_use_after(job, ended, seen)) if seen else ended)
        self._outbox.write(ended)
        self._audit.record(f"job.{to}", job.id, SYSTEM, exit_code=-1 if exit_code is None else exit_code)


def facts_of(job: Job, energy_joules: float, co2_grams: float = 0.0) -> Facts | None:
    """What reports tell of a job that has ended; None of one that never began. What it ran before its latest attempt it did not wait."""
    if job.started_at is None or job.ended_at is None:
        return None
    earlier = job.ran_seconds - (job.ended_at - job.started_at).total_seconds()
    waited = (job.started_at - job.submitted_at).total_seconds() - max(0.0, earlier)
    return Facts(max(0, round(waited)), round(energy_joules), job.ended_at, round(co2_grams))


def says_more(job: Job, seen: ObservedState) -> bool:
    """Whether the look at a begun job says more than is known of it."""
    if job.state is State.RUNNING:
        return seen.phase not in {Phase.STARTING, Phase.RUNNING, Phase.SEALING}
    return seen.phase not in {
        Phase.STARTING,
        Phase.ABSENT,
    }  # absent: not handed over yet, its environment may still be built


def _use_after(before: Job, after: Job, seen: ObservedState) -> Use:
    return before.use.and_then(
        cpu_seconds=seen.cpu_seconds, memory_bytes_peak=seen.memory_bytes_peak, ran_seconds=after.ran_seconds - before.ran_seconds
    )  # fmt: skip


def handle_of(job: Job) -> Handle:
    """How the executor knows the job's latest attempt."""
    return Handle(job.id, job.attempts)

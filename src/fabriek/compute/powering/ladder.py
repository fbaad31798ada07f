"""The ladder: what is done where more stands than may be drawn, now or when a limit begins. Pure, and the same from round to round.

Four steps, each at its time before the limit: starts are held; eco jobs draw less; jobs that may be put back are, eco first and urgent last; and
those are ended that may not, as far as the policy lets. Of each as few as suffice, and who is leaving already counts as gone until the time is over
by which it should be.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from fabriek.compute.jobs import Priority
from fabriek.compute.line import RANK
from fabriek.compute.power import Contract, Limit, envelope
from fabriek.funding.policy.ladders import Drain, Ladder


class Step(StrEnum):
    """In the order in which they are taken."""

    HOLD = "hold"
    CAP = "cap"
    SUSPEND = "suspend"
    DRAIN = "drain"


STEPS = tuple(Step)


@dataclass(frozen=True, slots=True)
class Standing:
    """A job that has its power. `watts`: what it is planned to draw, capped where it is; `full_watts` without a cap, `capped_watts` with one, the
    same where nobody can cap it. `ends`: when it is gone at the latest. `gone_by`: until when it counts as gone, since it is leaving; None where it
    is not. `begun_at`: since when it runs; None while it does not, and then it may be put back at once where `waits` says so.
    """

    job: str
    priority: Priority
    watts: int
    ends: datetime
    leave_seconds: int
    full_watts: int
    capped_watts: int
    begun_at: datetime | None = None
    preemptible: bool = False
    waits: bool = False
    capped: bool = False
    gone_by: datetime | None = None
    ending: bool = False


@dataclass(frozen=True, slots=True)
class Breach:
    """From `at` on, `planned_watts` would be drawn where `allowed_watts` may be. `metered`: a meter says so, and not the plan."""

    at: datetime
    allowed_watts: int
    planned_watts: int
    metered: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """One step on one job. `breach`: what it is for; `watts`: what it brings."""

    job: str
    step: Step
    breach: Breach
    watts: int
    leave_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Climb:
    """`breach`: the first, by time. `held`: whether no job may start. `acts`: what is due now, `planned`: what will be, with its time. `lifts`:
    jobs that may draw their full power again. `short_watts`: what no step that is allowed takes away.
    """

    breach: Breach | None = None
    held: bool = False
    acts: tuple[Act, ...] = ()
    planned: tuple[tuple[datetime, Act], ...] = ()
    lifts: tuple[str, ...] = ()
    short_watts: int = 0

    @property
    def step(self) -> Step | None:
        """The highest that is being taken."""
        taken = [act.step for act in self.acts]
        return max([*taken, *([Step.HOLD] if self.held else [])], key=STEPS.index, default=None)


Brings = Callable[[Standing], int]


@dataclass(slots=True)
class _Plan:
    """What was chosen so far. `there`: job → what it draws by then; who was chosen to go is no longer in it."""

    there: dict[str, Standing]
    watts: dict[str, int]
    due: list[tuple[datetime, Act]] = field(default_factory=list)


def climb(
    standing: Sequence[Standing], idle_watts: int, contract: Contract | None, limits: Sequence[Limit], ladder: Ladder | None, now: datetime,
    *, drawn_watts: int | None = None,
) -> Climb:  # fmt: skip
    """drawn_watts: what a meter says of this moment; None where there is none, or what it said is too old."""
    if ladder is None or (contract is None and not limits):
        return Climb(lifts=tuple(one.job for one in standing if one.capped and one.gone_by is None))
    leaves = max((one.leave_seconds for one in standing), default=0)
    far = now + timedelta(seconds=max(ladder.hold_seconds, ladder.suspend_seconds + leaves))
    instants = sorted({now, *(limit.starts for limit in limits if now < limit.starts <= far)})
    stays = {one.job: one for one in standing if one.gone_by is None or one.gone_by < now}
    plan = _Plan(stays, {one.job: one.watts for one in standing})
    first, held, short, full_fits = None, False, 0, True
    for at in instants:
        allowed = envelope(contract, limits, at)
        if allowed is None:
            continue
        there = [one for one in standing if at == now or one.ends > at]
        metered = drawn_watts if at == now and drawn_watts is not None else 0
        planned = idle_watts + sum(one.watts for one in there)
        full_fits &= idle_watts + sum(one.full_watts for one in there) <= allowed and metered <= allowed
        if max(planned, metered) <= allowed:
            continue
        breach = Breach(at, allowed, max(planned, metered), metered=metered > planned)
        first = first or breach
        held |= now >= at - timedelta(seconds=ladder.hold_seconds)
        # Of those that go, only what they draw now is known to a meter: what it sees beyond the plan stays until it says otherwise.
        over = breach.planned_watts - allowed - sum(one.watts - plan.watts.get(one.job, 0) for one in there)
        over -= sum(plan.watts[one.job] for one in there if one.job in plan.watts and one.job not in plan.there)
        short = max(short, _step_by_step(plan, over, breach, ladder, {one.job for one in there}))
    acts = tuple(act for due, act in plan.due if due <= now)
    later = tuple(sorted(((due, act) for due, act in plan.due if due > now), key=lambda one: one[0]))
    lifts = tuple(one.job for one in standing if one.capped and one.gone_by is None) if full_fits else ()
    return Climb(first, held or bool(acts), acts, later, lifts, short)


def _step_by_step(plan: _Plan, over: int, breach: Breach, ladder: Ladder, there: set[str]) -> int:
    """Chooses until nothing is over; what is over still."""
    if over > 0 and ladder.cap_part:
        able = [one for one in _in_it(plan, there) if _may_cap(one, plan)]
        for one in _few(able, over, lambda one: plan.watts[one.job] - one.capped_watts):
            saved = plan.watts[one.job] - one.capped_watts
            plan.due.append((_before(breach, ladder.cap_seconds), Act(one.job, Step.CAP, breach, saved)))
            plan.watts[one.job] = one.capped_watts
            over -= saved
    if over > 0:
        able = [one for one in _in_it(plan, there) if one.gone_by is None and (one.preemptible or one.waits)]
        over -= _go(
            plan, _few(able, over, lambda one: plan.watts[one.job]), Step.SUSPEND, breach, ladder.suspend_seconds
        )
    if over > 0 and ladder.drain is not Drain.NONE:
        lowest = RANK[Priority(ladder.drain)]
        able = [
            one for one in _in_it(plan, there) if RANK[one.priority] >= lowest and one.begun_at is not None and not one.ending
        ]  # fmt: skip
        over -= _go(plan, _latest(able, over, plan), Step.DRAIN, breach, ladder.drain_seconds)
    return max(0, over)


def _in_it(plan: _Plan, there: set[str]) -> list[Standing]:
    return [one for job, one in plan.there.items() if job in there]


def _may_cap(one: Standing, plan: _Plan) -> bool:
    return (
        one.priority is Priority.ECO
        and one.begun_at is not None
        and one.gone_by is None
        and not one.capped
        and one.capped_watts < plan.watts[one.job]
    )


def _go(plan: _Plan, chosen: Iterable[Standing], step: Step, breach: Breach, seconds: int) -> int:
    """They are told in time; what they draw until then."""
    gone = 0
    for one in chosen:
        watts, leave = plan.watts[one.job], one.leave_seconds if one.begun_at is not None else 0
        plan.due.append((_before(breach, seconds + leave), Act(one.job, step, breach, watts, leave)))
        del plan.there[one.job]
        gone += watts
    return gone


def _before(breach: Breach, seconds: int) -> datetime:
    return breach.at - timedelta(seconds=seconds)


def _few(able: Sequence[Standing], over: int, brings: Brings) -> list[Standing]:
    """As few as bring that much, eco before normal before urgent: the least that is enough alone, else the one that brings most; and of those that
    bring the same who came last.
    """
    chosen = list[Standing]()
    left = over
    for rank in sorted({RANK[one.priority] for one in able}, reverse=True):
        those = sorted((one for one in able if RANK[one.priority] == rank and brings(one) > 0), key=_latest_first)
        while those and left > 0:
            enough = [one for one in those if brings(one) >= left]
            one = min(enough, key=brings) if enough else max(those, key=brings)
            those.remove(one)
            chosen.append(one)
            left -= brings(one)
    return _needed(chosen, over, brings)


def _latest(able: Sequence[Standing], over: int, plan: _Plan) -> list[Standing]:
    """Who began last is ended first, within its priority: the least work is lost."""
    chosen, left = list[Standing](), over
    for one in sorted(able, key=lambda one: (-RANK[one.priority], _latest_first(one))):
        if left <= 0:
            break
        chosen.append(one)
        left -= plan.watts[one.job]
    return _needed(chosen, over, lambda one: plan.watts[one.job])


def _needed(chosen: list[Standing], over: int, brings: Brings) -> list[Standing]:
    """Without those that the others make needless; who was chosen last is spared first."""
    kept = list(chosen)
    for one in reversed(chosen):
        if sum(map(brings, kept)) - brings(one) >= over:
            kept.remove(one)
    return kept


def _latest_first(one: Standing) -> tuple[float, str]:
    return -(one.begun_at.timestamp() if one.begun_at else float("inf")), one.job

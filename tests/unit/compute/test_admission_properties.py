"""What holds of every decision round, whatever the machine, the queue and the limits."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.compute.admission import admit
from fabriek.compute.capacity import Capacity
from fabriek.compute.decisions import Decision
from fabriek.compute.jobs import Priority, Shape
from fabriek.compute.power import Contract, draw, envelope, idle_watts
from fabriek.compute.snapshot import Running, Snapshot, Waiting
from tests.factories.compute import GIB, NOON, a_limit, a_table

HOUR = timedelta(hours=1)
CAPACITY = Capacity(cpus=8, gpus=4, memory_bytes=16 * GIB)
SHARES = ("shr_a", "shr_b", "shr_c")

shapes = st.builds(
    Shape, st.integers(1, 9), st.integers(0, 5), st.integers(1, 18).map(lambda n: n * GIB), st.integers(1, 20_000)
)
limits = st.lists(
    st.builds(
        lambda start, hours, watts: a_limit(watts, starts=NOON + start * HOUR, hours=hours),
        st.integers(-2, 5),
        st.integers(1, 4),
        st.integers(0, 700),
    ),
    max_size=4,
)


@st.composite
def snapshots(drawn: st.DrawFn) -> Snapshot:
    """Machines that stand within their room; power may be over a limit that has just come."""
    running, room = [], CAPACITY
    for number, shape in enumerate(drawn(st.lists(shapes, max_size=5))):
        if shape.cpus > room.cpus or shape.gpus > room.gpus or shape.memory_bytes > room.memory_bytes:
            continue
        room = Capacity(room.cpus - shape.cpus, room.gpus - shape.gpus, room.memory_bytes - shape.memory_bytes)
        ends = NOON + timedelta(seconds=drawn(st.integers(-100, 20_000)))
        running.append(Running(f"run_{number}", drawn(st.sampled_from(SHARES)), shape, ends))
    queued = [
        Waiting(
            f"job_{number}",
            drawn(st.sampled_from(SHARES)),
            shape,
            NOON - timedelta(seconds=drawn(st.integers(0, 5))),
            drawn(st.sampled_from(Priority)),
        )
        for number, shape in enumerate(drawn(st.lists(shapes, max_size=8)))
    ]
    return Snapshot(
        capacity=CAPACITY,
        table=a_table(),
        running=tuple(running),
        queued=tuple(queued),
        shares=drawn(st.sampled_from([{}, {"shr_a": 600_000, "shr_b": 400_000}])),
        contract=drawn(st.sampled_from([None, Contract(100), Contract(600)])),
        limits=tuple(drawn(limits)),
    )


def started(snapshot: Snapshot, decisions: list[Decision]) -> list[Waiting]:
    let_in = {decision.job for decision in decisions if decision.starts}
    return [waiting for waiting in snapshot.queued if waiting.job in let_in]


def ends_of(waiting: Waiting) -> datetime:
    return NOON + timedelta(seconds=waiting.shape.wall_seconds_max)


@given(snapshots())
def test_no_round_goes_above_the_machine(snapshot: Snapshot) -> None:
    standing = [job.shape for job in (*snapshot.running, *started(snapshot, admit(snapshot, NOON)))]
    assert sum(shape.cpus for shape in standing) <= CAPACITY.cpus
    assert sum(shape.gpus for shape in standing) <= CAPACITY.gpus
    assert sum(shape.memory_bytes for shape in standing) <= CAPACITY.memory_bytes


@given(snapshots())
def test_no_round_plans_above_the_envelope_at_any_moment_of_any_job_it_starts(snapshot: Snapshot) -> None:
    new = started(snapshot, admit(snapshot, NOON))
    bounds = {at for limit in snapshot.limits for at in (limit.starts, limit.ends) if at >= NOON}
    for at in {NOON, *bounds}:
        ours = [waiting for waiting in new if ends_of(waiting) > at]
        allowed = envelope(snapshot.contract, snapshot.limits, at)
        if not ours or allowed is None:
            continue
        # A job past its end may leave at any moment: it counts now, and not later.
        stand = [run.shape for run in snapshot.running if run.ends > at or at == NOON]
        planned = sum(draw(shape, snapshot.table) for shape in [*stand, *(one.shape for one in ours)])
        assert planned + idle_watts(snapshot.table, 1) <= allowed


@given(snapshots())
def test_every_queued_job_gets_one_decision_with_a_sentence(snapshot: Snapshot) -> None:
    decisions = admit(snapshot, NOON)
    assert sorted(decision.job for decision in decisions) == sorted(waiting.job for waiting in snapshot.queued)
    assert all(decision.reason.endswith(".") and "\n" not in decision.reason for decision in decisions)


@given(snapshots(), st.randoms(use_true_random=False))
def test_the_order_of_rows_decides_nothing(snapshot: Snapshot, chance: object) -> None:
    queued, running = list(snapshot.queued), list(snapshot.running)
    chance.shuffle(queued)  # type: ignore[attr-defined]
    chance.shuffle(running)  # type: ignore[attr-defined]
    other = Snapshot(
        snapshot.capacity,
        snapshot.table,
        tuple(running),
        tuple(queued),
        snapshot.shares,
        snapshot.contract,
        snapshot.limits,
    )
    assert admit(snapshot, NOON) == admit(other, NOON)


@settings(max_examples=200)
@given(snapshots())
def test_filling_gaps_never_delays_the_reserved_start_of_the_first_that_waits(snapshot: Snapshot) -> None:
    decisions = admit(snapshot, NOON)
    first = next((one for one in decisions if not one.starts and one.until is not None), None)
    if first is None:
        return
    # Play the round on: what started stands, and at every later end the first is still due when it was promised.
    standing = [
        *snapshot.running,
        *(Running(w.job, w.share, w.shape, ends_of(w)) for w in started(snapshot, decisions)),
    ]
    waits = next(waiting for waiting in snapshot.queued if waiting.job == first.job)
    later = Snapshot(
        snapshot.capacity,
        snapshot.table,
        tuple(standing),
        (waits,),
        snapshot.shares,
        snapshot.contract,
        snapshot.limits,
    )
    (again,) = admit(later, NOON)
    assert again.until == first.until

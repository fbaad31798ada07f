"""What holds of every decision round, whatever the machine, the queue and the limits."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.compute.admission import admit, starts
from fabriek.compute.board import Board
from fabriek.compute.capacity import Capacity
from fabriek.compute.contenders import Running, Waiting
from fabriek.compute.decisions import Because, Decision
from fabriek.compute.floor import Floor
from fabriek.compute.gpus import MILLI, Kind, gpus_of
from fabriek.compute.jobs import Priority, Shape
from fabriek.compute.order import FirstCome, Order, Stretch
from fabriek.compute.placement import Placement
from fabriek.compute.power import Contract, draw, envelope, idle_watts
from fabriek.compute.sharing.rules import PLAIN, ShareRules
from fabriek.compute.snapshot import NOTHING_LATELY, Lately, Snapshot
from tests.factories.compute import GIB, NOON, a_limit, a_table, kept

HOUR = timedelta(hours=1)
MACHINES = (
    Capacity(cpus=8, gpus=4, memory_bytes=16 * GIB),
    Capacity(8, 4, 16 * GIB, kinds=(Kind("a100", 2, 250), Kind("h100", 2))),
    Capacity(8, 4, 16 * GIB, nodes=2, kinds=(Kind("a100", 2, 500), Kind("h100", 2, 250))),
    Capacity(12, 8, 24 * GIB, nodes=4, kinds=(Kind("a100", 8, 250),)),
)
SHARES = ("shr_a", "shr_b", "shr_c")
TREES = (
    ({}, PLAIN, NOTHING_LATELY),
    ({"shr_a": 600_000, "shr_b": 400_000}, PLAIN, NOTHING_LATELY),
    ({"shr_a": 600_000, "shr_b": 400_000}, ShareRules(borrowers_yield=True, reserved=2), NOTHING_LATELY),
    ({"shr_a": 600_000, "shr_b": 400_000}, ShareRules(ceilings={"shr_a": 700_000, "shr_c": 250_000}), NOTHING_LATELY),
    (
        {"top": 700_000, "shr_a": 300_000, "shr_b": 200_000, "shr_c": 300_000},
        ShareRules(
            {"shr_a": "top", "shr_b": "top"},
            {"top": 800_000, "shr_b": 500_000},
            budget_seconds=86_400,
            owner_seconds=86_400,
        ),
        Lately({"top": 0.6, "shr_a": 0.5, "shr_b": 0.1, "shr_c": 0.1}, {"ann": 0.5, "bob": 0.1}),
    ),
)
"""Parts, how shares stand to each other, and what was used lately."""

amounts = st.sampled_from(
    ["0", "1", "2", "5", "0.25", "0.5", "0.75", "a100:1", "a100:2", "a100:0.5", "h100:1", "h100:0.25"]
)
shapes = st.builds(
    Shape,
    st.integers(1, 9),
    amounts.map(gpus_of),
    st.integers(1, 18).map(lambda n: n * GIB),
    st.integers(1, 20_000),
    st.sampled_from([1, 1, 1, 2, 3]),
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
    """Machines that stand within their room, each job where the floor had a place; power may be over a limit that has just come."""
    capacity = drawn(st.sampled_from(MACHINES))
    running, floor = [], Floor(capacity, NOON)
    for number, shape in enumerate(drawn(st.lists(shapes, max_size=6))):
        placed = floor.place(shape, NOON, NOON + HOUR)
        if placed is None:
            continue
        floor.occupy(shape, placed, NOON, NOON + HOUR)
        ends = NOON + timedelta(seconds=drawn(st.integers(-100, 20_000)))
        share, preemptible = drawn(st.sampled_from(SHARES)), drawn(st.booleans())
        running.append(Running(f"run_{number}", share, shape, ends, placed=placed, preemptible=preemptible))
    queued = [
        Waiting(
            f"job_{number}",
            drawn(st.sampled_from(SHARES)),
            shape,
            NOON - timedelta(seconds=drawn(st.integers(0, 5))),
            drawn(st.sampled_from(Priority)),
            owner=drawn(st.sampled_from(["ann", "bob"])),
            preemptible=drawn(st.booleans()),
        )
        for number, shape in enumerate(drawn(st.lists(shapes, max_size=8)))
    ]
    shares, rules, lately = drawn(st.sampled_from(TREES))
    return Snapshot(
        capacity=capacity,
        table=a_table(),
        running=tuple(running),
        queued=tuple(queued),
        shares=shares,
        rules=rules,
        lately=lately,
        contract=drawn(st.sampled_from([None, Contract(150), Contract(600)])),
        limits=tuple(drawn(limits)),
    )


def started(snapshot: Snapshot, decisions: list[Decision]) -> list[Waiting]:
    let_in = {decision.job for decision in decisions if decision.starts}
    return [waiting for waiting in snapshot.queued if waiting.job in let_in]


def ends_of(waiting: Waiting) -> datetime:
    return NOON + timedelta(seconds=waiting.shape.wall_seconds_max)


def stand(snapshot: Snapshot, decisions: list[Decision]) -> list[tuple[Shape, Placement]]:
    """Everything that has a place once the round is over."""
    places = {one.job: one.placed for one in decisions if one.placed}
    old = [(one.shape, one.placed) for one in snapshot.running if one.placed]
    return old + [(one.shape, places[one.job]) for one in started(snapshot, decisions)]


@settings(max_examples=300)
@given(snapshots())
def test_no_node_and_no_gpu_is_ever_given_away_twice(snapshot: Snapshot) -> None:
    each, numbers = snapshot.capacity.each(), snapshot.capacity.numbers()
    cpus, memory, gpus = Counter[int](), Counter[int](), Counter[int]()
    for shape, placed in stand(snapshot, admit(snapshot, NOON)):
        assert len(set(placed.nodes)) == len(placed.nodes) == shape.nodes
        for node, devices in zip(placed.nodes, placed.devices, strict=True):
            cpus[node] += shape.cpus
            memory[node] += shape.memory_bytes
            assert len(set(devices)) == len(devices) == shape.gpus.devices
            for device in devices:
                assert device in numbers[node]
                gpus[device] += shape.gpus.part_milli or MILLI
    assert all(count <= each.cpus for count in cpus.values())
    assert all(count <= each.memory_bytes for count in memory.values())
    assert all(milli <= MILLI for milli in gpus.values())


@given(snapshots())
def test_who_asks_for_a_kind_gets_it_and_parts_only_of_what_is_shared(snapshot: Snapshot) -> None:
    kinds = {kind.name: kind for kind in snapshot.capacity.gpu_kinds}
    places = {one.job: one.placed for one in admit(snapshot, NOON) if one.placed}
    for waiting in snapshot.queued:
        placed, asked = places.get(waiting.job), waiting.shape.gpus
        if placed and asked:
            assert asked.kind in {"", placed.kind}
            assert asked.milli % kinds[placed.kind].slice_milli == 0
            assert {device for each in placed.devices for device in each} <= set(
                snapshot.capacity.range_of(placed.kind)
            )


@given(snapshots())
def test_only_those_leave_who_may_and_only_as_many_as_make_room(snapshot: Snapshot) -> None:
    decisions = admit(snapshot, NOON)
    making_room = [one for one in decisions if one.preempts]
    gone = [job for one in making_room for job in one.preempts]
    assert len(set(gone)) == len(gone), "nobody makes room for two"
    assert all(one.preemptible for one in snapshot.running if one.job in gone)
    for decision in making_room:
        waiting = next(one for one in snapshot.queued if one.job == decision.job)
        assert waiting.priority is Priority.URGENT or snapshot.shares
    if making_room:
        left = replace(snapshot, running=tuple(one for one in snapshot.running if one.job not in gone))
        first = making_room[0].job
        assert next(one for one in admit(left, NOON) if one.job == first).starts


@given(snapshots())
def test_no_share_stands_above_its_ceiling_by_what_a_round_starts(snapshot: Snapshot) -> None:
    use = Board(snapshot, NOON).use
    before = {share: use.used(share) for share in snapshot.rules.ceilings}
    new = started(snapshot, admit(snapshot, NOON))
    for waiting in new:
        use.add(waiting.share, waiting.shape, NOON)
    for share, most in snapshot.rules.ceilings.items():
        if any(share in snapshot.rules.path(waiting.share) for waiting in new):
            assert use.used(share) <= max(most, before[share])


@given(snapshots())
def test_where_borrowers_must_yield_whoever_starts_beyond_its_own_may_be_put_back(snapshot: Snapshot) -> None:
    shot = replace(snapshot, rules=replace(snapshot.rules, borrowers_yield=True))
    borrows = {one.job for one in admit(shot, NOON) if one.code is Because.BORROWS}
    assert all(waiting.preemptible for waiting in shot.queued if waiting.job in borrows)


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
        there = [run.shape for run in snapshot.running if run.ends > at or at == NOON]
        planned = sum(draw(shape, snapshot.table) for shape in [*there, *(one.shape for one in ours)])
        assert planned + idle_watts(snapshot.table, snapshot.capacity.nodes) <= allowed


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
    other = replace(snapshot, running=tuple(running), queued=tuple(queued))
    assert admit(snapshot, NOON) == admit(other, NOON)


@settings(max_examples=200)
@given(snapshots())
def test_filling_gaps_never_delays_the_reserved_start_of_the_first_that_waits(snapshot: Snapshot) -> None:
    decisions = admit(snapshot, NOON)
    first = next((one for one in decisions if not one.starts and one.until is not None), None)
    if first is None:
        return
    places = {one.job: one.placed for one in decisions}
    # Play the round on: what started stands, and at every later end the first is still due when it was promised.
    standing = [
        *snapshot.running,
        *(Running(w.job, w.share, w.shape, ends_of(w), placed=places[w.job]) for w in started(snapshot, decisions)),
    ]
    waits = next(waiting for waiting in snapshot.queued if waiting.job == first.job)
    later = replace(snapshot, running=tuple(standing), queued=(waits,))
    (again,) = admit(later, NOON)
    assert again.until == first.until


@settings(max_examples=300)
@given(snapshots(), st.sampled_from([FirstCome(), Stretch()]))
def test_who_asks_without_a_word_hears_of_the_same_starts_and_the_same_that_leave(
    snapshot: Snapshot, order: Order
) -> None:
    shot = replace(snapshot, order=order)
    told = admit(shot, NOON)
    made, leave = starts(kept(shot, NOON), shot, NOON)
    assert {one.waiting.job: one.placed for one in made} == {one.job: one.placed for one in told if one.starts}
    assert sorted(leave) == sorted(job for one in told for job in one.preempts)


@given(snapshots())
def test_a_board_that_is_kept_is_the_one_that_would_be_made_anew(snapshot: Snapshot) -> None:
    """Who leaves gives back all that it had, and nothing but that."""
    there = [one for one in snapshot.running if one.ends > NOON + HOUR]
    stays = replace(snapshot, running=tuple(there[::2]))
    old = kept(replace(snapshot, running=tuple(there)), NOON)
    at = NOON + HOUR / 2
    old.advance(at)
    for gone in there[1::2]:
        old.leave(gone.job, at)
    anew = kept(stays, at)
    assert starts(old, stays, at) == starts(anew, stays, at)
    assert [old.use.used(share) for share in SHARES] == [anew.use.used(share) for share in SHARES]

"""Lanes: nobody stands where another does, each has what it asked for, and what it was given."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import MILLI
from fabriek.compute.simulator.recorded import Recorded
from fabriek.compute.simulator.reporting.packing import PROCESSORS, Free, Stood, lanes_of, packed
from fabriek.compute.simulator.reporting.tables import in_order
from tests.factories.replays import GPU_NODES, POOL, a_report


def test_the_lowest_that_are_free_are_taken_and_given_back_in_one_piece() -> None:
    free = Free([(0, 8)])
    a, b, c = free.take(3), free.take(2), free.take(3)
    assert (a, b, c) == ([(0, 3)], [(3, 5)], [(5, 8)])
    free.give_back(a)
    free.give_back(c)
    assert free.take(5) == [(0, 3), (5, 7)]
    free.give_back([(0, 3), (5, 7)])
    free.give_back(b)
    assert free.runs == [(0, 8)]
    assert Free([(0, 1)]).take(4) == [(0, 1)]


def test_a_machine_has_a_lane_for_each_gpu_and_for_the_processors_of_each_node() -> None:
    assert lanes_of(POOL) == {(0, PROCESSORS): 8}
    found = lanes_of(GPU_NODES)
    assert [node for node, _ in found] == [0] * 5 + [1] * 5
    assert found[0, PROCESSORS] == 16
    assert sorted(device for _, device in found if device >= 0) == list(range(8))


jobs = st.lists(
    st.tuples(
        st.integers(0, 20_000), st.integers(1, 5_000), st.integers(1, 8), st.sampled_from([0, 0, 250, 500, 1_000, 3_000, 8_000])
    ),
    max_size=20,
).map(
    lambda made: [Recorded(f"{n}", sub, ran, procs, ran, gpus) for n, (sub, ran, procs, gpus) in enumerate(made)]
)  # fmt: skip


@settings(max_examples=60)
@given(jobs, st.sampled_from([POOL, GPU_NODES, Capacity(32, 0, 2**40, 4)]))
def test_nobody_stands_where_another_does_and_each_has_what_it_asked_for(
    trace: list[Recorded], capacity: Capacity
) -> None:
    for result in a_report(trace, capacity=capacity).results:
        stood = list(packed(in_order(result.outcome.placed), capacity))
        for one, other in combinations(stood, 2):
            assert not _meet(one, other)
        for placed in result.outcome.placed:
            its = [one for one in stood if one.placed is placed]
            units = sum(end - start for one in its for start, end in [one.run])
            shape = placed.row.shape
            assert units == (shape.gpus_milli_in_all if capacity.gpus and shape.gpus else shape.cpus_in_all)
            assert {one.lane[0] for one in its} == set(placed.where.nodes if placed.where else (0,))
            assert all(
                end <= (MILLI if one.lane[1] != PROCESSORS else capacity.each().cpus)
                for one in its
                for _, end in [one.run]
            )


def _meet(one: Stood, other: Stood) -> bool:
    if one.lane != other.lane or one.run[0] >= other.run[1] or other.run[0] >= one.run[1]:
        return False
    return one.placed.started_at < other.placed.ended_at and other.placed.started_at < one.placed.ended_at

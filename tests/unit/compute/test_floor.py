from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.capacity import Capacity
from fabriek.compute.floor import Floor
from fabriek.compute.gpus import Kind
from fabriek.compute.placement import Placement
from tests.factories.compute import GIB, NOON, a_shape

HOUR = timedelta(hours=1)
TWO_NODES = Capacity(8, 6, 64 * GIB, nodes=2, kinds=(Kind("a100", 4, 250), Kind("h100", 2)))


def put(floor: Floor, begins: float = 0, hours: float = 1, **shape: object) -> Placement | None:
    asked = a_shape(**shape)  # type: ignore[arg-type]
    start = NOON + begins * HOUR
    placed = floor.place(asked, start, start + hours * HOUR)
    if placed is not None:
        floor.occupy(asked, placed, start, start + hours * HOUR)
    return placed


def test_devices_of_a_kind_are_numbered_through_over_all_nodes() -> None:
    assert TWO_NODES.numbers() == ((0, 1, 4), (2, 3, 5))


def test_two_halves_share_a_device_and_what_does_not_fit_beside_goes_to_the_next() -> None:
    floor = Floor(TWO_NODES, NOON)
    given_to = [put(floor, gpus=part) for part in ("0.75", "0.5", "0.25", "0.5")]
    assert [one.devices if one else None for one in given_to] == [((0,),), ((1,),), ((0,),), ((1,),)]


def test_a_part_is_never_pieced_together_from_two_devices() -> None:
    floor = Floor(Capacity(8, 2, 64 * GIB, kinds=(Kind("a100", 2, 250),)), NOON)
    assert put(floor, gpus="0.75")
    assert put(floor, gpus="0.75")
    assert put(floor, gpus="0.5") is None
    assert put(floor, gpus="0.25")


def test_cpus_of_two_nodes_are_no_room_for_one_member() -> None:
    floor = Floor(TWO_NODES, NOON)
    assert put(floor, cpus=3)
    assert put(floor, cpus=3, nodes=2) is None
    assert put(floor, cpus=1, nodes=2) == Placement((0, 1), ((), ()), "")
    assert put(floor, cpus=3) == Placement((1,), ((),), "")


def test_a_gang_has_one_kind_on_all_of_its_nodes() -> None:
    floor = Floor(TWO_NODES, NOON)
    assert put(floor, gpus="a100:2") == Placement((0,), ((0, 1),), "a100")
    assert put(floor, gpus="1", nodes=2) == Placement((0, 1), ((4,), (5,)), "h100")


def test_small_jobs_go_where_least_is_left_so_that_a_whole_node_stays_free() -> None:
    floor = Floor(TWO_NODES, NOON)
    for _ in range(4):
        put(floor, cpus=1)
    assert put(floor, cpus=4) == Placement((1,), ((),), "")


def test_what_is_promised_later_is_kept_free_of_longer_jobs() -> None:
    floor = Floor(Capacity(4, 1, 64 * GIB), NOON)
    assert put(floor, begins=2, gpus="1")
    assert put(floor, hours=3, gpus="1") is None
    assert put(floor, hours=2, gpus="1")


def test_what_stood_before_the_machine_was_cut_anew_still_holds_its_devices() -> None:
    floor = Floor(Capacity(8, 4, 64 * GIB, nodes=4), NOON)
    floor.occupy(a_shape(gpus="2"), Placement((0,), ((0, 3),), "gpu"), NOON, NOON + HOUR)
    assert [put(floor, gpus="1") for _ in range(3)] == [
        Placement((1,), ((1,),), "gpu"), Placement((2,), ((2,),), "gpu"), None
    ]  # fmt: skip


def test_what_was_never_placed_takes_its_room_whether_or_not_there_is_any() -> None:
    floor = Floor(Capacity(4, 2, 64 * GIB), NOON)
    for _ in range(2):
        shape = a_shape(cpus=3, gpus="1")
        floor.occupy(shape, floor.force(shape, NOON), NOON, NOON + HOUR)
    assert put(floor, gpus="1") is None
    assert floor.earliest(a_shape(gpus="1"), HOUR, NOON) == NOON + HOUR


shapes = st.builds(
    a_shape,
    cpus=st.integers(1, 4),
    gpus=st.sampled_from(["0", "1", "2", "0.25", "0.75", "a100:1", "h100:1"]),
    nodes=st.sampled_from([1, 1, 2]),
)


@given(st.lists(st.tuples(shapes, st.integers(0, 6), st.integers(1, 4)), max_size=8), shapes, st.integers(1, 4))
def test_the_earliest_place_is_what_trying_hour_by_hour_finds(
    taken: list[tuple[object, int, int]], wanted: object, hours: int
) -> None:
    floor = Floor(TWO_NODES, NOON)
    for shape, begins, lasts in taken:
        start, end = NOON + begins * HOUR, NOON + (begins + lasts) * HOUR
        if placed := floor.place(shape, start, end):  # type: ignore[arg-type]
            floor.occupy(shape, placed, start, end)  # type: ignore[arg-type]
    tried = (NOON + at * HOUR for at in range(20))
    first = next(at for at in tried if floor.place(wanted, at, at + hours * HOUR))  # type: ignore[arg-type]
    assert floor.earliest(wanted, hours * HOUR, NOON) == first  # type: ignore[arg-type]

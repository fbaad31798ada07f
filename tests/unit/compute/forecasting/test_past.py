from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.forecasting.past import DAY, WEEK, Came, Lengths, Owner, Ran
from tests.factories.compute import NOON, a_shape

ANNE, BEN = Owner("per_anne", "prj_1"), Owner("per_ben", "prj_2")


def a_ran(job: str, days_ago: float) -> Ran:
    return Ran(job, ANNE, "shr_1", a_shape(), NOON - timedelta(days=days_ago), 60.0)


def test_who_has_a_past_is_drawn_from_it_and_others_from_all() -> None:
    lengths = Lengths()
    for _ in range(10):
        lengths.note(ANNE, 1_000, 100)
    for _ in range(30):
        lengths.note(BEN, 1_000, 900)
    chance = Random(1)  # noqa: S311  # draws, no secrets
    assert {lengths.draw(ANNE, 2_000, chance) for _ in range(20)} == {200.0}
    assert {lengths.draw(BEN, 2_000, chance) for _ in range(20)} == {1_800.0}
    assert {lengths.draw(Owner("per_new", "prj_new"), 2_000, chance) for _ in range(200)} == {200.0, 1_800.0}


def test_who_is_new_in_a_project_is_like_its_people() -> None:
    lengths = Lengths()
    for _ in range(10):
        lengths.note(ANNE, 1_000, 100)
        lengths.note(BEN, 1_000, 900)
    assert lengths.draw(Owner("per_new", "prj_2"), 1_000, Random(1)) == 900  # noqa: S311  # draws, no secrets


def test_few_jobs_are_no_past() -> None:
    lengths = Lengths()
    for _ in range(29):
        lengths.note(ANNE, 10, 5)
    assert not lengths.enough
    lengths.note(ANNE, 10, 5)
    assert lengths.enough


@given(
    st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 20_000)), max_size=20), st.integers(1, 10_000), st.floats(0, 0.999), st.integers(0, 99)
)  # fmt: skip
def test_a_drawn_length_is_within_what_was_asked_and_beyond_what_was_run(
    past: list[tuple[int, int]], asked: int, part: float, seed: int
) -> None:
    lengths = Lengths()
    for wanted, ran in past:
        lengths.note(ANNE, wanted, ran)
    beyond = part * asked
    drawn = lengths.draw(ANNE, asked, Random(seed), beyond=beyond)  # noqa: S311  # draws, no secrets
    assert beyond <= drawn <= max(asked, beyond + 1)


def test_futures_look_back_whole_weeks_and_days_while_there_is_no_week() -> None:
    months = Came([a_ran("a", 60)])
    assert [months.back(NOON, number) for number in range(5)] == [WEEK, 2 * WEEK, 3 * WEEK, 4 * WEEK, WEEK]
    assert [Came([a_ran("a", 10)]).back(NOON, number) for number in range(2)] == [WEEK, WEEK]
    assert [Came([a_ran("a", 2.5)]).back(NOON, number) for number in range(3)] == [DAY, 2 * DAY, DAY]
    assert Came([a_ran("a", 0.5)]).back(NOON, 0) is None
    assert Came().back(NOON, 0) is None


def test_who_came_since_an_instant_comes_in_order_until_another() -> None:
    came = Came([a_ran("c", 1), a_ran("a", 9), a_ran("b", 3)])
    assert [one.job for one in came.since(NOON - 5 * DAY, NOON)] == ["b", "c"]
    assert [one.job for one in came.since(NOON - 9 * DAY, NOON - 2 * DAY)] == ["b"]
    came.forget(NOON - 2 * DAY)
    assert [one.job for one in came.since(NOON - 99 * DAY, NOON)] == ["c"]

"""A pack's states, and what is taken back once."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fabriek.compute.packs.packs import TRANSITIONS, Pack, Returned, State, move, seal, take_back
from fabriek.kernel.errors import InvalidInput, WrongState
from fabriek.kernel.purposes import Purpose

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BACK = Returned("lisa", 0, "a" * 64, "ver_1", "per_1", NOON)


def a_pack(state: State = State.PACKED) -> Pack:
    return Pack(
        "pck_1", "prj_1", "per_1", "train", Purpose.CIVILIAN, "internal", ("true",), 1, 0, 2**30, 60, NOON, state=state
    )


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("to", State)
def test_states_change_by_the_table_and_no_other_way(state: State, to: State) -> None:
    if to in TRANSITIONS[state]:
        assert move(a_pack(state), to).state is to
    else:
        with pytest.raises(WrongState):
            move(a_pack(state), to)


def test_the_same_results_again_change_nothing_and_others_are_refused() -> None:
    back = take_back(a_pack(), BACK)
    assert (back.state, back.returned) == (State.RETURNED, BACK)
    assert take_back(back, replace(BACK, site="other")) is back
    with pytest.raises(WrongState):
        take_back(back, replace(BACK, results="b" * 64))
    with pytest.raises(WrongState):
        take_back(a_pack(State.WITHDRAWN), BACK)


def test_a_pack_has_one_folder() -> None:
    sealed = seal(a_pack(), "a" * 64)
    assert seal(sealed, "a" * 64) == sealed
    with pytest.raises(WrongState):
        seal(sealed, "b" * 64)


def test_a_shape_that_no_machine_has_is_refused() -> None:
    with pytest.raises(InvalidInput):
        replace(a_pack(), cpus=0)

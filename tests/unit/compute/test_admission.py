from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from fabriek.compute.admission import admit, starts
from fabriek.compute.capacity import Capacity
from fabriek.compute.decisions import Because, Decision
from fabriek.compute.jobs import Priority
from fabriek.compute.placement import Placement
from fabriek.compute.power import Contract
from tests.factories.compute import GIB, NOON, a_limit, a_running, a_snapshot, a_waiting, kept

HOUR = timedelta(hours=1)
HALVES = {"shr_eu": 500_000, "shr_nl": 500_000}


def only(decisions: list[Decision]) -> Decision:
    assert len(decisions) == 1
    return decisions[0]


def codes(decisions: list[Decision]) -> dict[str, Because]:
    return {decision.job: decision.code for decision in decisions}


def test_what_fits_starts() -> None:
    decision = only(admit(a_snapshot(a_waiting(gpus=4)), NOON))
    assert (decision.starts, decision.code, decision.until) == (True, Because.FITS, NOON)


def test_a_job_waits_for_power_and_says_so_in_one_sentence() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    shot = a_snapshot(a_waiting(cpus=6), contract=Contract(500), limits=(a_limit(40, hours=1),), zone=zone)
    decision = only(admit(shot, NOON))
    assert decision.reason == "Waits for power: the limit of 40 W until 14:00 leaves 12 W, this job needs 60 W."
    assert (decision.starts, decision.code, decision.until) == (False, Because.POWER, NOON + HOUR)
    assert only(admit(shot, NOON + HOUR)).starts


def test_a_job_that_would_reach_into_an_announced_limit_waits_from_now_on() -> None:
    tomorrow = a_limit(40, starts=NOON + 24 * HOUR, hours=2)
    shot = a_snapshot(a_waiting("long", cpus=6, seconds=25 * 3600), contract=Contract(500), limits=(tomorrow,))
    decision = only(admit(shot, NOON))
    assert decision.until == NOON + 26 * HOUR
    assert decision.reason == (
        "Waits for power: the limit of 40 W from 2026-11-25 12:00 until 2026-11-25 14:00 leaves 12 W, this job needs 60 W."
    )
    assert only(admit(a_snapshot(a_waiting(cpus=6), contract=Contract(500), limits=(tomorrow,)), NOON)).starts


def test_the_draw_of_running_jobs_counts_and_the_contract_is_named_where_it_binds() -> None:
    shot = a_snapshot(a_waiting(gpus=1), running=(a_running(gpus=1),), contract=Contract(200))
    assert only(admit(shot, NOON)).reason == "Waits for power: the contract of 200 W leaves 62 W, this job needs 110 W."


def test_a_limit_below_what_runs_leaves_nothing_not_less_than_nothing() -> None:
    shot = a_snapshot(a_waiting(), running=(a_running(gpus=1),), limits=(a_limit(50),))
    assert "leaves 0 W" in only(admit(shot, NOON)).reason


def test_a_job_waits_for_room_and_names_what_is_short() -> None:
    decision = only(admit(a_snapshot(a_waiting(gpus=2), running=(a_running(gpus=3),)), NOON))
    assert decision.reason == (
        "Waits for room: this job needs 2 GPUs, the machine has 1 GPU free; room is expected at 13:00."
    )
    assert (decision.code, decision.until) == (Because.NO_ROOM, NOON + HOUR)


@pytest.mark.parametrize("shape", [{"gpus": 5}, {"cpus": 9}, {"memory_bytes": 65 * GIB}])
def test_what_is_larger_than_the_machine_is_told_so_and_holds_up_nobody(shape: dict[str, int]) -> None:
    decisions = admit(a_snapshot(a_waiting("huge", **shape), a_waiting("small", at=NOON + HOUR)), NOON + HOUR)
    assert codes(decisions) == {"huge": Because.TOO_BIG, "small": Because.FITS}
    assert decisions[0].until is None


def test_what_draws_more_than_the_contract_can_never_start() -> None:
    decision = only(admit(a_snapshot(a_waiting(gpus=4), contract=Contract(400)), NOON))
    assert decision.code is Because.TOO_BIG
    assert "needs 410 W, the contract of 400 W leaves 372 W" in decision.reason


def test_a_short_job_fills_the_gap_and_a_long_one_may_not_delay_the_first_that_waits() -> None:
    first = a_waiting("first", gpus=4)
    short = a_waiting("short", gpus=1, seconds=3600, at=NOON + timedelta(seconds=1))
    long = a_waiting("long", gpus=1, seconds=3601, at=NOON + timedelta(seconds=2))
    decisions = admit(a_snapshot(first, short, long, running=(a_running(gpus=3),)), NOON)
    assert codes(decisions) == {"first": Because.NO_ROOM, "short": Because.FITS, "long": Because.NO_ROOM}
    alone = admit(a_snapshot(first, long, running=(a_running(gpus=3),)), NOON)
    assert codes(alone)["long"] is Because.BEHIND
    assert alone[1].reason == "Waits behind a job that goes first: it would delay that job's reserved start at 13:00."


def test_a_share_below_its_entitlement_goes_before_one_that_borrows() -> None:
    borrower = a_waiting("borrower", share="shr_nl", gpus=2)
    owner = a_waiting("owner", share="shr_eu", gpus=2, at=NOON + timedelta(minutes=5))
    running = (a_running(share="shr_nl", gpus=2),)
    decisions = admit(a_snapshot(borrower, owner, running=running, shares=HALVES), NOON + timedelta(minutes=6))
    assert [decision.job for decision in decisions] == ["owner", "borrower"]
    assert codes(decisions) == {"owner": Because.FITS, "borrower": Because.NO_ROOM}


def test_share_that_nobody_uses_is_lent() -> None:
    running = (a_running(share="shr_nl", gpus=2),)
    decision = only(admit(a_snapshot(a_waiting(share="shr_nl", gpus=2), running=running, shares=HALVES), NOON))
    assert (decision.starts, decision.code) == (True, Because.BORROWS)
    assert "50 %" in decision.reason


def test_a_borrower_that_would_delay_an_owner_waits_for_its_share() -> None:
    owner = a_waiting("owner", share="shr_eu", gpus=3)
    borrower = a_waiting("borrower", share="shr_nl", gpus=2, seconds=7200)
    running = (a_running(share="shr_nl", gpus=2),)
    decisions = admit(a_snapshot(owner, borrower, running=running, shares=HALVES), NOON)
    assert codes(decisions) == {"owner": Because.NO_ROOM, "borrower": Because.SHARE}
    assert decisions[1].reason == (
        "Waits for its share: it uses 50 % of the machine and is entitled to 50 %; "
        "a job that goes first needs the room from 13:00."
    )


def test_urgent_goes_before_normal_before_eco_whatever_came_first() -> None:
    asked = [
        a_waiting(priority.value, priority=priority, at=NOON + timedelta(minutes=late))
        for late, priority in enumerate((Priority.ECO, Priority.NORMAL, Priority.URGENT))
    ]
    assert [decision.job for decision in admit(a_snapshot(*asked), NOON + HOUR)] == ["urgent", "normal", "eco"]


def test_a_large_job_is_not_overtaken_for_ever_by_small_ones_of_its_own_share() -> None:
    large = a_waiting("large", share="shr_nl", gpus=4)
    small = a_waiting("small", share="shr_nl", gpus=1, seconds=7200, at=NOON + timedelta(seconds=1))
    running = (a_running(share="shr_eu", gpus=1),)
    assert codes(admit(a_snapshot(large, small, running=running, shares=HALVES), NOON))["small"] is Because.BEHIND


def test_held_starts_are_explained() -> None:
    decision = only(admit(a_snapshot(a_waiting(), starts_held="the machine is being serviced"), NOON))
    assert (decision.starts, decision.code) == (False, Because.HELD)
    assert decision.reason == "Waits: no job may start now, the machine is being serviced."


def test_a_job_that_should_be_gone_holds_its_room_until_it_is() -> None:
    late = a_running(gpus=4, ends=NOON - HOUR)
    assert only(admit(a_snapshot(a_waiting(gpus=1), running=(late,)), NOON)).code is Because.NO_ROOM


def test_no_reason_names_the_job_of_another() -> None:
    secret = a_waiting("job_secret", share="shr_eu", gpus=4)
    mine = a_waiting("job_mine", share="shr_nl", gpus=1, seconds=7200, at=NOON + timedelta(seconds=1))
    running = (a_running("job_hidden", share="shr_eu", gpus=1),)
    for decision in admit(a_snapshot(secret, mine, running=running, shares=HALVES), NOON):
        assert "job_" not in decision.reason
        assert "shr_" not in decision.reason


def test_an_owed_share_puts_back_a_borrower_that_said_it_may_be_and_no_other() -> None:
    owner = a_waiting("owner", share="shr_eu", gpus=2)
    running = (
        a_running("mine", share="shr_eu", gpus=1, preemptible=True),
        a_running("stays", share="shr_nl", gpus=2),
        a_running("goes", share="shr_nl", gpus=1, preemptible=True),
    )
    shot = a_snapshot(owner, running=running, shares=HALVES)
    assert only(admit(shot, NOON)).preempts == ()  # without its own, two would still be missing
    shot = a_snapshot(a_waiting("owner", share="shr_eu", gpus=1), running=running, shares=HALVES)
    decision = only(admit(shot, NOON))
    assert (decision.starts, decision.preempts) == (False, ("goes",))
    assert decision.reason.endswith("; a job that may be put back makes room for it.")


def test_eco_goes_first_and_no_more_go_than_make_room() -> None:
    running = tuple(
        a_running(priority.value, gpus=1, preemptible=True, priority=priority)
        for priority in (Priority.NORMAL, Priority.ECO)
    )
    urgent = a_waiting("urgent", gpus=3, priority=Priority.URGENT)
    assert only(admit(a_snapshot(urgent, running=running), NOON)).preempts == ("eco",)
    leaving = (running[0], a_running("eco", gpus=1, leaving=True, ends=NOON + timedelta(seconds=90)))
    decision = only(admit(a_snapshot(urgent, running=leaving), NOON))
    assert (decision.preempts, decision.until) == ((), NOON + timedelta(seconds=90))


def test_a_normal_job_of_a_machine_without_shares_puts_nobody_back() -> None:
    running = (a_running(gpus=4, preemptible=True, priority=Priority.ECO),)
    assert only(admit(a_snapshot(a_waiting(gpus=1), running=running), NOON)).preempts == ()


def test_room_that_no_node_has_together_is_named() -> None:
    running = (a_running("a", cpus=3), a_running("b", cpus=3))
    shot = a_snapshot(a_waiting(cpus=2), running=running, capacity=Capacity(8, 0, 64 * GIB, nodes=2))
    decision = only(admit(shot, NOON))
    assert decision.reason == (
        "Waits for room: no node has 2 CPUs, 1.0 GiB of memory free together; room is expected at 13:00."
    )
    never = only(admit(a_snapshot(a_waiting(cpus=5), capacity=Capacity(8, 0, 64 * GIB, nodes=2)), NOON))
    assert never.reason == (
        "Can never start here: this job needs 5 CPUs, 1.0 GiB of memory on a node, "
        "and the machine has 2 nodes of 4 CPUs, 32.0 GiB of memory."
    )


def test_those_that_start_are_the_same_for_who_asks_without_a_word() -> None:
    shot = a_snapshot(
        a_waiting("first", gpus=4), a_waiting("short", gpus=1, at=NOON + timedelta(seconds=1)), running=(a_running(gpus=3),), shares=HALVES
    )  # fmt: skip
    told = {one.job: one.placed for one in admit(shot, NOON) if one.starts}
    made, _ = starts(kept(shot, NOON), shot, NOON)
    assert {one.waiting.job: one.placed for one in made} == told == {"short": Placement((0,), ((3,),), "gpu")}

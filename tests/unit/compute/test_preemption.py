"""Making room: whoever is owed gets back in one round what others borrowed, and nobody more."""

from dataclasses import replace
from datetime import timedelta

from fabriek.compute.admission import admit
from fabriek.compute.contenders import Running
from fabriek.compute.jobs import Priority
from fabriek.compute.sharing.rules import ShareRules
from fabriek.compute.snapshot import Snapshot
from tests.factories.compute import NOON, a_running, a_snapshot, a_waiting

PARTS = {"a": 500_000, "b": 250_000, "c": 250_000}


def borrower(number: int, **changes: object) -> Running:
    ends = NOON + timedelta(hours=number)
    return a_running(f"run_{number}", share="b", ends=ends, preemptible=True, **changes)  # type: ignore[arg-type]


def put_back(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    return {one.job: one.preempts for one in admit(snapshot, NOON) if one.preempts}


def test_a_share_gets_back_all_that_is_its_own_in_one_round_and_nothing_beyond() -> None:
    standing = tuple(borrower(number) for number in range(1, 9))
    queued = [a_waiting(f"job_{number}", share="a") for number in range(1, 7)]
    found = put_back(a_snapshot(*queued, running=standing, shares=PARTS))
    gone = [job for jobs in found.values() for job in jobs]
    assert list(found) == ["job_1", "job_2", "job_3", "job_4"]
    assert sorted(gone) == ["run_5", "run_6", "run_7", "run_8"], "those go that would stand longest"


def test_a_share_that_borrows_keeps_what_is_its_own() -> None:
    """All that stands is b's; a and c claim the three quarters that are theirs, and the last quarter stays."""
    standing = tuple(borrower(number) for number in range(1, 9))
    queued = [a_waiting(f"{share}_{number}", share=share) for share in "ac" for number in range(8)]
    assert sum(map(len, put_back(a_snapshot(*queued, running=standing, shares=PARTS)).values())) == 6


def test_an_urgent_job_takes_from_nobody_of_its_own_rank() -> None:
    standing = (borrower(1, cpus=8, priority=Priority.URGENT),)
    urgent = a_waiting("job_1", share="b", priority=Priority.URGENT)
    assert put_back(a_snapshot(urgent, running=standing, shares=PARTS)) == {}
    eco = (replace(standing[0], priority=Priority.ECO),)
    assert put_back(a_snapshot(urgent, running=eco, shares=PARTS)) == {"job_1": ("run_1",)}


def test_those_that_leave_already_are_counted_on() -> None:
    standing = tuple(replace(borrower(number), leaving=number <= 4) for number in range(1, 9))
    queued = [a_waiting(f"job_{number}", share="a") for number in range(4)]
    assert put_back(a_snapshot(*queued, running=standing, shares=PARTS)) == {}


def test_where_borrowers_must_yield_only_such_start_as_may_be_put_back() -> None:
    rules = ShareRules(borrowers_yield=True)
    stands = a_running(share="b", cpus=2)
    stubborn, yields = a_waiting("job_1", share="b"), a_waiting("job_2", share="b")._replace(preemptible=True)
    told = {
        one.job: one for one in admit(a_snapshot(stubborn, yields, running=(stands,), shares=PARTS, rules=rules), NOON)
    }
    assert told["job_2"].starts
    assert not told["job_1"].starts
    assert told["job_1"].reason == (
        "Waits for its share: its own 25 % of the machine is in use, and beyond that only jobs start that may be put back (--preemptible)."
    )


def test_a_ceiling_holds_for_all_within_it_and_its_first_has_a_reserved_start() -> None:
    rules = ShareRules({"b": "a", "c": "a"}, {"a": 500_000})
    stands = a_running(share="b", cpus=3)
    wide, narrow, long = (
        a_waiting("job_1", share="b", cpus=2),
        a_waiting("job_2", share="c"),
        a_waiting("job_3", share="c", seconds=9000),
    )
    shot = a_snapshot(
        wide, narrow, long, running=(stands,), shares={"a": 1_000_000, "b": 250_000, "c": 250_000}, rules=rules
    )
    told = {one.job: one for one in admit(shot, NOON)}
    assert told["job_2"].starts, "it is gone before the wide one's turn"
    assert not told["job_3"].starts, "it would delay the wide one"
    assert told["job_1"].reason == (
        "Waits for its share: a, in which it lies, may use 50 % of the machine at most and uses 50 %, this job takes 25 %; room is expected at 13:00."
    )
    never = admit(replace(shot, queued=(a_waiting("job_4", share="b", cpus=5),)), NOON)[0]
    assert (
        never.reason
        == "Can never start here: this job takes 62.5 % of the machine, and a, in which its share lies, may use 50 % at most."
    )

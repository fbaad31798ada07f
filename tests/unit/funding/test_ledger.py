import pytest

from fabriek.funding.ledger import (
    Entry,
    Kind,
    Posting,
    account,
    award,
    balance,
    check,
    counter,
    grant_share,
    hold,
    post,
    release,
    settle,
)
from fabriek.funding.reports import totals
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, WrongState
from tests.factories.funding import NOON, a_hold

GPU, CPU = Resource.GPU_HOUR, Resource.CPU_HOUR


def entries(postings: tuple[Posting, ...]) -> list[Entry]:
    return [entry for posting in postings for entry in posting.entries]


def left(postings: tuple[Posting, ...], kind: Kind, owner: str, resource: Resource = GPU) -> int:
    return balance(entries(postings), account(kind, owner), resource)


def a_ledger(granted: int = 10_000_000, awarded: int = 5_000_000) -> tuple[Posting, ...]:
    """A share granted and one allocation awarded, in GPU-hours."""
    postings = post((), grant_share("led_grant", "con_1", "shr_1", {GPU: granted, CPU: granted}, NOON))
    room = {GPU: granted, CPU: granted}
    return post(postings, award("led_award", "shr_1", "alc_1", {GPU: awarded}, NOON, left=room))


def test_credits_pass_from_contribution_to_usage_and_the_sum_stays_zero() -> None:
    ledger, held = a_ledger(), a_hold()
    ledger = post(ledger, hold("led_1", held, NOON, left_micro=5_000_000))
    assert (left(ledger, Kind.ALLOCATION, "alc_1"), left(ledger, Kind.HOLD, "alc_1")) == (3_000_000, 2_000_000)
    ledger = post(ledger, settle("led_2", held, 500_000, NOON))
    assert left(ledger, Kind.USAGE, "alc_1") == 500_000
    assert left(ledger, Kind.HOLD, "alc_1") == 0
    assert left(ledger, Kind.ALLOCATION, "alc_1") == 4_500_000
    assert left(ledger, Kind.CONTRIBUTION, "con_1") == -10_000_000
    check(entries(ledger))


def test_every_entry_says_what_it_was_for() -> None:
    first, second = hold("led_1", a_hold(), NOON, left_micro=5_000_000).entries
    assert (first.id, second.id) == ("led_1/0", "led_1/1")
    assert {entry.memo for entry in (first, second)} == {"hold"}
    assert {entry.job for entry in (first, second)} == {"job_1"}


def test_a_hold_above_what_is_left_is_refused_with_what_is_left() -> None:
    with pytest.raises(CreditsExhausted) as refused:
        hold("led_1", a_hold(amount_micro=6_500_000), NOON, left_micro=5_000_000)
    assert refused.value.fields == {"left": 5.0, "asked": 6.5, "unit": "gpu_hour", "share": "shr_1"}
    assert refused.value.detail == "this takes up to 6.5 GPU-hours, and the allocation has 5 left"


def test_a_share_is_not_awarded_beyond_what_it_has() -> None:
    with pytest.raises(CreditsExhausted):
        award("led_1", "shr_1", "alc_2", {GPU: 6}, NOON, left={GPU: 5})
    with pytest.raises(CreditsExhausted):
        award("led_1", "shr_1", "alc_2", {GPU: 1, CPU: 1}, NOON, left={GPU: 5})


@pytest.mark.parametrize("amount", [0, -1_000_000])
def test_negative_amounts_mint_no_credits(amount: int) -> None:
    with pytest.raises(InvalidInput):
        hold("led_1", a_hold(amount_micro=amount), NOON, left_micro=5)
    with pytest.raises(InvalidInput):
        award("led_1", "shr_1", "alc_2", {GPU: amount}, NOON, left={GPU: 5})
    with pytest.raises(InvalidInput):
        grant_share("led_1", "con_1", "shr_1", {GPU: amount}, NOON)
    with pytest.raises(AssertionError):
        settle("led_1", a_hold(), -1, NOON)


def test_use_above_the_hold_is_charged_at_the_hold() -> None:
    ledger, held = a_ledger(), a_hold()
    ledger = post(ledger, hold("led_1", held, NOON, left_micro=5_000_000))
    ledger = post(ledger, settle("led_2", held, 9_000_000, NOON))
    assert left(ledger, Kind.USAGE, "alc_1") == 2_000_000
    assert left(ledger, Kind.ALLOCATION, "alc_1") == 3_000_000


def test_the_same_act_sent_twice_stands_once() -> None:
    ledger, held = a_ledger(), a_hold()
    once = post(ledger, hold("led_1", held, NOON, left_micro=5_000_000))
    assert post(once, hold("led_other", held, NOON, left_micro=5_000_000)) == once
    settled = post(once, settle("led_2", held, 500_000, NOON))
    assert post(settled, settle("led_3", held, 500_000, NOON)) == settled


def test_a_job_settled_twice_with_another_amount_is_refused() -> None:
    held = a_hold()
    ledger = post(a_ledger(), hold("led_1", held, NOON, left_micro=5_000_000))
    settled = post(ledger, settle("led_2", held, 500_000, NOON))
    with pytest.raises(WrongState):
        post(settled, settle("led_3", held, 600_000, NOON))


def test_a_job_that_was_billed_cannot_be_released_to_dodge_the_bill() -> None:
    held = a_hold()
    ledger = post(a_ledger(), hold("led_1", held, NOON, left_micro=5_000_000))
    settled = post(ledger, settle("led_2", held, 500_000, NOON))
    with pytest.raises(WrongState):
        post(settled, release("led_3", held, NOON))


def test_settling_without_a_hold_takes_from_no_one() -> None:
    with pytest.raises(CreditsExhausted):
        post(a_ledger(), settle("led_1", a_hold("job_2"), 1, NOON))


def test_a_release_gives_everything_back() -> None:
    held = a_hold()
    ledger = post(a_ledger(), hold("led_1", held, NOON, left_micro=5_000_000))
    ledger = post(ledger, release("led_2", held, NOON))
    assert left(ledger, Kind.ALLOCATION, "alc_1") == 5_000_000


def test_a_mistake_is_corrected_by_a_counter_entry_once() -> None:
    ledger = a_ledger()
    undone = post(ledger, counter("led_c", ledger[1], NOON, memo="awarded to the wrong project"))
    assert left(undone, Kind.SHARE, "shr_1") == 10_000_000
    assert left(undone, Kind.ALLOCATION, "alc_1") == 0
    assert post(undone, counter("led_d", ledger[1], NOON, memo="again")) == undone


def test_what_was_spent_cannot_be_taken_back_from_under_it() -> None:
    ledger = post(a_ledger(), hold("led_1", a_hold(), NOON, left_micro=5_000_000))
    with pytest.raises(CreditsExhausted):
        post(ledger, counter("led_c", ledger[1], NOON, memo="too late"))


def test_entries_that_do_not_sum_to_zero_are_a_fault() -> None:
    lopsided = Entry("led_1/0", "led_1", account(Kind.SHARE, "shr_1"), GPU, 5, NOON, "slip")
    with pytest.raises(AssertionError):
        check([lopsided])
    across = Entry("led_1/1", "led_1", account(Kind.ALLOCATION, "alc_1"), CPU, -5, NOON, "GPU-hours are not CPU-hours")
    with pytest.raises(AssertionError):
        post((), Posting("led_1", "slip", (lopsided, across)))


def test_the_funders_table_adds_up() -> None:
    ledger = a_ledger()
    for number, used in enumerate((500_000, 0)):
        held = a_hold(f"job_{number}", 1_000_000)
        ledger = post(ledger, hold(f"led_h{number}", held, NOON, left_micro=4_000_000))
        if used:
            ledger = post(ledger, settle(f"led_s{number}", held, used, NOON))
    sums: dict[tuple[str, Resource], int] = {}
    for entry in entries(ledger):
        sums[entry.account, entry.resource] = sums.get((entry.account, entry.resource), 0) + entry.amount_micro
    cpu, gpu = totals(sums, {"alc_1": "shr_1"})
    assert (gpu.granted, gpu.unawarded, gpu.unspent, gpu.held, gpu.used) == (
        10_000_000,
        5_000_000,
        3_500_000,
        1_000_000,
        500_000,
    )
    assert (cpu.resource, cpu.granted, cpu.used) == (CPU, 10_000_000, 0)

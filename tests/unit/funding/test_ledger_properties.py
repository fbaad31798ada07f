"""Whatever is done in whatever order: the sum is zero, and nobody's credits fall below nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.ledger import (
    Kind,
    Posting,
    account,
    award,
    balance,
    balances,
    check,
    counter,
    grant_share,
    hold,
    kind_of,
    post,
    release,
    settle,
)
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import CreditsExhausted, WrongState
from tests.factories.funding import NOON, a_hold

GPU = Resource.GPU_HOUR
Ledger = tuple[Posting, ...]


@dataclass(frozen=True)
class Act:
    """One try. `verb` picks what is done, the numbers to what and how much."""

    verb: str
    job: int
    amount: int


acts = st.lists(
    st.builds(
        Act,
        st.sampled_from(["grant", "award", "hold", "settle", "release", "counter"]),
        st.integers(0, 4),
        st.integers(1, 60),
    ),
    max_size=40,
)


def build(ledger: Ledger, act: Act, number: int) -> Posting:
    entries = [entry for posting in ledger for entry in posting.entries]
    of = a_hold(f"job_{act.job}", act.amount)
    standing = next((p for p in ledger if p.key == f"hold:{of.job}"), None)
    if standing is not None:
        of = a_hold(of.job, abs(standing.entries[0].amount_micro))
    name = f"led_{number}"
    left = balance(entries, account(Kind.ALLOCATION, "alc_1"), GPU)
    verbs: dict[str, Callable[[], Posting]] = {
        "grant": lambda: grant_share(name, "con_1", "shr_1", {GPU: act.amount}, NOON),
        "award": lambda: award(
            name,
            "shr_1",
            "alc_1",
            {GPU: act.amount},
            NOON,
            left={GPU: balance(entries, account(Kind.SHARE, "shr_1"), GPU)},
        ),
        "hold": lambda: hold(name, of, NOON, left_micro=left),
        "settle": lambda: settle(name, of, act.amount, NOON),
        "release": lambda: release(name, of, NOON),
        "counter": lambda: counter(name, ledger[act.amount % len(ledger)], NOON, memo="correction"),
    }
    return verbs[act.verb]()


def played(tried: Sequence[Act]) -> Ledger:
    ledger: Ledger = post((), grant_share("led_first", "con_1", "shr_1", {GPU: 100}, NOON))
    for number, act in enumerate(tried):
        try:
            ledger = post(ledger, build(ledger, act, number))
        except (CreditsExhausted, WrongState):
            continue
    return ledger


@given(acts)
def test_the_sum_is_zero_at_every_moment_and_nothing_falls_below_zero(tried: list[Act]) -> None:
    ledger = played(tried)
    for length in range(len(ledger) + 1):
        entries = [entry for posting in ledger[:length] for entry in posting.entries]
        check(entries)
        sums = balances(entries)
        assert sum(sums.values()) == 0
        assert all(amount >= 0 for (name, _), amount in sums.items() if kind_of(name) is not Kind.CONTRIBUTION)


@given(acts)
def test_an_act_is_in_the_ledger_once_and_history_is_never_rewritten(tried: list[Act]) -> None:
    ledger = played(tried)
    keys = [posting.key for posting in ledger]
    assert len(keys) == len(set(keys))
    half = played(tried[: len(tried) // 2])
    assert ledger[: len(half)] == half


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 40)), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_holds_settled_in_any_order_leave_what_was_not_used(jobs: list[tuple[int, int]], chance: object) -> None:
    ledger = post((), grant_share("led_g", "con_1", "shr_1", {GPU: 100}, NOON))
    ledger = post(ledger, award("led_a", "shr_1", "alc_1", {GPU: 100}, NOON, left={GPU: 100}))
    left, open_holds = 100, []
    for number, (asked, used) in enumerate(jobs):
        held = a_hold(f"job_{number}", asked)
        try:
            ledger = post(ledger, hold(f"led_h{number}", held, NOON, left_micro=left))
        except CreditsExhausted:
            assert asked > left
            continue
        left -= asked
        open_holds.append((held, used))
    chance.shuffle(open_holds)  # type: ignore[attr-defined]
    for number, (held, used) in enumerate(open_holds):
        ledger = post(ledger, settle(f"led_s{number}", held, used, NOON))
    entries = [entry for posting in ledger for entry in posting.entries]
    spent = sum(min(used, held.amount_micro) for held, used in open_holds)
    assert balance(entries, account(Kind.ALLOCATION, "alc_1"), GPU) == 100 - spent
    assert balance(entries, account(Kind.USAGE, "alc_1"), GPU) == spent

"""Who signs is computed: for any parts, sums and days, nobody whose part falls is left out, and nobody is asked for nothing."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.giving.contributions import FunderKind
from fabriek.funding.giving.shares import shares_of
from fabriek.funding.policy import proposals as noun
from fabriek.funding.policy.comparing import View, losses
from fabriek.funding.policy.effects import Change, Effect, Replayed, ShareEffect, digest_of, read, written
from fabriek.funding.policy.policy import Part, Policy, policy_of, shipped_policy
from fabriek.funding.policy.proposals import Proposal, Signature, State
from fabriek.funding.policy.rows import all_rows, as_if, canonical, fingerprint, name_of, rows_on, strayed
from fabriek.kernel.errors import WrongState
from fabriek.kernel.units import MICRO
from tests.factories.funding import a_contribution, a_share

DAY = date(2027, 1, 1)
START = shipped_policy()
KINDS = (FunderKind.NATIONAL, FunderKind.REGIONAL, FunderKind.DEFENCE, FunderKind.PRIVATE)
SHARES = [a_share(f"shr_{kind}", kind) for kind in KINDS]


def parts(sums: dict[FunderKind, int], policy: Policy) -> dict[str, int]:
    given = [replace(a_contribution(f"org_{kind}", euro), kind=kind) for kind, euro in sums.items() if euro]
    fixed = {f"org_{funder}": part for funder, part in policy.fixed_parts(DAY).items()}
    found = shares_of(given, DAY, fixed=fixed)
    return {f"shr_{funder.removeprefix('org_')}": part for funder, part in found.items()}


@given(
    sums=st.dictionaries(st.sampled_from(KINDS), st.integers(0, 1_000_000), min_size=1),
    had=st.dictionaries(st.sampled_from(KINDS), st.integers(0, MICRO // 4)),
    has=st.dictionaries(st.sampled_from(KINDS), st.integers(0, MICRO // 4)),
)
def test_exactly_those_whose_part_falls_are_asked(
    sums: dict[FunderKind, int], had: dict[FunderKind, int], has: dict[FunderKind, int]
) -> None:
    before = START + Policy(parts=tuple(Part(str(one), part, date(2026, 1, 1), "x") for one, part in had.items()))
    after = before + Policy(parts=tuple(Part(str(one), part, DAY, "x") for one, part in has.items()))
    was, becomes = parts(sums, before), parts(sums, after)
    asked = losses(SHARES, [(View(before, DAY, was), View(after, DAY, becomes))])
    assert set(asked) == {share for share, part in was.items() if becomes.get(share, 0) < part}
    assert all("falls from" in why for whys in asked.values() for why in whys)


def test_a_loss_on_a_later_day_is_a_loss() -> None:
    (one, two), same = SHARES[:2], {"shr_national": 500_000}
    later = date(2027, 6, 1)
    views = [
        (View(START, DAY, same), View(START, DAY, same)),
        (View(START, later, {two.id: 300_000}), View(START, later, {two.id: 299_999})),
    ]
    assert losses([one, two], views) == {
        two.id: ("its part of the machine falls from 30 % to 29.9999 % on 2027-06-01",)
    }


def test_rows_in_force_can_be_asked_about_the_past_and_change_nothing_there() -> None:
    policy = START + policy_of('[[carry]]\nmost = 0.5\nvalid_from = 2027-01-01\nsource = "x"')
    past = as_if(policy, DAY, date(2026, 7, 1))
    assert past.carried_on(date(2026, 7, 1)) == MICRO // 2
    assert policy.carried_on(date(2026, 12, 31)) == MICRO
    assert rows_on(past, date(2026, 6, 30)) == {}
    assert {name_of(one) for one in all_rows(past)} == set(rows_on(policy, DAY))


def test_a_fingerprint_hangs_on_what_rows_say_and_not_on_their_words() -> None:
    reworded = replace(START, caps=tuple(replace(one, source="other words") for one in START.caps))
    assert fingerprint(reworded) == fingerprint(START)
    for row in all_rows(START):
        moved = replace(row, valid_from=date(2026, 5, 5))
        assert canonical(moved) != canonical(row)
    assert len({canonical(row) for row in all_rows(START)}) == len(all_rows(START))


def test_a_start_may_bring_a_resource_that_had_no_rate_and_nothing_else() -> None:
    kept = [canonical(row) for row in all_rows(START) if name_of(row) != "rate token"]
    assert strayed(kept, START) == []
    of_a_kind = (
        '[[rate]]\nresource = "gpu_hour"\nper = "gpu"\namount = 1\nkind = "h200"\nvalid_from = 2026-01-01\nsource = "x"'
    )
    assert [one.split()[1] for one in strayed(kept, START + policy_of(of_a_kind))] == ["resource=gpu_hour"]
    gone = replace(START, rules=START.rules[1:])
    assert strayed(kept, gone) == [canonical(START.rules[0])]


EFFECT = Effect(
    "2026Q3", 2, 3,
    (
        ShareEffect("shr_1", "org_1", 5, 4, (Change("gpu_hour", 10, 8),), ("it falls",),
                    Replayed(2, 1, 2.5, 1.0, 0.0, 3.25, (Change("gpu_hour", 1, 2),))),
        ShareEffect("shr_2", "org_2", 5, 6),
    ),
)  # fmt: skip


def test_an_effect_comes_back_as_it_was_written_and_every_change_of_it_changes_the_digest() -> None:
    text = written(EFFECT)
    assert read(text) == EFFECT
    assert written(read(text)) == text
    assert EFFECT.losers == ("org_1",)
    seen = {digest_of("a", "b", "c", EFFECT), digest_of("ab", "", "c", EFFECT), digest_of("a", "b", "d", EFFECT)}
    softer = json.loads(text)
    softer["shares"][0]["losses"] = []
    seen.add(digest_of("a", "b", "c", read(json.dumps(softer))))
    assert len(seen) == 4


def a_proposal(state: State = State.PROPOSED) -> Proposal:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    digest = digest_of("x", "why", "basis", EFFECT)
    return Proposal("pol_1", "x", DAY, "why", "per_1", "org_2", at, date(2026, 12, 22), EFFECT, "basis", digest, state)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("to", State)
def test_it_moves_by_the_table_and_by_its_days_alone(state: State, to: State) -> None:
    one = a_proposal(state)
    for today in (date(2026, 12, 22), date(2026, 12, 23), DAY):
        may = to in noun.TRANSITIONS[state] and one.state_on(today) in {state, to}
        if may:
            assert noun.move(one, to, today).state is to
        else:
            with pytest.raises(WrongState):
                noun.move(one, to, today)


def test_it_is_whole_while_all_signed_what_stands_there() -> None:
    one = a_proposal()
    assert not noun.is_whole(one)
    signed = noun.sign(one, Signature("per_9", "org_1", one.proposed_at, one.digest), date(2026, 11, 25))
    assert signed.state is State.SIGNED
    assert noun.is_whole(signed)
    for other in (replace(signed, toml="y"), replace(signed, motive=""), replace(signed, signatures=())):
        assert not noun.is_whole(other)

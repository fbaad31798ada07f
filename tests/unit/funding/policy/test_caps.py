"""Caps: each row of the shipped file as an award would meet it, and what a row may not say."""

from collections.abc import Sequence
from datetime import date

import pytest

from fabriek.funding.allocations import Allocation
from fabriek.funding.giving.contributions import FunderKind
from fabriek.funding.giving.shares import Share
from fabriek.funding.policy.capping import Award, Capping
from fabriek.funding.policy.caps import Of, caps_of, caps_on, most_of_machine
from fabriek.funding.resources import Resource
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotPermitted
from fabriek.kernel.units import MICRO
from tests.factories.funding import TODAY

GPU = Resource.GPU_HOUR
SHIPPED = caps_of(shipped("fabriek.funding", "caps.toml"))
EUROPE, NATION = (
    Share("shr_eu", "org_eu", FunderKind.EU, "europe"),
    Share("shr_nl", "org_nl", FunderKind.NATIONAL, "nation"),
)
GIVEN = 100_000


class MemoryTotals:
    def __init__(self) -> None:
        self.sums: dict[tuple[str, str, int, Resource], int] = {}

    def add(self, owner: str, word: str, year: int, resource: Resource, amount_micro: int) -> None:
        key = (owner, word, year, resource)
        self.sums[key] = self.sums.get(key, 0) + amount_micro

    def sum(self, owner: str, words: Sequence[str], resource: Resource, year: int | None) -> int:
        return sum(
            amount
            for (whose, word, when, what), amount in self.sums.items()
            if whose == owner and word in words and what is resource and year in {None, when}
        )


@pytest.fixture
def capping() -> Capping:
    made = Capping(MemoryTotals(), lambda: SHIPPED)
    for share in (EUROPE, NATION):
        made.given(share.id, {GPU: GIVEN * MICRO}, TODAY)
    return made


def take(
    capping: Capping, share: Share, hours: int, call: str, organisation: str = "", *, commercial: bool = False, director: bool = False,
    group: tuple[str, ...] = (),
) -> None:  # fmt: skip
    """An award as funding makes it: asked, and then kept. Each of another organisation, unless one is named."""
    totals = capping._totals  # for a name that nobody has
    who = organisation or f"org_{len(totals.sums)}"  # type: ignore[attr-defined]
    capping.check(share, Award(call, who, commercial, director, group), {GPU: hours * MICRO}, TODAY)
    made = Allocation(
        f"alc_{who}",
        "prj",
        share.id,
        "app",
        TODAY,
        TODAY,
        call,
        "civilian",
        who,
        commercial=commercial,
        director=director,
    )
    capping.awarded(made, {GPU: hours * MICRO})


def fill(
    capping: Capping, share: Share, hours: int, call: str, *, commercial: bool = False, director: bool = False
) -> None:
    """By many organisations, a thousand hours each."""
    for start in range(0, hours, 1_000):
        take(capping, share, min(1_000, hours - start), call, commercial=commercial, director=director)


@pytest.mark.parametrize(
    ("cap", "call", "part", "marks"),
    [
        ("cap.eu_first_steps", "playground", 0.10, {}),
        ("cap.eu_first_steps", "fast-lane", 0.10, {}),
        ("cap.eu_industry", "large-scale", 0.30, {}),
        ("cap.eu_science", "science", 0.25, {}),
        ("cap.eu_commercial", "large-scale", 0.20, {"commercial": True}),
        ("cap.director", "science", 0.05, {"director": True}),
    ],
)
def test_each_cap_of_a_share_holds_to_the_last_hour(
    capping: Capping, cap: str, call: str, part: float, marks: dict[str, bool]
) -> None:
    assert cap in {one.id for one in caps_on(SHIPPED, TODAY)}
    fill(capping, EUROPE, round(GIVEN * part), call, **marks)
    source = next(one.source for one in SHIPPED if one.id == cap)
    with pytest.raises(CreditsExhausted, match="at most") as refused:
        take(capping, EUROPE, 1, call, **marks)
    assert source in refused.value.detail
    assert refused.value.fields["left"] == 0


def test_playground_and_fast_lane_are_counted_together_and_within_the_industry_track(capping: Capping) -> None:
    fill(capping, EUROPE, 6_000, "playground")
    fill(capping, EUROPE, 4_000, "fast-lane")
    with pytest.raises(CreditsExhausted, match="playground and fast-lane: at most 10 %"):
        take(capping, EUROPE, 1, "playground")
    fill(capping, EUROPE, 20_000, "large-scale")
    with pytest.raises(CreditsExhausted, match="30 %"):
        take(capping, EUROPE, 1, "large-scale")
    fill(capping, EUROPE, 25_000, "science")  # what one track has used up leaves the other its own


def test_rules_on_europes_share_bind_no_other_and_the_directors_binds_all(capping: Capping) -> None:
    fill(capping, NATION, 50_000, "playground", commercial=True)
    fill(capping, NATION, 5_000, "science", director=True)
    with pytest.raises(CreditsExhausted, match="director: at most 5 %"):
        take(capping, NATION, 1, "science", director=True)
    take(capping, NATION, 1, "science")


def test_one_organisation_has_five_thousand_of_playground_whatever_share_pays_and_is_told_the_rule(
    capping: Capping,
) -> None:
    take(capping, EUROPE, 3_000, "playground", "org_acme")
    take(capping, NATION, 2_000, "playground", "org_acme")
    with pytest.raises(NotPermitted) as refused:
        take(capping, NATION, 1, "playground", "org_acme")
    assert refused.value.fields["rule"] == "cap.playground_organisation"
    take(capping, NATION, 1, "science", "org_acme")


def test_what_a_firm_had_before_it_belonged_to_a_group_counts_for_the_group(capping: Capping) -> None:
    take(capping, NATION, 3_000, "playground", "org_daughter")
    take(capping, NATION, 1_000, "playground", "org_head", group=("org_daughter", "org_son"))
    with pytest.raises(NotPermitted, match="1,000 GPU-hours of it are left"):
        take(capping, NATION, 1_001, "playground", "org_head", group=("org_daughter", "org_son"))


def test_a_cap_grows_with_what_is_given_and_what_comes_back_makes_room(capping: Capping) -> None:
    fill(capping, EUROPE, 10_000, "playground")
    capping.given(EUROPE.id, {GPU: 10_000 * MICRO}, TODAY)
    take(capping, EUROPE, 1_000, "playground")
    made = Allocation("alc", "prj", EUROPE.id, "app", TODAY, TODAY, "playground", organisation="org_x")
    capping.awarded(made, {GPU: -500 * MICRO})
    take(capping, EUROPE, 500, "playground")
    capping.given(
        EUROPE.id, {GPU: -50_000 * MICRO}, TODAY
    )  # withdrawn: nobody's award is touched, and nothing more is awarded
    with pytest.raises(CreditsExhausted):
        take(capping, EUROPE, 1, "playground")


def test_a_yearly_cap_begins_anew_with_the_year() -> None:
    row = '[[cap]]\nid = "cap.y"\nof = "share"\nuses = ["science"]\npart = 0.1\nperiod = "year"\nvalid_from = 2026-01-01\nsource = "of a test"\n'
    capping = Capping(MemoryTotals(), lambda: caps_of(row))
    capping.given(NATION.id, {GPU: 1_000 * MICRO}, TODAY)
    take(capping, NATION, 100, "science")
    with pytest.raises(CreditsExhausted):
        take(capping, NATION, 1, "science")
    later = date(TODAY.year + 1, 1, 1)
    capping.given(NATION.id, {GPU: 500 * MICRO}, later)
    assert capping.room(NATION, Award("science", "org", commercial=False), GPU, later)[0] == 50 * MICRO


def test_standing_says_what_each_share_has_left(capping: Capping) -> None:
    fill(capping, EUROPE, 4_000, "playground")
    found = {
        (one.cap.id, one.share.name if one.share else ""): one for one in capping.standing([EUROPE, NATION], TODAY)
    }
    row = found["cap.eu_first_steps", "europe"]
    assert (row.bound, row.awarded, row.left) == (10_000 * MICRO, 4_000 * MICRO, 6_000 * MICRO)
    assert ("cap.eu_first_steps", "nation") not in found
    assert ("cap.director", "nation") in found
    assert found["cap.playground_organisation", ""].bound == 5_000 * MICRO
    assert ("cap.eu_machine", "") in found


def test_the_least_of_two_caps_of_the_machine_counts_and_newer_rows_take_over() -> None:
    row = '[[cap]]\nid = "{}"\nof = "machine"\nfunder = "eu"\npart = {}\nvalid_from = {}\nsource = "of a test"\n'
    caps = caps_of(
        row.format("a", 0.4, "2026-01-01") + row.format("b", 0.5, "2026-01-01") + row.format("a", 0.45, "2027-01-01")
    )
    assert most_of_machine(caps, date(2026, 6, 1)) == {FunderKind.EU: 400_000}
    assert most_of_machine(caps, date(2027, 6, 1)) == {FunderKind.EU: 450_000}
    assert most_of_machine(caps, date(2025, 6, 1)) == {}
    assert {one.of for one in SHIPPED} == set(Of)


@pytest.mark.parametrize(
    "row",
    [
        'of = "share"\nuses = ["science"]\npart = 1.1',
        'of = "share"\nuses = ["science"]\npart = -0.1',
        'of = "share"\nuses = ["science"]\npart = "half"',
        'of = "share"\nuses = ["science"]\npart = 0.00000001',
        'of = "share"\nuses = ["science"]',
        'of = "share"\npart = 0.1',
        'of = "share"\nuses = ["commercial", "science"]\npart = 0.1',
        'of = "share"\nuses = ["science"]\npart = 0.1\nperiod = "week"',
        'of = "share"\nuses = ["science"]\npart = 0.1\nfunder = "gold"',
        'of = "machine"\npart = 0.5',
        'of = "machine"\nfunder = "eu"\nuses = ["science"]\npart = 0.5',
        'of = "organisation"\nuses = ["science"]\nhours = -1',
        'of = "organisation"\nuses = ["science"]\nhours = 5\nfunder = "eu"',
        'of = "moon"\nuses = ["science"]\npart = 0.1',
    ],
)
def test_a_row_that_says_no_cap_is_refused(row: str) -> None:
    with pytest.raises(InvalidInput):
        caps_of(f'[[cap]]\nid = "cap.x"\n{row}\nvalid_from = 2026-01-01\nsource = "of a test"\n')

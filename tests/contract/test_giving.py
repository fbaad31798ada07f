"""Money that is applied for, granted and withdrawn, and the hours that it brings, on both databases."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.ledger import Entry
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, CreditsExhausted, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from tests.factories.giving import GPU, a_funder, agree_on, brought, carry, days_left, gives, held, parts, supply
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

NOW, NEXT = Quarter(2026, 4), Quarter(2027, 1)


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    """Its own first share is withdrawn, so that each test has its funders alone."""
    made = a_town(database, tmp_path / "home")
    first = made.services.giving.contributions(by=made.operator)[0][0]
    made.services.giving.step(first.id, "withdrawn", by=made.operator)
    return made


def entries(town: Town) -> list[Entry]:
    return list(town.services.funding.entries(account_name="", limit=1_000, by=town.operator))


def whole(town: Town) -> None:
    """What holds at every moment."""
    assert town.services.funding.balanced()
    assert all(one.unawarded >= 0 for one in town.services.funding.table(by=town.operator))
    for quarter in ("2026Q3", "2026Q4", "2027Q1", "2027Q2"):
        for row in town.services.standings.quarter(quarter, by=town.operator)[1]:
            assert row.began + row.brought - row.awarded - row.lapsed == row.carried


def go_to(town: Town, quarter: Quarter) -> None:
    """To the first morning of that quarter, with the worker's look at it."""
    town.clock.sleep((quarter.first - town.clock.today()).total_seconds())
    assert town.clock.today() == quarter.first
    town.services.giving.keep_quarters()


def award(
    town: Town, gpu_hours: int, share: str = "", applicant: Caller | None = None, director: Caller | None = None
) -> str:
    """director: by whom it is awarded, out of their part."""
    answers = {
        "title": "Trees", "summary": "x", "purpose": "civilian", "gpu_hours": gpu_hours, "months": "1", "data": "x",
    }  # fmt: skip
    services, by = town.services, applicant or town.person("weefsel")
    filed = services.intake.file("playground", answers, by=by)
    services.intake.submit(filed.id, by=by)
    giver = director or town.operator
    return services.awarding.award(
        filed.id, share=share, director=director is not None, out_of_turn="for a test", by=giver
    )[0].id


def test_seed_shares_follow_what_is_granted_and_go_back_with_what_is_withdrawn(town: Town) -> None:
    giving, europe = town.services.giving, a_funder(town, "europe")
    gives(town, "state", "national", 70)
    gives(town, "region", "regional", 60)
    assert {name: part for name, part in parts(town).items() if part} == {"state": 538_462, "region": 461_538}
    applied, _ = giving.apply("europe", "eu", 70, by=europe)
    assert parts(town)["state"] == 538_462  # money that is asked for makes no share
    giving.step(applied.id, "granted", by=europe)
    assert {name: part for name, part in parts(town).items() if part} == {
        "state": 350_000, "region": 300_000, "europe": 350_000,
    }  # fmt: skip
    giving.step(applied.id, "withdrawn", by=europe)
    assert {name: part for name, part in parts(town).items() if part} == {"state": 538_462, "region": 461_538}
    whole(town)


def test_seed_money_that_comes_and_goes_changes_no_past_bill_and_no_entry_before(town: Town) -> None:
    agree_on(town, supply(1_000))
    gives(town, "state", "national", 70)
    gives(town, "region", "regional", 60)
    slug = town.project(town.person("weefsel"), gpu_hours=100)
    project = town.services.access.project(slug).id
    town.services.funding.hold(project, Purpose.CIVILIAN, GPU, 10 * MICRO, "job_1")
    town.services.funding.settle("job_1", 4 * MICRO)
    before, bill = entries(town), town.services.funding.left(project)
    came = gives(town, "europe", "eu", 70)
    town.clock.sleep(86_400 * 3)
    town.services.giving.step(came.id, "withdrawn", by=town.operator)
    after = {one.id: one for one in entries(town)}
    assert [asdict(after[one.id]) for one in before] == [asdict(one) for one in before]
    assert len(after) > len(before)
    assert town.services.funding.left(project) == bill
    # Three days of it stay: they were promised in writing while they passed.
    assert brought(town, "europe") == 3 * 350 * MICRO
    assert brought(town, "state") + brought(town, "region") + brought(
        town, "europe"
    ) == 1_000 * MICRO * days_left_at_first(town)
    whole(town)


def days_left_at_first(town: Town) -> int:
    return days_left(NOW, town) + 3


def test_hours_that_came_at_once_go_back_with_their_money_as_far_as_they_are_there(town: Town) -> None:
    giving = town.services.giving
    a_funder(town, "state")
    beside = {"cpu_hour": 100_000, "expert_hour": 100}
    made, _ = giving.contribute("state", "national", 10, {"gpu_hour": 100, **beside}, by=town.operator)
    award(town, 60)
    giving.step(made.id, "withdrawn", by=town.operator)
    assert held(town, "state") == 0
    # The sixty that are awarded stay, and are made good when the funder gives again.
    giving.contribute("state", "national", 10, {"gpu_hour": 100}, by=town.operator)
    assert held(town, "state") == 40 * MICRO
    giving.keep_quarters()
    assert held(town, "state") == 40 * MICRO
    whole(town)


def test_an_entitlement_is_counted_day_by_day_and_sums_exactly(town: Town) -> None:
    agree_on(town, supply(1_000))
    for slug, kind, euro in (("state", "national", 71), ("region", "regional", 60), ("third", "private", 7)):
        gives(town, slug, kind, euro)
        town.clock.sleep(86_400)
    town.services.giving.keep_quarters()
    entitled = town.services.giving.entitlement(NOW, GPU)
    assert sum(entitled.values()) == 1_000 * MICRO * (days_left(NOW, town) + 3)
    assert sum(brought(town, name) for name in ("state", "region", "third")) == sum(entitled.values())
    again = entries(town)
    town.services.giving.keep_quarters()
    assert entries(town) == again  # brought once
    go_to(town, NEXT)
    assert sum(town.services.giving.entitlement(NEXT, GPU).values()) == 1_000 * MICRO * 90
    whole(town)


def test_what_is_not_awarded_is_carried_over_or_lapses_once(town: Town) -> None:
    agree_on(town, supply(1_000) + carry(0.25))
    gives(town, "state", "national", 10)
    award(town, 800)
    entitled = 1_000 * MICRO * days_left(NOW, town)
    left = held(town, "state")
    assert left == entitled - 800 * MICRO
    go_to(town, NEXT)
    row = next(
        one
        for one in town.services.standings.quarter("2026Q4", by=town.operator)[1]
        if one.resource is GPU and one.entitled
    )
    assert (row.entitled, row.brought, row.awarded) == (entitled, entitled, 800 * MICRO)
    assert row.lapsed == left - entitled // 4
    assert row.carried == entitled // 4
    assert held(town, "state") == entitled // 4 + 90_000 * MICRO
    before = entries(town)
    town.services.giving.keep_quarters()
    assert entries(town) == before
    began = [one.began for one in town.services.standings.quarter("2027Q1", by=town.operator)[1] if one.resource is GPU]
    assert began == [entitled // 4]
    whole(town)


def test_money_that_comes_before_the_worker_looks_does_not_make_the_new_quarter_lapse(town: Town) -> None:
    agree_on(town, supply(100) + carry(0))
    gives(town, "state", "national", 10)
    award(town, days_left(NOW, town) * 100)
    town.clock.sleep((NEXT.first - town.clock.today()).total_seconds())
    gives(town, "region", "regional", 10)
    town.services.giving.keep_quarters()
    assert held(town, "state") == held(town, "region") == 4_500 * MICRO
    whole(town)


def test_a_factory_that_stood_still_for_a_quarter_brings_it_all_the_same(town: Town) -> None:
    agree_on(town, supply(1_000))
    gives(town, "state", "national", 10)
    first = days_left(NOW, town)
    go_to(town, Quarter(2027, 3))
    assert held(town, "state") == (first + 90 + 91 + 92) * 1_000 * MICRO
    row = next(one for one in town.services.standings.quarter("2027Q2", by=town.operator)[1] if one.resource is GPU)
    assert row.entitled == 91_000 * MICRO


def test_what_is_awarded_already_is_taken_from_the_next_quarter(town: Town) -> None:
    agree_on(town, supply(100))
    funder = a_funder(town, "state")
    goes = gives(town, "state", "national", 50, by=funder)
    gives(town, "state", "national", 50, by=funder)
    gives(town, "region", "regional", 100)
    whole_quarter = days_left(NOW, town) * 50
    award(town, whole_quarter, share="state")
    assert held(town, "state") == 0
    town.services.giving.step(goes.id, "withdrawn", by=funder)
    # With half its money gone it has a third of the machine and not a half: the rest is owed, and nobody's award is touched.
    owed = whole_quarter * MICRO - town.services.giving.entitlement(NOW, GPU)[share(town, "state")]
    assert owed > 0
    assert held(town, "state") == 0
    go_to(town, NEXT)
    theirs = town.services.giving.entitlement(NEXT, GPU)[share(town, "state")]
    assert held(town, "state") == theirs - owed
    whole(town)
    town.services.giving.keep_quarters()
    assert held(town, "state") == theirs - owed


def share(town: Town, name: str) -> str:
    return next(one.id for one in town.services.funding.shares() if one.name == name)


def test_workers_at_once_bring_and_close_nothing_twice(town: Town) -> None:
    agree_on(town, supply(1_000) + carry(0.5))
    gives(town, "state", "national", 10)
    town.clock.sleep((NEXT.first - town.clock.today()).total_seconds())
    before = len(entries(town))
    outcomes = at_once(lambda _: town.services.giving.keep_quarters(), times=8)
    assert outcomes == [None] * 8
    assert len(entries(town)) == before + 12  # of three resources a lapse, and what the new quarter brings
    assert held(town, "state") == (days_left_of_first() * 500 + 90_000) * MICRO
    whole(town)


def days_left_of_first() -> int:
    return 38


def test_two_who_grant_at_once_and_one_is_refused(town: Town) -> None:
    agree_on(town, supply(1_000))
    funder = a_funder(town, "state")
    made, _ = town.services.giving.apply("state", "national", 10, by=funder)
    outcomes = at_once(lambda _: town.services.giving.step(made.id, "granted", by=funder), times=4)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert all(isinstance(one, WrongState) for one in outcomes if isinstance(one, Exception))
    assert held(town, "state") == days_left(NOW, town) * 1_000 * MICRO


@pytest.mark.parametrize(
    ("eu", "others", "part"), [(10, {}, 500_000), (900, {"state": 100}, 500_000), (40, {"state": 60}, 400_000)]
)
def test_europe_alone_or_large_holds_at_most_half(town: Town, eu: int, others: dict[str, int], part: int) -> None:
    agree_on(town, supply(1_000))
    gives(town, "europe", "eu", eu)
    for slug, euro in others.items():
        gives(town, slug, "national", euro)
    assert parts(town)["europe"] == part
    assert sum(parts(town).values()) == (1_000_000 if others else part)


def test_an_agreement_does_not_lift_europe_beyond_half_nor_all_beyond_the_machine(town: Town) -> None:
    row = '[[part]]\nfunder = "{}"\npart = {}\nvalid_from = 2026-01-01\nsource = "of a test"\n'
    agree_on(town, supply() + row.format("europe", 0.7) + row.format("nobody-at-all", 0.1))
    gives(town, "europe", "eu", 1)
    gives(town, "state", "national", 1)
    assert (parts(town)["europe"], parts(town)["state"]) == (500_000, 500_000)
    agree_on(town, row.format("state", 0.9))
    assert sum(parts(town).values()) <= 1_000_000
    assert parts(town)["europe"] <= 500_000
    town.services.giving.keep_quarters()
    whole(town)


def test_a_funder_says_what_it_gives_and_not_which_hours_of_the_machine_that_brings(town: Town) -> None:
    giving, funder = town.services.giving, a_funder(town, "state")
    with pytest.raises(NotPermitted) as refused:
        giving.contribute("state", "national", 1, {"gpu_hour": 10**9}, by=funder)
    assert refused.value.fields["rule"] == "funding.oversee"
    assert town.services.funding.balanced()
    made, _ = giving.contribute("state", "national", 1, {}, by=funder)
    assert made.granted_on == town.clock.today()


def test_hours_at_once_are_not_given_of_what_quarters_bring(town: Town) -> None:
    agree_on(town, supply())
    with pytest.raises(InvalidInput, match="come twice"):
        town.services.giving.contribute("factory", "national", 1, {"gpu_hour": 1}, by=town.operator)


def test_a_funder_says_of_its_own_money_and_nobody_elses(town: Town) -> None:
    giving, mine, other = town.services.giving, a_funder(town, "state"), a_funder(town, "region")
    made, _ = giving.apply("state", "national", 10, by=mine)
    for act in (
        lambda: giving.step(made.id, "granted", by=other),
        lambda: giving.step(made.id, "withdrawn", by=other),
        lambda: giving.apply("state", "national", 5, by=other),
        lambda: giving.contribute("state", "national", 5, {"gpu_hour": 1}, by=other),
        lambda: giving.apply("state", "national", 5, by=town.person("weefsel")),
        lambda: giving.contributions(by=town.person("weefsel")),
        lambda: giving.shares_on(by=town.person("weefsel")),
        lambda: town.services.standings.quarter(by=town.person("weefsel")),
        lambda: town.services.standings.caps(by=town.person("weefsel")),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert giving.step(made.id, "granted", by=town.operator).granted_on == town.clock.today()


def test_steps_have_an_order_and_no_day_that_has_passed(town: Town) -> None:
    giving, funder = town.services.giving, a_funder(town, "state")
    made, _ = giving.apply("state", "national", 10, by=funder)
    today = town.clock.today()
    with pytest.raises(WrongState):
        giving.step(made.id, "received", by=funder)
    with pytest.raises(InvalidInput, match="has passed"):
        giving.step(made.id, "granted", on=today - timedelta(days=1), by=funder)
    for word in ("gold", "", "applied"):
        with pytest.raises((InvalidInput, WrongState)):
            giving.step(made.id, word, by=funder)
    with pytest.raises(NotFound):
        giving.step("con_nobody", "granted", by=funder)
    giving.step(made.id, "granted", on=today + timedelta(days=5), by=funder)
    assert parts(town)["state"] == 0
    assert dict(giving.parts(today + timedelta(days=5)))[share(town, "state")] == 1_000_000
    with pytest.raises(WrongState):
        giving.step(made.id, "withdrawn", by=funder)
    town.clock.sleep(86_400 * 5)
    assert parts(town)["state"] == 1_000_000
    giving.step(made.id, "received", by=funder)
    giving.step(made.id, "withdrawn", by=funder)
    for word in ("granted", "received", "withdrawn"):
        with pytest.raises(WrongState):
            giving.step(made.id, word, by=funder)


@pytest.mark.parametrize("euro", [0, -1, 10**12 + 1, 10**30, 1.5, True])
def test_a_sum_is_whole_above_zero_and_no_slip(town: Town, euro: float) -> None:
    funder = a_funder(town, "state")
    with pytest.raises(InvalidInput):
        town.services.giving.apply("state", "national", euro, by=funder)  # type: ignore[arg-type]
    assert len(town.services.giving.contributions(by=funder)) == 1


def test_a_shares_name_is_one_shares(town: Town) -> None:
    gives(town, "europe", "eu", 10)
    other = a_funder(town, "region")
    with pytest.raises(InvalidInput, match="another organisation is called"):
        town.services.giving.apply("region", "regional", 1, name="europe", by=other)
    gives(town, "state", "national", 10)
    town.services.giving.apply("region", "regional", 1, name="north", by=other)
    third = a_funder(town, "third")
    with pytest.raises(AlreadyExists):
        town.services.giving.apply("third", "regional", 1, name="north", by=third)
    with pytest.raises(CreditsExhausted):
        award(town, 1)


def test_the_director_awards_five_percent_out_of_turn_and_it_binds_nobody_else(town: Town) -> None:
    agree_on(town, supply(1_000))
    gives(town, "state", "national", 10)
    given = held(town, "state") // MICRO
    director = town.person("house", "director", kind="operator")
    most = given * 5 // 100
    with pytest.raises(CreditsExhausted, match="director: at most 5 %"):
        award(town, most + 1, director=director)
    award(town, most, director=director)
    with pytest.raises(CreditsExhausted, match="director: at most 5 %"):
        award(town, 1, director=director, applicant=town.person("other"))
    award(town, 1, applicant=town.person("third"))
    with pytest.raises(NotPermitted):
        award(town, 1, director=town.person("weefsel"), applicant=town.person("fourth"))
    row = next(one for one in town.services.standings.caps(by=director) if one.cap.id == "cap.director" and one.awarded)
    assert (row.bound, row.awarded) == (most * MICRO, most * MICRO)
    whole(town)


def test_a_group_has_what_one_organisation_has_and_the_refusal_says_the_rule(town: Town) -> None:
    agree_on(town, supply(1_000))
    gives(town, "state", "national", 10)
    daughter, head = town.person("labs"), town.person("acme")
    award(town, 3_000, applicant=daughter)
    town.services.describing.describe("labs", head="acme", by=town.operator)
    with pytest.raises(NotPermitted, match="2,000 GPU-hours of it are left") as refused:
        award(town, 2_001, applicant=head)
    assert refused.value.fields["rule"] == "cap.playground_organisation"
    award(town, 2_000, applicant=head)
    with pytest.raises(NotPermitted):
        award(town, 1, applicant=daughter)


def test_who_may_say_what_an_organisation_is(town: Town) -> None:
    describing = town.services.describing
    own = town.person("labs", "organisation_administrator")
    town.person("acme")
    assert describing.describe("labs", sector="ict", by=own).sector == "ict"
    for said in ({"size": "small"}, {"head": "acme"}):
        with pytest.raises(NotPermitted):
            describing.describe("labs", by=own, **said)
    with pytest.raises(NotPermitted):
        describing.describe("acme", sector="ict", by=own)
    with pytest.raises(NotPermitted):
        describing.shown("acme", by=own)
    assert describing.shown("labs", by=town.person("labs")).sector == "ict"
    for said in ({"sector": "moon"}, {"region": "moon"}, {"size": "huge"}):
        with pytest.raises(InvalidInput):
            describing.describe("labs", by=town.operator, **said)
    describing.describe("labs", head="acme", by=town.operator)
    town.person("third")
    for name, head in (("acme", "third"), ("third", "labs")):
        with pytest.raises(InvalidInput):
            describing.describe(name, head=head, by=town.operator)
    with pytest.raises(NotFound):
        describing.describe("third", head="nobody", by=town.operator)
    assert describing.group_of("labs") == describing.group_of("acme")
    describing.describe("labs", head="labs", by=town.operator)
    assert len(describing.group_of("acme")) == 1

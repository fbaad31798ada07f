from datetime import date

import pytest

from fabriek.funding.giving.contributions import FunderKind
from fabriek.funding.policy.purposes import choose_share, forbidden_by, may_pay, rules_of
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotPermitted
from fabriek.kernel.purposes import Purpose
from tests.factories.funding import TODAY, a_share, shipped_rules

RULES = shipped_rules()
EU, NATIONAL, DEFENCE = (a_share(f"shr_{k}", k) for k in (FunderKind.EU, FunderKind.NATIONAL, FunderKind.DEFENCE))
ASKED = {Resource.GPU_HOUR: 10, Resource.EXPERT_HOUR: 1}


def plenty(*shares: str, of: int = 100) -> dict[str, dict[Resource, int]]:
    return {share: dict.fromkeys(Resource, of) for share in shares}


def test_the_eu_share_pays_for_civilian_use_and_nothing_else() -> None:
    assert may_pay(EU, Purpose.CIVILIAN, RULES, TODAY)
    for purpose in (Purpose.DUAL_USE, Purpose.EXCLUSIVELY_MILITARY):
        rule = forbidden_by(EU, purpose, RULES, TODAY)
        assert rule is not None
        assert rule.id == "purpose.eu_civilian_only"
        assert "2021/1173, article 16" in rule.source


@pytest.mark.parametrize("kind", FunderKind)
def test_every_kind_of_funder_has_a_rule_and_pays_for_civilian_use(kind: FunderKind) -> None:
    assert may_pay(a_share(kind=kind), Purpose.CIVILIAN, RULES, TODAY)


def test_what_no_rule_in_force_allows_is_forbidden() -> None:
    for rules, day in (((), TODAY), (RULES, date(2020, 1, 1))):
        rule = forbidden_by(NATIONAL, Purpose.CIVILIAN, rules, day)
        assert rule is not None
        assert rule.id == "purpose.no_rule_in_force"


def test_a_newer_rule_takes_over_on_its_day() -> None:
    newer = rules_of(
        '[[rule]]\nid = "purpose.new"\nfunder = "national"\npays = ["civilian"]\n'
        'valid_from = 2027-01-01\nsource = "a letter of the ministry"'
    )
    assert may_pay(NATIONAL, Purpose.DUAL_USE, (*RULES, *newer), date(2026, 12, 31))
    assert not may_pay(NATIONAL, Purpose.DUAL_USE, (*RULES, *newer), date(2027, 1, 1))


def test_the_most_restricted_money_is_spent_first() -> None:
    left = plenty(EU.id, NATIONAL.id)
    assert choose_share([NATIONAL, EU], Purpose.CIVILIAN, RULES, TODAY, left=left, asked=ASKED) is EU


def test_a_military_purpose_goes_past_the_eu_share() -> None:
    left = plenty(EU.id, DEFENCE.id)
    assert choose_share([EU, DEFENCE], Purpose.EXCLUSIVELY_MILITARY, RULES, TODAY, left=left, asked=ASKED) is DEFENCE
    with pytest.raises(NotPermitted) as refused:
        choose_share([EU], Purpose.EXCLUSIVELY_MILITARY, RULES, TODAY, left=plenty(EU.id), asked=ASKED)
    assert refused.value.fields == {"rule": "purpose.eu_civilian_only"}


def test_a_share_without_room_for_all_that_is_asked_is_passed_over() -> None:
    left = {EU.id: {Resource.GPU_HOUR: 100}} | plenty(NATIONAL.id, of=10)
    assert choose_share([EU, NATIONAL], Purpose.CIVILIAN, RULES, TODAY, left=left, asked=ASKED) is NATIONAL


def test_when_no_share_has_room_the_refusal_says_what_is_left() -> None:
    with pytest.raises(CreditsExhausted) as refused:
        choose_share([NATIONAL], Purpose.CIVILIAN, RULES, TODAY, left=plenty(NATIONAL.id, of=4), asked=ASKED)
    assert refused.value.fields == {"left": 4e-6, "asked": 1e-5, "unit": "gpu_hour", "share": NATIONAL.id}


def test_without_any_share_nothing_pays() -> None:
    with pytest.raises(NotPermitted):
        choose_share([], Purpose.CIVILIAN, RULES, TODAY, left={}, asked=ASKED)


@pytest.mark.parametrize(
    "slip",
    [
        "",
        "not toml [",
        "rule = 3",
        '[[rule]]\nid = "x"\nfunder = "eu"\npays = ["civilian"]\nsource = "s"',
        '[[rule]]\nid = "x"\nfunder = "eu"\npays = ["civilian"]\nvalid_from = 2026-01-01',
        '[[rule]]\nid = "x"\nfunder = "eu"\npays = ["everything"]\nvalid_from = 2026-01-01\nsource = "s"',
        '[[rule]]\nid = "x"\nfunder = "eu"\nvalid_from = 2026-01-01\nsource = "s"',
        '[[rule]]\nid = "x"\nfunder = "aliens"\npays = []\nvalid_from = 2026-01-01\nsource = "s"',
    ],
)
def test_a_slip_in_the_rules_file_is_refused_not_read_as_permission(slip: str) -> None:
    with pytest.raises(InvalidInput):
        rules_of(slip)

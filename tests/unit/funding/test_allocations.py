from datetime import date, timedelta
from typing import Any

import pytest

from fabriek.funding.allocations import Allocation, choose, is_in_force
from fabriek.funding.giving.contributions import FunderKind
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotPermitted
from fabriek.kernel.purposes import Purpose
from tests.factories.funding import TODAY, a_share, an_allocation, shipped_rules

SHARES = {"shr_eu": a_share("shr_eu", FunderKind.EU), "shr_nl": a_share("shr_nl", FunderKind.NATIONAL)}


def chosen(*allocations: Allocation, left: dict[str, int], purpose: Purpose = Purpose.CIVILIAN, **changes: Any) -> str:
    asked = {"resource": Resource.GPU_HOUR, "asked_micro": 5} | changes
    return choose(allocations, SHARES, purpose, shipped_rules(), TODAY, left_micro=left, **asked).id


def test_both_days_of_an_allocation_count() -> None:
    allocation = an_allocation()
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [is_in_force(allocation, day) for day in days] == [False, True, True, False]
    with pytest.raises(InvalidInput):
        an_allocation(ends_on=date(2025, 1, 1))


def test_what_lapses_first_pays_first_when_it_has_room() -> None:
    soon, later = an_allocation("alc_soon", "shr_nl", ends_on=TODAY), an_allocation("alc_later", "shr_nl")
    assert chosen(later, soon, left={"alc_soon": 5, "alc_later": 5}) == "alc_soon"
    assert chosen(later, soon, left={"alc_soon": 4, "alc_later": 5}) == "alc_later"


def test_a_military_job_is_refused_on_the_eu_share_by_its_rule() -> None:
    with pytest.raises(NotPermitted) as refused:
        chosen(an_allocation("alc_1", "shr_eu"), left={"alc_1": 5}, purpose=Purpose.EXCLUSIVELY_MILITARY)
    assert refused.value.fields["rule"] == "purpose.eu_civilian_only"


def test_a_military_job_passes_by_the_eu_share_to_one_that_may_pay() -> None:
    both = (an_allocation("alc_eu", "shr_eu", ends_on=TODAY), an_allocation("alc_nl", "shr_nl"))
    assert chosen(*both, left={"alc_eu": 9, "alc_nl": 9}, purpose=Purpose.EXCLUSIVELY_MILITARY) == "alc_nl"
    with pytest.raises(CreditsExhausted):
        chosen(*both, left={"alc_eu": 9, "alc_nl": 1}, purpose=Purpose.DUAL_USE)


def test_a_job_over_the_remaining_credits_is_told_what_is_left() -> None:
    with pytest.raises(CreditsExhausted) as refused:
        chosen(an_allocation("alc_1", "shr_nl"), left={"alc_1": 2_500_000}, asked_micro=4_000_000)
    assert refused.value.fields == {"left": 2.5, "asked": 4.0, "unit": "gpu_hour", "share": "shr_nl"}
    assert refused.value.detail == "this takes up to 4 GPU-hours, and 2.5 are left"


def test_an_allocation_that_has_ended_pays_for_nothing() -> None:
    ended = an_allocation("alc_1", "shr_nl", ends_on=TODAY - timedelta(days=1))
    with pytest.raises(CreditsExhausted, match="no allocation in force"):
        chosen(ended, left={"alc_1": 10})

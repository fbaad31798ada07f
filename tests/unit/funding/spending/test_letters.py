"""What leads are told, word by word: amounts, days, and what helps."""

from dataclasses import replace
from datetime import date

from fabriek.funding.resources import Resource
from fabriek.funding.spending.letters import of_change, of_cut, of_end, of_standing
from fabriek.funding.spending.ports import Lapsed
from fabriek.funding.spending.standing import Balance, Standing, State
from fabriek.kernel.units import MICRO
from tests.factories.funding import an_allocation

DAY = date(2026, 11, 24)
GPU, TIB, EXPERT = Resource.GPU_HOUR, Resource.TIB_HOUR, Resource.EXPERT_HOUR
EMPTY = Standing("prj_1", DAY, State.NO_NEW_JOBS, {TIB: DAY}, {TIB: DAY})
OWED = {TIB: Balance(5 * MICRO, 0, owed=2 * MICRO)}
SHUTS, CLOSES = date(2026, 12, 24), date(2027, 1, 23)


def test_who_lacks_storage_hears_what_stops_when_data_is_shut_and_when_all_is() -> None:
    assert list(of_standing(EMPTY, OWED, SHUTS, CLOSES)) == [
        "there are no TiB-hours left, and 2 TiB-hours are owed: no new job may be submitted, and those that run finish",
        "access to its data is shut on 2026-12-24 if no TiB-hours come; nothing is deleted",
        "it is closed on 2027-01-23 if what it owes is not covered",
    ]


def test_what_jobs_do_not_take_stops_none() -> None:
    had = Standing("prj_1", DAY, State.OPEN, {EXPERT: DAY})
    assert list(of_standing(had, {EXPERT: Balance(8 * MICRO)}, None, None)) == ["there are no expert-hours left"]


def test_a_step_is_told_once_and_a_day_without_one_is_silent() -> None:
    before = Standing("prj_1", DAY)
    first = list(of_change(before, EMPTY, OWED, SHUTS, CLOSES))
    assert [about for about, _ in first] == ["owing:prj_1:tib_hour@2026-11-24"]
    assert list(of_change(EMPTY, EMPTY, OWED, SHUTS, CLOSES)) == []
    shut = replace(EMPTY, state=State.DATA_SHUT, since=SHUTS)
    assert [about for about, _ in of_change(EMPTY, shut, OWED, SHUTS, CLOSES)] == ["data_shut:prj_1:2026-12-24"]
    again = Standing("prj_1", CLOSES)
    assert [words for _, words in of_change(shut, again, {}, None, None)] == ["it has credits again, and is open"]


def test_a_cut_says_what_was_given_used_and_remains() -> None:
    cut = Lapsed("alc_1", GPU, "prj_1", DAY, 100_000 * MICRO, 30_000 * MICRO, 40_000 * MICRO)
    assert of_cut(cut) == (
        "of 100,000 GPU-hours 30,000 were used by 2026-11-24, so 40,000 GPU-hours went back to the share, and 60,000 remain of the grant"
    )


def test_an_end_is_told_in_days() -> None:
    assert of_end(an_allocation(ends_on=date(2026, 11, 25)), DAY).startswith(
        "its allocation ends on 2026-11-25, in 1 day;"
    )

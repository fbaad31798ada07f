"""Quarters on both databases: what each brings, what lapses at its end, and what a change in its middle does to it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.policy.policy import policy_of, shipped_policy
from fabriek.funding.resources import Resource
from fabriek.kernel.units import MICRO
from tests.factories.services import Town, a_town

GPU = Resource.GPU_HOUR
DAYS = 90
"""Of the first quarter of 2027."""

SUPPLY = """
[[supply]]
resource = "gpu_hour"
each_day = 1000
valid_from = 2027-01-01
source = "For a test."
"""
HALF = """
[[carry]]
most = 0.5
valid_from = 2027-01-01
source = "For a test."
"""


@pytest.fixture
def founded(database: Database, tmp_path: Path) -> Callable[[str], Town]:
    """On the first of January 2027: the nation gave a million, and hours at once, the year before."""

    def make(more: str) -> Town:
        made = a_town(database, tmp_path / "home", policy=shipped_policy() + policy_of(more))
        wind(made, date(2027, 1, 1))
        return made

    return make


def wind(town: Town, to: date) -> None:
    town.clock.move(datetime(to.year, to.month, to.day, 9, tzinfo=UTC) - town.clock.now())


def give(town: Town, name: str, euro: int) -> str:
    """Granted today; the contribution's id."""
    funder = town.person(name, "funder", kind="funder")
    return town.services.giving.contribute(name, "regional", euro, {}, name=name, by=funder)[0].id


def held(town: Town, name: str) -> int:
    """GPU-hours that the share has and nobody was awarded."""
    share = next(one for one in town.services.funding.shares() if one.name == name)
    rows = {(one.share, one.resource): one.unawarded for one in town.services.funding.table(by=town.operator)}
    return rows.get((share.id, GPU), 0) // MICRO


def test_a_quarter_brings_each_share_its_part_of_every_day_once(founded: Callable[[str], Town]) -> None:
    town = founded(SUPPLY)
    give(town, "region", 3_000_000)
    for _ in range(3):
        town.services.giving.keep_quarters()
    assert (held(town, "region"), held(town, "nation")) == (67_500, 22_500 + 1_000)
    assert sum(town.services.giving.entitlement(Quarter(2027, 1), GPU).values()) == DAYS * 1_000 * MICRO
    assert town.services.funding.balanced()


def test_a_funder_that_comes_or_goes_in_the_middle_changes_no_day_before(founded: Callable[[str], Town]) -> None:
    town = founded(SUPPLY)
    town.services.giving.keep_quarters()
    wind(town, date(2027, 1, 31))
    came = give(town, "region", 1_000_000)
    assert (held(town, "nation"), held(town, "region")) == (1_000 + 30_000 + 30_000, 30_000)
    wind(town, date(2027, 3, 2))
    town.services.giving.step(came, "withdrawn", by=town.operator)
    assert (held(town, "nation"), held(town, "region")) == (1_000 + 30_000 + 15_000 + 30_000, 15_000)
    assert town.services.funding.balanced()


def test_what_was_not_awarded_lapses_beyond_what_is_carried_over(founded: Callable[[str], Town]) -> None:
    town = founded(SUPPLY + HALF)
    town.services.giving.keep_quarters()
    assert held(town, "nation") == 91_000
    wind(town, date(2027, 4, 1))
    # Whatever comes first in the new quarter: the old one is closed before it.
    give(town, "region", 1)
    second = 91 * 1_000
    assert held(town, "nation") + held(town, "region") == 1_000 + 45_000 + second - 1
    town.services.giving.keep_quarters()
    assert held(town, "nation") + held(town, "region") == 1_000 + 45_000 + second - 1
    assert town.services.funding.balanced()


def test_what_was_awarded_does_not_lapse(founded: Callable[[str], Town]) -> None:
    town = founded(SUPPLY + HALF)
    town.services.giving.keep_quarters()
    town.project(town.person("weefsel"), gpu_hours=5_000)
    wind(town, date(2027, 4, 1))
    town.services.giving.keep_quarters()
    # The thousand hours of before were awarded first, and 4,000 of the quarter; of its rest half of the quarter is carried over.
    assert held(town, "nation") == 45_000 + 91_000
    rows = {
        (one.account.partition(":")[0], one.memo)
        for one in town.services.funding.entries(account_name="", limit=1_000, by=town.operator)
    }
    assert ("share", "lapsed 2027Q1") in rows

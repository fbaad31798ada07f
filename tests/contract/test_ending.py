"""Allocations that ended, on both databases: what nobody used can be awarded again, and what jobs hold follows when they end."""

from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.funding.policy.capping import Award
from fabriek.funding.resources import Resource
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

GPU = Resource.GPU_HOUR


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def unawarded(town: Town) -> int:
    rows = town.services.funding.table(by=town.operator)
    return next(one.unawarded for one in rows if one.resource is GPU) // MICRO


def test_credits_stay_for_use_that_is_told_late_and_then_go_back_once(town: Town) -> None:
    town.project(town.person("weefsel"), gpu_hours=400)
    town.clock.move(timedelta(days=31 + 30))
    assert town.services.ending.give_back_rests() == 0
    assert unawarded(town) == 600
    town.clock.move(timedelta(days=1))
    at_once(lambda _: town.services.ending.give_back_rests(), times=4)
    assert unawarded(town) == 1_000
    assert town.services.ending.give_back_rests() == 0
    assert town.services.funding.balanced()


def test_what_a_job_holds_goes_back_when_it_has_ended(town: Town) -> None:
    slug = town.project(town.person("weefsel"), gpu_hours=400)
    project = town.services.access.project(slug)
    town.services.funding.hold(project.id, Purpose.CIVILIAN, GPU, 100 * MICRO, "job_1")
    town.clock.move(timedelta(days=62))
    assert (town.services.ending.give_back_rests(), unawarded(town)) == (1, 900)
    town.services.funding.settle("job_1", 30 * MICRO)
    assert (town.services.ending.give_back_rests(), unawarded(town)) == (1, 970)
    assert town.services.funding.balanced()


def test_what_came_back_leaves_room_under_the_caps_again(town: Town) -> None:
    share = next(one for one in town.services.funding.shares())
    town.project(town.person("weefsel"), gpu_hours=400)
    firm = town.services.access.organisation("weefsel").id
    playing = Award("playground", firm, commercial=False)
    today = town.services.clock.today()
    assert town.services.capping.room(share, playing, GPU, today)[0] == 4_600 * MICRO
    town.clock.move(timedelta(days=62))
    town.services.ending.give_back_rests()
    assert town.services.capping.room(share, playing, GPU, today)[0] == 5_000 * MICRO

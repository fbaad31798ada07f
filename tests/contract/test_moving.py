"""More than a call gives, at the service: a draft of the call that takes it, or its name and why where that one is not open."""

from importlib.resources import files
from pathlib import Path

import pytest

from fabriek.access.applying import moving
from fabriek.access.applying.applications import ApplicationState
from fabriek.access.organisations import OrganisationKind
from fabriek.adapters.database import Database
from fabriek.kernel.errors import InvalidInput
from tests.factories.services import Town, a_town

ANSWERS = {"title": "Big", "summary": "x", "purpose": "civilian", "gpu_hours": 50_001, "months": "3", "data": "x"}


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def filed(town: Town, name: str) -> tuple[str, dict[str, object], str]:
    firm = town.person("weefsel")
    today = town.clock.today()
    made, better = moving.file_where_it_fits(
        town.services.intake, name, ANSWERS, today, OrganisationKind.STARTUP, by=firm
    )
    assert made.state is ApplicationState.DRAFT
    return made.call, dict(made.answers), better.reason if better else ""


def test_it_is_led_on_with_what_the_other_call_asks_too(town: Town) -> None:
    name, answers, reason = filed(town, "fast-lane")
    assert name == "large-scale"
    assert answers == {field: answer for field, answer in ANSWERS.items() if field != "summary"}
    assert "more than the 50,000 of fast-lane" in reason
    assert filed(town, "playground")[2].startswith(
        "50,001 GPU-hours are more than the 5,000 of playground; large-scale takes them"
    )


def test_where_the_other_call_has_closed_it_is_named_and_nothing_is_filed(database: Database, tmp_path: Path) -> None:
    """The calls of this installation count, and not those that come with Fabriek."""
    text = files("fabriek.access.applying").joinpath("data", "large-scale.toml").read_text("utf-8")
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "large-scale.toml").write_text(text.replace("months =", "closes = 2026-01-01\nmonths =", 1))
    town = a_town(database, tmp_path / "home", calls=tmp_path / "calls")
    with pytest.raises(InvalidInput, match="large-scale takes them") as led:
        filed(town, "fast-lane")
    assert led.value.fields["better_call"] == "large-scale"
    assert town.services.intake.list(by=town.operator) == []

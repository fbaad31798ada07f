"""More than a call gives, at the service: a draft of the call that takes it, or its name and why where that one is not open."""

from dataclasses import replace
from pathlib import Path

import pytest

from fabriek.access.applying import intake, moving
from fabriek.access.applying.applications import ApplicationState
from fabriek.access.applying.calls import Call, call
from fabriek.access.organisations import OrganisationKind
from fabriek.adapters.database import Database
from fabriek.kernel.errors import InvalidInput, NotFound
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


def test_it_is_led_on_and_not_refused_blankly(town: Town) -> None:
    try:
        call("large-scale")
    except NotFound:
        with pytest.raises(InvalidInput, match="large-scale takes them") as led:
            filed(town, "playground")
        assert led.value.fields["better_call"] == "large-scale"
        return
    name, answers, reason = filed(town, "fast-lane")
    assert name == "large-scale"
    assert answers["purpose"] == "civilian"
    assert "more than the 50,000 of fast-lane" in reason


def test_the_answers_go_along_into_a_draft_of_the_other_call(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a form of our own for the other call: what goes along does not hang on which calls are open here."""
    plain = call("playground")
    fields = tuple(replace(one, limit=10**9) if one.name == "gpu_hours" else one for one in plain.fields)
    larger = replace(
        plain, name="large-scale", gpu_hours_max=10**9, fields=tuple(f for f in fields if f.name != "data")
    )

    def named(name: str) -> Call:
        return larger if name == "large-scale" else call(name)

    for module in (moving, intake):
        monkeypatch.setattr(module, "call", named)
    name, answers, reason = filed(town, "playground")
    assert name == "large-scale"
    assert answers == {field: answer for field, answer in ANSWERS.items() if field != "data"}
    assert reason.startswith("50,001 GPU-hours are more than the 5,000 of playground; large-scale takes them")

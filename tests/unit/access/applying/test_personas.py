"""Thirty people at the door: each is led to the expected route, with its reason, and no question is asked in vain."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fabriek.access.applying.guide import ASKED_MAX, Guide, guide_on, next_question, route

PERSONAS = tomllib.loads(Path(__file__).with_name("personas.toml").read_text("utf-8"))["persona"]


@pytest.fixture(scope="module")
def guide() -> Guide:
    return guide_on(date(2026, 11, 28))


def test_there_are_twenty_personas_at_least_and_no_two_are_the_same() -> None:
    assert len({one["name"] for one in PERSONAS}) == len(PERSONAS) >= 20


@pytest.mark.parametrize("persona", PERSONAS, ids=[one["name"] for one in PERSONAS])
def test_a_persona_reaches_the_expected_route_with_its_reason(guide: Guide, persona: dict[str, Any]) -> None:
    said: dict[str, str] = {}
    while (asked := next_question(guide, said)) is not None:
        assert asked.name in persona["answers"], f"{asked.name} is asked, and this persona has no answer to it"
        said[asked.name] = persona["answers"][asked.name]
    assert said == persona["answers"]
    assert len(said) <= ASKED_MAX
    found = route(guide, said)
    assert found.name == persona["route"]
    assert persona["says"] in found.reason["en"]
    assert found.reason["nl"] != found.reason["en"]
    assert found.command.startswith(persona["command"])
    remarks = " ".join(one["en"] for one in found.remarks)
    assert persona.get("remark", "") in remarks
    assert bool(found.remarks) == ("remark" in persona)

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from fabriek.audit.log import Event, entry_of, facts_of, instant_of, new_event
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import Damaged
from tests.factories.audit import SOMEBODY

AT = datetime(2026, 11, 24, 9, 0, 0, 5, tzinfo=UTC)


def an_event(
    action: str = "job.submitted", subject: str = "job_1", by: Caller = SOMEBODY, **facts: str | int | bool
) -> Event:
    return new_event(action, subject, by, facts, event_id="evt_1", at=AT)


def test_an_entry_is_one_canonical_line_of_json() -> None:
    entry = entry_of(an_event(purpose="civilian", held_micro=3, first=True))
    assert entry.decode() == (
        '{"action":"job.submitted","at":"2026-11-24T09:00:00.000005Z","facts":{"first":true,"held_micro":3,"purpose":"civilian"},'
        '"id":"evt_1","job":"","organisation":"org_1","person":"per_1","request":"req_1","subject":"job_1","v":1}'
    )
    assert json.dumps(json.loads(entry), sort_keys=True, separators=(",", ":")).encode() == entry


def test_instants_are_written_in_utc() -> None:
    at = AT.astimezone(timezone(timedelta(hours=1)))
    assert new_event("a.b", "x_1", SOMEBODY, {}, event_id="evt_1", at=at) == an_event("a.b", "x_1")
    assert instant_of(an_event()) == AT


@pytest.mark.parametrize("text", ["Jan de Vries", "jan@example.org", "line\nbreak", "café", "a" * 201, "<b>", "it's"])
def test_free_text_stops_the_act_before_it_enters_the_log(text: str) -> None:
    with pytest.raises(AssertionError):
        an_event(reason=text)
    with pytest.raises(AssertionError):
        an_event(subject=text)
    with pytest.raises(AssertionError):
        an_event(action=text)


@pytest.mark.parametrize("value", [1.5, None, ["a"], {"a": 1}, 2**53 + 1, b"x"])
def test_what_json_readers_disagree_about_is_no_fact(value: object) -> None:
    with pytest.raises(AssertionError):
        an_event(value=value)


def test_an_event_with_too_many_facts_is_a_fault() -> None:
    with pytest.raises(AssertionError):
        an_event(**{f"fact_{number}": "x" * 200 for number in range(100)})


def test_a_request_id_that_the_caller_chose_does_not_enter_the_log() -> None:
    assert an_event(by=Caller(person="per_1", request_id="Jan.de.Vries")).request == ""
    assert an_event(by=Caller(person="per_1", request_id="req_01j8x")).request == "req_01j8x"


@pytest.mark.parametrize("name", [field.name for field in fields(Event)])
def test_every_field_is_in_the_entry(name: str) -> None:
    event = an_event(purpose="civilian")
    changed = replace(event, **{name: getattr(event, name) + "x"})
    assert entry_of(changed) != entry_of(event)


def test_facts_that_json_would_read_the_same_are_other_bytes() -> None:
    event = an_event(purpose="civilian")
    spaced = replace(event, facts=event.facts.replace(":", ": "))
    assert facts_of(spaced) == facts_of(event)
    assert entry_of(spaced) != entry_of(event)


def test_text_cannot_move_from_one_field_into_the_next() -> None:
    event = an_event()
    moved = replace(event, facts='{},"id":"evt_1","job":""', id="", job="")
    assert entry_of(moved) != entry_of(event)
    assert entry_of(replace(event, job='","organisation":"org_1', organisation="")) != entry_of(event)


@pytest.mark.parametrize("change", [{"facts": "{"}, {"facts": "[]"}])
def test_changed_facts_are_damage_and_not_a_fault(change: dict[str, str]) -> None:
    with pytest.raises(Damaged):
        facts_of(replace(an_event(), **change))


def test_a_changed_instant_is_damage_and_not_a_fault() -> None:
    with pytest.raises(Damaged):
        instant_of(replace(an_event(), at="yesterday"))

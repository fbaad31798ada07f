"""Calls read from files: what comes with Fabriek, an operator's own, and slips in them, all named at once with their places."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fabriek.access.applying.answers import check_answers
from fabriek.access.applying.call_files import read_call, read_calls, shipped_calls
from fabriek.access.applying.calls import Call, CutOffs
from fabriek.access.applying.faults import faults_in
from fabriek.kernel.errors import InvalidInput, NotFound
from tests.factories.calls import A_CALL


@pytest.mark.parametrize("call", shipped_calls(), ids=lambda one: one.name)
def test_every_call_that_comes_with_fabriek_takes_its_own_examples(call: Call) -> None:
    answers = {one.name: one.example for one in call.fields if one.example is not None}
    check_answers(call, {name: one for name, one in answers.items() if name != "plan"}, complete=False)
    for field in call.fields:
        assert field.example is not None, f"{field.name} shows no example"
        assert faults_in(field, field.example, {}) == []
        for said in (field.question, field.help):
            assert said is None or said.en != said.nl, f"{field.name} says the same in both languages"


def test_the_playground_asks_twelve_things() -> None:
    assert len(read_calls(None).of("playground").fields) == 12


def test_a_call_is_added_by_a_file_and_one_of_ours_replaced(tmp_path: Path) -> None:
    (tmp_path / "harvest.toml").write_text(A_CALL)
    (tmp_path / "playground.toml").write_text(A_CALL.replace('"harvest"', '"playground"'))
    calls = read_calls(tmp_path)
    assert calls.of("harvest").titles.in_("nl") == "Oogstoproep"
    assert calls.of("playground").title == "Harvest call"
    with pytest.raises(NotFound):
        calls.of("../harvest")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not there"):
        read_calls(tmp_path / "nowhere")


def test_all_slips_of_a_file_are_named_at_once_with_their_lines() -> None:
    wrong = (
        A_CALL.replace('kind = "number"', 'kind = "nummer"', 1).replace("working_days = 5", "").replace('en = "Title?", ', "")
    )  # fmt: skip
    with pytest.raises(InvalidInput) as raised:
        read_call(wrong, "harvest.toml")
    said = "\n".join(f"{one['field']}: {one['message']}" for one in raised.value.fields["errors"])  # type: ignore[attr-defined]
    titled = wrong[: wrong.index('nl = "Titel?"')].count("\n") + 1
    line = wrong[: wrong.index('kind = "nummer"')].count("\n") + 1
    assert f"harvest.toml line {line} sections.needs.fields.gpu_hours.kind" in said
    assert "working_days: Field required" in said
    assert f"line {titled} sections.needs.fields.title.question.en: Field required" in said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('name = "harvest"', 'name = "other"'), "must be the name of the file"),
        (('kinds = ["startup"]', 'kinds = ["pirate"]'), "'pirate' is not a kind of organisation"),
        (('name = "grain"', 'name = "title"'), "stands there twice"),
        (("grain = [true]", "wheat = [true]"), "'wheat', which is not asked before"),
        (("grain = [true]", 'grain = ["perhaps"]'), "grain is never 'perhaps'"),
        (('choices = ["1", "2"]', 'choices = ["1", "9"]'), "among the months of the call"),
        (('choices = ["1", "2"]', ""), "choice and choices do not go together"),
        (('choices = ["civilian"]', 'choices = ["villainy"]'), "may only be among civilian"),
        (('equals = "gpu_hours"', 'equals = "title"'), "equals 'title', which is no number"),
        (('sum = "plan.hours"', 'sum = "plan.moons"'), "'moons' is not a number of plan"),
        (('sum = "plan.hours"', 'sum = "title.hours"'), "'title' is not a table"),
        (("example = 20", "example = 999999"), "the example must be above 0"),
        (("first = 2026-01-15", ""), "names neither days nor the first"),
        (('zone = "Europe/Amsterdam"', 'zone = "Mars/Olympus"'), "is not a time zone"),
        (('whole = true\nunit = "GPU-hours"', 'unit = "GPU-hours"'), "must say whole = true"),
        (("cpu_hour = 10", "gold = 10"), "cpu_hour"),
        (("[amounts]", "[amounts"), "harvest.toml is not TOML"),
        (("gpu_hours_max = 100", "gpu_hours_max = 100\nformat_c = true"), "format_c: Extra inputs"),
    ],
)
def test_what_makes_no_sense_in_a_call_is_refused_at_the_start(change: tuple[str, str], says: str) -> None:
    assert change[0] in A_CALL
    with pytest.raises(InvalidInput) as raised:
        read_call(A_CALL.replace(*change), "harvest.toml")
    errors = raised.value.fields.get("errors") or [{"field": "", "message": raised.value.detail}]
    assert any(says in f"{one['field']}: {one['message']}" for one in errors), errors  # type: ignore[attr-defined]


def test_a_file_that_is_no_text_or_too_large_is_said_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "large.toml").write_bytes(b"#" * (2 << 20))
    with pytest.raises(InvalidInput) as raised:
        read_calls(tmp_path)
    assert [one["field"] for one in raised.value.fields["errors"]] == ["bytes.toml", "large.toml"]  # type: ignore[attr-defined]


def test_a_cut_off_passes_at_its_very_moment_by_dutch_time_summer_and_winter() -> None:
    offs = CutOffs(first=date(2026, 1, 31), every_months=1)
    january = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
    assert offs.next_after(january - timedelta(seconds=1)) == january
    assert offs.next_after(january) == datetime(2026, 2, 28, 9, 0, tzinfo=UTC)
    assert offs.next_after(datetime(2026, 7, 1, tzinfo=UTC)) == datetime(2026, 7, 31, 8, 0, tzinfo=UTC)
    assert offs.next_after(datetime(2026, 12, 1, tzinfo=UTC)) == datetime(2026, 12, 31, 9, 0, tzinfo=UTC)
    listed = CutOffs(days=(date(2026, 3, 2), date(2026, 2, 2)), time="16:00")
    assert listed.next_after(january) == datetime(2026, 2, 2, 16, 0, tzinfo=ZoneInfo("Europe/Amsterdam"))
    assert listed.next_after(datetime(2026, 4, 1, tzinfo=UTC)) is None


def test_a_call_is_open_on_both_its_days_and_not_after_its_last_cut_off() -> None:
    call = read_call(A_CALL, "harvest.toml").model_copy(update={"opens": date(2026, 5, 1), "closes": date(2026, 5, 3)})
    noon = datetime(2026, 5, 2, 12, tzinfo=UTC)
    assert [call.is_open(noon, date(2026, month, day)) for month, day in ((4, 30), (5, 1), (5, 3), (5, 4))] == [
        False, True, True, False,
    ]  # fmt: skip
    over = call.model_copy(update={"cut_offs": CutOffs(days=(date(2026, 5, 1),))})
    assert not over.is_open(noon, date(2026, 5, 2))

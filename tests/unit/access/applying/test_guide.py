"""The guide over every path that there is: eight questions at most, always a next step, and a command that exists."""

import shlex
from collections.abc import Iterator
from datetime import date
from importlib.resources import files

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.access.applying.call_files import call
from fabriek.access.applying.guide import (
    ASKED_MAX,
    LANGUAGES,
    Guide,
    asked_before,
    guide_of,
    guide_on,
    next_question,
    route,
    words_of,
)
from fabriek.cli.main import fabriek
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput, NotFound

TODAY = date(2026, 11, 28)
GUIDE, ACCREDITED = guide_on(TODAY), guide_on(TODAY, accredited=True)


def paths(guide: Guide, said: dict[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Every way through the guide, to its end."""
    said = said or {}
    asked = next_question(guide, said)
    if asked is None:
        yield said
        return
    for choice in asked.choices:
        yield from paths(guide, said | {asked.name: choice.name})


ALL = [*paths(GUIDE), *paths(ACCREDITED)]


def test_no_path_asks_more_than_eight_questions_and_one_asks_eight() -> None:
    assert max(map(len, ALL)) == ASKED_MAX
    assert len(ALL) > 500


@pytest.mark.parametrize("guide", [GUIDE, ACCREDITED], ids=["plain", "accredited"])
def test_every_path_ends_in_one_route_with_a_reason_and_a_next_step_in_both_languages(guide: Guide) -> None:
    for said in paths(guide):
        found = route(guide, said)
        for words in (found.title, found.reason, found.next_step, *found.remarks):
            assert {language for language in LANGUAGES if words[language].strip()} == set(LANGUAGES), (said, words)
        assert found.source
        assert found.command.startswith("fabriek ")
        assert "{" not in found.command
        assert [asked.name for asked, _ in asked_before(guide, said)] == list(said)


def test_no_path_needs_the_last_resort_and_every_way_is_reached() -> None:
    reached = {route(guide, said).name for guide in (GUIDE, ACCREDITED) for said in paths(guide)}
    assert reached == GUIDE.ways.keys() - {"ask"}


def test_every_command_that_it_names_exists() -> None:
    for line in sorted({route(GUIDE, said).command for said in paths(GUIDE)}):
        _, *words = shlex.split(line)
        command: click.Command = fabriek
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(click.Context(command), words[0])
            if found is None:
                assert not command.no_args_is_help or command.name == "ask", line
                break
            command, words = found, words[1:]
        known = {option for one in command.params for option in one.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_what_it_carries_is_what_the_form_takes() -> None:
    from fabriek.access.applying.answers import check_answers  # noqa: PLC0415  # beside the numbers that it must read

    carried = [
        route(GUIDE, said | ({"gpu_hours": "1200"} if said.get("gpu_hours") == "small" else {}))
        for said in paths(GUIDE)
    ]
    for found in carried:
        if found.call == "playground":
            numbers = {name: int(value) if value.isdecimal() else value for name, value in found.carries.items()}
            check_answers(call("playground"), numbers, complete=False)
    assert {"purpose", "label_ceiling", "gpu_hours"} <= {name for one in carried for name in one.carries}


@pytest.mark.parametrize("name", ["playground", "fast-lane"])
def test_its_amounts_are_those_of_the_calls(name: str) -> None:
    try:
        most = call(name).gpu_hours_max
    except NotFound:
        most = {"fast-lane": 50_000}[name]
    choices = GUIDE.questions["gpu_hours"].choices
    assert next(one.to for one in reversed(choices) if one.call == name) == most


@given(st.integers(min_value=1, max_value=1_000_000_000))
def test_a_number_is_the_range_it_lies_in(hours: int) -> None:
    word = words_of(GUIDE, {"gpu_hours": str(hours)})["gpu_hours"]
    assert word == ("small" if hours <= 5000 else "middle" if hours <= 50_000 else "large")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("gpu_hours", "0"), ("gpu_hours", "-5"), ("gpu_hours", "5e9"), ("gpu_hours", "1.5"), ("gpu_hours", "nan"), ("gpu_hours", "9" * 39),
        ("gpu_hours", "٣"), ("gpu_hours", True), ("aim", "1"), ("aim", ""), ("aim", "Compute"), ("who", "startup,sme"),
        ("admin", "yes"), ("__class__", "x"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_named(name: str, answer: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        route(GUIDE, {"aim": "compute", name: answer})
    assert refused.value.fields["errors"][0]["field"] == name


def test_a_route_without_all_its_answers_names_the_question_and_the_choices() -> None:
    with pytest.raises(InvalidInput, match="country is not answered") as refused:
        route(GUIDE, {"aim": "compute", "who": "sme"})
    assert refused.value.fix == "--answer country=north|nl|eu|associated|elsewhere"


def test_what_is_not_asked_counts_for_nothing() -> None:
    """An answer to a question of another path does not come into the form either."""
    plain, more = {"aim": "compute", "who": "student"}, {"country": "elsewhere", "gpu_hours": "70000"}
    assert route(GUIDE, plain | more) == route(GUIDE, plain)


def test_an_accredited_installation_takes_what_another_sends_on() -> None:
    said = {
        "aim": "compute", "who": "public", "country": "nl", "data": "classified", "purpose": "civilian", "node_hours": "small",
    }  # fmt: skip
    assert route(GUIDE, said).name == "accredited"
    assert route(ACCREDITED, said).name == "playground"


def test_rules_count_from_their_day() -> None:
    early = guide_on(date(2025, 6, 1))
    said = {"aim": "compute", "who": "sme", "country": "nl", "data": "open", "purpose": "civilian"}
    asked = next_question(early, said)
    assert asked is not None
    assert asked.name == "gpu_hours"  # paid commercial use has a rule since the end of 2025
    later = next_question(GUIDE, said)
    assert later is not None
    assert later.name == "use"


QUESTIONS, ROUTES = (shipped("fabriek.access.applying", f"guide/{name}.toml") for name in ("questions", "routes"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("when = {}", 'when = { aim = ["look"] }', "does not hold for everyone"),
        ('way = "visit"', 'way = "tour"', "no \\[\\[way\\]\\]"),
        ('aim = ["look"]', 'aim = ["loook"]', "nobody is asked"),
        ('aim = ["look"]', 'goal = ["look"]', "nobody is asked"),
        ('nl = "Playground"', 'de = "Playground"', "lacks 'nl'"),
    ],
)
def test_a_slip_in_the_data_is_said_when_it_is_read(old: str, new: str, says: str) -> None:
    assert old in ROUTES
    with pytest.raises(InvalidInput, match=says):
        guide_of(QUESTIONS, ROUTES.replace(old, new, 1), TODAY)


def test_no_call_is_named_as_the_guides_own_files() -> None:
    folder = files("fabriek.access.applying").joinpath("data")
    assert not folder.joinpath("guide.toml").is_file()
    with pytest.raises(NotFound):
        call("guide")

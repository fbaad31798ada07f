"""The help of every command: no sentence is cut, and lines that stand by themselves stay so."""

import re
from collections.abc import Iterator

import click
import pytest

from fabriek.cli.groups import Headed
from fabriek.cli.main import fabriek

COLUMNS = 80


def every(command: click.Command, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        ctx = click.Context(command, info_name=words[-1])
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from every(found, *words, name)


COMMANDS = dict(every(fabriek, "fabriek"))


def test_there_are_commands_of_every_depth() -> None:
    assert {len(words) for words in COMMANDS} == {1, 2, 3, 4}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_is_said_to_its_end_and_shows_no_sign_of_its_markup(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]
    told = command.get_help(click.Context(command, info_name=words[-1], terminal_width=COLUMNS))
    assert "\\b" not in told
    assert [line for line in told.splitlines() if line.endswith("...") and not line.startswith("Usage")] == []


def test_every_verb_of_data_stands_under_one_heading_in_one_line() -> None:
    data = COMMANDS["fabriek", "data"]
    assert isinstance(data, Headed)
    told = data.get_help(click.Context(data, info_name="data", terminal_width=COLUMNS))
    assert re.findall(r"^(\S.*):$", told, re.MULTILINE) == ["Options", *data.headings]
    listed = re.findall(r"^  (\S+) +(\S.*)$", told.partition("Versions:")[2], re.MULTILINE)
    assert sorted(name for name, _ in listed) == sorted(data.commands)
    # One that went on below would not end here with its full stop.
    assert [line for line in listed if not line[1].endswith(".")] == []


@pytest.mark.parametrize("headings", [{"One": ("here",)}, {"One": ("here", "there"), "Two": ("here",)}])
def test_a_verb_that_stands_nowhere_or_twice_is_a_bug_that_shows(headings: dict[str, tuple[str, ...]]) -> None:
    made = Headed("made", headings=headings, commands={name: click.Command(name) for name in ("here", "there")})
    with pytest.raises(AssertionError, match="stands under"):
        made.get_help(click.Context(made))

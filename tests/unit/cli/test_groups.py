"""The help of every command: no sentence is cut, and lines that stand by themselves stay so."""

from collections.abc import Iterator

import click
import pytest

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

"""Groups of commands whose help says each command's sentence to its end."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import click


class Group(click.Group):
    """As click's, which cuts a sentence that does not fit one line; here it goes on below."""

    group_class: type[click.Group] | type[type] | None = type  # groups within it do the same

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown = [
            (name, found)
            for name in self.list_commands(ctx)
            if (found := self.get_command(ctx, name)) and not found.hidden
        ]
        if shown:
            with formatter.section("Commands"):
                formatter.write_dl([(name, sentence(command)) for name, command in shown])


class Headed(Group):
    """One of many commands, which its help lists under `headings`: heading → names, in the order in which people meet them."""

    group_class = Group

    def __init__(self, *given: Any, headings: Mapping[str, Sequence[str]], **more: Any) -> None:
        super().__init__(*given, **more)
        self.headings = headings

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        named = [name for names in self.headings.values() for name in names]
        assert sorted(named) == sorted(self.commands), "a command stands under no heading, or under two"
        # One column for all of them, so that the eye need not jump at each heading.
        widest = max(map(len, named))
        for heading, names in self.headings.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(widest), sentence(self.commands[name])) for name in names])


def sentence(command: click.Command) -> str:
    """The first of its help."""
    first, stop, _ = " ".join(inspect.cleandoc(command.help or "").partition("\n\n")[0].split()).partition(". ")
    return first + stop.rstrip()

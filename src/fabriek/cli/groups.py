"""Groups of commands whose help says each command's sentence to its end."""

import inspect

import click


class Group(click.Group):
    """As click's, which cuts a sentence that does not fit one line; here it goes on below."""

    group_class = type  # groups within it do the same

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown = [
            (name, found)
            for name in self.list_commands(ctx)
            if (found := self.get_command(ctx, name)) and not found.hidden
        ]
        if shown:
            with formatter.section("Commands"):
                formatter.write_dl([(name, sentence(command)) for name, command in shown])


def sentence(command: click.Command) -> str:
    """The first of its help."""
    first, stop, _ = " ".join(inspect.cleandoc(command.help or "").partition("\n\n")[0].split()).partition(". ")
    return first + stop.rstrip()

"""`fabriek ask`: questions to the expertise centre."""

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say, table
from fabriek.cli.session import connect


class _AskOrCommand(Group):
    """`fabriek ask "…"` asks; `fabriek ask ls` is a command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            return "new", self.commands["new"], args
        return super().resolve_command(ctx, args)


@click.group(cls=_AskOrCommand)
def ask() -> None:
    """Ask the expertise centre a question: fabriek ask "How do I …?"."""


@ask.command("new")
@click.argument("text")
@json_option
def new(text: str, *, as_json: bool) -> None:
    """Ask. Everybody signed in can read it."""
    made = connect().desk.ask(text)
    if as_json:
        print_json(made)
    else:
        say(f"asked; the question is {made.id}")


@ask.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """Questions, newest first."""
    rows = connect().desk.questions()
    if as_json:
        print_json(rows)
        return
    table(
        [{"id": one.id, "question": one.text, "answers": len(one.answers)} for one in rows],
        ["id", "question", "answers"],
        as_json=False,
    )


@ask.command("show")
@click.argument("question")
@json_option
def show_question(question: str, *, as_json: bool) -> None:
    """One question with its answers."""
    found = connect().desk.question(question)
    if as_json:
        print_json(found)
        return
    say(found.text)
    for one in found.answers:
        say(f"\n{one.by} ({'accepted' if one.accepted else one.id}): {one.text}")


@ask.command("accept")
@click.argument("question")
@click.argument("answer")
@json_option
def accept(question: str, answer: str, *, as_json: bool) -> None:
    """Say which ANSWER to your question helped: it is what others find."""
    made = connect().desk.accept(question, answer)
    if as_json:
        print_json(made)
    else:
        say(f"accepted {answer}; another can be accepted later")


@ask.command("answer")
@click.argument("question")
@click.argument("text")
@json_option
def answer(question: str, text: str, *, as_json: bool) -> None:
    """Answer a question."""
    made = connect().desk.answer(question, text)
    if as_json:
        print_json(made)
    else:
        say(f"answered {made.id}")

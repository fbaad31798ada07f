"""`fabriek case`: what you need of the desk."""

from pathlib import Path

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput

STATES = ("open", "with_expert", "waiting_for_asker", "solved", "closed")
COLUMNS = ["id", "level", "state", "due_on", "overdue", "handler", "title"]

why_option = click.option("--why", "reason", required=True, help="The reason, which stays in the case.")


@click.group("case", cls=Group)
def case() -> None:
    """Cases of the desk: what you need, who is on it, and by when."""


@case.command("new")
@click.argument("title", default="")
@click.option("--words", default="", help="What it is about; default: the title.")
@click.option("--from-question", "question", default="", metavar="ID", help="A question that becomes a case.")
@click.option("--project", default="", metavar="NAME", help="Whose members may read it; default: you alone.")
@json_option
def new(title: str, words: str, question: str, project: str, *, as_json: bool) -> None:
    """Ask the desk for something that is not for everybody to read."""
    if not title and not question:
        raise InvalidInput("a case has a title, or comes from a question", fix='fabriek case new "What we need"')
    show(connect().cases.open(title, words or title, project=project, question=question), as_json=as_json)


@case.command("ls")
@click.option("--state", type=click.Choice(STATES), default=None, help="Only those in this state.")
@click.option("--overdue", is_flag=True, help="Only those whose day has gone by.")
@json_option
def ls(state: str | None, *, overdue: bool, as_json: bool) -> None:
    """Cases that you may know of, what is due first before the others."""
    table(connect().cases.list(state=state or "", overdue=overdue), COLUMNS, as_json=as_json, empty="no cases")


@case.command("show")
@click.argument("case_id", metavar="CASE")
@json_option
def show_case(case_id: str, *, as_json: bool) -> None:
    """One case, with everything that was said and done."""
    found = connect().cases.show(case_id)
    if as_json:
        print_json(found)
        return
    one = found.case
    late = ", overdue" if one.overdue else ""
    say(
        f"{one.title}\n{one.level}, {one.state.replace('_', ' ')}, {one.handler or 'nobody'} is on it; by {one.due_on}{late}"
    )
    for step in found.steps:
        say(f"\n{step.number} {step.what.replace('_', ' ')}, {step.by}: {step.words}")
    if found.document:
        missing = f"; nothing stands under {', '.join(found.missing)}" if found.missing else ", and whole"
        say(f"\nuse-case document: version {found.document}{missing}")


@case.command("say")
@click.argument("case_id", metavar="CASE")
@click.argument("words")
@json_option
def say_words(case_id: str, words: str, *, as_json: bool) -> None:
    """Add to what was said; where you were asked something, it goes on."""
    show(connect().cases.say(case_id, words), as_json=as_json)


@case.command("hand")
@click.argument("case_id", metavar="CASE")
@click.argument("person")
@why_option
@json_option
def hand(case_id: str, person: str, reason: str, *, as_json: bool) -> None:
    """As the desk, or as who is on it: give it to PERSON, an expert's id."""
    show(connect().cases.hand(case_id, person, reason), as_json=as_json)


@case.command("level")
@click.argument("case_id", metavar="CASE")
@click.argument("level", type=click.Choice(["L1", "L2", "L3"]))
@why_option
@json_option
def level_of(case_id: str, level: str, reason: str, *, as_json: bool) -> None:
    """As the desk, or as who is on it: raise or lower it; the promised day follows."""
    show(connect().cases.raise_to(case_id, level, reason), as_json=as_json)


@case.command("move")
@click.argument("case_id", metavar="CASE")
@click.argument("state", type=click.Choice(STATES))
@click.argument("words")
@json_option
def move(case_id: str, state: str, words: str, *, as_json: bool) -> None:
    """Take it a step on, with the WORDS that belong to it: your question, the solution, or why it is over."""
    show(connect().cases.move(case_id, state, words), as_json=as_json)


@case.command("document")
@click.argument("case_id", metavar="CASE")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="A Markdown file, which becomes its newest version."
)
@click.option(
    "--base",
    type=click.IntRange(0),
    default=None,
    help="The version that you changed: refused where there is a newer one.",
)
@click.option("--template", type=click.Choice(["en", "nl"]), default=None, help="Print the heads with what each asks.")
@click.option("--versions", is_flag=True, help="List every version.")
@json_option
def document(
    case_id: str, file: Path | None, base: int | None, template: str | None, *, versions: bool, as_json: bool
) -> None:
    """The use-case document: print it, write a version, or begin one.

    \b
    fabriek case document CASE --template en > case.md
    fabriek case document CASE --file case.md
    """  # noqa: D301  # the sign that click keeps lines by
    if template:
        click.echo(connect().cases.template(template), nl=False)
        return
    client = connect().cases
    if file is not None:
        made = client.write(case_id, _text(file), base=base)
        if as_json:
            print_json(made)
        else:
            say(
                f"version {made.number}"
                + (f"; nothing stands under {', '.join(made.missing)}" if made.missing else ", and whole")
            )
        return
    found = client.versions(case_id)
    if versions or as_json:
        table(found, ["number", "by", "at", "missing"], as_json=as_json, empty="no document yet")
    elif found:
        click.echo(found[0].text, nl=False)
    else:
        say(f"no document yet; begin one: fabriek case document {case_id} --template en")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}", fix="save it as Markdown in UTF-8") from None

"""The verbs of `fabriek report` on reports that awards ask for."""

from pathlib import Path

import click

from fabriek.cli.apply import answer_option, file_option, given_answers, lang_option
from fabriek.cli.apply_forms import form_lines, template
from fabriek.cli.output import json_option, print_json, project_option, say, show, table
from fabriek.cli.session import connect

LISTED = ["id", "project", "kind", "state", "due_on", "days_overdue"]


def register(group: click.Group) -> None:
    """Puts them into the group."""
    for command in (duties, due, form, show_report, file, accept, give_back):
        group.add_command(command)


@click.command("duties")
@project_option
@json_option
def duties(project: str, *, as_json: bool) -> None:
    """Every report that your projects owe, filed ones too; with --project those of one."""
    table(connect().duties.list(project), LISTED, as_json=as_json, empty="your awards ask for no report")


@click.command("due")
@click.option("--to-decide", is_flag=True, help="Those that wait for you to accept or return them.")
@json_option
def due(*, to_decide: bool, as_json: bool) -> None:
    """Reports that wait for you: to be filed, the first due in front, or with --to-decide to be accepted."""
    found = connect().duties.list(to_decide=to_decide)
    waiting = found if to_decide else [one for one in found if one.state in {"due", "returned"}]
    table(waiting, LISTED, as_json=as_json, empty="nothing waits for you")


@click.command("form")
@click.argument("name", type=click.Choice(["interim", "final"]))
@click.option("--template", "as_template", is_flag=True, help="As a file to fill in for `fabriek report file --file`.")
@lang_option
@json_option
def form(name: str, lang: str, *, as_template: bool, as_json: bool) -> None:
    """What a report asks, part by part."""
    asked = connect().duties.form(name)
    if as_json:
        print_json(asked)
    elif as_template:
        click.echo(template(asked, lang), nl=False)
    else:
        say(f"{asked.titles[lang]}\n{asked.summary[lang]}")
        for line in form_lines(asked, lang):
            say(line)


@click.command("show")
@click.argument("report")
@json_option
def show_report(report: str, *, as_json: bool) -> None:
    """A report with its answers, its day and what became of it."""
    show(connect().duties.show(report), as_json=as_json)


@click.command("file")
@click.argument("report")
@file_option
@answer_option
@click.option("--draft", is_flag=True, help="Keep the answers, and file it later.")
@json_option
def file(report: str, file: Path | None, answers: tuple[str, ...], *, draft: bool, as_json: bool) -> None:
    """Fill in a report and file it: answers that are kept already stay. `fabriek report form` lists what is asked."""
    part = connect().duties
    owed = part.show(report)
    given = given_answers(part.form(owed.form), file, answers)
    kept = part.edit(report, given) if given else owed
    show(kept if draft else part.file(report), as_json=as_json)


@click.command("accept")
@click.argument("report")
@json_option
def accept(report: str, *, as_json: bool) -> None:
    """Accept a report that your share paid for."""
    show(connect().duties.accept(report), as_json=as_json)


@click.command("return")
@click.argument("report")
@click.option("--note", required=True, help="What is to be mended.")
@json_option
def give_back(report: str, note: str, *, as_json: bool) -> None:
    """Send a report back to its lead, with what is to be mended."""
    show(connect().duties.give_back(report, note), as_json=as_json)

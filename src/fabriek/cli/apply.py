"""`fabriek apply`: applications for compute."""

from pathlib import Path
from typing import Any

import click

from fabriek.cli.apply_forms import answer_from, answers_from, form_lines, template
from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.access import FormOut

lang_option = click.option(
    "--lang", type=click.Choice(["en", "nl"]), default="en", help="The language of questions and texts."
)
file_option = click.option("--file", "file", type=click.Path(path_type=Path), help="Answers as TOML or JSON.")
answer_option = click.option(
    "--answer", "answers", multiple=True, metavar="NAME=VALUE", help="One answer; repeatable. A list: a,b,c."
)


@click.group("apply", cls=Group)
def apply() -> None:
    """Apply for compute."""


@apply.command("calls")
@json_option
def calls(*, as_json: bool) -> None:
    """The calls that there are, those that give the least first."""
    columns = ["name", "title", "is_open", "gpu_hours_max", "working_days", "decided_by", "next_cut_off"]
    table(connect().access.calls(), columns, as_json=as_json)


@apply.command("call")
@click.argument("name", default="playground")
@lang_option
@json_option
def call(name: str, lang: str, *, as_json: bool) -> None:
    """What a call asks, part by part."""
    asked = connect().access.call(name)
    if as_json:
        print_json(asked)
        return
    say(f"{asked.titles[lang]}\n{asked.summary[lang]}")
    for line in form_lines(asked, lang):
        say(line)


@apply.command("template")
@click.argument("name", default="playground")
@lang_option
def template_of(name: str, lang: str) -> None:
    """A file to fill in for `fabriek apply new --file`, with each question, its limits and an example."""
    click.echo(template(connect().access.call(name), lang), nl=False)


@apply.command("new")
@click.argument("call_name", metavar="CALL", default="playground")
@file_option
@answer_option
@click.option("--draft", is_flag=True, help="Keep it as a draft; `fabriek apply submit` sends it.")
@json_option
def new(call_name: str, file: Path | None, answers: tuple[str, ...], *, draft: bool, as_json: bool) -> None:
    """File an application and submit it. `fabriek apply call` lists what is asked."""
    factory = connect()
    given = given_answers(factory.access.call(call_name), file, answers)
    filed = factory.access.file_application(call_name, given)
    # A draft of another call than was asked has questions open that nobody has seen yet.
    show(filed if draft or filed.moved else factory.access.submit_application(filed.id), as_json=as_json)


@apply.command("edit")
@click.argument("application")
@file_option
@answer_option
@click.option("--revision", type=int, help="The edit that this one goes on from; refused where there is a newer one.")
@json_option
def edit(application: str, file: Path | None, answers: tuple[str, ...], revision: int | None, *, as_json: bool) -> None:
    """Change answers of a draft; `NAME=` takes one out."""
    factory = connect()
    asked = factory.access.call(factory.access.application(application).call)
    given = given_answers(asked, file, answers)
    if not given:
        raise InvalidInput("there is nothing to change", fix="--answer NAME=VALUE, or --file answers.toml")
    show(factory.access.edit_application(application, given, revision=revision), as_json=as_json)


@apply.command("check")
@click.argument("application")
@lang_option
@json_option
def check(application: str, lang: str, *, as_json: bool) -> None:
    """What is missing or wrong in a draft, part by part, and whether totals agree."""
    found = connect().access.progress(application)
    if as_json:
        print_json(found)
        return
    for part in found.sections:
        say(f"{part.title[lang]}: {part.state.replace('_', ' ')}")
        for one in part.faults:
            say(f"  {one.field}: {one.message[lang]}")
    for total in found.totals:
        wanted = "" if total.wanted is None else f" of {total.wanted:g}"
        group = f" ({total.group})" if total.group else ""
        say(f"{total.title[lang]}{group}: {total.found:g}{wanted} {total.unit}".rstrip())
    say(
        f"\nfabriek apply submit {application}"
        if found.complete
        else f"\nfabriek apply edit {application} --answer NAME=VALUE"
    )


@apply.command("export")
@click.argument("application")
@click.option("--pdf", type=click.Path(path_type=Path), metavar="FILE", help="Write it as PDF to this file.")
@lang_option
@json_option
def export(application: str, pdf: Path | None, lang: str, *, as_json: bool) -> None:
    """Every question of an application with its answer: as JSON, or with --pdf on paper."""
    factory = connect()
    if pdf is not None:
        content = factory.access.print_application(application, lang=lang)
        try:
            pdf.write_bytes(content)
        except OSError as error:
            raise InvalidInput(f"{pdf} cannot be written: {error.strerror}", fix="--pdf with another file") from None
        say(f"{pdf}: {len(content)} bytes")
    if as_json or pdf is None:
        print_json(factory.access.export_application(application, lang=lang))


@apply.command("share")
@click.argument("application")
@click.argument("person")
def share(application: str, person: str) -> None:
    """Let somebody of another organisation edit along; PERSON is the id that `fabriek whoami` tells them."""
    connect().access.share_application(application, person)
    say(f"{person} edits along")


@apply.command("submit")
@click.argument("application")
@json_option
def submit(application: str, *, as_json: bool) -> None:
    """Submit a draft: the checks run at once."""
    show(connect().access.submit_application(application), as_json=as_json)


@apply.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """Your organisation's applications."""
    table(connect().access.applications(), ["id", "call", "state", "organisation", "project"], as_json=as_json)


@apply.command("show")
@click.argument("application")
@json_option
def show_application(application: str, *, as_json: bool) -> None:
    """One application, with what the checks found."""
    show(connect().access.application(application), as_json=as_json)


def given_answers(asked: FormOut, file: Path | None, answers: tuple[str, ...]) -> dict[str, Any]:
    return answers_from(file, asked) | dict(answer_from(one, asked) for one in answers)

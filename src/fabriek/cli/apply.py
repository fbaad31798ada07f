"""`fabriek apply`: applications for compute."""

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput


@click.group("apply", cls=Group)
def apply() -> None:
    """Apply for compute."""


@apply.command("call")
@click.argument("name", default="playground")
@json_option
def call(name: str, *, as_json: bool) -> None:
    """What a call asks."""
    asked = connect().access.call(name)
    if as_json:
        print_json(asked)
        return
    say(asked.title)
    rows = [one.model_dump() | {"question": one.question["en"]} for one in asked.fields]
    table(rows, ["name", "kind", "required", "question", "choices"], as_json=False)


@apply.command("new")
@click.argument("call_name", metavar="CALL", default="playground")
@click.option("--file", "file", type=click.Path(path_type=Path), help="Answers as TOML or JSON.")
@click.option("--answer", "answers", multiple=True, metavar="NAME=VALUE", help="One answer; repeatable. A list: a,b,c.")
@click.option("--draft", is_flag=True, help="Keep it as a draft; `fabriek apply submit` sends it.")
@json_option
def new(call_name: str, file: Path | None, answers: tuple[str, ...], *, draft: bool, as_json: bool) -> None:
    """File an application and submit it. `fabriek apply call` lists what is asked."""
    factory = connect()
    asked = {one.name: one.kind for one in factory.access.call(call_name).fields}
    given = _from_file(file) | dict(_answer(one, asked) for one in answers)
    filed = factory.access.file_application(call_name, given)
    # A draft of another call than was asked has questions open that nobody has seen yet.
    show(filed if draft or filed.moved else factory.access.submit_application(filed.id), as_json=as_json)


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


def _from_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        text = file.read_text("utf-8")
        read = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}", fix="write it as TOML or JSON") from None
    if not isinstance(read, dict):
        raise InvalidInput(f"{file} holds no answers", fix="one NAME = VALUE a line")
    return read


def _answer(text: str, kinds: dict[str, str]) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"--answer {text!r} has no value", fix=f"--answer {text}=VALUE")
    match kinds.get(name):
        case "number":
            return name, float(value) if "." in value else int(value) if value.lstrip("-").isdigit() else value
        case "list":
            return name, [one for one in value.split(",") if one]
        case _:
            return name, value

"""How the command line speaks: tables for people, JSON for programs, and one way to show an error."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click

from fabriek.kernel.errors import FabriekError

F = TypeVar("F", bound=Callable[..., Any])

PIPED_COLUMNS = 10_000


def json_option(command: F) -> F:
    """Adds `--json` as the parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def project_option(command: F) -> F:
    """Adds `--project`; empty means the one of the context."""
    return click.option("--project", default="", metavar="NAME", help="The project; default: the one you work in.")(
        command
    )


def say(line: str) -> None:
    """One line for the person, on standard output, control characters of others made visible."""
    click.echo(clean(line))


def warn(line: str) -> None:
    """One line on standard error, which output that is piped does not hold."""
    click.echo(clean(line).replace("\n", "\N{REPLACEMENT CHARACTER}"), err=True)


def counted(count: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def clean(text: str) -> str:
    """The text without control characters: what others wrote must not move our reader's cursor."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


def plain(thing: Any) -> Any:
    """Wire objects, lists of them, or plain values as JSON would hold them."""
    if hasattr(thing, "model_dump"):
        return thing.model_dump(mode="json")
    if isinstance(thing, Mapping):
        return {str(name): plain(value) for name, value in thing.items()}
    if isinstance(thing, Sequence) and not isinstance(thing, str | bytes):
        return [plain(one) for one in thing]
    return thing


def print_json(thing: Any) -> None:
    click.echo(json.dumps(plain(thing), indent=2, ensure_ascii=False))


def show(thing: Any, *, as_json: bool) -> None:
    """One object: its fields, a line each, or JSON. Of what stands within a field, a line each below it."""
    if as_json:
        print_json(thing)
        return
    fields = {name: value for name, value in plain(thing).items() if value not in (None, "", [], {})}
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        rows = value if isinstance(value, list) and any(isinstance(one, dict) for one in value) else [value]
        for number, row in enumerate(rows):
            say(f"{'' if number else name.replace('_', ' '):<{width}}  {_within(row, at=name.endswith('_at'))}")


def table(things: Sequence[Any], columns: Sequence[str], *, as_json: bool, empty: str = "nothing yet") -> None:
    """A list: a table with these fields as columns, or JSON with all fields."""
    if as_json:
        print_json(list(things))
        return
    if not things:
        say(empty)
        return
    from rich.console import Console  # noqa: PLC0415  # 60 ms that help should not pay
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column.replace("_", " "), overflow="fold")
    for thing in things:
        fields = plain(thing)
        drawn.add_row(*(Text(clean(_cell(fields.get(column), at=column.endswith("_at")))) for column in columns))
    # What is piped is read by programs and by `less`: there a row is one line, however wide.
    Console(width=None if sys.stdout.isatty() else PIPED_COLUMNS, highlight=False).print(drawn)


def fitting(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], more: Sequence[str]) -> list[str]:
    """Those of `more` that a terminal has room for beside the columns, the first ones first; all where the table is piped."""
    if not sys.stdout.isatty():
        return list(more)

    def width(column: str) -> int:
        at = column.endswith("_at")
        return 2 + max(len(column), *(len(_cell(row.get(column), at=at)) for row in rows))

    room = shutil.get_terminal_size().columns - sum(map(width, columns)) if rows else 0
    chosen: list[str] = []
    for column in more:
        if (room := room - width(column)) < 0:
            break
        chosen.append(column)
    return chosen


def _within(value: Any, *, at: bool) -> str:
    """A field's value; of one that has fields itself those that say something, in their order."""
    if not isinstance(value, dict):
        return _cell(value, at=at)
    said = ((name, _cell(one, at=name == "at" or name.endswith("_at"))) for name, one in value.items())
    return ", ".join(f"{name.replace('_', ' ')} {shown}" for name, shown in said if shown)


def _cell(value: Any, *, at: bool = False) -> str:
    """at: the value is an instant, and is shown to the second in the reader's own zone."""
    if value is None:
        return ""
    if at and isinstance(value, str):
        return f"{datetime.fromisoformat(value).astimezone():%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value)


def show_error(error: FabriekError, *, as_json: bool) -> int:
    """What, why, and the command that fixes it, on standard error. Returns the exit code of the table."""
    if as_json:
        body = {
            "code": str(error.code),
            "title": error.meaning.title,
            "detail": error.detail,
            "fix": error.fix,
            **error.fields,
        }
        click.echo(json.dumps(body, ensure_ascii=False), err=True)
        return error.meaning.exit
    title, detail = error.meaning.title, clean(error.detail)
    # What begins with its title says it already.
    said = detail[:1].upper() + detail[1:] if detail.lower().startswith(title.lower()) else f"{title}: {detail}"
    click.echo(f"{click.style('error', fg='red', bold=True)} {said}", err=True)
    if rule := error.fields.get("rule"):
        click.echo(f"  rule  {clean(str(rule))}", err=True)
    for one in _field_errors(error)[1:]:
        click.echo(f"  field {clean(one)}", err=True)
    if error.fix:
        click.echo(f"  fix   {clean(error.fix)}", err=True)
    if error.meaning.exit == 1 and (request := error.fields.get("request_id")):
        click.echo(f"  request {clean(str(request))}", err=True)
    return error.meaning.exit


def _field_errors(error: FabriekError) -> list[str]:
    listed = error.fields.get("errors")
    return [f"{one['field']}: {one['message']}" for one in listed] if isinstance(listed, list) else []

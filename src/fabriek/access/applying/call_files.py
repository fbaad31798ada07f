"""Reading calls from files: those that come with Fabriek, and an operator's own. Every slip in a file is named at once, with its line."""

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from fabriek.access.applying.calls import Asked, Call, Calls, Cell, Form, Said, Total
from fabriek.access.applying.faults import faults_in
from fabriek.access.organisations import OrganisationKind
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.purposes import Purpose

SHIPPED = ("playground", "fast-lane", "large-scale", "science")
BYTES_MAX = 1 << 20
STRUCTURE = ("sections", "fields", "columns", "totals")
EXPECTED = {"title": "text", "purpose": "choice", "gpu_hours": "number", "months": "choice"}
"""What every call asks, since an award is made of it."""

F = TypeVar("F", bound=Form)


@cache
def shipped_calls() -> Sequence[Call]:
    """The calls that come with Fabriek."""
    folder = files("fabriek.access.applying").joinpath("data")
    return [read_call(folder.joinpath(f"{name}.toml").read_text("utf-8"), f"{name}.toml") for name in SHIPPED]


def call(name: str) -> Call:
    """A call that comes with Fabriek. An installation's own are in its `Calls`. Raises NotFound."""
    return Calls(shipped_calls()).of(name)


def read_calls(folder: Path | None) -> Calls:
    """Ours, and those in the operator's folder: a file there replaces ours of the same name. Raises InvalidInput with every slip in them."""
    own: list[Call] = []
    slips: list[dict[str, str]] = []
    if folder is not None and not folder.is_dir():
        raise InvalidInput(f"the folder of calls {folder} is not there", fix="make it, or leave the setting calls out")
    for file in sorted(folder.glob("*.toml")) if folder is not None else ():
        try:
            own.append(read_call(_text_of(file), file.name))
        except InvalidInput as error:
            slips += slips_of(error, file.name)
    if slips:
        first = slips[0]
        more = f", and {len(slips) - 1} more" if len(slips) > 1 else ""
        raise InvalidInput(
            f"{first['field']}: {first['message']}{more}", fix=f"mend the files in {folder}", errors=slips
        )
    return Calls([*shipped_calls(), *own])


def read_call(text: str, file: str) -> Call:
    """One call. `file`: its name, which must be the call's own. Raises InvalidInput naming every slip with its place and line."""
    return _read(text, file, Call, _of_call)


def read_form(text: str, file: str) -> Form:
    """A form that is no call: the questions of a report. Raises InvalidInput as `read_call` does."""
    return _read(text, file, Form, lambda _: iter(()))


def _read(text: str, file: str, kind: type[F], more: Callable[[F], Iterator[tuple[str, str]]]) -> F:
    """more: the slips that this kind of form can have beside those that any can."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as slip:
        raise InvalidInput(f"{file} is not TOML: {slip}", fix="mend the file there") from None
    try:
        made = kind.model_validate(raw)
    except ValidationError as error:
        slips = [(_named(one["loc"], raw), str(one["msg"])) for one in error.errors()]
    else:
        slips = [*_slips(made, file), *more(made)]
        if not slips:
            return _with_presets(made)
    errors = [{"field": f"{file}{_line_of(place, text)} {place}".rstrip(), "message": says} for place, says in slips]
    raise InvalidInput(f"{errors[0]['field']}: {errors[0]['message']}", fix="mend the file there", errors=errors)


def slips_of(error: InvalidInput, file: str) -> Sequence[dict[str, str]]:
    """Each with its place: those that the error lists, else the error itself."""
    listed = error.fields.get("errors")
    return listed if isinstance(listed, list) else [{"field": file, "message": error.detail}]


def _text_of(file: Path) -> str:
    try:
        if file.stat().st_size > BYTES_MAX:
            raise InvalidInput(f"{file.name} is larger than {BYTES_MAX} bytes", fix="a call is a small file")
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file.name} cannot be read ({type(error).__name__})", fix="write it as UTF-8") from None


def _named(place: tuple[int | str, ...], raw: Any) -> str:
    """A place as whoever wrote the file knows it: `sections.project.fields.title.kind`, names in place of numbers."""
    words = []
    for step in place:
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            raw = None
        name = raw.get("name") if isinstance(step, int) and isinstance(raw, dict) else None
        words.append(str(name or (step + 1 if isinstance(step, int) else step)))
    return ".".join(words)


def _line_of(place: str, text: str) -> str:
    """Where the innermost part of that place is written, found from the outermost in; nothing where none of it is."""
    at = -1
    for word in place.split("."):
        if word in STRUCTURE:
            continue
        quoted = re.escape(word)
        named = re.compile(rf'name\s*=\s*"{quoted}"').search(text, max(at, 0))
        table = text.find("\n[", max(at, 0)) if at >= 0 else len(text)
        key = re.compile(rf"^{quoted}\s*=", re.MULTILINE).search(text, max(at, 0), table if table >= 0 else len(text))
        if found := named or key:
            at = found.start()
    return f" line {text.count(chr(10), 0, at) + 1}" if at >= 0 else ""


def _of_call(call: Call) -> Iterator[tuple[str, str]]:
    """What a call has beside its form: who may apply, until when, and what an award is made of."""
    for kind in sorted(set(call.kinds) - set(OrganisationKind)):
        yield "kinds", f"{kind!r} is not a kind of organisation: one of {', '.join(OrganisationKind)}"
    if not call.kinds or not call.countries or not call.months:
        yield "kinds", "somebody, somewhere, for some months must be able to apply: kinds, countries and months"
    if call.cut_offs is not None:
        if not call.cut_offs.days and call.cut_offs.first is None:
            yield "cut_offs", "names neither days nor the first of a row"
        try:
            ZoneInfo(call.cut_offs.zone)
        except (ZoneInfoNotFoundError, ValueError):
            yield "cut_offs", f"{call.cut_offs.zone!r} is not a time zone"
    yield from _of_award(call)


def _slips(call: Form, file: str) -> Iterator[tuple[str, str]]:
    """What types cannot say of a form: place, and what is wrong there."""
    if call.name != file.removesuffix(".toml"):
        yield "name", f"must be the name of the file, {file.removesuffix('.toml')!r}"
    yield from _twice("sections", [one.name for one in call.sections])
    yield from _twice("fields", [one.name for one in call.fields])
    for section in call.sections:
        for field in section.fields:
            place = f"sections.{section.name}.fields.{field.name}"
            yield from ((place, says) for says in _of_field(field, call))
    for number, total in enumerate(call.totals, 1):
        yield from ((f"totals.{number}", says) for says in _of_total(total, call))


def _twice(place: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in sorted({one for one in names if names.count(one) > 1}):
        yield f"{place}.{name}", "stands there twice"


def _of_field(field: Asked, call: Form) -> Iterator[str]:
    for one in (field, *field.columns):
        said = "" if one is field else f"column {one.name}: "
        if (one.kind in ("choice", "choices")) != bool(one.choices):
            yield f"{said}{one.kind} and choices do not go together"
        known = call.field(one.at_most) if one.at_most else None
        if one.at_most and (known is None or known.kind not in ("number", "choice")):
            yield f"{said}at_most names {one.at_most!r}, which is no number here"
    if (field.kind == "table") and not field.columns:
        yield "a table needs columns"
    if field.columns and field.kind not in ("table", "person", "address"):
        yield f"a {field.kind} has no columns"
    yield from (f"column {name}: {says}" for name, says in _twice("columns", [one.name for one in field.columns]))
    names = [one.name for one in call.fields]
    for other, answers in field.when.items():
        before = call.field(other)
        if before is None or names.index(other) >= names.index(field.name):
            yield f"when names {other!r}, which is not asked before"
            continue
        can_be: tuple[str | bool, ...] = (True, False) if before.kind == "yes_no" else before.values
        if impossible := [one for one in answers if one not in can_be]:
            yield f"when: {other} is never {impossible[0]!r}"
    if field.example is not None:
        yield from (f"the example {fault.says.en}" for fault in faults_in(_preset(field), field.example, {}))


def _of_award(call: Call) -> Iterator[tuple[str, str]]:
    for name, kind in EXPECTED.items():
        field = call.field(name)
        if field is None or field.kind != kind or not field.required or field.when:
            yield f"fields.{name}", f"every call asks for {name}: a {kind}, required and always"
        elif name == "gpu_hours" and not field.whole:
            yield f"fields.{name}", "must say whole = true: credits are whole hours"
        elif name == "purpose" and set(field.values) - set(Purpose):
            yield f"fields.{name}", f"may only be among {', '.join(Purpose)}"
        elif name == "months" and set(field.values) - {str(one) for one in call.months}:
            yield f"fields.{name}", f"may only be among the months of the call, {', '.join(map(str, call.months))}"


def _of_total(total: Total, call: Form) -> Iterator[str]:
    table = call.field(total.table)
    if table is None or table.kind != "table":
        yield f"{total.table!r} is not a table"
        return
    numbers = {one.name for one in table.columns if one.kind == "number"}
    for name in total.factors:
        if name not in numbers:
            yield f"{name!r} is not a number of {table.name}"
    other, _, column = total.equals.partition(".")
    if not total.equals:
        return
    target = call.field(other)
    cells = {one.name: one.kind for one in target.columns} if target else {}
    if target is None or (cells.get(column) if column else target.kind) != "number":
        yield f"equals {total.equals!r}, which is no number"
    elif bool(total.by) != bool(column):
        yield "by and a column in equals go together"
    elif total.by and (total.by not in cells or total.by not in {one.name for one in table.columns}):
        yield f"by {total.by!r} is not a column of both tables"


def _cell(name: str, en: str, nl: str, *, required: bool = True) -> Cell:
    return Cell(name=name, kind="text", question=Said(en=en, nl=nl), required=required, limit=200)


PERSON = (
    _cell("name", "Name", "Naam"),
    _cell("email", "E-mail address", "E-mailadres"),
    _cell("organisation", "Organisation", "Organisatie", required=False),
    _cell("job", "Job", "Functie", required=False),
)
ADDRESS = (
    _cell("street", "Street and number", "Straat en nummer"),
    _cell("postcode", "Postcode", "Postcode"),
    _cell("town", "Town", "Plaats"),
    _cell("country", "Country", "Land"),
)


def _preset(field: Asked) -> Asked:
    """A person or an address that names no columns of its own has ours."""
    if field.columns or field.kind not in ("person", "address"):
        return field
    return field.model_copy(update={"columns": PERSON if field.kind == "person" else ADDRESS})


def _with_presets(call: F) -> F:
    sections = tuple(
        one.model_copy(update={"fields": tuple(_preset(field) for field in one.fields)}) for one in call.sections
    )
    return call.model_copy(update={"sections": sections})

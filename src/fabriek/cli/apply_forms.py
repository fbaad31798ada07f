"""A call's form on the command line: shown by section, as a template to fill in, and answers read back from it."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.access import CallColumnOut, CallFieldOut, CallSectionOut, FormOut

_WORDS = {
    "en": {
        "required": "required", "optional": "optional", "at_most": "at most", "characters": "characters", "one_of": "one of",
        "when": "only if", "rows": "with parts", "example": "The values here are examples: take the # away where you answer.",
    },
    "nl": {
        "required": "verplicht", "optional": "niet verplicht", "at_most": "hoogstens", "characters": "tekens", "one_of": "een van",
        "when": "alleen als", "rows": "met onderdelen", "example": "De waarden hier zijn voorbeelden: haal de # weg waar u antwoordt.",
    },
}  # fmt: skip


def form_lines(call: FormOut, lang: str) -> Iterator[str]:
    """Every question under its section."""
    for section, fields in _by_section(call):
        yield f"\n{section.title[lang]}"
        for one in fields:
            yield f"  {one.name}: {one.question[lang]}"
            yield f"    {_limits(one, lang)}"


def template(call: FormOut, lang: str) -> str:
    """A file to fill in, in TOML: nothing in it counts before its # is taken away. Tables stand in one piece, so that order is free."""
    lines = [f"# {call.titles[lang]}", f"# {_WORDS[lang]['example']}"]
    for section, fields in _by_section(call):
        lines += ["", f"# == {section.title[lang]} =="]
        for one in fields:
            texts = [one.question[lang], one.help.get(lang, ""), _limits(one, lang)]
            lines += ["", *(f"# {line}" for text in texts if text for line in text.splitlines())]
            lines += [f"#{line}" for line in f"{one.name} = {_toml(one.example)}".splitlines()]
    return "\n".join(lines) + "\n"


def answers_from(file: Path | None, call: FormOut) -> dict[str, Any]:
    """The answers of a file in TOML or JSON. Raises InvalidInput."""
    if file is None:
        return {}
    try:
        text = file.read_text("utf-8")
        read = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}", fix="write it as TOML or JSON") from None
    if not isinstance(read, dict):
        raise InvalidInput(f"{file} holds no answers", fix="one NAME = VALUE a line")
    kinds = {one.name: one.kind for one in call.fields}
    return {name: _plain(value, kinds.get(name, "")) for name, value in read.items()}


def answer_from(text: str, call: FormOut) -> tuple[str, Any]:
    """One NAME=VALUE. Raises InvalidInput."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"--answer {text!r} has no value", fix=f"--answer {text}=VALUE")
    kind = {one.name: one.kind for one in call.fields}.get(name)
    if kind in ("table", "person", "address") and value:
        raise InvalidInput(f"{name} has several parts", fix="write them in a file, and give it with --file")
    match kind:
        case "number":
            return name, _number(value)
        case "list" | "choices":
            return name, [one for one in value.split(",") if one]
        case "yes_no":
            return name, {"yes": True, "true": True, "no": False, "false": False}.get(value.lower(), value)
        case _:
            return name, value


def _number(text: str) -> int | float | str:
    """What is no number stays what it is, so that the factory says what is wrong with it."""
    if re.fullmatch(r"-?\d{1,40}", text, re.ASCII):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,40}\.\d{1,40}", text, re.ASCII) else text


def _plain(value: Any, kind: str = "") -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if kind == "choice" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return {name: _plain(one) for name, one in value.items()} if isinstance(value, dict) else value


def _by_section(call: FormOut) -> Iterable[tuple[CallSectionOut, list[CallFieldOut]]]:
    return [(section, [one for one in call.fields if one.section == section.name]) for section in call.sections]


def _limits(one: CallFieldOut, lang: str) -> str:
    words = _WORDS[lang]
    parts = [one.kind.replace("_", " "), words["required" if one.required else "optional"], _limit(one, lang)]
    if one.columns:
        named = ", ".join(f"{each.name}{f' ({each.unit})' if each.unit else ''}" for each in one.columns)
        parts.append(f"{words['rows']} {named}")
    parts += [
        f"{words['when']} {name} = {' / '.join(str(each).lower() for each in wanted)}"
        for name, wanted in one.when.items()
    ]
    return "; ".join(part for part in parts if part)


def _limit(one: CallColumnOut, lang: str) -> str:
    words = _WORDS[lang]
    if one.choices:
        return f"{words['one_of']} {', '.join(each.value for each in one.choices)}"
    if one.kind in ("text", "long_text"):
        return f"{words['at_most']} {one.limit} {words['characters']}"
    return f"{words['at_most']} {one.limit} {one.unit}".rstrip() if one.kind == "number" else ""


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list() if value and isinstance(value[0], dict):
            return "[\n" + "".join(f"  {_toml(one)},\n" for one in value) + "]"
        case list():
            return "[" + ", ".join(_toml(one) for one in value) + "]"
        case dict():
            return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
        case None:
            return '""'
        case _:
            # A text of JSON is one of TOML too, once the one character that TOML forbids in it is written out.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

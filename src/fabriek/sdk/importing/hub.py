"""A folder as the Hugging Face Hub has it: files, and a card with facts at its head. Facts that have no place here are named, and left out."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.fields import read_fields, split_head
from fabriek.kernel.licences import licence_of
from fabriek.kernel.lines import one_line
from fabriek.sdk.base_models import files_below
from fabriek.sdk.importing.handed import (
    SUMMARY_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    Handed,
    language_of,
    name_of,
    words_of,
)

CARD = "README.md"
CARD_BYTES_MAX = 400_000
TAKEN = frozenset(
    {
        "license",
        "license_name",
        "tags",
        "task_categories",
        "pipeline_tag",
        "language",
        "pretty_name",
        "doi",
        "library_name",
    }
)
WEIGHTS = (".safetensors",)
CONFIGURATION = "config.json"


def read_hub(folder: Path) -> Handed:
    """Reads the card and lists the files; a folder with a configuration or weights is a model. Raises InvalidInput."""
    found = files_below(folder)
    if CARD not in found:
        raise InvalidInput(
            f"{folder} holds neither a {CARD} nor a document in Croissant", fix="write a card, or name the document"
        )
    card = _card(found[CARD])
    head, body = split_head(card)
    facts = read_fields(head, f"the head of {CARD}", long=True) if head is not None else {}
    is_model = CONFIGURATION in found or any(one.endswith(WEIGHTS) for one in found)
    heading = re.search(r"^#\s+(.+?)\s*#*$", body, re.MULTILINE)
    title = _word(facts, "pretty_name") or (heading[1] if heading else "") or folder.resolve().name
    title = one_line(title, TITLE_CHARACTERS_MAX)
    face: dict[str, str | Sequence[str]] = {
        "title": title, "summary": one_line(_first_words(body), SUMMARY_CHARACTERS_MAX) or title, "text": body.strip()[:TEXT_CHARACTERS_MAX],
        "licence": _licence(facts), "keywords": words_of([word for name in ("tags", "task_categories", "pipeline_tag", "library_name")
                                                        for word in _words(facts, name)]),
        "language": language_of(next(iter(_words(facts, "language")), "en")), "doi": _word(facts, "doi"), "authors": [],
    }  # fmt: skip
    name = name_of(folder.resolve().name if is_model else _word(facts, "pretty_name"), folder.resolve().name)
    return Handed("model" if is_model else "dataset", name, folder, face, sorted(found), sorted(set(facts) - TAKEN))


def _card(file: Path) -> str:
    content = file.read_bytes() if file.stat().st_size <= CARD_BYTES_MAX else b""
    try:
        card = content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"{CARD} is not in UTF-8", fix="save it in UTF-8") from None
    if not card.strip():
        raise InvalidInput(f"{CARD} is empty, or has more than {CARD_BYTES_MAX:,} bytes", fix="say in it what this is")
    return card


def _licence(facts: Mapping[str, Any]) -> str:
    said = _word(facts, "license")
    return licence_of(_word(facts, "license_name") or said) if said.lower() in {"other", ""} else licence_of(said)


def _first_words(body: str) -> str:
    """The first paragraph that is text: no heading, picture, table, code or list."""
    for paragraph in re.split(r"\n\s*\n", body):
        said = paragraph.strip()
        if said and not re.match(r"[#!<|`\[\-*>]", said):
            return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", said).replace("**", "").replace("`", "")
    return ""


def _words(facts: Mapping[str, Any], name: str) -> list[str]:
    said = facts.get(name)
    listed = said if isinstance(said, list) else [] if said is None else [said]
    return [str(one) for one in listed if isinstance(one, str | int | float) and not isinstance(one, bool)]


def _word(facts: Mapping[str, Any], name: str) -> str:
    return next(iter(_words(facts, name)), "")

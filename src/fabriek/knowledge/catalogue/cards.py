"""A card as a file: Markdown behind a head of named fields, each of which is checked."""

import re
from typing import Any

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.fields import read_fields, split_head
from fabriek.knowledge.catalogue.entries import TEXT_CHARACTERS_MAX, Face

HEAD_CHARACTERS_MAX = 10_000
FIELDS = {
    "title": "title", "summary": "summary", "licence": "licence", "license": "licence", "terms": "terms", "keywords": "keywords", "tags": "keywords",
    "language": "language", "doi": "doi", "authors": "authors",
}  # fmt: skip
"""What may stand in the head → what it is called here. Those of a card on the Hugging Face Hub that mean the same are among them."""

LISTS = frozenset({"keywords", "authors"})
FIX = "---\ntitle: Biopsy measurements\nsummary: Thirty measurements of 569 biopsies.\nlicence: CC-BY-4.0\nkeywords: [biopsy, cancer]\n---"

DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]{1,200}")


def read_card(text: str) -> Face:
    """What the card says. Raises InvalidInput on a field that is none, said twice, or not of its kind."""
    head, body = split_head(text)
    if head is None:
        raise InvalidInput("the card has no head", fix=FIX)
    if len(head) > HEAD_CHARACTERS_MAX or len(body) > TEXT_CHARACTERS_MAX:
        raise InvalidInput(
            f"a card's head has at most {HEAD_CHARACTERS_MAX:,} characters, its text {TEXT_CHARACTERS_MAX:,}", fix="shorten it"
        )  # fmt: skip
    said = read_fields(head, "the head of the card")
    if unknown := sorted(set(said) - set(FIELDS)):
        raise InvalidInput(f"a card has no field {unknown[0][:60]!r}", fix=f"it has {', '.join(sorted(FIELDS))}")
    found = dict[str, Any]()
    for name, value in said.items():
        if FIELDS[name] in found:
            raise InvalidInput(f"the card says its {FIELDS[name]} twice", fix="say it once")
        found[FIELDS[name]] = _words(name, value) if FIELDS[name] in LISTS else _word(name, value)
    return Face(**{"title": "", "summary": "", **found}, text=body.strip())


def check_doi(doi: str) -> str:
    """A digital object identifier without its address. Raises InvalidInput."""
    bare = re.sub(r"^(https?://(dx\.)?doi\.org/|doi:)", "", doi.strip(), flags=re.IGNORECASE)
    if bare and not DOI.fullmatch(bare):
        raise InvalidInput(f"{doi[:80]!r} is no DOI", fix="doi: 10.5281/zenodo.1234567")
    return bare


def _word(name: str, value: Any) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise InvalidInput(f"the card's {name} is one text", fix=FIX)
    return str(value).strip()


def _words(name: str, value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(_word(name, one) for one in listed)

"""A model's card: Markdown behind YAML front matter, in the shape that the Hugging Face Hub reads from README.md; and its licence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import yaml
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.fields import read_fields, split_head

CARD_CHARACTERS_MAX = 100_000
FRONT_CHARACTERS_MAX = 20_000
CARD_FILE = "README.md"


@dataclass(frozen=True, slots=True)
class Licence:
    """`spdx`: an identifier or expression of SPDX; empty for another, which then has a name, and perhaps a link."""

    spdx: str = ""
    name: str = ""
    link: str = ""

    def __str__(self) -> str:
        return self.spdx or self.name


@dataclass(frozen=True, slots=True)
class Card:
    """`text`: all of it, as it was written; `body` without the front matter. `front`: what that says; `trouble`: why it could not be read.

    `written_by` is empty for one that lies among the model's own files.
    """

    text: str
    body: str
    front: Mapping[str, Any] = field(default_factory=dict)
    licence: Licence | None = None
    trouble: str = ""
    written_by: str = ""
    written_at: datetime | None = None

    def says(self, name: str) -> str:
        """A field of the front matter in one line; empty where it is not there, or is no word and no list of words."""
        value = self.front.get(name)
        listed = value if isinstance(value, list) else [value]
        return ", ".join(str(one) for one in listed if isinstance(one, str | int | float) and not isinstance(one, bool))


def check_card(text: str) -> Card:
    """One that somebody writes. Raises InvalidInput on one that is empty or too long, on front matter that is none, or a licence that is not."""
    if not text.strip() or len(text) > CARD_CHARACTERS_MAX or "\0" in text:
        raise InvalidInput(f"a card has between 1 and {CARD_CHARACTERS_MAX:,} characters", fix="write what the model is for")  # fmt: skip
    card = read_card(text)
    if card.trouble:
        raise InvalidInput(
            card.trouble, fix="begin the card with --- and lines such as license: apache-2.0, and end them with ---"
        )
    return card


def read_card(text: str, *, written_by: str = "", written_at: datetime | None = None) -> Card:
    """One that lies there. Whatever is wrong with it, its text can be read."""
    cut = text[:CARD_CHARACTERS_MAX]
    head, body = split_head(cut)
    card = Card(cut, body, written_by=written_by, written_at=written_at)
    if head is None:
        return card
    try:
        front = _front(head)
        return replace(card, front=front, licence=_licence(front))
    except InvalidInput as error:
        return replace(card, trouble=error.detail)


def read_licence(word: str, *, name: str = "", link: str = "") -> Licence:
    """An SPDX identifier or expression in any case, or `other` with a name. Raises InvalidInput."""
    said = word.strip()
    if said.lower() in {"other", "unknown"}:
        if not name.strip():
            raise InvalidInput("a licence that is not SPDX's needs a name", fix="add license_name, and license_link")
        return Licence("", name.strip()[:200], _checked_link(link))
    try:
        return Licence(str(canonicalize_license_expression(said)), "", "")
    except InvalidLicenseExpression:
        raise InvalidInput(
            f"{said[:60]!r} is not a licence of SPDX",
            fix="see spdx.org/licenses, or write license: other and license_name",
        ) from None


def with_licence(text: str, licence: Licence) -> str:
    """The card with this licence in its front matter, and all else as it was."""
    lines = [f"license: {licence.spdx or 'other'}"]
    if not licence.spdx:
        lines.append(f"license_name: {_quoted(licence.name)}")
        lines += [f"license_link: {_quoted(licence.link)}"] if licence.link else []
    head, body = split_head(text)
    if head is None:
        return "\n".join(["---", *lines, "---", "", text])
    kept = [one for one in head.splitlines() if not re.match(r"license(_name|_link)?\s*:", one)]
    return "\n".join(["---", *lines, *kept, "---"]) + "\n" + body


def _licence(front: Mapping[str, Any]) -> Licence | None:
    word = front.get("license")
    if isinstance(word, list):
        word = " AND ".join(str(one) for one in word)
    if not isinstance(word, str) or not word.strip():
        return None
    return read_licence(word, name=str(front.get("license_name") or ""), link=str(front.get("license_link") or ""))


def _checked_link(link: str) -> str:
    """Only what a browser may follow without running anything."""
    said = link.strip()
    return said[:500] if re.match(r"https?://", said) else ""


def _quoted(word: str) -> str:
    return str(yaml.safe_dump(word, default_style='"', width=1_000)).strip()


def _front(text: str) -> dict[str, Any]:
    if len(text) > FRONT_CHARACTERS_MAX:
        raise InvalidInput(f"the front matter of the card is longer than {FRONT_CHARACTERS_MAX:,} characters")
    return read_fields(text, "the front matter of the card")

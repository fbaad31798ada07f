"""A card: the published face of a dataset, a model, an answer. It makes a thing known; it opens nothing."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput

TEXT_CHARACTERS_MAX = 20_000
SUMMARY_CHARACTERS_MAX = 500
KEYWORDS_MAX = 20


class CardKind(StrEnum):
    DATASET = "dataset"
    MODEL = "model"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Card:
    """`subject`: the id of what it describes; `label` is the subject's, as a banner. `text` is Markdown, kept as it was written."""

    id: str
    kind: CardKind
    subject: str
    project: str
    organisation: str
    label: str
    title: str
    summary: str
    licence: str
    terms: str
    keywords: tuple[str, ...]
    language: str
    text: str
    published_at: datetime


def check(card: Card) -> None:
    """Raises InvalidInput on an empty title or summary, an over-long part, or a language we do not serve."""
    if not card.title.strip() or not card.summary.strip():
        raise InvalidInput("a card needs a title and a summary", fix="add --title and --summary")
    if len(card.summary) > SUMMARY_CHARACTERS_MAX or len(card.text) > TEXT_CHARACTERS_MAX or len(card.title) > 200:
        raise InvalidInput(
            f"a summary has at most {SUMMARY_CHARACTERS_MAX} characters, a text {TEXT_CHARACTERS_MAX}", fix="shorten it"
        )
    if len(card.keywords) > KEYWORDS_MAX or any(len(word) > 60 for word in card.keywords):
        raise InvalidInput(
            f"at most {KEYWORDS_MAX} keywords of 60 characters", fix="keep the ones that people search for"
        )
    if card.language not in {"nl", "en"}:
        raise InvalidInput(f"{card.language!r} is not a language of the catalogue", fix="nl or en")

"""The card of a base model: README.md, with facts in YAML at its head, as the Hugging Face Hub has them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.fields import read_fields, split_head

CARD_CHARACTERS_MAX = 400_000
FACTS_CHARACTERS_MAX = 200_000
"""Cards of models that turn texts into vectors name their score on each of a hundred tests: ninety thousand characters are usual."""

LICENCE_CHARACTERS_MAX = 100
DEPTH_MAX = 12
TAGS_MAX = 100


@dataclass(frozen=True, slots=True)
class ModelCard:
    """`facts`: what the head says, as JSON would hold it. `licence` is empty where the card names none; `text` is what follows the head."""

    facts: Mapping[str, Any]
    licence: str
    text: str


def read_card(written: str) -> ModelCard:
    """Raises InvalidInput on a head that is not a plain list of facts, or on one that is too long."""
    if len(written) > CARD_CHARACTERS_MAX:
        raise InvalidInput(f"a card has at most {CARD_CHARACTERS_MAX:,} characters", fix="shorten README.md")
    head, text = split_head(written)
    if head is None:
        return ModelCard({}, "", written)
    if len(head) > FACTS_CHARACTERS_MAX:
        raise InvalidInput(f"the head of a card has at most {FACTS_CHARACTERS_MAX:,} characters", fix="shorten it")
    try:
        facts = _as_json(read_fields(head, "the head of README.md", long=True), 0)
    except InvalidInput as error:
        raise InvalidInput(
            error.detail, fix=error.fix or "write it as `license: apache-2.0`, between its --- lines"
        ) from None
    return ModelCard(facts, _licence_in(facts), text)


def licence_of(card: ModelCard, said: str) -> str:
    """The licence under which the model may be used. Raises InvalidInput where nobody says, or two say different things."""
    if card.licence and said and card.licence.lower() != said.strip().lower():
        raise InvalidInput(
            f"the card says {card.licence}, and --licence says {said.strip()[:LICENCE_CHARACTERS_MAX]}",
            fix="find out which holds, and correct README.md or leave --licence out",
        )
    licence = card.licence or said.strip()
    if not licence:
        raise InvalidInput(
            "nobody says under which licence this model may be used",
            fix="add `license: NAME` to the head of its README.md, or push with --licence NAME",
        )
    if len(licence) > LICENCE_CHARACTERS_MAX or not licence.isprintable():
        raise InvalidInput(f"a licence is named in at most {LICENCE_CHARACTERS_MAX} characters", fix="shorten it")
    return licence


def tags_of(facts: Mapping[str, Any], licence: str) -> list[str]:
    """Words by which clients find a model, in the Hub's own spelling."""
    tags = [*_words(facts.get("tags")), *_words(facts.get("library_name")), *_words(facts.get("pipeline_tag"))]
    tags += _words(facts.get("language"))
    tags += [f"dataset:{one}" for one in _words(facts.get("datasets"))]
    tags += [f"base_model:{one}" for one in _words(facts.get("base_model"))]
    return [*dict.fromkeys([*tags[:TAGS_MAX], f"license:{licence.lower()}"])]


def word_of(facts: Mapping[str, Any], name: str) -> str | None:
    """A fact that is one word."""
    return next(iter(_words(facts.get(name))), None)


def _licence_in(facts: Mapping[str, Any]) -> str:
    """`license: other` is told apart by its own name. Several licences are named together."""
    named = _words(facts.get("license"))
    if [one.lower() for one in named] == ["other"]:
        named = _words(facts.get("license_name")) or named
    return ", ".join(named)


def _words(said: Any) -> list[str]:
    items = said if isinstance(said, list) else [said]
    return [one.strip() for one in items if isinstance(one, str) and one.strip()]


def _as_json(said: Any, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise InvalidInput("the head of the card is nested too deeply", fix="flatten it")
    if isinstance(said, dict):
        return {str(name): _as_json(one, depth + 1) for name, one in said.items()}
    if isinstance(said, list | tuple | set):
        return [_as_json(one, depth + 1) for one in said]
    if isinstance(said, datetime | date):
        return said.isoformat()
    if isinstance(said, float) and not math.isfinite(said):
        return str(said)
    return said if isinstance(said, str | int | float | bool) or said is None else str(said)

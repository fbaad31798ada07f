"""The offers as the catalogue tells of them, in each language."""

from collections.abc import Mapping
from datetime import date

from fabriek.kernel.languages import LANGUAGES
from fabriek.knowledge.catalogue.entries import Face
from fabriek.knowledge.offers.offers import Offer, offers_on

ANSWER = {"en": "There is an answer within {days} working days.", "nl": "Er is antwoord binnen {days} werkdagen."}
BEGIN = {"en": "Begin at {start}, or with {command}.", "nl": "Begin bij {start}, of met {command}."}


def faces_on(day: date) -> Mapping[str, Face]:
    """Name of the offer and language → what its entry says, of all that is offered that day."""
    return {f"{offer.name}:{lang}": _face(offer, lang) for offer in offers_on(day) for lang in LANGUAGES}


def _face(offer: Offer, lang: str) -> Face:
    prices = [terms.price.get(lang) or terms.instead[lang] for terms in offer.terms]
    text = "\n\n".join((
        ANSWER[lang].format(days=offer.working_days),
        BEGIN[lang].format(start=offer.start, command=f"`{offer.command}`"),
        "\n".join(f"- {', '.join(sorted(terms.who))}: {price}" for terms, price in zip(offer.terms, prices, strict=True)),
    ))  # fmt: skip
    return Face(offer.title[lang], offer.says[lang], keywords=(offer.name,), language=lang, text=text)

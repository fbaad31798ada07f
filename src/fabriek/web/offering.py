"""Offers as both edges show them, in one language."""

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.languages import LANGUAGES
from fabriek.schemas.offers import OfferOut, OffersOut
from fabriek.web.services import Services


def offered(services: Services, asker: str, lang: str) -> OffersOut:
    """Raises InvalidInput on an asker or a language that is none."""
    if lang not in LANGUAGES:
        raise InvalidInput(f"{lang[:20]!r} is no language of the offers", fix=" or ".join(LANGUAGES))
    items = [
        OfferOut(
            name=one.offer.name, title=one.offer.title[lang], says=one.offer.says[lang], eligible=one.eligible, price=one.price,
            instead=one.instead, working_days=one.offer.working_days, answer_by=one.answer_by, start=one.offer.start, command=one.offer.command,
        )
        for one in services.offering.list(asker, lang=lang)
    ]  # fmt: skip
    return OffersOut(asker=asker, items=items)

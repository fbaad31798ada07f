"""The services of the factory, for everybody, in Dutch and English; who signed in sees the terms of their organisation first."""

from datetime import date
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import Response

from fabriek.kernel.languages import LANGUAGES
from fabriek.knowledge.offers.offers import ASKERS
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.offering import offered
from fabriek.web.router import PUBLIC, SIGNED_IN, Router
from fabriek.web.services import Services

WORDS = {
    "en": {
        "title": "What the factory offers", "who": "Who are you?", "show": "Show", "yes": "For you", "no": "Not for you", "price": "Price",
        "instead": "Instead", "answer": "Answer within {days} working days: who asks today has one by {by}.", "start": "Begin",
        "kept": "Nothing that you choose here is kept.", "command": "In a terminal",
        "startup": "A start-up", "sme": "A small or medium-sized firm", "company": "A large firm", "hospital": "A hospital",
        "university": "A university or institute", "public": "A public body", "elsewhere": "An organisation outside the countries that take part",
    },
    "nl": {
        "title": "Wat de fabriek biedt", "who": "Wie bent u?", "show": "Toon", "yes": "Voor u", "no": "Niet voor u", "price": "Prijs",
        "instead": "In plaats daarvan", "answer": "Antwoord binnen {days} werkdagen: wie vandaag vraagt, heeft het uiterlijk op {by}.",
        "start": "Begin", "kept": "Niets van wat u hier kiest, wordt bewaard.", "command": "In een terminal",
        "startup": "Een start-up", "sme": "Een klein of middelgroot bedrijf", "company": "Een groot bedrijf", "hospital": "Een ziekenhuis",
        "university": "Een universiteit of instituut", "public": "Een overheid of publieke instelling",
        "elsewhere": "Een organisatie buiten de landen die deelnemen",
    },
}  # fmt: skip

DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "nl": ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
}
MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "nl": [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
}


def in_words(day: date, lang: str) -> str:
    """As people say it: Tuesday 1 December, dinsdag 1 december."""
    return f"{DAYS[lang][day.weekday()]} {day.day} {MONTHS[lang][day.month - 1]}"


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    def page(request: Request, address: str, asker: str, lang: str) -> Response:
        found = offered(services, asker, lang)
        other = next(one for one in LANGUAGES if one != lang)
        return pages.render(
            request, "offers.html", found=found, askers=ASKERS, words=WORDS[lang], lang=lang, other=other, address=address,
            in_words=lambda day: in_words(day, lang),
            other_address=f"{address}?" + urlencode({"who": asker, "lang": other}),
        )  # fmt: skip

    @made.get("/services", access=PUBLIC)
    def offers(
        request: Request, who: str = Query("sme", max_length=40), lang: str = Query("en", max_length=5)
    ) -> Response:
        """Each with what it costs and when there is an answer, before any form."""
        return page(request, "/services", who, lang)

    @made.get("/services/mine", access=SIGNED_IN)
    def mine(
        request: Request, caller: CallerDep, who: str = Query("", max_length=40), lang: str = Query("en", max_length=5)
    ) -> Response:
        """The same, on the terms of the caller's organisation."""
        return page(request, "/services/mine", who or services.offering.asker(caller) or "sme", lang)

    return made

"""The guide in the browser: one question a page, each with an address of its own, so that back is back. It works without JavaScript."""

from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.languages import LANGUAGES
from fabriek.portal.rendering import Pages
from fabriek.web.guiding import guided
from fabriek.web.router import PUBLIC, Router
from fabriek.web.services import Services

PARTS_MAX = 20

WORDS = {
    "en": {
        "title": "How to get in", "on": "Go on", "back": "Back", "again": "Begin again", "next": "The next step",
        "why": "Why this way",
        "said": "What you answered", "change": "Change", "nth": "Question {n}, of eight at most",
        "rests": "It rests on", "first": "Sign in first if the command asks for it.", "kept": "Nothing that you answer here is kept.",
    },
    "nl": {
        "title": "Zo komt u binnen", "on": "Verder", "back": "Terug", "again": "Opnieuw beginnen", "next": "De volgende stap",
        "why": "Waarom deze weg",
        "said": "Wat u antwoordde", "change": "Wijzig", "nth": "Vraag {n}, van ten hoogste acht",
        "rests": "Dit berust op", "first": "Meld u eerst aan als de opdracht erom vraagt.", "kept": "Niets van wat u hier antwoordt, wordt bewaard.",
    },
}  # fmt: skip


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/apply/guide", access=PUBLIC)
    def guide(request: Request) -> Response:
        """The next question, or the route."""
        asked = request.query_params.multi_items()[:PARTS_MAX]
        answers = {name: value.strip() for name, value in asked if value.strip()}
        lang = answers.pop("lang", LANGUAGES[0])
        if lang not in LANGUAGES:
            raise InvalidInput(f"{lang[:20]!r} is not a language of this page", fix="open /apply/guide")
        found = guided(services, answers, lang)
        said = {one.name: answers[one.name] for one in found.answered}
        before = dict(list(said.items())[:-1])
        other = next(one for one in LANGUAGES if one != lang)
        return pages.render(
            request,
            "guide.html",
            found=found,
            said=said,
            words=WORDS[lang],
            lang=lang,
            other=other,
            other_address=_address(said, other),
            back=_address(before, lang) if said else "",
            again=_address({}, lang),
            changes={name: _address(dict(list(said.items())[:at]), lang) for at, name in enumerate(said)},
        )

    return made


def _address(said: dict[str, str], lang: str) -> str:
    return f"/apply/guide?{urlencode(said | {'lang': lang})}"

"""The use-case document: Markdown under seven heads, in Dutch or English, of which every version is kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.languages import LANGUAGES

CHARACTERS_MAX = 60_000

HEADS: dict[str, dict[str, str]] = {
    "value": {"en": "Value", "nl": "Waarde"},
    "data": {"en": "Data", "nl": "Gegevens"},
    "metrics": {"en": "Metrics", "nl": "Maatstaven"},
    "risks": {"en": "Risks", "nl": "Risico's"},
    "compliance": {"en": "Compliance", "nl": "Naleving"},
    "resources": {"en": "Resources", "nl": "Middelen"},
    "plan": {"en": "Plan", "nl": "Plan"},
}
"""Name → language → what stands above the part."""

ASKS: dict[str, dict[str, str]] = {
    "value": {"en": "For whom does it make what better, and what is that worth?", "nl": "Voor wie wordt wat beter, en wat is dat waard?"},
    "data": {"en": "Which data, whose, under which label and agreement?", "nl": "Welke gegevens, van wie, onder welk label en welke afspraak?"},
    "metrics": {"en": "How do you measure that it works, and from which figure on?", "nl": "Hoe meet u dat het werkt, en vanaf welk getal?"},
    "risks": {"en": "What may go wrong, for whom, and what do you do about it?", "nl": "Wat kan misgaan, voor wie, en wat doet u eraan?"},
    "compliance": {"en": "Which laws and standards apply: AI Act, GDPR, your field's own?",
                   "nl": "Welke wetten en normen gelden: AI-verordening, AVG, die van uw vak?"},
    "resources": {"en": "People, hours, computing and money.", "nl": "Mensen, uren, rekentijd en geld."},
    "plan": {"en": "Steps with a date and who takes them.", "nl": "Stappen met een datum en wie ze zet."},
}  # fmt: skip

_LINE = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a case's document. `number`: from 1."""

    case: str
    number: int
    person: str
    at: datetime
    text: str


def parts_of(text: str) -> Mapping[str, str]:
    """Head → what stands below it, for those heads that are there; a heading that is none of ours belongs to the part it stands in."""
    found: dict[str, list[str]] = {}
    current, fence = "", ""
    for line in text.splitlines():
        marks = _FENCE.match(line)
        if marks and (not fence or marks[1].startswith(fence)):
            fence = "" if fence else marks[1]
        heading = None if fence or marks else _LINE.match(line)
        if heading and (head := head_named(heading[1])):
            current = head
            found.setdefault(current, [])
        elif current:
            found[current].append(line)
    return {head: "\n".join(lines).strip() for head, lines in found.items()}


def head_named(said: str) -> str:
    """Which head a heading is, in either language and any case; empty where it is none."""
    word = said.strip().rstrip(":").replace("\u2019", "'").casefold()
    return next(
        (name for name, titles in HEADS.items() if word in {name, *(one.casefold() for one in titles.values())}), ""
    )


def missing_in(text: str) -> Sequence[str]:
    """The heads that are not there, or say nothing; in their order."""
    said = parts_of(text)
    return [head for head in HEADS if not re.search(r"\w", said.get(head, ""))]


def check(text: str) -> str:
    """The text as it is kept. Raises InvalidInput on one that is empty, too long, or has no head of ours."""
    bare = text.strip()
    if not bare or len(bare) > CHARACTERS_MAX:
        raise InvalidInput(
            f"a document has 1 to {CHARACTERS_MAX} characters", fix="fabriek case document CASE --template en"
        )
    if not parts_of(bare):
        heads = ", ".join(titles["en"] for titles in HEADS.values())
        raise InvalidInput(
            f"no heading of it is one of {heads}",
            fix="begin with the template: fabriek case document CASE --template en",
        )
    return bare + "\n"


def written(parts: Mapping[str, str], language: str) -> str:
    """A document of these parts, under the heads of that language; parts that say nothing stand there empty."""
    _check_language(language)
    return "".join(f"# {titles[language]}\n\n{parts.get(head, '').strip()}\n\n" for head, titles in HEADS.items())


def template(language: str) -> str:
    """All heads, each with what it asks, as a comment that says nothing yet. Raises InvalidInput on another language."""
    _check_language(language)
    return "".join(f"# {titles[language]}\n\n> {ASKS[head][language]}\n\n" for head, titles in HEADS.items())


def unasked(text: str) -> str:
    """Without the lines of the template that nobody took out: a question is no answer."""
    asks = {f"> {one}" for words in ASKS.values() for one in words.values()}
    return "\n".join(line for line in text.splitlines() if line.strip() not in asks)


def language_of(text: str) -> str:
    """The language in which most of its heads are; English where it is as many."""
    words = {line[1].strip().casefold() for one in text.splitlines() if (line := _LINE.match(one))}
    counts = {lang: sum(titles[lang].casefold() in words for titles in HEADS.values()) for lang in LANGUAGES}
    return "nl" if counts["nl"] > counts["en"] else "en"


def _check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise InvalidInput(f"there are no heads in {language[:20]!r}", fix=f"one of {', '.join(LANGUAGES)}")

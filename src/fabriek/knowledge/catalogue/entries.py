"""An entry of the catalogue: the published face of a dataset, a model, an answer. It makes a thing known; it opens nothing."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.languages import LANGUAGES

TITLE_CHARACTERS_MAX, SUMMARY_CHARACTERS_MAX, TEXT_CHARACTERS_MAX = 200, 500, 20_000
KEYWORDS_MAX, KEYWORD_CHARACTERS_MAX = 20, 60
AUTHORS_MAX = 100
OPEN_LABEL = "open"
"""The label of what anybody may read."""


class EntryKind(StrEnum):
    DATASET = "dataset"
    MODEL = "model"
    ANSWER = "answer"
    ELSEWHERE = "elsewhere"
    RECIPE = "recipe"
    APP = "app"
    GUIDE = "guide"
    SERVICE = "service"
    TRAINING = "training"


WRITTEN = frozenset({EntryKind.APP, EntryKind.GUIDE, EntryKind.TRAINING})
"""What a project publishes by its card alone: nothing here but the card is it."""

OWN = frozenset({EntryKind.RECIPE, EntryKind.SERVICE, EntryKind.TRAINING})
"""Of what the factory has some of its own, which follow what it offers and are of no project."""


class Reach(StrEnum):
    """Who may know of it. Everyone who signed in; the world is also told by the harvest."""

    WORLD = "world"
    EVERYONE = "everyone"
    ORGANISATION = "organisation"
    PROJECT = "project"


ALL = "all"
"""What stands for everybody who signed in, among those who may know of an entry."""


@dataclass(frozen=True, slots=True)
class Face:
    """What a card says of its subject."""

    title: str
    summary: str
    licence: str = ""
    terms: str = ""
    keywords: tuple[str, ...] = ()
    language: str = "en"
    text: str = ""
    doi: str = ""
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """`subject`: the id of what it describes; `label` is the subject's, as a banner. `text` is Markdown, kept as it was written.
    `doi` without its address; `authors` as they are cited: `Family, Given`, or the name of a body.
    """

    id: str
    kind: EntryKind
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
    reach: Reach = Reach.EVERYONE
    doi: str = ""
    authors: tuple[str, ...] = ()

    @property
    def face(self) -> Face:
        """What its card says."""
        return Face(
            self.title, self.summary, self.licence, self.terms, self.keywords, self.language, self.text, self.doi, self.authors
        )  # fmt: skip

    @property
    def known_to(self) -> str:
        """Of the names that stand for people, the one whose people may know of it."""
        if self.reach is Reach.PROJECT:
            return self.project
        return self.organisation if self.reach is Reach.ORGANISATION else ALL


def check(entry: Entry) -> None:
    """Raises InvalidInput on an empty title or summary, an over-long part, or a language we do not serve."""
    if not entry.title.strip() or not entry.summary.strip():
        raise InvalidInput("a card needs a title and a summary", fix="add --title and --summary")
    too_long = (
        len(entry.summary) > SUMMARY_CHARACTERS_MAX or len(entry.text) > TEXT_CHARACTERS_MAX or len(entry.title) > TITLE_CHARACTERS_MAX
    )  # fmt: skip
    if too_long:
        raise InvalidInput(
            f"a summary has at most {SUMMARY_CHARACTERS_MAX} characters, a text {TEXT_CHARACTERS_MAX}", fix="shorten it"
        )
    if len(entry.keywords) > KEYWORDS_MAX or any(
        len(word) > KEYWORD_CHARACTERS_MAX or len(word.splitlines()) != 1 for word in entry.keywords
    ):
        raise InvalidInput(
            f"at most {KEYWORDS_MAX} keywords, each a line of {KEYWORD_CHARACTERS_MAX} characters at most",
            fix="keep the ones that people search for",
        )
    if len(entry.authors) > AUTHORS_MAX or any(len(one) > 200 or len(one.splitlines()) != 1 for one in entry.authors):
        raise InvalidInput(
            f"at most {AUTHORS_MAX} authors, each a line of 200 characters at most", fix="name a group as one"
        )
    if entry.language not in LANGUAGES:
        raise InvalidInput(f"{entry.language!r} is not a language of the catalogue", fix="nl or en")


def check_name(name: str) -> str:
    """Of what is published by its card alone. Raises InvalidInput."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
        raise InvalidInput(f"{name[:80]!r} is not a name", fix="use small letters, digits and hyphens: getting-started")
    return name


def names_of(organisation: str, projects: Collection[str]) -> tuple[str, ...]:
    """All names that stand for somebody of an organisation and these projects: entries of these they may know of."""
    return (ALL, *(one for one in (organisation, *sorted(projects)) if one))

"""A skill: a name of the list, with its words in Dutch and English. What is compared are dictionary forms of words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fabriek.kernel.dated import by_name, read_rows, shipped
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.languages import Words, read_words
from fabriek.knowledge.search.query import words_of
from fabriek.knowledge.search.vocabulary import lemmas

SKILLS_MAX = 20

LITTLE = frozenset({
    "a", "an", "and", "at", "de", "een", "en", "for", "het", "in", "met", "of", "on", "op", "or", "the", "to", "van", "voor", "with",
})  # fmt: skip
"""Words that tell nothing of what somebody can do."""


@dataclass(frozen=True, slots=True)
class Skill:
    """`title`: language → how people say it."""

    name: str
    title: Words
    valid_from: date
    source: str


def skills_on(day: date) -> Mapping[str, Skill]:
    """Those of the list on that day, by name."""
    return skills_of(shipped("fabriek.knowledge", "skills.toml"), day)


def skills_of(text: str, day: date) -> Mapping[str, Skill]:
    """Raises InvalidInput on a slip in the file."""
    return by_name(read_rows(text, "skill", _skill), day)


def check_skills(said: Iterable[str], known: Mapping[str, Skill]) -> tuple[str, ...]:
    """Each once, in the order of the list. Raises InvalidInput on one that is not in it."""
    wanted = {one.strip().lower() for one in said if one.strip()}
    if unknown := sorted(wanted - known.keys()):
        raise InvalidInput(
            f"there is no skill {unknown[0][:40]!r} in the list",
            fix=f"one of {', '.join(known)}; other words go into the text",
        )
    return tuple(name for name in known if name in wanted)


def stems(text: str) -> frozenset[str]:
    """The dictionary forms of its words, in Dutch and English; little words left out."""
    return frozenset[str]().union(*(lemmas(word) for word in words_of(text) if len(word) > 1 and word not in LITTLE))


def words_for(names: Iterable[str], known: Mapping[str, Skill]) -> str:
    """Everything by which these skills are found: their names and titles."""
    rows = [known[name] for name in names if name in known]
    return " ".join([*(row.name for row in rows), *(title for row in rows for title in row.title.values())])


def _skill(row: dict[str, Any]) -> Skill:
    if not str(row["name"]).replace("-", "").isalnum():
        raise ValueError("a name has letters, digits and hyphens")
    return Skill(str(row["name"]), read_words(row["title"]), row["valid_from"], row["source"])

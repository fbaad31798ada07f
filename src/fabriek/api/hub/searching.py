"""A search for models, as the Hub's client asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.base_models.cards import tags_of, word_of
from fabriek.lab.base_models.models import BaseModel, Revision

LIMIT = 1_000_000
SORTS = ("lastModified", "createdAt", "id")
"""What can be sorted by here; likes and downloads are counted nowhere, and asking for them leaves the order of names."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`words` in the name, `author` before its slash, `tags` all of which the model has; `skip` and `limit` are counts."""

    words: str
    author: str
    tags: tuple[str, ...]
    task: str
    sort: str
    skip: int
    limit: int

    @classmethod
    def read(cls, query: QueryParams) -> "Wanted":
        """Raises InvalidInput on a number that is none."""
        return cls(
            query.get("search", "").lower(), query.get("author", "").lower(), tuple(one.lower() for one in query.getlist("filter")),
            query.get("pipeline_tag", "").lower(), query.get("sort", ""), _count(query, "cursor", 0), _count(query, "limit", LIMIT),
        )  # fmt: skip

    def takes(self, model: BaseModel, revision: Revision) -> bool:
        tags = {one.lower() for one in tags_of(revision.facts, revision.licence)}
        return (
            self.words in model.name.lower()
            and (not self.author or model.name.lower().startswith(f"{self.author}/"))
            and tags.issuperset(self.tags)
            and self.task in {"", (word_of(revision.facts, "pipeline_tag") or "").lower()}
        )

    def ordered(self, found: Sequence[tuple[BaseModel, Revision]]) -> Sequence[tuple[BaseModel, Revision]]:
        if self.sort == "lastModified":
            return sorted(found, key=lambda one: one[0].changed_at, reverse=True)
        if self.sort == "createdAt":
            return sorted(found, key=lambda one: one[0].created_at, reverse=True)
        return found


def _count(query: QueryParams, name: str, default: int) -> int:
    said = query.get(name, "")
    if not said:
        return default
    if not said.isascii() or not said.isdigit() or len(said) > 9:
        raise InvalidInput(f"{name} is not a number", fix=f"leave {name} out")
    return int(said)

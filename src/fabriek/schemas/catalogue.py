"""The catalogue on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Text, Wire, written


class EntryIn(Wire):
    """`subject`: the name of the dataset or model in this project, or of what is published by its card alone. `card`: Markdown behind a head of
    fields, as a file has it; what is said beside it wins.
    """

    kind: Annotated[str, written("^(dataset|model|app|guide|training)$", "dataset, model, app, guide or training")]
    subject: Annotated[str, Field(min_length=1, max_length=256)]
    title: Annotated[str, Field(max_length=200)] = ""
    summary: Annotated[str, Field(max_length=500)] = ""
    licence: Annotated[str, Field(max_length=100)] = ""
    terms: Annotated[str, Field(max_length=2_000)] = ""
    keywords: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=20)] = Field(default_factory=list)
    language: Annotated[str, written("^(nl|en|)$", "nl or en")] = ""
    text: Text = ""
    doi: Annotated[str, Field(max_length=300)] = ""
    authors: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=100)] = Field(default_factory=list)
    card: Annotated[str, Field(max_length=40_000)] = ""
    reach: Annotated[
        str, written("^(world|everyone|organisation|project)$", "world, everyone, organisation or project")
    ] = "everyone"


class EntryOut(Wire):
    r"""`passage`: what matched, hits between \\u0002 and \\u0003; to be escaped before it is shown. `near`: it has not the words that were looked
    for, and stands near in meaning. `page`: of what is elsewhere, where.
    """

    id: str
    kind: str
    subject: str
    title: str
    summary: str
    label: str
    licence: str
    terms: str
    keywords: list[str]
    language: str
    text: str
    organisation: str
    published_at: datetime
    reach: str = "everyone"
    doi: str = ""
    authors: list[str] = Field(default_factory=list)
    passage: str = ""
    near: bool = False
    page: str = ""


class SnippetOut(Wire):
    """To be copied; empty where there is nothing to use."""

    command: str = ""
    python: str = ""


class DatedOut(Wire):
    number: int
    at: datetime
    size_bytes: int = 0


class UseOut(Wire):
    """A job of a project that one is in. `beside`: what it read beside this; `left`: what it left in the vault and the registry."""

    job: str
    name: str
    project: str
    person: str
    at: datetime
    beside: list[str]
    left: list[str]


class EntryPastOut(Wire):
    """`made_from` and `led_to`: entries that one may know of. `projects`: how many used it; 0 where they are fewer than three, and `used` says
    whether any did.
    """

    use: SnippetOut
    versions: list[DatedOut]
    made_from: list[EntryOut]
    led_to: list[EntryOut]
    projects: int
    used: bool
    uses: list[UseOut]


class FoundOut(Wire):
    """`total` is exact unless there are `more`. `facets`: kind, language, label → value → how many. `meant`: word → what was looked for too, since
    nothing has it. `loose`: nothing has all that was asked for, and these have some of it.
    """

    items: list[EntryOut]
    total: int
    more: bool
    facets: dict[str, dict[str, int]]
    meant: dict[str, list[str]]
    loose: bool


class SearchIn(Wire):
    """A search to keep. `filters`: kind, language, label, organisation, keyword → value."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    text: Annotated[str, Field(max_length=400)] = ""
    filters: Annotated[dict[str, Annotated[str, Field(max_length=63)]], Field(max_length=5)] = Field(
        default_factory=dict
    )


class SearchOut(Wire):
    """`found`: how many it finds of the first hundred; `new`: how many of those were published since its owner looked."""

    name: str
    text: str
    filters: dict[str, str]
    looked_at: datetime
    found: int
    new: int


class SearchesOut(Wire):
    items: list[SearchOut]


class SearchLookedOut(Wire):
    """A search that was kept, and what it finds now."""

    search: SearchOut
    items: list[EntryOut]


class SuggestionsOut(Wire):
    """How what is being typed may go on."""

    items: list[str]


class EntryRequestIn(Wire):
    """`project`: where the data would be used; empty when there is none yet."""

    project: Annotated[str, Field(max_length=63)] = ""
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class EntryRequestOut(Wire):
    request: str

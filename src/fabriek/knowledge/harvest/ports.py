"""What harvesting needs from the outside world."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from fabriek.knowledge.harvest.sources import Harvested, Source


class Page(Protocol):
    """What was found at an address: `url` is where, after redirects; `link` the header of that name."""

    @property
    def url(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def body(self) -> bytes: ...
    @property
    def link(self) -> str: ...


class Web(Protocol):
    """What lies on the public web."""

    def check(self, url: str) -> None:
        """Raises InvalidInput or NotPermitted on an address that is never read."""

    def read(self, url: str, *, accept: str, bytes_max: int) -> Page:
        """Raises InvalidInput, NotPermitted on what is not public, Unavailable."""


class Sources(Protocol):
    """Storage of sources and of what came from each. Every method joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def put(self, source: Source) -> None:
        """Keeps it, in place of one with its id."""

    def get(self, source_id: str) -> Source:
        """Raises NotFound."""

    def all(self) -> Sequence[Source]:
        """In the order in which they were added."""

    def remove(self, source_id: str) -> None:
        """With the list of what came from it."""

    def harvested(self, source_id: str) -> Mapping[str, Harvested]:
        """By identifier."""


class Harvests(Protocol):
    """Storage of what came from a source."""

    def put(self, one: Harvested) -> None: ...

    def forget(self, source_id: str, identifiers: Collection[str]) -> None: ...

    def of_entry(self, entry_id: str) -> Harvested | None: ...

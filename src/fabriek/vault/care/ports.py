"""What the upkeep of the store needs: which objects nothing names, what is damaged, and how far the walk through all of it is."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from fabriek.kernel.stored import Stored
from fabriek.vault.care.damage import Damage, Pass
from fabriek.vault.care.leftovers import Heap, Leftover
from fabriek.vault.uploads import StoredObject, Upload
from fabriek.vault.versions import Version


@runtime_checkable
class StandsStill(Protocol):
    """A store of which a copy may be taken while it is used: until that is done nothing is collected."""

    def deleting(self) -> AbstractContextManager[None]:
        """While this is open no copy begins. Raises Unavailable while one is being taken."""


class Leftovers(Protocol):
    """Storage of leftovers, and the one who knows what is named. Every change joins the transaction that is open."""

    def over(self, now: datetime, *, limit: int) -> Sequence[Upload]:
        """Uploads that are open and can never become a version: their time is over, or their dataset was erased."""

    def unnamed(self, now: datetime, today: date, *, after: str, limit: int) -> Sequence[Leftover]:
        """Objects of closed uploads that no standing version of a dataset that is not erased uses, and that are not doomed yet; by id.
        What a hold or a promise keeps is left out.
        """

    def still_unnamed(self, objects: Collection[str]) -> frozenset[str]:
        """Which of these it still holds for."""

    def recorded(self, objects: Collection[str]) -> frozenset[str]:
        """Which of these any record names: an upload, a version, or the key of something that was sealed here."""

    def known(self, objects: Collection[str]) -> Mapping[str, Leftover]: ...

    def put(self, leftovers: Sequence[Leftover]) -> None:
        """Adds them, or replaces those of the same name."""

    def doomed(self, today: date, *, after: str, limit: int) -> Sequence[Leftover]:
        """By id. What a hold or a promise keeps since is left out."""

    def orphans(self, seen_until: datetime, *, after: str, limit: int) -> Sequence[Leftover]:
        """Those that were seen by then and are not doomed; by id."""

    def count_orphans(self) -> int:
        """All that were seen and are not doomed."""

    def is_doomed(self, object_id: str) -> bool: ...

    def spare(self, objects: Collection[str]) -> None:
        """They are no leftovers after all."""

    def forget(self, objects: Collection[str]) -> None:
        """They are gone from the store: every row about them goes too."""

    def heaps(self, now: datetime, today: date) -> Sequence[Heap]:
        """What could go now, a heap a dataset and kind, and whether a hold or a promise keeps it."""


class Damages(Protocol):
    """Storage of damage that stands."""

    def put(self, damage: Damage) -> bool:
        """False where damage of that place is known already."""

    def remove(self, damage: Damage) -> None: ...

    def forget(self, objects: Sequence[str]) -> None:
        """All that is known of these objects."""

    def of_dataset(self, dataset: str) -> Sequence[Damage]: ...

    def of_version(self, version_id: str) -> Sequence[Damage]:
        """Its own, and that of every object it uses."""

    def of_versions(self, version_ids: Collection[str]) -> Mapping[str, Sequence[Damage]]:
        """The same of many; those without any are left out."""

    def all(self, *, limit: int, untold: bool = False) -> Sequence[Damage]:
        """Newest first. untold: those that nobody was told of."""

    def told(self, damage: Damage, at: datetime) -> None: ...


class Walk(Protocol):
    """How the whole vault is gone through, in one order. Erased datasets and removed versions are not in it."""

    def dataset(self, at: str, *, beyond: bool) -> str:
        """The first dataset from this id on, or after it; empty at the end."""

    def version(self, dataset: str, number: int) -> Version | None:
        """The first that stands from this number on."""

    def own_objects(self, version: str, parent: str, *, after: str, limit: int) -> Sequence[str]:
        """What a version uses and its parent does not, by id."""

    def do_share(self, version: str, parent: str) -> bool:
        """Whether there is an object that both use."""

    def arrived(self, objects: Sequence[str]) -> Mapping[str, StoredObject]:
        """What was kept of objects that clients sent."""

    def safe_objects(self, dataset: str, *, after: str, limit: int) -> Sequence[tuple[str, Stored]]:
        """Objects that were sealed here, by id, with what the store took."""

    def numbers_using(self, dataset: str, object_id: str) -> Sequence[int]:
        """The versions that use an object, lowest first."""

    def size_bytes(self) -> int:
        """Of all that there is to read, sealed."""

    def verified(self, version_id: str, at: datetime) -> None: ...


class Passes(Protocol):
    """Storage of walks through the whole vault."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]: ...

    def put(self, one: Pass) -> None: ...

    def newest(self, *, ended: bool = False) -> Pass | None:
        """ended: the newest of those that came to their end."""

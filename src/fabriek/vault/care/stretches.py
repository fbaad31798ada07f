"""A stretch of the walk through the vault: its bounds, which objects are read, and what it came to."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fabriek.vault.care.damage import Damage
from fabriek.vault.care.examining import Examined
from fabriek.vault.datasets import Dataset
from fabriek.vault.versions import Facts, Version

SEEN_MAX = 100_000
"""Names that are remembered from stretch to stretch: an object that many pages name is read once, or again where it was forgotten."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Which objects are read: a share of them, drawn by `seed` and their names so that stretches draw alike. What counts as damaged is read
    in any case, to see whether it was mended.
    """

    share: float
    seed: str = ""

    def draws(self, object_id: str) -> bool:
        drawn = hashlib.sha256(f"{self.seed}\n{object_id}".encode()).digest()[:8]
        return int.from_bytes(drawn, "big") < self.share * 2**64


@dataclass(slots=True)
class Stretch:
    """What is under way: its bounds, and what it came to."""

    dataset: Dataset
    sample: Sample
    objects_max: int
    bytes_max: int
    versions: int = 0
    objects: int = 0
    read_objects: int = 0
    read_bytes: int = 0
    pages: int = 0
    page_bytes: int = 0
    authenticated: int = 0
    by_hash: int = 0
    seen: dict[str, None] = field(default_factory=dict)
    damage: list[Damage] = field(default_factory=list)
    sound: list[Damage] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        looks, size = max(self.objects, self.pages), self.read_bytes + self.page_bytes
        return looks >= self.objects_max or size >= self.bytes_max

    def add(self, found: Examined) -> None:
        self.objects += 1
        if found.read_bytes is not None:
            self.read_objects += 1
            self.read_bytes += found.read_bytes
            self.authenticated += found.authenticated
            self.by_hash += not found.why and not found.authenticated

    def remember(self, name: str) -> None:
        self.seen[name] = None
        if len(self.seen) > SEEN_MAX:
            del self.seen[next(iter(self.seen))]

    def note(self, damage: Damage) -> None:
        """Of one place once, with the first path."""
        for number, one in enumerate(self.damage):
            if one.place == damage.place:
                self.damage[number] = replace(one, path=one.path or damage.path, files=one.files + damage.files)
                return
        self.damage.append(damage)


@dataclass(frozen=True, slots=True)
class Task:
    """A version that is looked at. `parent`: the one it builds on, if that stands; `known`: damage of it that stands, by its place."""

    version: Version
    facts: Facts | None
    parent: str
    known: Mapping[tuple[str, str], Damage]

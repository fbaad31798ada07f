"""What a change comes to: for each funder before and after, frozen under a digest that signatures name."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """Micro-units of a resource before and after."""

    resource: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """One share in the replay of a quarter's jobs under both policies: how many its money may pay for, use in hours of the whole machine,
    mean wait in seconds, and what they are charged by the rates.
    """

    jobs_before: int
    jobs_after: int
    used_before: float
    used_after: float
    wait_seconds_before: float
    wait_seconds_after: float
    charged: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """`jobs`: how many were replayed; `of`: how many ran that quarter."""

    jobs: int = 0
    of: int = 0
    shares: Mapping[str, Replayed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShareEffect:
    """One funder. Parts are millionths of the machine on the day of the change, `entitled` is of the quarter that was compared; `losses`:
    why it must sign, a sentence each; empty where it need not.
    """

    share: str
    funder: str
    part_before: int
    part_after: int
    entitled: tuple[Change, ...] = ()
    losses: tuple[str, ...] = ()
    replayed: Replayed | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """`quarter`: the last whole one, which would have gone otherwise."""

    quarter: str
    jobs: int
    jobs_of: int
    shares: tuple[ShareEffect, ...]

    @property
    def losers(self) -> tuple[str, ...]:
        """The funders (ids of organisations) whose signatures it takes."""
        return tuple(sorted(one.funder for one in self.shares if one.losses))


def written(effect: Effect) -> str:
    """As JSON with one way to write it, so that its digest is one too."""
    return json.dumps(asdict(effect), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read(text: str) -> Effect:
    told = json.loads(text)
    return Effect(told["quarter"], told["jobs"], told["jobs_of"], tuple(_share(one) for one in told["shares"]))


def digest_of(toml: str, motive: str, basis: str, effect: Effect) -> str:
    """SHA-256 of all that a signature stands under: the rows, the motive, what they were compared with, and what they come to."""
    parts: Sequence[str] = (toml, motive, basis, written(effect))
    return hashlib.sha256("".join(f"{len(one.encode())}:{one}" for one in parts).encode()).hexdigest()


def _share(told: dict[str, Any]) -> ShareEffect:
    return ShareEffect(**told | {
        "entitled": _changes(told["entitled"]),
        "losses": tuple(told["losses"]),
        "replayed": Replayed(**told["replayed"] | {"charged": _changes(told["replayed"]["charged"])}) if told["replayed"] else None,
    })  # fmt: skip


def _changes(told: Sequence[dict[str, Any]]) -> tuple[Change, ...]:
    return tuple(Change(**one) for one in told)

"""What the verbs of tracking stand on: stores, rules, clock."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids
from fabriek.lab.ports import Experiments, Points, Runs, Search, Tracks
from fabriek.vault.labelling.labels import Labels


@dataclass(frozen=True, slots=True)
class Parts:
    """`is_released`: whether two people let go of what a job emitted. `released_in`: all such jobs of a project. `looks`: whether the
    caller decides about that, and so may look.
    """

    experiments: Experiments
    runs: Runs
    points: Points
    tracks: Tracks
    search: Search
    audit: Audit
    labels: Labels
    clock: Clock
    ids: Ids
    is_released: Callable[[str], bool]
    released_in: Callable[[str], Collection[str]]
    looks: Callable[[str, Caller], bool]

"""What is reported: each policy's replay of one trace, and what of that was left out."""

from collections.abc import Mapping
from dataclasses import dataclass

from fabriek.compute.simulator.figures import Figures
from fabriek.compute.simulator.outcomes import Outcome
from fabriek.compute.simulator.replay import Machine


@dataclass(frozen=True, slots=True)
class Result:
    """One policy's replay. `parts`: share → its part of the machine, in millionths."""

    parts: Mapping[str, int]
    outcome: Outcome
    figures: Figures

    @property
    def policy(self) -> str:
        return self.figures.policy


@dataclass(frozen=True, slots=True)
class LeftOut:
    """`first`: the line of the file at which it was met first; 0 where it is no matter of one."""

    why: str
    jobs: int
    first: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """`trace`: the file's name, `digest` its SHA-256. `names`: what the file calls a job, by the number of its row in the order in which they came.
    `guessed`: jobs of which nobody said how long they may run.
    """

    trace: str
    digest: str
    machine: Machine
    results: tuple[Result, ...]
    names: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    guessed: int = 0

    @property
    def shares(self) -> list[str]:
        """Of all policies, in the order in which they are met; nameless ones not."""
        named = [[*one.parts, *one.outcome.used_by_share] for one in self.results]
        return [share for share in dict.fromkeys(share for some in named for share in some) if share]

    def name_of(self, job: str) -> str:
        """What the file calls the job of a row."""
        return self.names[int(job)]

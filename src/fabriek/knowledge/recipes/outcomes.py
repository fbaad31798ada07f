"""Whether a recipe worked: the metric that its runs logged, beside the one that is expected."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fabriek.compute.jobs import Job
from fabriek.kernel.errors import InvalidInput
from fabriek.knowledge.recipes.recipes import MARK, Expected, Recipe


@dataclass(frozen=True, slots=True)
class Logged:
    """What one job logged under the name of the expected metric; None where it has logged nothing. `withheld`: it may not be told."""

    job: Job
    value: float | None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """`value`: the best that was logged, `best` the job that logged it. `ended`: no more will come. `parameters`: of the best one of a sweep."""

    expected: Expected
    value: float | None
    best: Job | None
    ended: bool
    failed: int
    jobs: int
    withheld: bool

    @property
    def reached(self) -> bool:
        return self.value is not None and self.expected.is_reached(self.value)

    @property
    def sentence(self) -> str:
        """In one sentence, for people."""
        expected = self.expected.words
        if self.value is not None:
            by = ", ".join(
                f"{name}={value}" for name, value in (self.best.terms.parameters if self.best else {}).items()
            )
            with_ = f" with {by}" if by else ""
            how = "reached" if self.reached else "not reached" if self.ended else "not reached yet"
            return f"{how}: {self.expected.metric} is {self.value:.4g}{with_}, expected {expected}"
        if self.withheld:
            return f"its label withholds what was logged; expected {expected}"
        if not self.ended:
            return f"nothing is logged yet; expected {expected}"
        failed = f", {self.failed} of {self.jobs} jobs failed" if self.failed else ""
        return f"not reached: {self.expected.metric} was not logged{failed}; expected {expected}"


def outcome_of(expected: Expected, logged: Sequence[Logged]) -> Outcome:
    """Of all jobs that one run of a recipe made."""
    told = [(one.value, one.job) for one in logged if one.value is not None and math.isfinite(one.value)]
    best = None
    for value, job in told:
        if best is None or expected.better(value, best[0]) != best[0]:
            best = (value, job)
    return Outcome(
        expected, best[0] if best else None, best[1] if best else None, all(one.job.has_ended() for one in logged),
        sum(one.job.has_ended() and one.job.state != "succeeded" for one in logged), len(logged), any(one.withheld for one in logged),
    )  # fmt: skip


def check_made_by(recipe: Recipe, jobs: Iterable[Job]) -> None:
    """Raises InvalidInput on a job of something else: its metric would be compared with what nobody promised."""
    for job in jobs:
        if dict(job.environment).get(MARK) != recipe.name:
            raise InvalidInput(
                f"job {job.short} is none of the recipe {recipe.name}", fix=f"fabriek job show {job.short}"
            )

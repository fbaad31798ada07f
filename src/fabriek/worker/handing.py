"""Which of the jobs that were let in are handed to the executor together: elements of one array, so many at a time."""

from collections import defaultdict
from collections.abc import Sequence

from fabriek.compute.jobs import Job

TOGETHER_MAX = 100
"""All of them wait until the last is ready to go; and Slurm takes arrays of a thousand at most, unless it is told otherwise."""


def handed_together(jobs: Sequence[Job]) -> list[list[Job]]:
    """The jobs in parts: each part is one array's, or a single job."""
    by_array: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        by_array[job.array or job.id].append(job)
    return [
        part[start : start + TOGETHER_MAX] for part in by_array.values() for start in range(0, len(part), TOGETHER_MAX)
    ]

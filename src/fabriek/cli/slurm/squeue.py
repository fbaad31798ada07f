"""`squeue`: jobs that have not ended, or those asked for."""

import re
import sys

from fabriek.cli.slurm.fields import SQUEUE
from fabriek.cli.slurm.listing import named, recent
from fabriek.cli.slurm.options import known
from fabriek.cli.slurm.states import ENDED, matches, state_of
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.compute import JobOut

KNOWN = known(
    "h=noheader j=jobs o=format t=states n=name u=user r=array p=partition A=account S=sort a=all w=nodelist",
    "jobs format states name user partition account sort nodelist",
    "noheader me array all start",
)
DEFAULT = "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R"
_LETTER = re.compile(r"%(\.?)(\d*)([A-Za-z])")


def run(words: list[str]) -> int:
    """Prints a line for each job. Raises InvalidInput on a format that is not known, and where the one job asked for is not there."""
    options, _ = KNOWN.read(words)
    asked = options.get("jobs", "")
    jobs = named(asked) if asked else recent(active="all" not in options.get("states", "").lower())
    if asked and not jobs and "," not in asked:
        raise InvalidInput("Invalid job id specified")
    shown = [job for job in jobs if _wanted(job, options)]
    layout = options.get("format") or DEFAULT
    if "noheader" not in options:
        sys.stdout.write(_line(layout, None))
    for job in shown:
        sys.stdout.write(_line(layout, job))
    return 0


def _wanted(job: JobOut, options: dict[str, str]) -> bool:
    if "states" in options:
        return matches(job, options["states"]) and _named(job, options)
    return state_of(job) not in ENDED and _named(job, options)


def _named(job: JobOut, options: dict[str, str]) -> bool:
    return "name" not in options or job.name in options["name"].split(",")


def _line(layout: str, job: JobOut | None) -> str:
    """The headings without a job."""

    def cell(match: "re.Match[str]") -> str:
        right, width, letter = match.groups()
        if letter not in SQUEUE:
            raise InvalidInput(
                f"Invalid job format specification: {match[0]}", fix=f"letters: {' '.join(sorted(SQUEUE))}"
            )
        heading, field = SQUEUE[letter]
        text = field(job) if job else heading
        if not width:
            return text
        return text[: int(width)].rjust(int(width)) if right else text[: int(width)].ljust(int(width))

    return _LETTER.sub(cell, layout) + "\n"

"""Following a job: its state while it waits, its output while it runs, one line when it ends."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from fabriek.cli.output import clean
from fabriek.cli.screen import Taker, taker
from fabriek.kernel.clock import SystemClock
from fabriek.kernel.errors import NotPermitted, Unavailable
from fabriek.schemas.compute import JobOut

if TYPE_CHECKING:
    from fabriek.sdk import Fabriek

PATIENCE = 30
"""How often a broken line is taken up again before we give up: the server may be restarting."""


def follow(factory: "Fabriek", job: str, *, quiet: bool = False) -> JobOut:
    """Streams the job's output until it ends. Ctrl-C detaches and says how to come back; the job goes on.

    quiet: standard output is for one JSON object, so that the job's own goes to standard error.
    """

    def note(line: str) -> None:
        if not quiet:
            print(clean(line), file=sys.stderr, flush=True)  # noqa: T201  # beside the job's own output

    try:
        note(f"job {job}")
        _stream(factory, job, note, taker(sys.stderr if quiet else sys.stdout))
        ended = factory.jobs.wait(job)
    except KeyboardInterrupt:
        note(f"\ndetached; the job goes on. Come back: fabriek job follow {job}    Stop it: fabriek job cancel {job}")
        raise
    note(_last_line(ended))
    return ended


def _stream(factory: "Fabriek", job: str, note: Callable[[str], None], out: Taker) -> None:
    clock, offset = SystemClock(), 0
    said = ""
    for attempt in range(PATIENCE):
        try:
            for part in factory.jobs.log(job, follow=True, offset=offset):
                offset += len(part)
                out.write(part)
                out.flush()
        except NotPermitted as error:
            note(f"the log is withheld: {error.detail}")
            return
        except Unavailable:
            if attempt == PATIENCE - 1:
                raise
            clock.sleep(1)
            continue
        shown = factory.jobs.why(job)
        if shown.state in {"succeeded", "failed", "cancelled", "lost", "suspended"}:
            return
        if shown.why != said:
            said = shown.why
            note(said)
        clock.sleep(0.2)


def _last_line(job: JobOut) -> str:
    parts = [f"{job.state}: {job.reason}" if job.reason else job.state]
    if job.exit_code not in (None, 0):
        parts.append(f"exit code {job.exit_code}")
    if job.used:
        parts.append(f"used {job.used}")
    if job.run:
        parts.append(f"run {job.run}")
    return " · ".join(parts)

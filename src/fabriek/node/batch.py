"""One attempt as a batch job of its own: what the scheduler starts on a node."""

from pathlib import Path

from fabriek.kernel.wiping import wipe
from fabriek.node.supervisor import Doors, run_attempt
from fabriek.schemas.node import JobSpec


def run(job_file: str, doors: Doors) -> int:
    """Runs the attempt to its end and leaves nothing of it on the node. 0 also when the job failed: how it ended is in its state."""
    file = Path(job_file)
    try:
        job = JobSpec.from_json(file.read_text("utf-8"))
    except FileNotFoundError:  # read before, by the batch job that runs this attempt
        return 0
    scratch = Path(job.scratch)
    mine = not scratch.exists()
    scratch.mkdir(exist_ok=True, mode=0o700)
    try:
        # The tokens in it are read: it need not lie about for as long as the job runs.
        run_attempt(job, doors, lambda: file.unlink(missing_ok=True))
    finally:
        if mine:
            wipe(scratch)
    return 0

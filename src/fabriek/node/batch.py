"""One attempt as a batch job of its own: what the scheduler starts on a node."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fabriek.kernel.wiping import wipe
from fabriek.node.supervisor import Doors, run_attempt
from fabriek.schemas.node import JOB_FILE, JobSpec


def job_file_of(roster: str, task: str) -> str:
    """Of the task of an array: which attempt it is to run stands on its line of the roster. A roster that is gone names none."""
    file = Path(roster)
    try:
        member = file.read_text("utf-8").splitlines()[int(task)]
    except FileNotFoundError:
        return ""
    return str(file.parents[2] / member / JOB_FILE)


def run(job_file: str, doors: Doors) -> int:
    """Runs the attempt to its end and leaves nothing of it on the node. 0 also when the job failed: how it ended is in its state."""
    file = Path(job_file)
    try:
        job = JobSpec.from_json(file.read_text("utf-8"))
    except FileNotFoundError:  # read before, by the batch job that runs this attempt
        return 0
    if given := given_by(os.environ):
        job = replace(
            job, devices=(given,), gpus_visible=os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, given))
        )
    scratch = Path(job.scratch)
    mine = not scratch.exists()
    scratch.mkdir(exist_ok=True, parents=True, mode=0o700)
    try:
        # The tokens in it are read: it need not lie about for as long as the job runs.
        run_attempt(job, doors, lambda: file.unlink(missing_ok=True))
    finally:
        if mine:
            wipe(scratch)
    return 0


def given_by(environment: Mapping[str, str]) -> tuple[int, ...]:
    """The GPUs that the scheduler gave a batch job, or a step of it, on this node, by the machine's numbers; none where it names none by number."""
    said = (
        environment.get("SLURM_STEP_GPUS")
        or environment.get("SLURM_JOB_GPUS")
        or environment.get("CUDA_VISIBLE_DEVICES")
        or ""
    )
    return tuple(int(one) for one in said.split(",")) if re.fullmatch(r"\d+(,\d+)*", said, re.ASCII) else ()

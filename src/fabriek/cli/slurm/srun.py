"""`srun` outside of any job: a command as a job, its output here, its exit code ours."""

import sys
from pathlib import Path

from fabriek.cli.screen import taker
from fabriek.cli.session import connect
from fabriek.cli.slurm.options import known
from fabriek.cli.slurm.sbatch import KNOWN as OF_SBATCH
from fabriek.cli.slurm.sbatch import asked_of
from fabriek.kernel.errors import InvalidInput

KNOWN = known(
    " ".join(f"{letter}={name}" for letter, name in OF_SBATCH.short.items() if letter not in "WH")
    + " u=unbuffered l=label",
    " ".join(OF_SBATCH.valued | {"mpi", "cpu-bind", "kill-on-bad-exit"}),
    " ".join(OF_SBATCH.flags | {"unbuffered", "label", "pty"}),
)


def run(words: list[str]) -> int:
    """The job's exit code. Raises InvalidInput without a command, and for a terminal, which a batch job does not have."""
    options, command = KNOWN.read(words)
    if not command:
        raise InvalidInput("no command given to execute", fix="srun hostname")
    if "pty" in options:
        raise InvalidInput("there is no terminal here", fix="fabriek job shell JOB, of one that runs")
    factory = connect()
    begins, workspace = Path.cwd(), factory.jobs.workspace().path
    shared = bool(workspace) and Path(workspace) in (begins, *begins.parents)
    asked = asked_of(options, str(begins) if shared else "") | {"requeues_max": 0}
    words = ["srun", "-n", str(asked["tasks"]), "--", *command] if asked["tasks"] > 1 else command
    job = factory.jobs.run(words, **asked)
    out = taker()
    for part in factory.jobs.log(job.id, follow=True):
        out.write(part)
        out.flush()
    ended = factory.jobs.wait(job.id)
    if ended.reason:
        sys.stderr.write(f"srun: error: {ended.reason}\n")
    return ended.exit_code if ended.exit_code is not None else 1

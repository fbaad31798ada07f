"""Slurm by its commands, as every release since 22.05 speaks them: words in an array, never a line for a shell."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence

from fabriek.compute.executors.slurm_dialect import BatchJob, InQueue, whole_of
from fabriek.kernel.errors import InvalidInput, Unavailable

ANSWER_SECONDS_MAX = 30
AWAY = re.compile(
    r"(?i)unable to contact|connection (refused|timed out)|socket timed out|zero bytes|munge|resource temporarily unavailable|"
    r"communication|slurm_persist_conn|authentication"
)
"""Slurm's words for what passes by itself: the controller, munge or the database is away."""

ACCOUNTS_OFF = "accounting storage is disabled"
"""The words of sacct, from 22.05 on, where a cluster keeps no accounts."""

IDS_AT_ONCE = 500
"""In one question: an argument list has an end."""


class SlurmCommands:
    """`configuration`: the path of slurm.conf; empty means the system's own."""

    def __init__(self, configuration: str = "") -> None:
        self._environment = {"PATH": os.defpath, "LC_ALL": "C", "SLURM_TIME_FORMAT": "%s"} | (
            {"SLURM_CONF": configuration} if configuration else {}
        )

    def submit(self, batch: BatchJob) -> str:
        """Slurm's id of the new job. Raises Unavailable, or InvalidInput with Slurm's own reason."""
        said = self._run("sbatch", "--parsable", *options_of(batch), text=batch.script).strip()
        return said.split(";")[0]

    def in_queue(self, ids: Sequence[str]) -> dict[str, InQueue]:
        """Those that the controller still knows. Raises Unavailable."""
        found: dict[str, InQueue] = {}
        wholes = list(dict.fromkeys(map(whole_of, ids)))
        for start in range(0, len(wholes), IDS_AT_ONCE):
            asked = wholes[start : start + IDS_AT_ONCE]
            found |= {one.id: one for one in self._queue("--jobs", ",".join(asked))}
        return found

    def named(self, name: str) -> list[str]:
        """The ids of jobs of ours by this name, those in the accounts too, oldest first. Raises Unavailable."""
        ids = [one.id for one in self._queue("--name", name)]
        told = self._in_accounts("JobID", "--name", name)
        return list(dict.fromkeys(map(whole_of, [*told.split(), *ids])))

    def ended(self, job_id: str, name: str) -> str:
        """How the accounts say that a job ended, in Slurm's word; empty when they do not know it, or there are none. Raises Unavailable."""
        lines = self._in_accounts("State", "--jobs", job_id, "--name", name).split("\n")
        return lines[0].split(" ")[0].strip()

    def cancel_waiting(self, job_id: str) -> None:
        """Takes a job out of the queue; one that runs goes on. Raises Unavailable."""
        if "_" in job_id and not self._is_held_back(job_id):
            return
        self._run("scancel", "--quiet", "--state", "PENDING", job_id)

    def cancel(self, job_id: str) -> None:
        """Ends a job, whatever it does. Raises Unavailable."""
        self._run("scancel", "--quiet", job_id)

    def let_go(self, job_id: str) -> None:
        """Lets a job start that the controller holds back. Raises Unavailable."""
        self._run("scontrol", "release", job_id)

    def ask(self, *words: str) -> str:
        """What another of Slurm's commands says. Raises Unavailable, InvalidInput."""
        return self._run(*words)

    def _is_held_back(self, task: str) -> bool:
        """Takes a task that waits out of its array, by holding it: scancel of 22.05 given a state ends all that wait as one with it."""
        try:
            self._run("scontrol", "hold", task)
        except InvalidInput:  # it runs, or is over
            return False
        return True

    def _in_accounts(self, column: str, *words: str) -> str:
        """Of the whole jobs meant. Nothing on a cluster that keeps no accounts: there, what has left the queue has left it without a word."""
        try:
            return self._run("sacct", "--noheader", "--allocations", "--parsable2", "--format", column, *words)
        except InvalidInput as error:
            if ACCOUNTS_OFF in error.detail:
                return ""
            raise

    def _queue(self, *words: str) -> Iterator[InQueue]:
        try:
            told = self._run("squeue", "--noheader", "--array", "--states", "all", "--format", "%i|%j|%T|%r", *words)
        except InvalidInput as error:
            if "Invalid job id" in error.detail:  # the only one asked about, and long gone
                return
            raise
        for line in told.splitlines():
            job_id, name, state, reason = [*line.split("|", 3), "", "", ""][:4]
            yield InQueue(job_id, name, state, reason)

    def _run(self, *words: str, text: str = "") -> str:
        try:
            done = subprocess.run(
                words, input=text, capture_output=True, text=True, env=self._environment, timeout=ANSWER_SECONDS_MAX, check=False, cwd="/"
            )  # fmt: skip
        except FileNotFoundError:
            raise Unavailable(f"{words[0]} is not installed", fix="apt install slurm-client") from None
        except subprocess.TimeoutExpired:
            raise Unavailable("Slurm does not answer", fix="sinfo", retry_after_seconds=5) from None
        if done.returncode == 0:
            return done.stdout
        said = " ".join((done.stderr or done.stdout).split())[:300]
        if words[0] == "scancel" and not said:  # there was nothing of that kind to cancel
            return ""
        if AWAY.search(said):
            raise Unavailable(f"Slurm does not answer: {said}", fix="sinfo", retry_after_seconds=5)
        raise InvalidInput(f"Slurm refused: {said}", fix="ask for what sinfo shows")


def options_of(batch: BatchJob) -> list[str]:
    """The words of sbatch."""
    options = [
        "--job-name", batch.name, "--time", str(batch.minutes), "--nodes", str(batch.nodes), "--ntasks-per-node", "1",
        "--cpus-per-task", str(batch.cpus), "--mem", f"{batch.memory_mib}M", "--requeue", "--export", "NIL", "--chdir", "/",
        "--output", batch.output, "--open-mode", "append",
    ]  # fmt: skip
    for option, value in (("--partition", batch.partition), ("--account", batch.account), ("--gres", batch.gres)):
        options += [option, value] if value else []
    if batch.tasks:
        options += ["--array", f"0-{batch.tasks - 1}"]
    return options

"""What the executor asks of Slurm, whichever way Slurm is spoken to: by its commands, or by its REST interface."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fabriek.compute.executors.accounts import Account


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One batch job to be made. `name` is its idempotency key; `output` takes what Slurm itself has to say. `gres`: `gpu:a100:2`, or
    empty; `partition` and `account` empty for Slurm's defaults. `tasks`: of an array, numbered from 0; 0 means that it is none.
    """

    name: str
    script: str
    minutes: int
    cpus: int
    memory_mib: int
    output: str
    nodes: int = 1
    gres: str = ""
    partition: str = ""
    account: str = ""
    tasks: int = 0


@dataclass(frozen=True, slots=True)
class InQueue:
    """A job as the controller has it: its id, `17_3` for a task of an array, and name, its state in Slurm's word, and why it waits. The id
    alone is no identity: a controller that was killed forgets its newest jobs and gives their ids to others.
    """

    id: str
    name: str
    state: str
    reason: str


def whole_of(job_id: str) -> str:
    """The array of a task, or the job itself."""
    return job_id.partition("_")[0]


class Accounts(Protocol):
    """What Slurm keeps of jobs that are over."""

    def of(self, names: Mapping[str, str]) -> Mapping[str, Account]:
        """By the ids of batch jobs, with the name that each must bear. Those that are still open or not known are left out. Raises Unavailable,
        NotFound where Slurm keeps no accounts.
        """


class Slurm(Protocol):
    """Every method raises Unavailable while controller, munge or database is away."""

    def submit(self, batch: BatchJob) -> str:
        """Slurm's id of the new job, or of the array as a whole. Raises InvalidInput with Slurm's own reason."""

    def in_queue(self, ids: Sequence[str]) -> Mapping[str, InQueue]:
        """Those that the controller still knows; of an array each task by itself, whether it was asked about or not."""

    def named(self, name: str) -> Sequence[str]:
        """The ids of jobs of ours by this name, those in the accounts too, oldest first; of an array that of the whole."""

    def ended(self, job_id: str, name: str) -> str:
        """How the accounts say that a job ended, in Slurm's word; empty when they do not know it."""

    def cancel(self, job_id: str) -> None:
        """Ends a job, whatever it does."""

    def cancel_waiting(self, job_id: str) -> None:
        """Takes a job out of the queue; one that runs goes on."""

    def let_go(self, job_id: str) -> None:
        """Lets a job start that the controller holds back."""

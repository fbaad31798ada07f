"""What every executor promises. It knows processes and files, and no word of the business."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from fabriek.compute.executors.accounts import Account
from fabriek.schemas.node import InputSpec, JobSpec, ObservedState, OutputSpec, Phase

__all__ = ["Executor", "Handle", "InputSpec", "JobSpec", "ObservedState", "OutputSpec", "Phase"]


@dataclass(frozen=True, slots=True)
class Handle:
    """One attempt of one job."""

    job: str
    attempt: int


class Executor(Protocol):
    """Runs attempts. Every method may be repeated; what was started outlives the process that asked for it."""

    def submit(self, spec: JobSpec) -> Handle:
        """Starts the attempt, or finds it started: the same attempt never runs twice. Raises Unavailable."""

    def poll(self, handles: Sequence[Handle]) -> list[ObservedState]:
        """How each is now, in the same order. An attempt whose supervisor is gone without a word is LOST."""

    def cancel(self, handle: Handle) -> None:
        """Asks the attempt to stop: SIGTERM, some grace, SIGKILL for the whole tree."""

    def logs(self, handle: Handle, offset: int, count: int) -> bytes:
        """Up to `count` bytes of output from an offset; empty where there is no more yet."""

    def release(self, handle: Handle) -> None:
        """Wipes what the attempt left on the machine, once everything of it was collected."""

    def warm_up(self) -> None:
        """Makes ready what the first job would otherwise wait for. Optional."""

    def close(self) -> None:
        """Lets go of helpers; attempts go on."""


@runtime_checkable
class Tells(Protocol):
    """A capability: it says at once when something of an attempt changed, so that it need not be looked at so often."""

    def when_changed(self, heard: Callable[[], None]) -> None:
        """Calls `heard`, in a thread of its own, until it is closed. A word may be lost: look now and then all the same."""


@runtime_checkable
class SubmitsMany(Protocol):
    """A capability: attempts are handed over together, for about the price of one. From then on each is an attempt like any other."""

    def submit_all(self, specs: Sequence[JobSpec]) -> Sequence[Handle]:
        """As `submit` of each. Raises Unavailable, or InvalidInput where some were refused: which, `submit` of each says."""


@runtime_checkable
class KeepsAccounts(Protocol):
    """A capability: the machine writes down by itself what each attempt took of it."""

    def accounts(self, handles: Sequence[Handle]) -> Sequence[Account | None]:
        """In the same order; None while it is not over by them, or not known. Raises Unavailable, NotFound where none are kept."""


@runtime_checkable
class Hears(Protocol):
    """A capability: what runs can be told something."""

    def tell(self, handle: Handle, word: str) -> None:
        """A signal for the job, `USR1`, or `steps:USR1` for all but its command; `again` stops it and asks that it be run once more,
        `preempt` the same after its signal and the time that it has from there; `extend:7200` gives it so many seconds in all.
        """


@runtime_checkable
class Reaches(Hears, Protocol):
    """A capability: what runs can be spoken to."""

    def door(self, handle: Handle) -> Path:
        """The folder that the attempt and its supervisor share, with the sockets that lead into it."""


@runtime_checkable
class Caps(Protocol):
    """A capability: what GPUs draw can be bounded while jobs run on them."""

    def cap(self, node: int, devices: Sequence[int], watts: int) -> None:
        """Each of these GPUs draws at most this from now on; 0 takes the bound away. May be repeated. Raises Unavailable."""

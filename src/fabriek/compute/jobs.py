"""A job: what was asked of the machine, and how far it is. Its state changes only through the table below."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from fabriek.compute.gpus import Gpus
from fabriek.compute.notices.notices import NoticeAsked
from fabriek.compute.placement import Placement
from fabriek.compute.secrets.secrets import SecretUse
from fabriek.compute.terms import Terms
from fabriek.compute.uses import Use
from fabriek.kernel.errors import InvalidInput, WrongState
from fabriek.kernel.purposes import Purpose

WALL_SECONDS_LIMIT = 366 * 86_400
"""No job may ask for more than a year: what is planned must have an end. The operator's policy sets a far lower one."""


class State(StrEnum):
    SUBMITTED = "submitted"
    QUEUED = "queued"
    ADMITTED = "admitted"
    STARTING = "starting"
    RUNNING = "running"
    SUSPENDED = "suspended"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.SUBMITTED: frozenset({State.QUEUED, State.CANCELLED}),
    State.QUEUED: frozenset({State.ADMITTED, State.CANCELLED}),
    State.ADMITTED: frozenset({State.STARTING, State.QUEUED, State.CANCELLED}),
    State.STARTING: frozenset({State.RUNNING, State.FAILED, State.LOST, State.QUEUED, State.CANCELLED}),
    State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.LOST, State.SUSPENDED}),
    State.SUSPENDED: frozenset({State.QUEUED, State.FAILED, State.LOST, State.CANCELLED}),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
    State.LOST: frozenset(),
}

EXIT_AGAIN = 75
"""With this code a job asks to run again: EX_TEMPFAIL of sysexits.h."""

ENDED = frozenset(state for state, onward in TRANSITIONS.items() if not onward)
"""States that nothing leads out of. A job that vanished is `lost`; it never becomes `succeeded`."""

ON_THE_MACHINE = frozenset({State.ADMITTED, State.STARTING, State.RUNNING})
"""States in which a job's room and power are taken, whether or not its processes stand yet."""


class Priority(StrEnum):
    """Urgent goes before normal, eco after it; eco is the first to be put back where others need the room."""

    ECO = "eco"
    NORMAL = "normal"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a job takes of the machine, and for how long at most: CPUs, GPUs and memory on each of its nodes. `among`: the nodes on which it may
    stand; empty where it may on each. Raises InvalidInput on what no machine can give.
    """

    cpus: int
    gpus: Gpus
    memory_bytes: int
    wall_seconds_max: int
    nodes: int = 1
    among: tuple[int, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        # Asked for tens of thousands of times in a round: what a shape needs is kept by it.
        own = (self.cpus, self.gpus, self.memory_bytes, self.wall_seconds_max, self.nodes, self.among)
        object.__setattr__(self, "_hash", hash(own))
        # A shape below zero would plan a hole into the machine and be paid for it.
        if self.cpus < 1 or self.nodes < 1 or self.memory_bytes < 1:
            raise InvalidInput(
                "a job takes at least one node, one CPU and some memory",
                fix="give --nodes, --cpus and --memory above zero",
            )
        if not 1 <= self.wall_seconds_max <= WALL_SECONDS_LIMIT:
            raise InvalidInput("a job runs for at least a second and at most a year", fix="give --hours within that")

    def __hash__(self) -> int:
        return self._hash

    @property
    def cpus_in_all(self) -> int:
        return self.cpus * self.nodes

    @property
    def gpus_milli_in_all(self) -> int:
        return self.gpus.milli * self.nodes

    @property
    def memory_bytes_in_all(self) -> int:
        return self.memory_bytes * self.nodes


@dataclass(frozen=True, slots=True)
class JobInput:
    """A dataset version that the job reads, resolved at submission, and where the job sees it: nowhere, if it holds the job's image."""

    dataset: str
    dataset_name: str
    version: int
    version_id: str
    label: str
    mount: str


@dataclass(frozen=True, slots=True)
class EarlierLog:
    """The sealed output of an attempt that was followed by another: its object, and how many bytes it holds."""

    id: str
    size: int


@dataclass(frozen=True, slots=True)
class Job:
    """`number` is how people and Slurm's commands may call it; an array is called by the number of its first element.
    `label` is the highest of its inputs'. `started_at` is when the latest attempt began to run, `ran_seconds` what the
    attempts before it ran; `changed_at` is the instant of the last step. `code` is a version id of the vault, `output` another,
    `run` the lab's, `log` the sealed log; `held_micro` and `used_micro` repeat the ledger, in millionths of a `resource`.
    `cpus`, `gpus` and `memory_bytes` are for each of its `nodes`. `placed`: where the latest attempt stands or stood; `preempting`: it is
    being put back into the queue for another.
    """

    id: str
    project: str
    person: str
    name: str
    purpose: Purpose
    argv: tuple[str, ...]
    cpus: int
    gpus: Gpus
    memory_bytes: int
    wall_seconds_max: int
    share: str
    label: str
    submitted_at: datetime
    priority: Priority = Priority.NORMAL
    state: State = State.SUBMITTED
    reason: str = ""
    exit_code: int | None = None
    changed_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ran_seconds: float = 0.0
    attempts: int = 0
    inputs: tuple[JobInput, ...] = ()
    code: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    environment_hash: str = ""
    experiment: str = ""
    run: str = ""
    output: str = ""
    energy_joules: float = 0.0
    co2_grams: float = 0.0
    requirements: str = ""
    log: str = ""
    cancelling: bool = False
    resource: str = ""
    held_micro: int = 0
    used_micro: int = 0
    settled: bool = False
    number: int = 0
    array: str = ""
    array_number: int = 0
    array_index: int | None = None
    array_at_once: int = 0
    terms: Terms = field(default_factory=Terms)
    requeues: int = 0
    earlier_logs: tuple[EarlierLog, ...] = ()
    secrets: tuple[SecretUse, ...] = ()
    notify: tuple[NoticeAsked, ...] = ()
    use: Use = field(default_factory=Use)
    nodes: int = 1
    placed: Placement | None = None
    preempting: bool = False

    def __post_init__(self) -> None:
        Shape(self.cpus, self.gpus, self.memory_bytes, self.wall_seconds_max, self.nodes)

    @property
    def mounted(self) -> tuple[JobInput, ...]:
        """What it sees of its inputs: all but the version that holds its image."""
        return tuple(one for one in self.inputs if one.mount)

    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def shape(self) -> Shape:
        """With the time that is left: a job that was suspended does not get its hours twice; one that asked to run again begins anew."""
        return Shape(
            self.cpus,
            self.gpus,
            self.memory_bytes,
            seconds_left(self.wall_seconds_max, self.ran_seconds, self.requeues),
            self.nodes,
        )

    @property
    def wall_seconds_paid(self) -> int:
        """The longest that all its attempts may run together: what is held for it."""
        return self.wall_seconds_max * (1 + self.terms.requeues_max)

    @property
    def short(self) -> str:
        """`17`, or `17_3` for an element of an array."""
        return f"{self.number}" if self.array_index is None else f"{self.array_number}_{self.array_index}"


def seconds_left(wall_seconds_max: int, ran_seconds: float, requeues: int) -> int:
    """For the attempt that runs or comes next; never below one."""
    left = ceil(wall_seconds_max * (1 + requeues) - ran_seconds)
    return min(wall_seconds_max, max(1, left))


def move(job: Job, to: State, *, at: datetime, reason: str = "", exit_code: int | None = None) -> Job:
    """The job one step on. Raises WrongState on a step that the table does not have.

    exit_code: what the supervisor wrote; `succeeded` takes 0 and nothing else.
    """
    if to not in TRANSITIONS[job.state]:
        raise WrongState(
            f"job {job.id} is {job.state}, it cannot become {to}",
            fix=f"fabriek job show {job.id}",
            state=str(job.state),
        )
    assert to is not State.SUCCEEDED or exit_code == 0, f"{job.id}: success without exit code 0"
    return replace(
        job,
        state=to,
        reason=reason,
        exit_code=exit_code if exit_code is not None else job.exit_code,
        changed_at=at,
        started_at=at if to is State.RUNNING else job.started_at,
        ended_at=at if to in ENDED else None,
        ran_seconds=ran_seconds(job, at),
        attempts=job.attempts + (to is State.STARTING),
    )


def may_run_again(job: Job) -> bool:
    """Whether a job that asks for it is put back into the queue."""
    return job.requeues < job.terms.requeues_max and not job.cancelling


def state_after(exit_code: int | None) -> State:
    """How a running job ended; None when nobody wrote how."""
    match exit_code:
        case None:
            return State.LOST
        case 0:
            return State.SUCCEEDED
        case _:
            return State.FAILED


def ran_seconds(job: Job, at: datetime) -> float:
    """Seconds that all attempts ran, up to this instant. A clock that jumped back takes nothing away."""
    if job.state is not State.RUNNING:
        return job.ran_seconds
    assert job.started_at is not None, f"{job.id} runs, and nobody wrote since when"
    return job.ran_seconds + max(0.0, (at - job.started_at).total_seconds())


def reserved_end(job: Job, now: datetime) -> datetime:
    """The instant by which the job's room is free again at the latest. Its time counts from when it runs."""
    begins = job.started_at if job.state is State.RUNNING and job.started_at is not None else now
    return begins + timedelta(seconds=job.shape.wall_seconds_max)

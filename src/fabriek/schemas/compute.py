"""Jobs and power on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from fabriek.schemas.base import NAME, NAME_WORDS, Title, Wire, written
from fabriek.schemas.forecasts import StartOut
from fabriek.schemas.secrets import SecretUsed
from fabriek.schemas.shapes import GpusAsked, PriorityAsked, SignalAsked

Word = Annotated[str, StringConstraints(min_length=1, max_length=4_096)]
Name = Annotated[str, written(NAME, NAME_WORDS)]
Parameter = Annotated[
    str, written(r"^[A-Za-z][A-Za-z0-9_]{0,31}$", "letters, digits and _, a letter first, 32 at most")
]
Line = Annotated[str, written(r"^[^\x00-\x1f\x7f]*$", "one line of text", max_length=100)]
"""What stands in lists beside the names of others: one that held a line break would forge their lines."""

Value = Annotated[str, written(r"^[^\x00]*$", "text", max_length=250)]
ImageAsked = Annotated[str, written(r"^[^\x00-\x1f\x7f]*$", "one line of text", max_length=1_200)]
MountPoint = Annotated[
    str,
    written(r"^/[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$", "a folder such as /data", max_length=200),
]


class InputIn(Wire):
    """A dataset version and where the job sees it. `dataset` is `name`, `name@3` or `project/name@3`."""

    dataset: Annotated[str, Field(min_length=1, max_length=200)]
    mount: MountPoint


class JobIn(Wire):
    """What is asked of the machine. Absent limits take the defaults shown.

    `array` is `0-99%4`: one job for each number, four at a time. `sweep` makes one for each combination; `{name}` in the command is its
    value. `after` names jobs to wait for: `JOB` until it has succeeded, or `afterany:JOB`, `afternotok:JOB`, `after:JOB`. `signal` is
    `USR1@60`: a word before the time is over. With exit code 75 the job asks to run again, `requeues_max` times at most. `folder` lies in
    the project's workspace. `network` is `none`, `host`, or the hosts that it reaches: `pypi.example,github.example:8443`. `port`: where it
    serves. `cpus`, `gpus` and `memory_bytes` are for each of `nodes`; `gpus` is a number, a part of one such as 0.25, or of a kind, `a100:2`. The
    command runs on each node, with `batch` on the first alone. `tasks`: how many processes `srun` starts inside, on each node. `secrets` are the
    project's: `NAME` as the variable of that name, `NAME=VARIABLE`, or `NAME=file:FILE` below /run/secrets. `notify` says whom to tell:
    `mail`, `https://…` or `secret:NAME` when it has ended, `begin,fail:mail` on these occasions. `image`: a SIF or squashfs file that it has in
    place of the machine's programs, `NAME@3:FILE` of the vault, or the operator's name for one. `work`: its kind of work, by which its
    draw is expected.
    """

    command: Annotated[list[Word], Field(min_length=1, max_length=200)]
    name: Line = ""
    code: Annotated[str, Field(max_length=200)] = ""
    inputs: Annotated[list[InputIn], Field(max_length=32)] = Field(default_factory=list)
    environment: Annotated[dict[Name, Annotated[str, Field(max_length=8_192)]], Field(max_length=100)] = Field(
        default_factory=dict
    )
    requirements: Annotated[str, Field(max_length=64_000, pattern=r"^[^\x00]*$")] = ""
    purpose: str = ""
    experiment: Line = ""
    gpus: GpusAsked = "0"
    cpus: Annotated[int, Field(ge=1, le=100_000)] = 1
    memory_bytes: Annotated[int, Field(ge=16 * 2**20, le=2**50)] = 2 * 2**30
    wall_seconds_max: Annotated[int, Field(ge=1, le=120 * 3600)] = 3600
    priority: PriorityAsked = "normal"
    array: Annotated[str, Field(max_length=1_000)] = ""
    sweep: Annotated[dict[Parameter, Annotated[list[Value], Field(max_length=5_000)]], Field(max_length=16)] = Field(
        default_factory=dict
    )
    after: Annotated[list[Annotated[str, Field(max_length=2_000)]], Field(max_length=100)] = Field(default_factory=list)
    not_before: AwareDatetime | None = None
    deadline: AwareDatetime | None = None
    requeues_max: Annotated[int, Field(ge=0, le=1_000)] = 0
    signal: SignalAsked = ""
    grace_seconds: Annotated[int, Field(ge=0, le=3_600)] | None = None
    preemptible: bool = False
    network: Annotated[
        str, written(r"^[A-Za-z0-9.:,*\[\] -]+$", "none, host, or hosts such as pypi.example:443", max_length=4_000)
    ] = "none"
    folder: Annotated[str, written(r"^(/[^\x00]*)?$", "a path that begins with /", max_length=1_000)] = ""
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    tasks: Annotated[int, Field(ge=1, le=1_024)] = 1
    nodes: Annotated[int, Field(ge=1, le=10_000)] = 1
    batch: bool = False
    secrets: Annotated[list[SecretUsed], Field(max_length=32)] = Field(default_factory=list)
    notify: Annotated[list[Annotated[str, Field(max_length=2_050)]], Field(max_length=4)] = Field(default_factory=list)
    image: ImageAsked = ""
    work: Line = ""


class NoticeOut(Wire):
    """What became of a notice: `waiting`, `sent` or `given up`, and why the last attempt failed."""

    id: str
    occasion: str
    to: str
    state: str
    tries: int
    error: str = ""
    sent_at: datetime | None = None


class AccountOut(Wire):
    """What the machine's own accounts say of the latest attempt: whole seconds, inputs and sealing among them."""

    batch_job: str
    state: str
    started_at: datetime | None
    ended_at: datetime
    elapsed_seconds: int
    cpu_seconds: float
    memory_bytes_peak: int
    allocated: str
    cancelled_by: str


class JobOut(Wire):
    """A job as it stands. `number` is a shorter name for it, `raw_number` one that no other job has even within an array;
    `elements` how many jobs its submission made; `ran_seconds` is what is charged once it has ended. `cpus`, `gpus` and `memory_bytes` are for
    each of its `nodes`; `gpus` is below one for a part of a GPU, and `gpu_kind` what was asked for, or given once it is let in.
    """

    id: str
    project: str
    name: str
    state: str
    reason: str
    command: list[str]
    inputs: list[str]
    label: str
    purpose: str
    share: str
    gpus: int | float
    cpus: int
    memory_bytes: int
    wall_seconds_max: int
    priority: str
    submitted_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ends_at: datetime | None = None
    exit_code: int | None = None
    run: str = ""
    output: str = ""
    environment_hash: str = ""
    held: str = ""
    used: str = ""
    energy_joules: float = 0.0
    energy_kwh: float = 0.0
    co2_grams: float = 0.0
    ran_seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_bytes_peak: int = 0
    account: AccountOut | None = None
    number: str = ""
    raw_number: str = ""
    array: str = ""
    elements: int = 1
    parameters: dict[str, str] = Field(default_factory=dict)
    after: list[str] = Field(default_factory=list)
    requeues: int = 0
    attempts: int = 0
    port: int = 0
    folder: str = ""
    person: str = ""
    tasks: int = 1
    array_index: int | None = None
    secrets: list[str] = Field(default_factory=list)
    notify: list[str] = Field(default_factory=list)
    notices: list[NoticeOut] = Field(default_factory=list)
    nodes: int = 1
    gpu_kind: str = ""
    preemptible: bool = False
    image: str = ""
    serves: str = ""
    work: str = ""


class SignalIn(Wire):
    """A word for a job that runs: `USR1`, or `steps:USR1` for all that its command started and not for the command itself."""

    signal: Annotated[str, Field(pattern=r"^(steps:)?(HUP|INT|TERM|CONT|USR1|USR2)$")]


class DoorOut(Wire):
    """Where a session is entered, once and within a minute. `host` and `port`: where its gate listens; `code`: what the address carries."""

    url: str
    host: str
    port: int
    name: str
    code: str


class ExtendIn(Wire):
    """More time for a job that runs."""

    seconds: Annotated[int, Field(ge=60, le=120 * 3600)]


class WorkspaceOut(Wire):
    """Where jobs and people of a project share files in plain; empty where the machine has no such folders."""

    path: str


class GpuKindOut(Wire):
    """GPUs that are alike: on how many nodes together there are so many, how much of them jobs have, and the smallest part one may ask for."""

    kind: str
    count: int
    used: int | float
    smallest: int | float


class MachineOut(Wire):
    """What there is, on all nodes together, and what jobs have of it now. Nodes are alike."""

    nodes: int
    cpus: int
    cpus_used: int
    gpus: int
    gpus_used: int | float
    memory_bytes: int
    memory_bytes_used: int
    running: int
    queued: int
    gpu_kinds: list[GpuKindOut] = Field(default_factory=list)


class PlanOut(Wire):
    """What would become of a job that was submitted now. `held` is its worst case, `left` what the project would have beside it."""

    starts_now: bool
    why: str
    elements: int = 1
    starting: int = 0
    until: datetime | None = None
    label: str
    purpose: str
    share: str
    held: str
    left: str


class ReceiptLineOut(Wire):
    """`what`: held, charged, given back or corrected. `transaction`: the posting in the ledger; `reason`: of a correction."""

    what: str
    amount: str
    at: datetime
    transaction: str
    reason: str = ""


class ReceiptOut(Wire):
    """What became of a job's credits, and why. `share` paid; `charged` is what it stands at, corrections among it;
    `energy_kwh` and `co2_grams` are estimates, by `work` where the job says a kind.
    Amounts are empty where nothing was ever set aside.
    """

    job: str
    number: str
    state: str
    share: str
    settled: bool
    ground: str
    held: str = ""
    charged: str = ""
    given_back: str = ""
    ran_seconds: float
    energy_kwh: float
    co2_grams: float = 0.0
    work: str = ""
    lines: list[ReceiptLineOut] = Field(default_factory=list)


class WhyOut(Wire):
    """One sentence: why the job is where it is. `until`: by when there is room at the worst; `start`: when it will probably start, where that was
    forecast.
    """

    job: str
    state: str
    why: str
    until: datetime | None = None
    start: StartOut | None = None


class PowerLimitIn(Wire):
    """A day-ahead limit: between these instants the factory draws at most this."""

    starts_at: datetime
    ends_at: datetime
    watts: Annotated[int, Field(ge=0, le=10**12)]
    source: Title = "operator"


class PowerLimitOut(Wire):
    """A limit in the series; `ended_early_at` where an operator took it back."""

    id: str
    starts_at: datetime
    ends_at: datetime
    watts: int
    source: str


class PowerOut(Wire):
    """What may be drawn now, and what running jobs are planned to draw. `allowed_watts` is null where nothing limits it. `step`: the highest of the
    power ladder that is being taken, `why` in one sentence; both empty where nothing is done or to come.
    """

    allowed_watts: int | None
    planned_watts: int
    limits: list[PowerLimitOut]
    step: str = ""
    why: str = ""
    capped: int = 0
    leaving: int = 0


class SimulateIn(Wire):
    """Replays this factory's finished jobs with some shares scaled: `{"shr_…": 2.0}` or by the funder's name."""

    scale: dict[str, Annotated[float, Field(gt=0, le=100)]] = Field(default_factory=dict)
    project: str = ""


class OutcomeOut(Wire):
    """One replay."""

    policy: str
    jobs: int
    wait_seconds_mean: float
    wait_seconds_max: float
    makespan_seconds: float
    used_by_share: dict[str, float]


class SimulatedOut(Wire):
    """The present policy beside the asked one."""

    outcomes: list[OutcomeOut]

"""What the server hands a node, and what the node writes down.

`job.json` holds tokens and stays in the job's memory-backed room; `state.json` holds none and is on disk, in the job's folder.
"""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

JOB_FILE = "job.json"
STATE_FILE = "state.json"
LOCK_FILE = "lock"
CANCEL_FILE = "cancel"
END_FILE = "end"
"""Beside it: one member of a gang on several hosts has failed, and all others are to end."""

MEMBER_FILE = "member.json"
"""What the members of a gang on several hosts are started with; it is gone when they are over."""

LOG_FILE = "log"
GROUPS_FILE = "groups"
NEWS_SOCKET = "news"
"""Beside the folders of the attempts: where their supervisors say that something changed."""

ROSTER_FILE = "roster"
"""Of attempts that a scheduler took as one array: on line n the name of the folder of task n, counted from 0."""

DOOR = "/run/job"
"""A folder that the job and its supervisor share: what it leaves there is read by us and means nothing to anybody else."""

AGAIN_FILE = "again"
SIGNAL_FILE = "signals"
"""In the attempt's folder, on each line a word of `Signal`: what is to be told to the job now."""

STEPS = "steps:"
"""Before a signal: for all that the command started, and not for the command itself, as Slurm does with the steps of a batch script."""

EXTEND = "extend:"
"""In place of a signal: how many seconds it may run in all, from its start."""

RUN_AGAIN = "again"
"""In place of a signal: the job is to be stopped and put back into the queue."""

PREEMPT = "preempt"
"""In place of a signal, said once: another needs the room. The job hears its signal, has the time before its end that it asked for to save its
state, and is then stopped and put back into the queue."""
JOBS_LAB = "/node/lab"
"""Below the server's address: what jobs find on their socket, for nodes of other hosts, which have no such socket."""

PORT_SOCKET = "port.sock"
SHELL_SOCKET = "shell.sock"

AUTO, COPY, MOUNT = "auto", "copy", "mount"
"""How inputs come: read in place where the node can mount them, copied, or not at all where it cannot."""

SECRETS = "/run/secrets"
"""A folder of the job's memory-backed room, inside the walls."""

HOME = "/home/job"
"""The job's working folder inside the walls."""

TAKEN = tuple(
    map(
        PurePosixPath,
        ("/bin /boot /dev /etc /lib /lib32 /lib64 /output /proc /run /sbin /sys /tmp /usr " + HOME).split(),
    )
)
"""Names inside the walls that are ours."""


def may_hold_input(mount: str) -> bool:
    """Whether a path inside the walls is plain and absolute, and neither holds nor lies in what is ours."""
    path = PurePosixPath(mount)
    plain = path.root == "/" and str(path) == mount and ".." not in path.parts and "\0" not in mount
    apart = not any(path == one or one in path.parents or path in one.parents for one in TAKEN)
    return plain and len(path.parts) > 1 and apart


@dataclass(frozen=True, slots=True)
class InputSpec:
    """A dataset version, the grant that opens it, and where the job sees it."""

    dataset: str
    version: int
    grant: str
    mount: str


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """The image whose files are the job's root: `file` of the version that `grant` opens; without a grant, a file of the machine."""

    file: str
    grant: str = ""


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """The upload that takes what the job leaves in /output."""

    upload: str


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """A secret that the job names, and where it finds it: in a variable, or in a file below `SECRETS`. Its value is not in here: the node
    asks for it when the job starts.
    """

    name: str
    variable: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """All that a node needs. `python`: the interpreter whose packages the job sees. `node_token` opens this job's inputs and
    takes its output; the sandbox never sees it. `lab_socket_dir` holds `lab.sock`; under a uid of its own the job passes to it only
    where the folder is 0711 and the socket 0666. The executor fills in `scratch`, a memory-backed room, and `folder`, on disk. `unsandboxed`:
    the operator lets this job, which reads nothing above the lowest label, run without walls.
    `log`: where its output is kept; empty means in the scratch. `signal` is sent `signal_seconds` before the time is over. `shared`: the
    project's workspace, bound at its own path, and `folder_inside` where in it the job begins; empty means its home. `port`: where it
    serves, to be reached through a socket of its room. `hosts`: `name:port` of each that it reaches through a proxy, `addresses`: inner ones to
    which these may lead. `slurm`: what it finds in the words of Slurm. `account`: under which it goes on a cluster; empty means the site's.
    `cpus`, `memory_bytes` and `processes_max` are for each of its `nodes`; on a machine of its own each is a member of the gang that the command
    runs as, unless it is a `batch` script, which runs once. `devices`: of each node the GPUs by the machine's numbers, where we give them or a
    scheduler granted them, which says in `gpus_visible` how programs count them; `gpus` whole ones on each node, or `gpu_part_milli` thousandths
    of one, of `gpu_kind`. `gpu_devices`: how the paths of their device files begin, before the number. `inputs_by`: one of `auto`, `copy` and
    `mount`. `image`: what it has in place of the machine's programs; None for those. `spread`: the words that start a member on another host,
    before the path of its file; empty where all nodes are this one. `partitions`: those of Slurm that it may go to, with commas; empty: the site's.
    `member`: which of them this is. `sample_seconds`: how often what it takes is
    looked at and logged to its run; 0: never.
    """

    job: str
    attempt: int
    argv: tuple[str, ...]
    environment: dict[str, str]
    inputs: tuple[InputSpec, ...]
    code: InputSpec | None
    python: str
    cpus: int
    memory_bytes: int
    processes_max: int
    wall_seconds_max: int
    log_bytes_max: int
    grace_seconds: int
    server_url: str
    node_token: str
    lab_socket_dir: str
    output: OutputSpec | None
    scratch: str = ""
    folder: str = ""
    unsandboxed: bool = False
    gpus: int = 0
    gpu_part_milli: int = 0
    gpu_kind: str = ""
    devices: tuple[tuple[int, ...], ...] = ()
    nodes: int = 1
    batch: bool = False
    log: str = ""
    signal: str = ""
    signal_seconds: int = 0
    shared: str = ""
    folder_inside: str = ""
    host_network: bool = False
    port: int = 0
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    slurm: dict[str, str] = field(default_factory=dict)
    secrets: tuple[SecretSpec, ...] = ()
    account: str = ""
    gpu_devices: str = "/dev/nvidia"
    gpus_visible: str = ""
    inputs_by: str = AUTO
    image: ImageSpec | None = None
    spread: tuple[str, ...] = ()
    member: int = 0
    partitions: str = ""
    sample_seconds: float = 0.0

    def in_all(self) -> "JobSpec":
        """With what all of its nodes take together, for one tree of processes that holds them all."""
        return replace(
            self, cpus=self.cpus * self.nodes, memory_bytes=self.memory_bytes * self.nodes, processes_max=self.processes_max * self.nodes
        )  # fmt: skip

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "JobSpec":
        plain: dict[str, Any] = json.loads(text)
        plain["argv"] = tuple(plain["argv"])
        for name in ("hosts", "addresses", "spread"):
            plain[name] = tuple(plain.get(name, ()))
        plain["inputs"] = tuple(InputSpec(**one) for one in plain["inputs"])
        plain["secrets"] = tuple(SecretSpec(**one) for one in plain["secrets"])
        plain["code"] = InputSpec(**plain["code"]) if plain["code"] else None
        plain["devices"] = tuple(tuple(each) for each in plain.get("devices", ()))
        plain["output"] = OutputSpec(**plain["output"]) if plain["output"] else None
        plain["image"] = ImageSpec(**plain["image"]) if plain.get("image") else None
        return cls(**plain)


class Phase(StrEnum):
    """How far a node is. A node never writes the last two. `lost`: it is gone without a word. `absent`: this machine knows nothing
    of the attempt, because it was not handed over yet or because what was left of it is gone.
    """

    STARTING = "starting"
    RUNNING = "running"
    SEALING = "sealing"
    DONE = "done"
    LOST = "lost"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class ObservedState:
    """One look at an attempt. `reason` is why it was stopped or could not run; empty when it ended by itself. `hint` helps its owner.
    `again`: it asked to run once more. `reached` and `refused`: how often it asked its proxy for each host. `image_hash`: of the file of its
    image, once that is unpacked.
    """

    phase: Phase
    exit_code: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cpu_seconds: float = 0.0
    memory_bytes_peak: int = 0
    log_bytes_dropped: int = 0
    reason: str = ""
    hint: str = ""
    output: str = ""
    again: bool = False
    reached: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    image_hash: str = ""

    def to_json(self) -> str:
        plain = asdict(self)
        for name in ("started_at", "ended_at"):
            plain[name] = plain[name].isoformat() if plain[name] else None
        return json.dumps(plain)

    @classmethod
    def from_json(cls, text: str) -> "ObservedState":
        plain: dict[str, Any] = json.loads(text)
        for name in ("started_at", "ended_at"):
            plain[name] = datetime.fromisoformat(plain[name]) if plain[name] else None
        plain["phase"] = Phase(plain["phase"])
        return cls(**plain)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this machine can do for jobs. `reason` and `fix` are empty where jobs can be kept apart and bounded. `images`: whether it can unpack
    the image that a job names.
    """

    bubblewrap: str
    version: str
    sandbox: bool
    limits: str
    reason: str = ""
    fix: str = ""
    images: bool = False


def write_whole(file: Path, text: str, *, named: bool = True) -> None:
    """The file has the old text or the new one, whatever happens; the new one is on the disk when this returns. Mode 0600.

    named: wait for its name as well. Where there is a file of this name already, a crash then leaves one of the two.
    """
    draft = file.with_name(f".{file.name}.draft")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8"
    ) as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    if not named:
        return
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

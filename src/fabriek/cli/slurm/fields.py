"""What a job shows under each of Slurm's field names, for squeue's letters and sacct's words alike."""

import getpass
from collections.abc import Callable
from datetime import UTC, datetime

from fabriek.cli.output import clean
from fabriek.cli.slurm.states import COMPACT, state_of
from fabriek.kernel.clock import SystemClock
from fabriek.schemas.compute import JobOut

PARTITION = "fabriek"
NODE = "job"

Field = Callable[[JobOut], str]


def written(text: str) -> str:
    """What somebody wrote, on one line and without controls: it stands among the words of others."""
    return clean(" ".join(text.splitlines()))


def raw_id(job: JobOut) -> str:
    """The number of the job itself; of an element beside its place in the array."""
    return job.raw_number


def array_number(job: JobOut) -> str:
    return job.number.partition("_")[0]


def node(job: JobOut) -> str:
    """The names that the job itself knows its nodes by."""
    if not job.started_at:
        return ""
    return NODE if job.nodes == 1 else f"{NODE}-[0-{job.nodes - 1}]"


def first_node(job: JobOut) -> str:
    return f"{NODE}-0" if job.started_at and job.nodes > 1 else node(job)


def reason(job: JobOut) -> str:
    """Slurm's one word for why a job waits."""
    if state_of(job) != "PENDING":
        return "None"
    return "Dependency" if job.after else "Resources"


def elapsed_seconds(job: JobOut) -> int:
    if job.started_at is None:
        return 0
    return max(0, int(((job.ended_at or SystemClock().now()) - job.started_at).total_seconds()))


def clock_of(seconds: int) -> str:
    """`1-02:03:04`, as sacct writes durations."""
    days, rest = divmod(seconds, 86_400)
    text = f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{days}-{text}" if days else text


def short_clock_of(seconds: int) -> str:
    """`3:04`, `1:02:03`, `1-02:03:04`, as squeue writes them."""
    if seconds < 3_600:
        return f"{seconds // 60}:{seconds % 60:02}"
    text = clock_of(seconds)
    return text.lstrip("0") if seconds < 86_400 else text


def at(instant: datetime | None) -> str:
    return f"{instant.astimezone():%Y-%m-%dT%H:%M:%S}" if instant else "Unknown"


def exit_code(job: JobOut) -> str:
    code = job.exit_code or 0
    return f"{code - 128}:0".replace(f"{code - 128}:0", f"0:{code - 128}") if 128 < code < 193 else f"{code}:0"


def tres(job: JobOut) -> str:
    """What it has on all its nodes together."""
    gpus = f",gres/gpu={job.gpus * job.nodes:g}" if job.gpus else ""
    cpus = job.cpus * job.nodes
    return f"billing={cpus},cpu={cpus}{gpus},mem={job.memory_bytes * job.nodes // 2**20}M,node={job.nodes}"


def gres(job: JobOut) -> str:
    """On each node."""
    kind = f"{job.gpu_kind}:" if job.gpu_kind else ""
    return f"gres/gpu:{kind}{job.gpus:g}" if job.gpus else "N/A"


def user(_job: JobOut) -> str:
    """Slurm's users are the machine's; the asker is one of them."""
    return getpass.getuser()


def epoch(instant: datetime | None) -> str:
    return str(int(instant.astimezone(UTC).timestamp())) if instant else "0"


SACCT: dict[str, Field] = {
    "account": lambda job: job.project, "alloccpus": lambda job: str(job.cpus * job.nodes),
    "allocnodes": lambda job: str(job.nodes) if job.started_at else "0",
    "alloctres": tres, "cluster": lambda _: "fabriek", "comment": lambda job: written(job.reason), "derivedexitcode": exit_code,
    "elapsed": lambda job: clock_of(elapsed_seconds(job)), "elapsedraw": lambda job: str(elapsed_seconds(job)),
    "end": lambda job: at(job.ended_at), "exitcode": exit_code, "jobid": lambda job: job.number, "jobidraw": raw_id,
    "jobname": lambda job: written(job.name), "maxrss": lambda _: "", "ncpus": lambda job: str(job.cpus * job.nodes),
    "nnodes": lambda job: str(job.nodes),
    "nodelist": lambda job: node(job) or "None assigned", "ntasks": lambda job: str(job.tasks * job.nodes), "partition": lambda _: PARTITION,
    "reqcpus": lambda job: str(job.cpus * job.nodes), "reqmem": lambda job: f"{job.memory_bytes // 2**20}M", "reqtres": tres,
    "start": lambda job: at(job.started_at),
    "state": state_of, "submit": lambda job: at(job.submitted_at), "timelimit": lambda job: clock_of(job.wall_seconds_max), "user": user,
    "workdir": lambda job: written(job.folder),
    "cputimeraw": lambda job: str(elapsed_seconds(job) * job.cpus * job.nodes), "restarts": lambda job: str(job.requeues),
    "qos": lambda job: job.priority, "reason": reason, "totalcpu": lambda job: clock_of(elapsed_seconds(job) * job.cpus * job.nodes),
}  # fmt: skip

SQUEUE: dict[str, tuple[str, Field]] = {
    "i": ("JOBID", lambda job: job.number), "A": ("JOBID", raw_id), "F": ("ARRAY_JOB_ID", array_number),
    "K": ("ARRAY_TASK_ID", lambda job: "N/A" if job.array_index is None else str(job.array_index)), "j": ("NAME", lambda job: written(job.name)),
    "T": ("STATE", state_of), "t": ("ST", lambda job: COMPACT[state_of(job)]), "u": ("USER", user), "P": ("PARTITION", lambda _: PARTITION),
    "M": ("TIME", lambda job: short_clock_of(elapsed_seconds(job))), "l": ("TIME_LIMIT", lambda job: short_clock_of(job.wall_seconds_max)),
    "D": ("NODES", lambda job: str(job.nodes)), "R": ("NODELIST(REASON)", lambda job: node(job) or f"({reason(job)})"), "r": ("REASON", reason),
    "B": ("EXEC_HOST", lambda job: first_node(job) or "n/a"), "N": ("NODELIST", node), "C": ("CPUS", lambda job: str(job.cpus * job.nodes)),
    "S": ("START_TIME", lambda job: at(job.started_at) if job.started_at else "N/A"), "V": ("SUBMIT_TIME", lambda job: at(job.submitted_at)),
    "a": ("ACCOUNT", lambda job: job.project), "m": ("MIN_MEMORY", lambda job: f"{job.memory_bytes // 2**20}M"),
    "Q": ("PRIORITY", lambda job: {"eco": "1", "urgent": "1000"}.get(job.priority, "100")), "q": ("QOS", lambda job: job.priority),
    "e": ("END_TIME", lambda job: at(job.ended_at) if job.ended_at else "N/A"), "Z": ("WORK_DIR", lambda job: written(job.folder) or "/home/job"),
    "E": ("DEPENDENCY", lambda job: ",".join(job.after) or "(null)"), "k": ("COMMENT", lambda job: written(job.reason) or "(null)"),
    "o": ("COMMAND", lambda job: written(job.command[0])),
    "b": ("TRES_PER_NODE", gres),
    "L": ("TIME_LEFT", lambda job: short_clock_of(max(0, job.wall_seconds_max - elapsed_seconds(job)))),
}  # fmt: skip

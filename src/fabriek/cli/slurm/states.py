"""Our states in Slurm's words."""

from fabriek.schemas.compute import JobOut

COMPACT = {
    "PENDING": "PD", "RUNNING": "R", "SUSPENDED": "S", "COMPLETING": "CG", "COMPLETED": "CD", "CANCELLED": "CA", "FAILED": "F",
    "TIMEOUT": "TO", "NODE_FAIL": "NF", "OUT_OF_MEMORY": "OOM", "DEADLINE": "DL", "REQUEUED": "RQ",
}  # fmt: skip
_PLAIN = {
    "submitted": "PENDING", "queued": "PENDING", "admitted": "PENDING", "starting": "PENDING", "running": "RUNNING",
    "suspended": "REQUEUED", "succeeded": "COMPLETED", "failed": "FAILED", "cancelled": "CANCELLED", "lost": "NODE_FAIL",
}  # fmt: skip
ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE"})


def state_of(job: JobOut) -> str:
    """As squeue's %T and sacct's State say it."""
    state = _PLAIN[job.state]
    if state == "FAILED" and job.reason.startswith("the time limit"):
        return "TIMEOUT"
    if state == "FAILED" and job.reason.startswith("the memory limit"):
        return "OUT_OF_MEMORY"
    if state == "CANCELLED" and "deadline" in job.reason:
        return "DEADLINE"
    return state


def matches(job: JobOut, wanted: str) -> bool:
    """Whether squeue's `--states` names it: full words or short ones, with commas between, or `all`."""
    state = state_of(job)
    asked = {one.strip().upper() for one in wanted.split(",")}
    return "ALL" in asked or state in asked or COMPACT[state] in asked

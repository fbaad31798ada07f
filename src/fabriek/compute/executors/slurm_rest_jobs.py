"""A job as slurmrestd is given it, and as it tells of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabriek.compute.executors.slurm_dialect import BatchJob

ALIVE = ("COMPLETING", "STAGE_OUT", "CONFIGURING", "RESIZING", "STOPPED", "SIGNALING")
"""What may stand beside a job's state and then says how it is: a cancelled job that is COMPLETING has not ended yet."""

NOTHING_SET = ["PATH=/usr/local/bin:/usr/bin:/bin"]
"""slurmrestd wants a variable at least; the supervisor brings its own."""


@dataclass(frozen=True, slots=True)
class Told:
    """One job in full. `own` is the id by which Slurm counts, of each task too; `id` the one that we know: `17_3` for a task of an array,
    `17` for those of its tasks that still wait as one.
    """

    own: str
    id: str
    name: str
    reason: str


def told_of(job: Mapping[str, Any]) -> Told:
    own, array, task = str(job["job_id"]), int(job["array_job_id"]["number"]), job["array_task_id"]
    job_id = own if not array else f"{array}_{task['number']}" if task["set"] else str(array)
    return Told(own, job_id, job["name"], job.get("state_description") or job.get("state_reason") or "")


def id_in_accounts(job: Mapping[str, Any]) -> str:
    """The id that we know it by."""
    array = job["array"]
    return f"{array['job_id']}_{array['task_id']['number']}" if array["job_id"] else str(job["job_id"])


def word_of(state: Sequence[str]) -> str:
    """One word of Slurm's for how it is."""
    return next((flag for flag in ALIVE if flag in state), state[0] if state else "")


def body_of(batch: BatchJob) -> dict[str, Any]:
    """What slurmrestd is given: as `sbatch` would give it, option by option."""
    job: dict[str, Any] = {
        "name": batch.name,
        "time_limit": {"set": True, "number": batch.minutes},
        "minimum_nodes": batch.nodes,
        "maximum_nodes": batch.nodes,
        "tasks_per_node": 1,
        "cpus_per_task": batch.cpus,
        "memory_per_node": {"set": True, "number": batch.memory_mib},
        "requeue": True,
        "environment": NOTHING_SET,
        "current_working_directory": "/",
        "standard_output": batch.output,
        "open_mode": ["APPEND"],
    }
    more = {
        "partition": batch.partition,
        "account": batch.account,
        "tres_per_node": batch.gres and f"gres/{batch.gres}",
        "array": f"0-{batch.tasks - 1}" if batch.tasks else "",
    }
    return {"script": batch.script, "job": job | {field: value for field, value in more.items() if value}}

"""Jobs on Slurm: each attempt one batch job, whose script starts the same supervisor that runs jobs on this machine.

The folder of an attempt lies where server and nodes both see it. Slurm says whether the batch job lives, the supervisor's `state.json`
how the attempt is. Our name of the batch job is its idempotency key, and the supervisor's lock the last word: whatever happens between
`sbatch` and our noting its answer, an attempt runs once.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fabriek.compute.executors import attempts
from fabriek.compute.executors.contract import Handle, JobSpec, ObservedState, Phase
from fabriek.compute.executors.slurm_dialect import BatchJob, InQueue, Slurm
from fabriek.compute.executors.slurm_script import script_of
from fabriek.kernel.wiping import wipe
from fabriek.schemas.node import CANCEL_FILE, JOB_FILE, LOG_FILE, STATE_FILE, write_whole

NODE = (sys.executable, "-m", "fabriek.node")
ASKED_FILE, ID_FILE = "asked", "slurm-id"
CANCELLED = "cancelled"

SEAL_SECONDS_MAX = 3_600
"""What a batch job gets beyond the job's own time and grace: results are sealed within it. The supervisor ends the job, Slurm only
what is left when the supervisor is gone."""

LIVES = frozenset({"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STAGE_OUT", "SIGNALING", "RESIZING", "STOPPED"})  # fmt: skip
HELD_BY_CRASH = "launch failed requeued held"
"""A batch job that was about to start when the controller died: it waits until somebody lets it go."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where jobs go. `scratch`: memory-backed room on each node."""

    partition: str = ""
    account: str = ""
    scratch: str = "/dev/shm"  # noqa: S108  # a folder of each attempt's own below it


class SlurmExecutor:
    """`jobs_dir`: on a file system that the server and every node see, and nobody else reads."""

    def __init__(self, jobs_dir: Path, slurm: Slurm, site: Site, *, node: Sequence[str] = NODE) -> None:
        self._folders, self._slurm, self._site, self._node = attempts.Folders(jobs_dir), slurm, site, node

    def submit(self, spec: JobSpec) -> Handle:
        handle = Handle(spec.job, spec.attempt)
        folder = self._folders.of(handle)
        if self._folders.tombstone(handle).exists() or (folder / STATE_FILE).exists() or self._id(handle):
            return handle
        folder.mkdir(exist_ok=True, mode=0o700)
        if (folder / ASKED_FILE).exists() and (known := self._slurm.named(_name(handle))):
            write_whole(folder / ID_FILE, known[-1])  # an answer that never reached us
            return handle
        scratch = f"{self._site.scratch}/{_name(handle)}"
        whole = replace(spec, scratch=scratch, folder=str(folder), log=str(folder / LOG_FILE))
        write_whole(folder / JOB_FILE, whole.to_json())
        self._ask(handle, whole)
        return handle

    def poll(self, handles: Sequence[Handle]) -> list[ObservedState]:
        """Raises Unavailable while nobody can say."""
        ids = {handle: self._id(handle) for handle in handles if not self._folders.final(handle)}
        asked = [job_id for job_id in ids.values() if job_id]
        queue = self._slurm.in_queue(asked) if asked else {}
        return [self._observe(handle, ids.get(handle, ""), queue) for handle in handles]

    def cancel(self, handle: Handle) -> None:
        folder = self._folders.of(handle)
        if not folder.is_dir() or self._folders.final(handle):
            return
        (folder / CANCEL_FILE).touch(mode=0o600)  # the supervisor looks for it, and before it begins too
        if job_id := self._id(handle):
            self._slurm.cancel_waiting(job_id)

    def tell(self, handle: Handle, word: str) -> None:
        attempts.tell(self._folders.of(handle), word)

    def logs(self, handle: Handle, offset: int, count: int) -> bytes:
        return attempts.read_part(self._folders.of(handle) / LOG_FILE, offset, count)

    def release(self, handle: Handle) -> None:
        folder = self._folders.of(handle)
        if folder.is_dir():
            write_whole(self._folders.tombstone(handle), self.poll([handle])[0].to_json())
            wipe(folder)

    def warm_up(self) -> None:
        """Slurm is warm."""

    def close(self) -> None:
        """Nothing is held."""

    def _ask(self, handle: Handle, spec: JobSpec) -> None:
        """Makes the batch job. Asked once more for one that the controller forgot."""
        folder = self._folders.of(handle)
        write_whole(folder / ASKED_FILE, _name(handle))
        write_whole(folder / ID_FILE, self._slurm.submit(self._batch(spec, _name(handle), folder)))

    def _batch(self, spec: JobSpec, name: str, folder: Path) -> BatchJob:
        return BatchJob(
            name=name,
            script=script_of(self._node, folder / JOB_FILE),
            minutes=math.ceil((spec.wall_seconds_max + spec.grace_seconds + SEAL_SECONDS_MAX) / 60),
            cpus=spec.cpus,
            memory_mib=math.ceil(spec.memory_bytes / 2**20),
            output=str(folder / "slurm.out"),
            gres=f"gpu:{spec.gpus}" if spec.gpus else "",
            partition=self._site.partition,
            account=self._site.account,
        )

    def _observe(self, handle: Handle, job_id: str, queue: Mapping[str, InQueue]) -> ObservedState:
        if (final := self._folders.final(handle)) is not None:
            return final
        state = attempts.read_state(self._folders.of(handle) / STATE_FILE)
        if not job_id:
            return state or ObservedState(Phase.ABSENT)
        seen = queue.get(job_id)
        seen = seen if seen is not None and seen.name == _name(handle) else None
        if seen is not None and seen.state in LIVES:
            if seen.state == "PENDING" and HELD_BY_CRASH in seen.reason:
                self._slurm.let_go(job_id)
            return state or ObservedState(Phase.STARTING)
        return self._gone(handle, job_id, seen)

    def _gone(self, handle: Handle, job_id: str, seen: InQueue | None) -> ObservedState:
        """Its batch job has left the queue. What the supervisor wrote last may have come to us meanwhile."""
        state = attempts.read_state(self._folders.of(handle) / STATE_FILE)
        if state is not None and state.phase is Phase.DONE:
            return state
        ended = seen.state if seen is not None else self._slurm.ended(job_id, _name(handle))
        if state is None and (self._folders.of(handle) / CANCEL_FILE).exists():
            return ObservedState(Phase.DONE, reason=CANCELLED)
        if state is None and not ended and (spec := self._unread(handle)) is not None:
            # The controller said yes, was killed before it wrote that down, and knows nothing of it: it never began.
            self._ask(handle, spec)
            return ObservedState(Phase.STARTING)
        reason = f"its batch job {job_id} is gone" + (f": {ended.lower().replace('_', ' ')}" if ended else "")
        return replace(state or ObservedState(Phase.LOST), phase=Phase.LOST, exit_code=None, reason=reason)

    def _unread(self, handle: Handle) -> JobSpec | None:
        """The job as it was handed over, as long as no node has read it."""
        try:
            return JobSpec.from_json((self._folders.of(handle) / JOB_FILE).read_text("utf-8"))
        except FileNotFoundError:
            return None

    def _id(self, handle: Handle) -> str:
        try:
            return (self._folders.of(handle) / ID_FILE).read_text("ascii")
        except FileNotFoundError:
            return ""


def _name(handle: Handle) -> str:
    """The name of its batch job."""
    return f"fabriek-{attempts.name_of(handle)}"

"""Jobs on Slurm: each attempt one batch job, whose script starts the same supervisor that runs jobs on this machine.

The folder of an attempt lies where server and nodes both see it. Slurm says whether the batch job lives, the supervisor's `state.json`
how the attempt is. Our name of the batch job is its idempotency key, and the supervisor's lock the last word: whatever happens between
`sbatch` and our noting its answer, an attempt runs once. Attempts that are alike can go as the tasks of one array.
"""

import math
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fabriek.compute.executors import attempts
from fabriek.compute.executors.accounts import Account
from fabriek.compute.executors.contract import Handle, JobSpec, ObservedState, Phase
from fabriek.compute.executors.disk import Disk
from fabriek.compute.executors.slurm_arrays import Roster, Rosters
from fabriek.compute.executors.slurm_dialect import Accounts, BatchJob, InQueue, Slurm, whole_of
from fabriek.compute.executors.slurm_notes import Noted, asks_again, note, note_ask_again, noted_in
from fabriek.compute.executors.slurm_script import array_script_of, script_of
from fabriek.compute.gpus import MILLI, UNNAMED
from fabriek.kernel.errors import NotFound
from fabriek.kernel.wiping import wipe
from fabriek.schemas.node import CANCEL_FILE, JOB_FILE, LOCK_FILE, LOG_FILE, STATE_FILE, write_whole

NODE = (sys.executable, "-m", "fabriek.node")
CANCELLED = "cancelled"

SEAL_SECONDS_MAX = 3_600
"""What a batch job gets beyond the job's own time and grace: results are sealed within it. The supervisor ends the job, Slurm only
what is left when the supervisor is gone."""

LIVES = frozenset({"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STAGE_OUT", "SIGNALING", "RESIZING", "STOPPED"})  # fmt: skip
HELD_BY_CRASH = "launch failed requeued held"
"""A batch job that was about to start when the controller died: it waits until somebody lets it go."""

NEVER_BEGAN = frozenset({"", "COMPLETED", *LIVES})
"""What may be said of a batch job that the controller does not have, whose supervisor never began. Nothing, or that it waits for ever: a
killed controller forgot it, and the accounts may have heard of it. Completed: by the end of the job that had its id before.
"""

ASKS_MAX = 10
"""How often it is asked for again. A node that does not see the attempts' folder completes each batch job without having begun it."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where jobs go. `scratch`: memory-backed room on each node. `shards`: into how many Slurm cuts each GPU; 0 where it cuts none."""

    partition: str = ""
    account: str = ""
    scratch: str = "/dev/shm"  # noqa: S108  # a folder of each attempt's own below it
    shards: int = 0


class SlurmExecutor:
    """`jobs_dir`: on a file system that the server and every node see, and nobody else reads."""

    def __init__(
        self, jobs_dir: Path, slurm: Slurm, site: Site, *, accounts: Accounts | None = None, node: Sequence[str] = NODE
    ) -> None:
        self._folders, self._slurm, self._site, self._node = attempts.Folders(jobs_dir), slurm, site, node
        self._rosters, self._disk, self._accounts = Rosters(jobs_dir), Disk(), accounts

    def submit(self, spec: JobSpec) -> Handle:
        handle = Handle(spec.job, spec.attempt)
        if not self._is_handed_over(handle):
            self._ask(handle, self._whole(spec))
        return handle

    def submit_all(self, specs: Sequence[JobSpec]) -> Sequence[Handle]:
        """One batch job, an array, of those that ask for the same."""
        handles = [Handle(spec.job, spec.attempt) for spec in specs]
        alike: dict[BatchJob, list[JobSpec]] = defaultdict(list)
        for handle, spec in zip(handles, specs, strict=True):
            if not self._is_handed_over(handle):
                alike[self._batch(spec)].append(self._whole(spec))
        for batch, asked in alike.items():
            self._ask_all(batch, asked)
        return handles

    def poll(self, handles: Sequence[Handle]) -> list[ObservedState]:
        """Raises Unavailable while nobody can say."""
        noted = {handle: self._noted(handle) for handle in handles if not self._folders.final(handle)}
        asked = [one.id for one in noted.values() if one is not None]
        queue = self._slurm.in_queue(asked) if asked else {}
        return [self._observe(handle, noted.get(handle), queue) for handle in handles]

    def accounts(self, handles: Sequence[Handle]) -> Sequence[Account | None]:
        if self._accounts is None:
            raise NotFound("this cluster keeps no accounts", fix="AccountingStorageType in slurm.conf")
        noted = {handle: one for handle in handles if (one := self._noted(handle)) is not None}
        found = self._accounts.of({one.id: one.name or _name(handle) for handle, one in noted.items()}) if noted else {}
        return [found.get(noted[handle].id) if handle in noted else None for handle in handles]

    def cancel(self, handle: Handle) -> None:
        folder = self._folders.of(handle)
        if not folder.is_dir() or self._folders.final(handle):
            return
        (folder / CANCEL_FILE).touch(mode=0o600)  # the supervisor looks for it, and before it begins too
        if noted := self._noted(handle):
            self._slurm.cancel_waiting(noted.id)

    def tell(self, handle: Handle, word: str) -> None:
        attempts.tell(self._folders.of(handle), word)

    def logs(self, handle: Handle, offset: int, count: int) -> bytes:
        return attempts.read_part(self._folders.of(handle) / LOG_FILE, offset, count)

    def release(self, handle: Handle) -> None:
        folder = self._folders.of(handle)
        if folder.is_dir():
            write_whole(self._folders.tombstone(handle), self.poll([handle])[0].to_json())
            noted = self._noted(handle)
            wipe(folder)
            self._drop_roster(noted)

    def warm_up(self) -> None:
        """Slurm is warm."""

    def close(self) -> None:
        self._disk.close()

    def _is_handed_over(self, handle: Handle) -> bool:
        """Whether Slurm has it, or had it. A folder without a note is of a server that died before the answer, or was refused one."""
        if self._folders.tombstone(handle).exists():
            return True
        folder = self._folders.of(handle)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            return (folder / STATE_FILE).exists() or self._noted(handle) is not None or self._find(handle)
        return False

    def _find(self, handle: Handle) -> bool:
        """Looks by name for the batch job whose id never reached us, an array's first, and notes it."""
        for roster in self._rosters.holding(attempts.name_of(handle)):
            if known := self._slurm.named(roster.name):
                self._note_all(roster, known[-1])
                return True
            self._rosters.drop(roster)
        if known := self._slurm.named(_name(handle)):
            note(self._folders.of(handle), Noted(known[-1]))
        return bool(known)

    def _whole(self, spec: JobSpec) -> JobSpec:
        handle = Handle(spec.job, spec.attempt)
        folder = self._folders.of(handle)
        scratch = f"{self._site.scratch}/{_name(handle)}"
        # Which devices, Slurm says on the node.
        spread = (*self._node, "member") if spec.nodes > 1 else ()
        return replace(spec, scratch=scratch, folder=str(folder), log=str(folder / LOG_FILE), devices=(), spread=spread)

    def _ask(self, handle: Handle, spec: JobSpec) -> None:
        """Makes the batch job. Asked once more for one that the controller forgot."""
        folder = self._folders.of(handle)
        batch = replace(
            self._batch(spec), name=_name(handle), script=script_of(self._node, folder / JOB_FILE), output=str(folder / "slurm.out")
        )  # fmt: skip
        with self._disk.keeping({folder / JOB_FILE: spec.to_json()}):
            note(folder, Noted(self._slurm.submit(batch)))

    def _ask_all(self, batch: BatchJob, specs: Sequence[JobSpec]) -> None:
        if len(specs) == 1:
            self._ask(Handle(specs[0].job, specs[0].attempt), specs[0])
            return
        roster = self._rosters.of([Path(spec.folder).name for spec in specs])
        whole = replace(
            batch, name=roster.name, script=array_script_of(self._node, roster.file), output=str(roster.output), tasks=len(specs)
        )  # fmt: skip
        files = {Path(spec.folder) / JOB_FILE: spec.to_json() for spec in specs}
        with self._disk.keeping({roster.file: roster.text} | files):
            self._note_all(roster, self._slurm.submit(whole))

    def _note_all(self, roster: Roster, array_id: str) -> None:
        for task, member in enumerate(roster.members):
            folder = self._folders.root / member
            if folder.is_dir() and noted_in(folder) is None:
                note(folder, Noted(f"{array_id}_{task}", roster.name))

    def _drop_roster(self, noted: Noted | None) -> None:
        """Once nothing is left of any of its attempts."""
        roster = self._rosters.named(noted.name) if noted and noted.name else None
        if roster and not any((self._folders.root / member).exists() for member in reversed(roster.members)):
            self._rosters.drop(roster)

    def _batch(self, spec: JobSpec) -> BatchJob:
        """What Slurm is asked for it, yet without name, script and output: equal for all that may go as one array."""
        return BatchJob(
            name="",
            script="",
            minutes=math.ceil((spec.wall_seconds_max + spec.grace_seconds + SEAL_SECONDS_MAX) / 60),
            cpus=spec.cpus,
            memory_mib=math.ceil(spec.memory_bytes / 2**20),
            output="",
            nodes=spec.nodes,
            gres=gres_of(spec, self._site.shards),
            partition=spec.partitions or self._site.partition,
            account=spec.account or self._site.account,
        )

    def _observe(self, handle: Handle, noted: Noted | None, queue: Mapping[str, InQueue]) -> ObservedState:
        if (final := self._folders.final(handle)) is not None:
            return final
        state = attempts.read_state(self._folders.of(handle) / STATE_FILE)
        if noted is None:
            return state or ObservedState(Phase.ABSENT)
        seen = queue.get(noted.id)
        seen = seen if seen is not None and seen.name == (noted.name or _name(handle)) else None
        if seen is not None and seen.state in LIVES:
            if seen.state == "PENDING" and state is not None and attempts.is_over(state):
                self._slurm.cancel_waiting(noted.id)  # a controller that forgot how far it was would start it once more
            elif seen.state == "PENDING" and HELD_BY_CRASH in seen.reason.replace("_", " "):
                self._slurm.let_go(noted.id)
            return state or ObservedState(Phase.STARTING)
        return self._gone(handle, noted, queue)

    def _gone(self, handle: Handle, noted: Noted, queue: Mapping[str, InQueue]) -> ObservedState:
        """Its batch job has left the queue. What the supervisor wrote last may have come to us meanwhile; and one whose batch job a killed
        controller forgot may live for as long as its node does not hear of that.
        """
        folder, name = self._folders.of(handle), noted.name or _name(handle)
        alive = attempts.is_held(folder / LOCK_FILE)
        state = attempts.read_state(folder / STATE_FILE)
        if alive or (state is not None and state.phase is Phase.DONE):
            return state or ObservedState(Phase.STARTING)
        if (other := self._other(noted, name)) is not None:
            note(folder, other)
            return state or ObservedState(Phase.STARTING)
        ended = self._ended(noted, name, queue)
        if state is None and (folder / CANCEL_FILE).exists():
            return ObservedState(Phase.DONE, reason=CANCELLED)
        if state is None and ended in NEVER_BEGAN and (spec := self._unread(handle)) is not None:
            note_ask_again(folder)
            self._ask(handle, spec)
            return ObservedState(Phase.STARTING)
        reason = f"its batch job {noted.id} is gone" + (f": {ended.lower().replace('_', ' ')}" if ended else "")
        return replace(state or ObservedState(Phase.LOST), phase=Phase.LOST, exit_code=None, reason=reason)

    def _ended(self, noted: Noted, name: str, queue: Mapping[str, InQueue]) -> str:
        """In Slurm's word; empty when nobody knows. A task that waited when somebody cancelled it is neither in the queue nor in the accounts,
        but the rest of its array is; a controller that forgets an array forgets all of it.
        """
        if noted.id in queue and queue[noted.id].name == name:
            return queue[noted.id].state
        rest = any(one.name == name and whole_of(one.id) == whole_of(noted.id) for one in queue.values())
        return self._slurm.ended(noted.id, name) or ("CANCELLED" if rest else "")

    def _other(self, noted: Noted, name: str) -> Noted | None:
        """A batch job of this attempt that lives, where two were made of it and the one that was noted found nothing left to do."""
        _, underscore, task = noted.id.partition("_")
        others = [found for one in self._slurm.named(name) if (found := f"{one}{underscore}{task}") != noted.id]
        queue = self._slurm.in_queue(others) if others else {}
        living = [one for one in others if one in queue and queue[one].name == name and queue[one].state in LIVES]
        return replace(noted, id=living[0]) if living else None

    def _unread(self, handle: Handle) -> JobSpec | None:
        """The job as it was handed over, as long as no node has read it; None too when it was asked for often enough."""
        if asks_again(self._folders.of(handle)) >= ASKS_MAX:
            return None
        try:
            return JobSpec.from_json((self._folders.of(handle) / JOB_FILE).read_text("utf-8"))
        except FileNotFoundError:
            return None

    def _noted(self, handle: Handle) -> Noted | None:
        return noted_in(self._folders.of(handle))


def gres_of(spec: JobSpec, shards: int) -> str:
    """`gpu:a100:2`, `gpu:2` where kinds have no names, `shard:2` for a part; empty without GPUs."""
    if spec.gpu_part_milli:
        return f"shard:{spec.gpu_part_milli * shards // MILLI}"
    kind = "" if spec.gpu_kind in {"", UNNAMED} else f"{spec.gpu_kind}:"
    return f"gpu:{kind}{spec.gpus}" if spec.gpus else ""


def _name(handle: Handle) -> str:
    """The name of its batch job."""
    return f"fabriek-{attempts.name_of(handle)}"

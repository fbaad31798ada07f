"""The leader of a gang on several hosts: it starts a member on each node as one step of Slurm, hears them, and ends all when one has failed.

It runs beside the first member, and nothing of the job runs in it. What is asked of the job while it runs, each member reads from the
attempt's folder by itself.
"""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fabriek.kernel.errors import Unavailable
from fabriek.node.logs import PIECE_BYTES, Log
from fabriek.node.staging import ends_with_parent
from fabriek.node.stopping import CANCELLED, ENDED_BY_ANOTHER
from fabriek.node.telling import Listener, Said
from fabriek.schemas.node import CANCEL_FILE, END_FILE, MEMBER_FILE, JobSpec, ObservedState, Phase, write_whole

LOOK_SECONDS = 0.5
JOIN_SECONDS_MAX = 300.0
"""How long members may take to say where they are: Slurm gave all nodes at once."""

END_SECONDS_MAX = 30.0
"""Beyond the job's grace, from the first failure to the end of every command."""

SILENT_SECONDS_MAX = 60.0
"""Of a member that gives a sign of life every few seconds: longer, and its node counts as gone."""

STEP_SECONDS_MAX = 10.0
"""What srun has to end a step that it was asked to end."""

STEP_FILE = "step"
"""In the attempt's folder: what srun itself has to say."""


def state_file(folder: Path, member: int) -> Path:
    """Where a member writes how it is."""
    return folder / f"member-{member}.json"


def part_file(folder: Path, member: int) -> Path:
    """Where a member hands over what it sealed. Holds keys; it is gone once all are one version."""
    return folder / f"part-{member}.json"


class Leader:
    """Of one attempt. `started` is called once a member's command runs."""

    def __init__(self, job: JobSpec, log: Log, started: Callable[[], None]) -> None:
        self._job, self._log, self._started = job, log, started
        self._folder = Path(job.folder)
        self._at: dict[int, str] = {}
        self._port = 0
        self._met = self._runs = self._ending = False
        self._ended: set[int] = set()
        self._over: set[int] = set()
        self._gone: set[int] = set()
        self._heard: dict[int, float] = {}
        self._first: int | None = None
        self._give_up = time.monotonic() + JOIN_SECONDS_MAX
        self._listener = Listener()

    def run(self) -> ObservedState:
        """How it went with all of them. Raises Unavailable where the step could not be started, OSError."""
        write_whole(self._folder / MEMBER_FILE, self._job.to_json())
        with (self._folder / STEP_FILE).open("ab") as said:
            try:
                step = subprocess.Popen(
                    step_of(self._job, self._folder / MEMBER_FILE), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
                    cwd="/", start_new_session=True, preexec_fn=ends_with_parent,  # noqa: PLW1509  # one thread here
                )  # fmt: skip
            except FileNotFoundError:
                raise Unavailable("srun is not installed on the node", fix="apt install slurm-client") from None
            with step:
                self._hear(step)
        (self._folder / MEMBER_FILE).unlink(missing_ok=True)
        states = {number: _read(state_file(self._folder, number)) for number in range(self._job.nodes)}
        seen = joined(states, self._first, _last_line(self._folder / STEP_FILE))
        never_met = not self._met and (self._folder / CANCEL_FILE).exists()
        return replace(seen, reason=CANCELLED, exit_code=None) if never_met else seen

    def _hear(self, step: "subprocess.Popen[bytes]") -> None:
        """Until the step is over and has said everything."""
        assert step.stdout is not None
        output, kill_at = step.stdout.fileno(), float("inf")
        poller = select.poll()
        poller.register(output, select.POLLIN)
        while time.monotonic() < kill_at:
            if poller.poll(LOOK_SECONDS * 1000):
                piece = os.read(output, PIECE_BYTES)
                if not piece:
                    return
                for said in self._listener.hear(piece):
                    self._take(said, step)
            self._miss()
            if kill_at == float("inf") and self._is_in_vain():
                kill_at = time.monotonic() + STEP_SECONDS_MAX
                step.terminate()  # srun ends every task of the step, if it can still reach it
        with suppress(ProcessLookupError):
            os.killpg(step.pid, signal.SIGKILL)

    def _take(self, said: Said, step: "subprocess.Popen[bytes]") -> None:
        self._heard[said.member] = time.monotonic()
        if not said.word:
            self._log.add(b"%d: %s\n" % (said.member, said.line))
        elif "address" in said.word:
            self._at[said.member] = str(said.word["address"])
            self._port = int(said.word["port"]) or self._port
            if len(self._at) == self._job.nodes and not self._met:
                self._met = True
                addresses = [self._at[number] for number in range(self._job.nodes)]
                _write(step, json.dumps({"addresses": addresses, "port": self._port}))
        elif "phase" in said.word:
            self._follow(said.member, said.word)

    def _follow(self, member: int, word: Mapping[str, object]) -> None:
        phase = Phase(str(word["phase"]))
        if phase is Phase.RUNNING and not self._runs:
            self._runs = True
            self._started()
        if phase is Phase.DONE:
            self._over.add(member)
        if phase not in {Phase.SEALING, Phase.DONE} or member in self._ended:
            return
        self._ended.add(member)
        if not self._ending and (word["exit_code"] != 0 or word["reason"]):
            self._first = member
            if not word["reason"]:
                self._log.add(f"member {member} ended with {word['exit_code']}, and ends all\n".encode())
            self._end_all()

    def _miss(self) -> None:
        """Whose node has not been heard of for too long is gone, and nobody waits for it."""
        silent = time.monotonic() - SILENT_SECONDS_MAX
        for member, heard in self._heard.items():
            if heard < silent and member not in self._over | self._gone:
                self._gone.add(member)
                self._log.add(f"member {member} is gone, and ends all\n".encode())
                self._end_all()

    def _end_all(self) -> None:
        if not self._ending:
            self._ending = True
            self._give_up = time.monotonic() + self._job.grace_seconds + END_SECONDS_MAX
            (self._folder / END_FILE).touch(mode=0o600)

    def _is_in_vain(self) -> bool:
        """Whether there is nobody left to wait for, or none that comes, or that ends when all are to end."""
        late = time.monotonic() > self._give_up
        if not self._met:
            return late or (self._folder / CANCEL_FILE).exists()
        if self._gone and len(self._over | self._gone) == self._job.nodes:
            return True
        return self._ending and late and len(self._ended | self._gone) < self._job.nodes


def step_of(job: JobSpec, file: Path) -> list[str]:
    """The step: one member on each node of the batch job. Nothing in it comes from a user."""
    return [
        "srun", "--nodes", str(job.nodes), "--ntasks", str(job.nodes), "--ntasks-per-node", "1", "--cpus-per-task", str(job.cpus),
        "--kill-on-bad-exit=1", "--wait=0", "--mpi=none", "--chdir=/", "--job-name", "members", *job.spread, str(file),
    ]  # fmt: skip


def joined(states: Mapping[int, ObservedState | None], first: int | None, said: str) -> ObservedState:
    """How all of them went, as one. first: who failed before all others; None where nobody did. said: by Slurm, of one that is gone."""
    there = {number: state for number, state in states.items() if state is not None}
    gone = [number for number in states if number not in there or there[number].phase is not Phase.DONE]
    reasons = [there[first].reason] if first is not None and first in there else []
    code = there[first].exit_code if first is not None and first in there else None if gone else 0
    if gone:
        reasons.append(f"member {gone[0]} is gone" + (f": {said}" if said else ""))
    # One whose results could not be sealed says so in its own reason, after it ended well.
    reasons += [one.reason for one in there.values() if one.reason not in (*reasons, ENDED_BY_ANOTHER)]
    return ObservedState(
        Phase.RUNNING,
        exit_code=code,
        started_at=min((one.started_at for one in there.values() if one.started_at), default=None),
        ended_at=max((one.ended_at for one in there.values() if one.ended_at), default=None),
        cpu_seconds=sum(one.cpu_seconds for one in there.values()),
        memory_bytes_peak=sum(one.memory_bytes_peak for one in there.values()),
        reason="; ".join(filter(None, reasons)),
        hint=next((one.hint for one in there.values() if one.hint), ""),
        again=any(one.again for one in there.values()),
        image_hash=next((one.image_hash for one in there.values() if one.image_hash), ""),
        reached=_summed([one.reached for one in there.values()]),
        refused=_summed([one.refused for one in there.values()]),
    )


def _summed(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {name: sum(one.get(name, 0) for one in counts) for name in {name for one in counts for name in one}}


def _read(file: Path) -> ObservedState | None:
    try:
        return ObservedState.from_json(file.read_text("utf-8"))
    except FileNotFoundError:
        return None


def _write(step: "subprocess.Popen[bytes]", line: str) -> None:
    assert step.stdin is not None
    try:
        step.stdin.write(line.encode() + b"\n")
        step.stdin.flush()
    except BrokenPipeError:  # the step is over: its output says so
        return


def _last_line(file: Path) -> str:
    lines = file.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("srun: error: ")[:300] if lines else ""

"""One attempt from start to end. It outlives the server: what it learns is in `state.json`, and its lock says that it lives."""

import fcntl
import os
import shutil
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from fabriek.kernel.errors import FabriekError, Unavailable
from fabriek.node.child import Child
from fabriek.node.inputs import Inputs, VaultInputs, open_inputs
from fabriek.node.limits import limiter
from fabriek.node.logs import Log
from fabriek.node.outputs import Outputs, VaultOutputs, drop_what_is_not_a_file
from fabriek.node.sandbox import Room, bubblewrap, uid_for
from fabriek.schemas.node import (
    CANCEL_FILE,
    JOB_FILE,
    LOCK_FILE,
    LOG_FILE,
    STATE_FILE,
    JobSpec,
    ObservedState,
    Phase,
    write_whole,
)

SEAL_PATIENCE_SECONDS = 3_600
"""How long results wait for a server that is away."""


def supervise(folder: Path) -> None:
    """Runs the attempt of this folder, unless another supervisor has it or had it."""
    job = JobSpec.from_json((folder / JOB_FILE).read_text("utf-8"))
    run_attempt(folder, job, VaultInputs(job), VaultOutputs(job))


def run_attempt(folder: Path, job: JobSpec, inputs: Inputs, outputs: Outputs) -> None:
    """The whole attempt. It never runs twice: the lock keeps a second supervisor out, the state a later one."""
    lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if (folder / STATE_FILE).exists():
        return
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    _Attempt(folder, job, inputs, outputs).run()


class _Attempt:
    def __init__(self, folder: Path, job: JobSpec, inputs: Inputs, outputs: Outputs) -> None:
        self._folder, self._job, self._inputs, self._outputs = folder, job, inputs, outputs
        self._room = Room(Path(job.scratch))
        self._state = ObservedState(Phase.STARTING)

    def run(self) -> None:
        self._write()
        try:
            self._execute()
        except FabriekError as error:
            self._done(reason=error.detail)
        except OSError as error:
            self._done(reason=f"the machine refused: {error.strerror or error}")
        finally:
            for place in (self._room.inputs, self._room.work, self._room.output):
                shutil.rmtree(place, ignore_errors=True)

    def _execute(self) -> None:
        job = self._job
        if not bubblewrap():
            raise Unavailable("bubblewrap is not installed, so jobs cannot be kept apart", fix="apt install bubblewrap")
        bounds = limiter(job)
        if bounds is None:
            raise Unavailable(
                "this machine has no way to bound a job run as root", fix="run the server as another user"
            )
        uid = uid_for(self._folder)
        self._room.prepare(uid)
        mounts = open_inputs(job, self._inputs, self._room.inputs)
        if job.code is not None:
            self._inputs.open(job.code, self._room.work)
            _give(self._room.work, uid)
        log = Log(self._room.scratch / LOG_FILE, job.log_bytes_max)
        child = Child(job, self._room, mounts, bounds, uid)
        self._set(Phase.RUNNING, started_at=_now())
        ended = child.run(log, stop_file=self._folder / CANCEL_FILE)
        missing = log.missing_module() if ended.exit_code else ""
        log.finish()
        hint = (
            f"the module {missing} is not in the job's environment: name it in a file and add --requirements FILE"
            if missing
            else ""
        )
        self._set(
            Phase.SEALING, exit_code=ended.exit_code, reason=ended.reason, ended_at=_now(), cpu_seconds=ended.cpu_seconds,
            memory_bytes_peak=ended.memory_bytes_peak, log_bytes_dropped=log.dropped, hint=hint,
        )  # fmt: skip
        self._done(output=self._seal())

    def _seal(self) -> str:
        """The version that holds /output; empty when the job left nothing there. Waits for a server that is away."""
        drop_what_is_not_a_file(self._room.output)
        if self._job.output is None or not any(self._room.output.iterdir()):
            return ""
        give_up = time.monotonic() + SEAL_PATIENCE_SECONDS
        while True:
            try:
                return self._outputs.seal(self._job.output, self._room.output)
            except Unavailable:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.5)

    def _done(self, *, reason: str = "", output: str = "") -> None:
        fields = {"reason": reason} if reason else {}
        self._set(Phase.DONE, output=output, ended_at=self._state.ended_at or _now(), **fields)

    def _set(self, phase: Phase, **fields: object) -> None:
        plain = {name: getattr(self._state, name) for name in ObservedState.__dataclass_fields__}
        self._state = ObservedState(**(plain | {"phase": phase} | fields))
        self._write()

    def _write(self) -> None:
        write_whole(self._folder / STATE_FILE, self._state.to_json())


def _give(folder: Path, uid: int | None) -> None:
    if uid is None:
        return
    for place in (folder, *folder.rglob("*")):
        os.chown(place, uid, uid, follow_symlinks=False)


def _now() -> datetime:
    return datetime.now(UTC)

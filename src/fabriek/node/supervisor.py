"""One attempt from start to end. It outlives the server: what it learns is in `state.json`, and its lock says that it lives."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fabriek.kernel.errors import FabriekError, Unavailable
from fabriek.kernel.wiping import wipe
from fabriek.node.bare import Bare, Loose
from fabriek.node.beside import Beside
from fabriek.node.bubblewrap import bubblewrap
from fabriek.node.child import Child, Ended
from fabriek.node.devices import devices_of
from fabriek.node.images.unpacking import Images, unpack
from fabriek.node.inputs import DamagedInput, Inputs, Opened, open_inputs
from fabriek.node.inside import Inside
from fabriek.node.leading import Leader, part_file
from fabriek.node.limits.limiter import Limiter, limiter
from fabriek.node.logs import Log, LogFile, Out
from fabriek.node.news import tell_news
from fabriek.node.outputs import Outputs, check_size, keep_what_may_leave
from fabriek.node.proxy import proxy_for
from fabriek.node.relay import Relay
from fabriek.node.room import LAB_SOCKET, PROXY_SOCKET, Room, owner_of, take_uid
from fabriek.node.sampling import sampling_of
from fabriek.node.sandbox import GANG_COMMAND, Openings, Walls
from fabriek.node.secrets import Secrets, in_files, in_variables
from fabriek.node.stopping import CANCELLED
from fabriek.node.variables import variables_of
from fabriek.schemas.node import (
    CANCEL_FILE,
    GROUPS_FILE,
    LOCK_FILE,
    LOG_FILE,
    STATE_FILE,
    JobSpec,
    ObservedState,
    OutputSpec,
    Phase,
    write_whole,
)

SEAL_PATIENCE_SECONDS = 3_600
"""How long results wait for a server that is away."""

SECRETS_PATIENCE_SECONDS = 300
"""How long a start waits for a server that is away."""

SEAL_RETRY_SECONDS = 0.5
Asked = TypeVar("Asked")
NOT_SEALED = "the results could not be sealed"
LOCK_TRIES, LOCK_RETRY_SECONDS = 50, 0.02


@dataclass(frozen=True, slots=True)
class Doors:
    """How data and secrets come in and results go out, for one job, and what bounds it (its own uid is the second argument)."""

    inputs: Callable[[JobSpec], Inputs]
    outputs: Callable[[JobSpec], Outputs]
    bounds: Callable[[JobSpec, int | None], Limiter] = limiter
    secrets: Callable[[JobSpec], Secrets] = field(kw_only=True)
    images: Callable[[JobSpec], Images] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where an attempt, or one member of it, is: the file of its state, its uid, addresses and names within, its log, variables of its own,
    who keeps its results, giving the name of what was kept, and who is told of each state. `leads`: members on other hosts run the job.
    """

    state: Path
    uid: Callable[[], int | None]
    hosts: Sequence[tuple[str, str]]
    log: Callable[[], Out]
    keep: Callable[[Outputs, OutputSpec, Path], str]
    changed: Callable[[ObservedState], None]
    words: Mapping[str, str] = field(default_factory=dict)
    leads: bool = False


def run_attempt(job: JobSpec, doors: Doors, begun: Callable[[], None]) -> None:
    """The whole attempt. It never runs twice: the lock keeps a second supervisor out, the state a later one. `begun` is called
    when its state is on the disk, or when another's is.
    """
    folder = Path(job.folder)
    lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not _take(lock, folder / STATE_FILE):
        begun()
        return
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    Attempt(job, doors, _alone(job)).run(begun)


def _take(lock: int, state: Path) -> bool:
    """Whether the attempt is ours to run. An executor that looks whether we live holds the lock for an instant too."""
    for _ in range(LOCK_TRIES):
        if state.exists():
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_RETRY_SECONDS)
        else:
            return not state.exists()
    return False


def _alone(job: JobSpec) -> Seat:
    """Of an attempt that is one tree of processes, or leads several."""
    folder = Path(job.folder)

    def changed(state: ObservedState) -> None:
        if state.phase is Phase.DONE:
            tell_news(folder)

    return Seat(
        state=folder / STATE_FILE,
        uid=lambda: take_uid(folder),
        hosts=tuple(hosts_of(job)),
        log=lambda: LogFile(Path(job.log) if job.log else Path(job.scratch, LOG_FILE)),
        keep=lambda outputs, spec, output: outputs.seal(spec, output),
        changed=changed,
        leads=bool(job.spread),
    )


class Attempt:
    def __init__(self, job: JobSpec, doors: Doors, seat: Seat) -> None:
        self._job, self._doors, self._seat = job, doors, seat
        self._folder, self._room = Path(job.folder), Room(Path(job.scratch))
        self._state = ObservedState(Phase.STARTING)
        self._opened = Opened()

    def run(self, begun: Callable[[], None]) -> None:
        self._set(Phase.STARTING)
        begun()
        try:
            if self._seat.leads:
                self._lead()
            else:
                self._execute()
        except FabriekError as error:
            self._done(reason=error.detail)
        except OSError as error:
            self._done(reason=f"the machine refused: {error.strerror or error}")
        except RecursionError:
            self._done(reason="folders are nested too deep")
        finally:
            self._opened.end()
            wipe(*self._room.opened)

    def _execute(self) -> None:
        job = self._job
        if not job.unsandboxed and not bubblewrap():
            raise Unavailable("bubblewrap is not installed, so jobs cannot be kept apart", fix="apt install bubblewrap")
        uid = self._uid()
        self._room.prepare(uid, self._seat.hosts)
        try:
            self._opened = open_inputs(job, self._doors.inputs(job), self._room, uid)
        except DamagedInput as error:
            log = Log(self._seat.log(), job.log_bytes_max)
            log.add(_line(error.wrong.log))
            log.finish()
            raise
        given = self._given()
        variables = variables_of(job, in_variables(job, given)) | dict(self._seat.words)
        in_files(job, given, self._room, uid)
        if (self._folder / CANCEL_FILE).exists():
            self._done(reason=CANCELLED)
            return
        root = self._image(uid)
        bounds = self._doors.bounds(self._in_all(), uid)
        if not job.spread:
            (self._folder / GROUPS_FILE).write_text("\n".join(map(str, bounds.places())), "utf-8")
        log = Log(self._seat.log(), job.log_bytes_max, given.values())
        relay = Beside(self._room.lab / LAB_SOCKET, partial(Relay, job.server_url), uid) if self._relayed() else None
        hosts = partial(proxy_for, job.hosts, job.addresses)
        proxy = Beside(self._room.proxy / PROXY_SOCKET, hosts, uid) if self._proxied() else None
        try:
            ended = self._child(variables, self._opened.mounts, bounds, uid, root).run(
                log, lambda: self._set(Phase.RUNNING, started_at=_now())
            )
            wrong = self._opened.end()
            log.add(_line(wrong.log))
        finally:
            log.finish()
            if proxy is not None:
                reached, refused = json.loads(proxy.end() or b"[{}, {}]")
                self._state = replace(self._state, reached=reached, refused=refused)
            if relay is not None:
                relay.end()
        self._seal(_with(ended, wrong.reason), log)

    def _lead(self) -> None:
        """Has members run it, each on its own node, and makes one version of what they leave."""
        job = self._job
        self._uid()  # of all members: none of their nodes can see which uids are taken on another
        log = Log(self._seat.log(), job.log_bytes_max)
        try:
            self._state = Leader(job, log, lambda: self._set(Phase.RUNNING, started_at=_now())).run()
        finally:
            log.finish()
        self._state = replace(self._state, log_bytes_dropped=log.dropped)
        files = {number: part_file(self._folder, number) for number in range(job.nodes)}
        parts = {number: file.read_text("utf-8") for number, file in files.items() if file.exists()}
        if job.output is None or not parts:
            self._done()
            return
        self._set(Phase.SEALING)
        try:
            outputs, spec = self._doors.outputs(job), job.output
            whole = self._patiently(lambda: outputs.whole(spec, parts))
        except (FabriekError, OSError) as error:
            self._done(reason="; ".join(filter(None, (self._state.reason, f"{NOT_SEALED}: {error}"))))
            return
        for number in parts:
            files[number].unlink(missing_ok=True)
        self._done(output=whole.version, hint=_apart(whole.apart) or self._state.hint)

    def _uid(self) -> int | None:
        """Whom the job runs as; None where it is who we are."""
        if self._job.unsandboxed:
            return None
        return owner_of(self._job.shared) if self._job.shared else self._seat.uid()

    def _given(self) -> Mapping[str, str]:
        """The job's secrets. Waits for a server that is away."""
        if not self._job.secrets:
            return {}
        return self._patiently(self._doors.secrets(self._job).given, SECRETS_PATIENCE_SECONDS)

    def _proxied(self) -> bool:
        return bool(self._job.hosts) and not self._job.unsandboxed

    def _relayed(self) -> bool:
        """Whether the lab is on another host, so that its socket is not here."""
        return not Path(self._job.lab_socket_dir).is_dir()

    def _lab_dir(self) -> str:
        return str(self._room.lab) if self._relayed() else self._job.lab_socket_dir

    def _image(self, uid: int | None) -> Path | None:
        """The root of the job's image; None for a job that has none."""
        if self._job.image is None:
            return None
        if self._job.unsandboxed:
            raise Unavailable("jobs run without walls here, and an image needs them", fix="fabriek doctor")
        unpacked = unpack(self._in_all(), self._doors.images(self._job), self._room, uid, self._doors.bounds)
        self._state = replace(self._state, image_hash=unpacked.hash)
        return unpacked.root

    def _in_all(self) -> JobSpec:
        """With what this tree of processes may take: of all nodes, or of its own."""
        return self._job if self._job.spread else self._job.in_all()

    def _child(
        self, variables: dict[str, str], mounts: Sequence[tuple[Path, str]], bounds: Limiter, uid: int | None, root: Path | None
    ) -> Child:  # fmt: skip
        job, room, inside = self._in_all(), self._room, bounds.inside()
        sampling = sampling_of(job, bounds, self._lab_dir(), uid)
        argv = job.argv if job.nodes == 1 or job.batch or job.spread else (GANG_COMMAND, str(job.nodes), *job.argv)
        if job.unsandboxed:
            bare = Bare(room, argv, variables, mounts, job.python, self._lab_dir(), inside, job.folder_inside, job.port)
            return Child(job, bare, bounds, Loose, sampling)
        openings = Openings(
            job.shared, job.folder_inside, job.port, host_network=job.host_network, proxy=self._proxied(),
            devices=tuple(devices_of(job)),
        )  # fmt: skip
        walls = Walls(
            room, argv, variables, mounts, job.python, self._lab_dir(), job.memory_bytes, inside, uid, openings, root
        )
        return Child(job, walls, bounds, Inside, sampling)

    def _seal(self, ended: Ended, log: Log) -> None:
        """Results are sealed however it ended: a job that ran out of time left its checkpoints."""
        self._state = replace(
            self._state, exit_code=ended.exit_code, reason=ended.reason, ended_at=_now(), cpu_seconds=ended.cpu_seconds,
            memory_bytes_peak=ended.memory_bytes_peak, again=ended.again, log_bytes_dropped=log.dropped,
            hint=_hint(log.missing_module() if ended.exit_code else ""),
        )  # fmt: skip
        try:
            keep_what_may_leave(self._room.output)
            check_size(self._room.output, self._job.memory_bytes)
            if self._job.output is None or not any(self._room.output.iterdir()):
                self._done()
                return
            self._set(Phase.SEALING)
            self._done(output=self._sealed())
        except (FabriekError, OSError, RecursionError) as error:
            lost = f"{NOT_SEALED}: {error}"
            self._done(reason=f"{ended.reason}; {lost}" if ended.reason else lost)

    def _sealed(self) -> str:
        """What the results are kept as."""
        spec, outputs = self._job.output, self._doors.outputs(self._job)
        assert spec is not None
        return self._patiently(lambda: self._seat.keep(outputs, spec, self._room.output))

    def _patiently(self, ask: Callable[[], Asked], seconds: float = SEAL_PATIENCE_SECONDS) -> Asked:
        """Waits for a server that is away."""
        give_up = time.monotonic() + seconds
        while True:
            try:
                return ask()
            except Unavailable:
                if time.monotonic() > give_up or (self._folder / CANCEL_FILE).exists():
                    raise
                time.sleep(SEAL_RETRY_SECONDS)

    def _done(self, **fields: Any) -> None:
        self._set(Phase.DONE, ended_at=self._state.ended_at or _now(), **fields)

    def _set(self, phase: Phase, **fields: Any) -> None:
        self._state = replace(self._state, phase=phase, **fields)
        # The first state keeps the attempt from running twice; of a later one, a crash of the machine may leave the one before.
        write_whole(self._seat.state, self._state.to_json(), named=phase is Phase.STARTING)
        self._seat.changed(self._state)


def hosts_of(job: JobSpec) -> Iterator[tuple[str, str]]:
    """Every node of a gang has a loopback address of its own, so that what listens on one does not keep others from it."""
    yield "127.0.0.1", "localhost job"
    for number, name in enumerate(job.slurm.get("SLURM_JOB_NODELIST", "").split(",") if job.nodes > 1 else ()):
        yield f"127.0.{number // 250}.{number % 250 + 1}", name


def _with(ended: Ended, said: str) -> Ended:
    """With what went wrong besides."""
    return replace(ended, reason="; ".join(filter(None, (ended.reason, said)))) if said else ended


def _line(said: str) -> bytes:
    """What we say in a job's log; nothing where there is nothing to say."""
    return f"\n[fabriek: {said}]\n".encode() if said else b""


def _apart(paths: Sequence[str]) -> str:
    if not paths:
        return ""
    return f"members left different files at {paths[0]}{f' and {len(paths) - 1} more paths' if paths[1:] else ''}: see /output/member-N"


def _hint(module: str) -> str:
    if not module:
        return ""
    return f"the module {module} is not in the job's environment: name it in a file and add --requirements FILE"


def _now() -> datetime:
    return datetime.now(UTC)

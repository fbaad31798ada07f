"""What this machine can do for jobs, found out by running one that does nothing."""

import sys
import tempfile
from pathlib import Path

from fabriek.kernel.errors import FabriekError
from fabriek.node.bubblewrap import bubblewrap, version
from fabriek.node.child import Child
from fabriek.node.images.unpacking import unsquashfs
from fabriek.node.inside import Inside
from fabriek.node.limits.limiter import limiter
from fabriek.node.logs import Log, LogFile
from fabriek.node.room import Room, take_uid
from fabriek.node.sandbox import Walls
from fabriek.node.variables import variables_of
from fabriek.schemas.node import Capabilities, JobSpec

SWITCHES = (
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0", "AppArmor keeps programs from making user namespaces"),
    ("kernel/unprivileged_userns_clone", "0", "1", "user namespaces are switched off"),
    ("user/max_user_namespaces", "0", "15000", "no user namespace is allowed"),
)
"""File below /proc/sys, the value that forbids, the one that allows, and what to say."""


def probe(settings: Path = Path("/proc/sys")) -> Capabilities:
    """Runs `true` through the same walls and bounds as every job."""
    program, number = bubblewrap(), ".".join(map(str, version()))
    if not program:
        return Capabilities(
            "", "", sandbox=False, limits="", reason="bubblewrap is not installed", fix="apt install bubblewrap"
        )
    try:
        limits = _try()
    except (FabriekError, OSError) as error:
        reason, fix = why(str(error), settings)
        return Capabilities(program, number, sandbox=False, limits="", reason=reason, fix=fix)
    return Capabilities(program, number, sandbox=True, limits=limits, images=bool(unsquashfs()))


def _try() -> str:
    """The kind of bounds that held. Raises Unavailable or OSError with what went wrong."""
    with tempfile.TemporaryDirectory(prefix="fabriek-probe-") as named:
        home = Path(named)
        folder, scratch, lab = (home / name for name in ("attempt", "scratch", "lab"))
        for one in (folder, scratch, lab):
            one.mkdir()
        job = JobSpec(
            job=home.name, attempt=1, argv=("true",), environment={}, inputs=(), code=None, python=sys.executable, cpus=1,
            memory_bytes=256 * 2**20, processes_max=16, wall_seconds_max=10, log_bytes_max=4096, grace_seconds=1,
            server_url="", node_token="", lab_socket_dir=str(lab), output=None, scratch=str(scratch), folder=str(folder),
        )  # fmt: skip
        uid = take_uid(folder)
        room = Room(scratch)
        room.prepare(uid)
        bounds = limiter(job, uid)
        walls = Walls(
            room, job.argv, variables_of(job, {}), (), job.python, str(lab), job.memory_bytes, bounds.inside(), uid
        )
        log = Log(LogFile(scratch / "log"), job.log_bytes_max)
        ended = Child(job, walls, bounds, Inside).run(log, lambda: None)
        log.finish()
        if ended.exit_code:
            raise OSError(f"a job that does nothing ended with {ended.exit_code}: {ended.reason or log.last_line()}")
        return bounds.kind


def why(said: str, settings: Path) -> tuple[str, str]:
    """What keeps the walls from standing, and the one command that mends it."""
    for name, forbids, allows, reason in SWITCHES:
        try:
            value = (settings / name).read_text("ascii").strip()
        except OSError:
            continue
        if value == forbids:
            return reason, f"sudo sysctl {name.replace('/', '.')}={allows}"
    return said, "see the message, then fabriek doctor again"

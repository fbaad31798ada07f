"""The memory-backed room of one attempt: what is opened for the job, what it writes, and the uid that it all belongs to."""

import fcntl
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fabriek.kernel.errors import Unavailable
from fabriek.schemas.node import HOME

FIRST_UID = 200_000
UIDS = 60_000
"""Real uids that jobs run under when we are root: one per job, from a range that no account uses."""

UID_FILE = "uid"
DOOR_FOLDER = "door"
PROXY_SOCKET = "proxy.sock"
LAB_SOCKET = "lab.sock"
INSIDE_UID = 1000


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
    def door(self) -> Path:
        """What the job and its supervisor share: what the job asks for, and the socket of its port."""
        return self.scratch / DOOR_FOLDER

    @property
    def lab(self) -> Path:
        """Holds the socket of the lab, where the lab is on another host."""
        return self.scratch / "lab"

    @property
    def proxy(self) -> Path:
        """Holds the socket of the proxy, for a job that named hosts."""
        return self.scratch / "proxy"

    @property
    def inputs(self) -> Path:
        return self.scratch / "inputs"

    @property
    def secrets(self) -> Path:
        return self.scratch / "secrets"

    @property
    def image(self) -> Path:
        """A room within, where the job's image is unpacked."""
        return self.scratch / "image"

    @property
    def opened(self) -> tuple[Path, ...]:
        """Where data stands in plain."""
        return (self.inputs, self.work, self.output, self.secrets, self.image)

    def prepare(self, uid: int | None, hosts: Iterable[tuple[str, str]] = (("127.0.0.1", "localhost"),)) -> None:
        """Makes the folders; what the job writes into belongs to its uid, and nobody else's uid gets past the door. hosts: addresses and
        names within.
        """
        if uid is not None:
            os.chown(self.scratch, 0, uid)
            self.scratch.chmod(0o710)
        else:
            self.scratch.chmod(0o700)
        for folder in (self.inputs, self.work, self.output, self.etc, self.door):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
        for name, text in (
            ("passwd", f"job:x:{INSIDE_UID}:{INSIDE_UID}:job:{HOME}:/bin/sh\n"),
            ("group", f"job:x:{INSIDE_UID}:\n"),
            ("hosts", "".join(f"{address} {name}\n" for address, name in hosts)),
            ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
            ("ld.so.cache", ""),
        ):
            file = self.etc / name
            file.write_text(text, "ascii")
            file.chmod(0o644)
        (self.etc / "alternatives").mkdir(exist_ok=True)
        for folder in (self.work, self.output, self.door):
            give(folder, uid)


def give(folder: Path, uid: int | None) -> None:
    """The folder and all in it to the job's uid; links themselves, never what they point at."""
    if uid is None:
        return
    os.chown(folder, uid, uid)
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            os.chown(os.path.join(parent, name), uid, uid, follow_symlinks=False)  # noqa: PTH118  # a walk over many files


def owner_of(shared: str) -> int | None:
    """Whom a job is that works in a shared folder: its owner, as everything else there; None where that is what we are.

    Raises Unavailable where it is neither ours nor are we root.
    """
    owner = Path(shared).stat().st_uid
    if owner == os.getuid() != 0:
        return None
    if owner == 0:
        raise Unavailable(f"{shared} belongs to root, and no job runs as root", fix=f"chown USER {shared}")
    if os.getuid():
        raise Unavailable(f"{shared} belongs to another user than the one that jobs run under", fix=f"chown {shared}")
    return owner


def take_uid(folder: Path) -> int | None:
    """A real uid for the attempt of this folder that no other attempt has, kept in its file `uid` until the folder is removed; None
    when we are not root, and jobs run as we do. Two jobs under one uid could signal and trace each other, and would share one count
    of processes.
    """
    if os.getuid():
        return None
    lock = os.open(folder.parent / "uids.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        taken = _taken(folder.parent)
        uid = next(uid for uid in range(FIRST_UID, FIRST_UID + UIDS) if str(uid) not in taken)
        (folder / UID_FILE).write_text(str(uid), "ascii")
        return uid
    finally:
        os.close(lock)


def uid_taken(folder: Path) -> int | None:
    """The uid that was taken for the attempt; None where none was."""
    try:
        return int((folder / UID_FILE).read_text("ascii"))
    except FileNotFoundError:
        return None


def _taken(attempts: Path) -> set[str]:
    """The uids of attempts that are not released yet. One may be, while we look: its folder goes without asking for our lock."""
    found = set()
    with os.scandir(attempts) as listed:
        for one in listed:
            with suppress(FileNotFoundError, NotADirectoryError):
                found.add(Path(one.path, UID_FILE).read_text("ascii").strip())
    return found

"""Root's own step before the walls: what the job's uid may not reach by its path is bound where it may, in a mount namespace of this
job alone; then root is given up for good.

We do it ourselves, between fork and exec, and not by one bubblewrap around another: the kernel delivers the signal that ends a
process with its parent under the dying parent's rights, so that the parent of a process under another uid must be root and remain it.
"""

import ctypes
import os
import signal
from collections.abc import Mapping

CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE, MS_SLAVE = 1, 2, 4, 4096, 16384, 1 << 18, 1 << 19
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38

STAGE = "/mnt"
"""Covered by an empty folder in the job's own mount namespace: a name that every Linux has."""

_libc = ctypes.CDLL(None, use_errno=True)


def stage(binds: Mapping[str, str]) -> None:
    """A mount namespace of this process alone, with each folder bound at its second name, below STAGE. Raises OSError."""
    _check(_libc.unshare(CLONE_NEWNS), "unshare")
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    # Opened first, since one of them may lie below the folder that is about to be covered.
    opened = {name: os.open(outside, os.O_PATH | os.O_CLOEXEC) for outside, name in binds.items()}
    _mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m")
    for name in binds.values():
        os.mkdir(name, 0o755)  # noqa: PTH102  # between fork and exec: no more than needed
        _mount(f"/proc/self/fd/{opened[name]}", name, "", MS_BIND | MS_REC)


def become(uid: int) -> None:
    """Gives up root and every group for good, and asks to end with the supervisor. Raises OSError."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _check(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    ends_with_parent()  # a change of uid had cleared it


def ends_with_parent() -> None:
    """Asks the kernel to kill us when who started us is gone. Raises OSError."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def set_apart() -> None:
    """From now on what this process mounts is seen by it and its children alone, and gone with the last of them. Raises OSError."""
    _check(_libc.unshare(CLONE_NEWNS), "unshare")
    _mount("none", "/", "", MS_REC | MS_SLAVE)


def mount_fuse(device: int, target: str, bytes_max: int) -> None:
    """Mounts what will be answered on a descriptor of /dev/fuse, for every uid to read. Raises OSError."""
    said = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions,max_read={bytes_max}"
    _mount("fabriek", target, "fuse", MS_RDONLY | MS_NOSUID | MS_NODEV, said)


def unmount(target: str) -> None:
    """At once, also where somebody is in it. Raises OSError."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    words = [os.fsencode(word) for word in (source, target, kind)]
    _check(_libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(data)), f"mount {target}")


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")

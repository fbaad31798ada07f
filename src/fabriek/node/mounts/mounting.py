"""Puts inputs in their places as file systems, in a mount namespace of this attempt alone: however it ends, they are gone with it."""

import json
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from fabriek.kernel.errors import BY_CODE, FabriekError, Unavailable
from fabriek.node.mounts.serving import STANDS, Told, serve
from fabriek.node.mounts.wire import READ_BYTES_MAX
from fabriek.node.staging import mount_fuse, set_apart, unmount
from fabriek.schemas.codes import Code
from fabriek.sdk.reading import Reading

DEVICE = "/dev/fuse"
SAID_BYTES_MAX = 2**20


def why_not() -> str:
    """Why nothing can be mounted here; empty where it can."""
    if os.geteuid():
        return "only root mounts inputs"
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return f"this machine has no {DEVICE}"
    return ""


class Mounts:
    """Mounted when made: each place shows what its reading holds. `end` takes all of them away."""

    def __init__(self, wanted: Mapping[Path, Callable[[], Reading]]) -> None:
        """wanted: an empty folder → opens what is to be seen there; called in the new process. Raises what that raises, and OSError where
        nothing can be mounted here.
        """
        self._places: list[Path] = []
        self._pid = 0
        self._ours, theirs = socket.socketpair()
        devices: list[int] = []
        try:
            set_apart()
            for place in wanted:
                devices.append(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
                mount_fuse(devices[-1], str(place), READ_BYTES_MAX)
                self._places.append(place)
            self._pid = os.fork()
            if self._pid == 0:
                self._ours.close()
                serve(devices, list(wanted.values()), theirs)
        except OSError:
            self.end()
            raise
        finally:
            theirs.close()
            for device in devices:
                os.close(device)
        self._hear()

    def end(self) -> Sequence[Told]:
        """Takes them away, also where somebody reads. What went wrong with each; empty where the process had died."""
        said = b""
        with closing(self._ours), suppress(OSError):
            self._ours.shutdown(socket.SHUT_WR)
            while piece := self._ours.recv(SAID_BYTES_MAX):
                said += piece
        for place in self._places:
            with suppress(OSError):  # it never stood
                unmount(str(place))
        self._places = []
        if self._pid:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
            self._pid = 0
        return [Told(**one) for one in json.loads(said or b"[]")]

    def _hear(self) -> None:
        """Until it stands. Raises the error that kept it from standing."""
        said = json.loads(self._ours.recv(SAID_BYTES_MAX) or b"null")
        if said == STANDS:
            return
        self.end()
        if said is None:
            raise Unavailable("the process that shows the inputs ended", fix="submit the job again")
        code, detail, fix = said
        raise BY_CODE.get(Code(code), FabriekError)(detail, fix=fix)

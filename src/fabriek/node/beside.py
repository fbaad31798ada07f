"""A process of ours beside a job, under the job's uid: it serves a socket file that the forwarder carries into the walls.

It is forked before the job, holds no right that the job has not, and ends with it, or with the supervisor.
"""

import encodings.idna  # noqa: F401  # every look-up of a name needs it, and the job's uid may have no right to read it then
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import chdir, closing, suppress
from pathlib import Path
from typing import Protocol

from fabriek.node.staging import become, ends_with_parent

CONNECTIONS_MAX = 128


class Service(Protocol):
    """Answers connections of the job."""

    def answer(self, connection: socket.socket) -> None:
        """One connection from its first byte to its last, in a thread of its own. Raises OSError where it left while we spoke."""

    def counted(self) -> bytes:
        """What the supervisor is told when it is over."""


class Beside:
    """Started when made. `make` runs in the new process while it may still read our files."""

    def __init__(self, file: Path, make: Callable[[], Service], uid: int | None) -> None:
        """file: the socket. uid: the job's own, to which the process changes; None where it is ours. Raises OSError."""
        file.parent.mkdir(exist_ok=True)
        file.parent.chmod(0o755)
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
            with chdir(file.parent):  # a socket's path may not be longer than some hundred characters
                listener.bind(file.name)
            file.chmod(0o666)
            listener.listen(CONNECTIONS_MAX)
            self._ours, theirs = socket.socketpair()
            self._pid = os.fork()
            if self._pid == 0:
                self._ours.close()
                _serve(make, listener, theirs, uid)
            theirs.close()

    def end(self) -> bytes:
        """Ends it; what it counted, empty where it had died."""
        with closing(self._ours), self._ours.makefile("rb") as said:
            self._ours.shutdown(socket.SHUT_WR)
            counted = said.read()
        with suppress(
            ProcessLookupError, ChildProcessError
        ):  # without walls, it ended with all that came from the supervisor
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        return counted


def _serve(make: Callable[[], Service], listener: socket.socket, line: socket.socket, uid: int | None) -> None:
    """Until the supervisor says that it is over; tells it the counts, and leaves."""
    try:
        service = make()
        if uid is None:
            ends_with_parent()
        else:
            become(uid)
        threading.Thread(target=_accept, args=(service, listener), daemon=True).start()
        line.recv(1)
        line.sendall(service.counted())
    finally:
        os._exit(0)


def _accept(service: Service, listener: socket.socket) -> None:
    room = threading.Semaphore(CONNECTIONS_MAX)
    while True:
        room.acquire()
        connection, _ = listener.accept()
        threading.Thread(target=_take, args=(service, connection, room), daemon=True).start()


def _take(service: Service, connection: socket.socket, room: threading.Semaphore) -> None:
    try:
        with closing(connection):
            service.answer(connection)
    except OSError:
        return  # it left while we spoke
    finally:
        room.release()

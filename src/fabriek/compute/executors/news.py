"""Hearing at once that something of an attempt changed, so that nobody need look all the time."""

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fabriek.schemas.node import NEWS_SOCKET


class News:
    """Listens on a socket file beside the attempts' folders, where their supervisors say that something changed. What is said is not
    read: it may be late, twice, or never come.
    """

    def __init__(self, folder: Path, heard: Callable[[], None]) -> None:
        self._place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        # By way of the folder's descriptor: a socket's path may not be longer than some hundred characters.
        self._file, self._heard = f"/proc/self/fd/{self._place}/{NEWS_SOCKET}", heard
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with suppress(FileNotFoundError):
            os.unlink(NEWS_SOCKET, dir_fd=self._place)  # of a server that was killed
        self._line.bind(self._file)
        self._over = False
        self._thread = threading.Thread(target=self._listen, name="fabriek-news", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over = True
        self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._line.close()
        with suppress(FileNotFoundError):
            os.unlink(NEWS_SOCKET, dir_fd=self._place)
        os.close(self._place)

    def _listen(self) -> None:
        while not self._over:
            self._line.recv(1)
            self._heard()

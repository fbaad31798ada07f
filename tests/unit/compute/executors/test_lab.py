"""The one way out: loopback within the walls leads to the lab's socket, also across a restart of the server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.factories.waiting import until
from tests.servers.machine import Machine

pytestmark = pytest.mark.sandbox

ASK = """
import socket, sys
def ask(word):
    with socket.create_connection(("127.0.0.1", 5000), 60) as s:
        s.sendall(word)
        s.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: s.recv(65536), b""))
"""


@contextmanager
def a_lab(path: Path) -> Iterator[list[bytes]]:
    """Answers every connection with what it said, in capitals; what was said so far."""
    heard: list[bytes] = []
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen()
        thread = threading.Thread(target=_answer, args=(listener, heard))
        thread.start()
        try:
            yield heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
    path.unlink()


def _answer(listener: socket.socket, heard: list[bytes]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            said = b"".join(iter(lambda: connection.recv(65536), b""))  # noqa: B023  # read at once
            heard.append(said)
            connection.sendall(said.upper())


def test_a_job_reaches_the_lab_over_loopback(machine: Machine) -> None:
    with a_lab(machine.lab / "lab.sock"):
        seen = machine.python(ASK + "print(ask(b'hello'), len(ask(b'x' * 3_000_000)))")
    assert seen.log == "b'HELLO' 3000000\n"


def test_a_restart_of_the_server_is_invisible_to_the_job(machine: Machine) -> None:
    with a_lab(machine.lab / "lab.sock"):
        handle = machine.start(
            "python", "-c", ASK + "print(ask(b'one')); sys.stdin = open('/home/job/go', 'w'); print(ask(b'two'))"
        )
        machine.said(handle, "ONE")
    until(lambda: not (machine.lab / "lab.sock").exists())
    with a_lab(machine.lab / "lab.sock"):
        seen = machine.ended(handle)
    assert seen.log == "b'ONE'\nb'TWO'\n"

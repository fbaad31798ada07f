"""A shell inside a running job, over the gate of sessions: this terminal's bytes there, and the shell's here."""

import os
import re
import select
import shutil
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fabriek.kernel.errors import NotAuthenticated, Unavailable
from fabriek.schemas.compute import DoorOut

ANSWER_SECONDS_MAX = 15
HEAD_BYTES_MAX = 64 * 1024
PIECE_BYTES = 64 * 1024
ENTER, SHELL = "/.fabriek/enter", "/.fabriek/shell"


def enter(door: DoorOut) -> int:
    """Returns when the shell has ended. Raises Unavailable where the gate does not answer."""
    head, _ = _asked(_connected(door), f"GET {ENTER}?code={door.code} HTTP/1.1\r\nHost: {door.name}\r\n\r\n")
    found = re.search(r"(?i)set-cookie: fabriek_door=([^;\s]+)", head)
    if found is None:
        raise NotAuthenticated("the gate did not let us in", fix="try again")
    columns, rows = shutil.get_terminal_size()
    line = _connected(door)
    head, early = _asked(
        line,
        f"GET {SHELL} HTTP/1.1\r\nHost: {door.name}\r\nAuthorization: Fabriek-Door {found[1]}\r\nWindow: {rows}x{columns}\r\n"
        "Connection: Upgrade\r\nUpgrade: fabriek-shell\r\n\r\n",
    )
    if " 101 " not in head.split("\r\n", 1)[0]:
        raise Unavailable("the job opens no shell", fix="is it running? fabriek job ls")
    with _raw():
        sys.stdout.buffer.write(early)
        sys.stdout.buffer.flush()
        _carry(line)
    return 0


def _carry(line: socket.socket) -> None:
    stdin = sys.stdin.fileno()
    watched = [line.fileno(), stdin]
    while True:
        pending = isinstance(line, ssl.SSLSocket) and line.pending()
        ready = [line.fileno()] if pending else select.select(watched, [], [])[0]
        if line.fileno() in ready:
            piece = line.recv(PIECE_BYTES)
            if not piece:
                return
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        if stdin in ready:
            typed = os.read(stdin, PIECE_BYTES)
            if typed:
                line.sendall(typed)
            else:
                line.sendall(b"\x04")  # the end of what we were given is the end of the shell
                watched.remove(stdin)


@contextmanager
def _raw() -> Iterator[None]:
    """Keys go through one by one, Ctrl-C among them; on a terminal only."""
    if not sys.stdin.isatty():
        yield
        return
    import termios  # noqa: PLC0415  # not on every system
    import tty  # noqa: PLC0415

    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _connected(door: DoorOut) -> socket.socket:
    name = door.name.partition(":")[0]
    secure = door.url.startswith("https://")
    try:
        plain = socket.create_connection((name if secure else door.host, door.port), ANSWER_SECONDS_MAX)
    except OSError as error:
        raise Unavailable(f"the gate of sessions does not answer ({error.strerror})", fix="fabriek doctor") from None
    return ssl.create_default_context().wrap_socket(plain, server_hostname=name) if secure else plain


def _asked(line: socket.socket, request: str) -> tuple[str, bytes]:
    """The head of the answer, and what came after it."""
    line.sendall(request.encode("ascii"))
    said = b""
    while b"\r\n\r\n" not in said and len(said) < HEAD_BYTES_MAX:
        piece = line.recv(PIECE_BYTES)
        if not piece:
            break
        said += piece
    line.settimeout(None)
    head, _, early = said.partition(b"\r\n\r\n")
    return head.decode("latin-1"), early

"""Inside the walls: runs the job's command, and carries its loopback port to the lab's socket.

Runs as `python -I -S forward.py PORT SOCKET SERVED LIMITS STATUS_FD [PORT=SOCKET] -- COMMAND…` with the standard library alone. SERVED is
`8888:/run/job`: the port where the command serves, or 0, and the folder for the socket files through which that port and a shell are
reached. LIMITS are resource limits for the command, `nproc=64,data=1000000`, or `-`. PORT 0 takes a free one, and the command is told.
PORT=SOCKET is one more way out. A byte on STATUS_FD says that the walls stand. Where the socket is gone because the server restarts, a
connection waits for it to come back. The exit code is the command's, or 128 + signal.

Every job waits for this program to start: it imports what is written in C, since `signal`, `socket` and `threading` around it would take
longer than the interpreter itself.
"""

import _socket
import _thread
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

    Way = Callable[[], "_socket.socket | None"]
else:
    import _signal as signal

PATIENCE_SECONDS = 60
RETRY_SECONDS = 0.1
PIECE_BYTES = 1 << 16
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
FOR_STEPS = {signal.SIGRTMIN + number: number for number in (*PASSED_ON, signal.SIGCONT)}
"""Comes as SIGRTMIN + n: signal n for all that the command started, and not for the command itself."""

HEARD = (*PASSED_ON, *FOR_STEPS)


def main(port: int, path: str, served: str, limits: str, status_fd: int, more: list[str], argv: list[str]) -> int:
    listener = listen(port)
    port_served, _, folder = served.partition(":")
    ways = {"shell.sock": lambda: shell(limits)} | (
        {"port.sock": lambda: serving(int(port_served))} if port_served != "0" else {}
    )
    doors = open_doors(folder, ways) + open_ports(more)
    if port == 0 and listener is not None:
        os.environ["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
    prefix, place = os.environ.get("PIP_PREFIX", ""), os.environ.get("PYTHONPATH", "").rpartition(":")[2]
    if prefix and place.startswith(f"{prefix}/"):  # an interpreter looks into no folder that was not there at its start
        os.makedirs(place, exist_ok=True)  # noqa: PTH103
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)  # none may come between the fork and the handlers
    child = os.fork()
    if child == 0:
        os.close(status_fd)
        run(argv, limits)
    group(child)
    os.write(status_fd, b"1")
    os.close(status_fd)
    for number in PASSED_ON:
        signal.signal(number, lambda got, _frame: pass_on(child, got))
    for marked in FOR_STEPS:
        signal.signal(marked, lambda got, _frame: to_steps(child, FOR_STEPS[got]))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
    if listener is not None:
        _thread.start_new_thread(accept, (listener, lambda: reach(path)))
    for door, other in doors:
        _thread.start_new_thread(accept, (door, other))
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def listen(port: int) -> "_socket.socket | None":
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        sys.stderr.write(f"the lab cannot be reached from here: {error.strerror}\n")
        return None
    listener.listen(64)
    return listener


def open_doors(folder: str, ways: "dict[str, Way]") -> "list[tuple[_socket.socket, Way]]":
    """Socket files in the folder that the job and its supervisor share: ways in from outside the walls."""
    opened = []
    begins = os.open(".", os.O_PATH)
    os.chdir(folder)  # a socket's path may not be longer than some hundred characters
    for name, way in ways.items():
        if os.path.lexists(name):
            os.unlink(name)  # noqa: PTH108
        door = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        door.bind(name)
        door.listen(64)
        opened.append((door, way))
    os.fchdir(begins)
    os.close(begins)
    return opened


def open_ports(more: list[str]) -> "list[tuple[_socket.socket, Way]]":
    """Ports within the walls that lead to sockets outside, each as `PORT=SOCKET`."""
    opened: list[tuple[_socket.socket, Way]] = []
    for one in more:
        port, _, path = one.partition("=")
        listener = listen(int(port))
        if listener is not None:
            opened.append((listener, lambda path=path: reach(path)))  # type: ignore[misc]  # each its own path
    return opened


def serving(port: int) -> "_socket.socket | None":
    """A connection to the command's port; None where nobody listens there yet."""
    inner = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        inner.connect(("127.0.0.1", port))
    except OSError:
        inner.close()
        return None
    return inner


def shell(limits: str) -> "_socket.socket | None":
    """One end of a pair, at whose other a shell answers once it was asked to, in HTTP's words for changing the protocol."""
    ours, theirs = _socket.socketpair()
    _thread.start_new_thread(run_shell, (theirs, limits))
    return ours


def run_shell(line: _socket.socket, limits: str) -> None:
    import fcntl  # noqa: PLC0415  # few jobs are ever entered: the others do not pay for it
    import pty  # noqa: PLC0415
    import struct  # noqa: PLC0415
    import subprocess  # noqa: PLC0415
    import termios  # noqa: PLC0415

    head = b""
    while b"\r\n\r\n" not in head:
        piece = line.recv(PIECE_BYTES)
        if not piece or len(head) > PIECE_BYTES:
            line.close()
            return
        head += piece
    said = head.decode("latin-1").lower()
    rows, _, columns = said.partition("window: ")[2].partition("\r\n")[0].partition("x")
    size = (int(rows), int(columns)) if rows.isdecimal() and columns.isdecimal() else (24, 80)
    line.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: fabriek-shell\r\n\r\n")
    outer, inner = pty.openpty()
    fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def begin() -> None:
        limit(limits)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    program = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"  # noqa: PTH110
    process = subprocess.Popen(
        [program], stdin=inner, stdout=inner, stderr=inner, start_new_session=True, preexec_fn=begin  # noqa: PLW1509  # two calls, no lock
    )  # fmt: skip
    os.close(inner)
    os.write(outer, head.partition(b"\r\n\r\n")[2])
    _thread.start_new_thread(copy, (line.recv, lambda piece: os.write(outer, piece)))
    copy(lambda count: os.read(outer, count), line.sendall)
    process.kill()
    line.shutdown(_socket.SHUT_RDWR)  # closing alone would not reach the thread that reads
    line.close()


def copy(read: "Callable[[int], bytes]", write: "Callable[[bytes], object]") -> None:
    try:
        while piece := read(PIECE_BYTES):
            write(piece)
    except OSError:  # a terminal whose last program has left says so in this way
        return


def group(child: int) -> None:
    """Both sides ask, since either may come first; when the command runs already, it has a group."""
    try:
        os.setpgid(child, child)
    except (PermissionError, ProcessLookupError):
        return


def pass_on(child: int, number: int) -> None:
    """To the command and all that it started in its group: a shell that waits for a program would keep the word to itself."""
    try:
        os.killpg(child, number)
    except ProcessLookupError:
        return


def to_steps(parent: int, number: int) -> None:
    """To all below the command: a batch script lives on, and what it started hears."""
    try:
        with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as listed:  # noqa: PTH123  # pathlib costs every job
            below = [int(word) for word in listed.read().split()]
    except OSError:
        return
    for one in below:
        to_steps(one, number)
        try:
            os.kill(one, number)
        except ProcessLookupError:
            continue


def run(argv: list[str], limits: str) -> None:
    os.setpgid(0, 0)
    for number in (*PASSED_ON, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
    limit(limits)
    try:
        os.execvp(argv[0], argv)
    except FileNotFoundError:
        sys.stderr.write(f"{argv[0]}: there is no such command in the job\n")
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
    sys.stderr.flush()
    os._exit(127)


def limit(limits: str) -> None:
    if limits == "-":
        return
    import resource  # noqa: PLC0415  # only where no control group bounds the job

    for one in limits.split(","):
        name, _, value = one.partition("=")
        resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (int(value), int(value)))


def accept(listener: _socket.socket, other: "Way") -> None:
    while True:
        descriptor, _ = listener._accept()  # type: ignore[attr-defined]  # noqa: SLF001  # all that `socket` adds is a class around it
        connection = _socket.socket(fileno=descriptor)
        try:
            _thread.start_new_thread(carry, (connection, other))
        except RuntimeError:  # the job has used up its processes: this connection fails, a later one may not
            connection.close()


def carry(connection: _socket.socket, other: "Way") -> None:
    end = other()
    if end is None:
        connection.close()
        return
    over = _thread.allocate_lock()
    over.acquire()

    def back() -> None:
        try:
            pipe(end, connection)
        finally:
            over.release()

    _thread.start_new_thread(back, ())
    pipe(connection, end)
    over.acquire()
    connection.close()
    end.close()


def reach(path: str) -> "_socket.socket | None":
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        lab = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            lab.connect(path)
        except OSError:
            lab.close()
            time.sleep(RETRY_SECONDS)
        else:
            return lab
    return None


def pipe(source: _socket.socket, target: _socket.socket) -> None:
    try:
        while piece := source.recv(PIECE_BYTES):
            target.sendall(piece)
        target.shutdown(_socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            try:
                end.shutdown(_socket.SHUT_RDWR)
            except OSError:
                continue


if __name__ == "__main__":
    words = sys.argv.index("--")
    port, path, served, limits, status, *more = sys.argv[1:words]
    code = main(int(port), path, served, limits, int(status), more, sys.argv[words + 1 :])
    sys.stderr.flush()
    os._exit(code)  # what the interpreter would clear away goes with its walls

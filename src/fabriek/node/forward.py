"""Inside the walls: runs the job's command, and carries its loopback port to the lab's socket.

Runs as `python -I -S forward.py PORT SOCKET SERVED LIMITS STATUS_FD -- COMMAND…` with the standard library alone. SERVED is
`8888:/run/job/port.sock` where the command serves on a port that is to be reached through a socket file, or `-`. LIMITS are resource
limits for the command, `nproc=64,data=1000000`, or `-`. PORT 0 takes a free one, and the command is told. A byte on STATUS_FD says that the
walls stand. Where the socket is gone because the server restarts, a connection waits for it to come back. The exit code is the
command's, or 128 + signal.
"""

import os
import resource
import signal
import socket
import sys
import threading
import time

TYPE_CHECKING = False  # typing itself would cost every job some milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 60
RETRY_SECONDS = 0.1
PIECE_BYTES = 1 << 16
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
FOR_STEPS = {signal.SIGRTMIN + number: number for number in (*PASSED_ON, signal.SIGCONT)}
"""Comes as SIGRTMIN + n: signal n for all that the command started, and not for the command itself."""

HEARD = (*PASSED_ON, *FOR_STEPS)


def main(port: int, path: str, served: str, limits: str, status_fd: int, argv: list[str]) -> int:
    listener = listen(port)
    door = open_door(served)
    if port == 0 and listener is not None:
        os.environ["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
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
        threading.Thread(target=accept, args=(listener, lambda: reach(path)), daemon=True).start()
    if door is not None:
        threading.Thread(target=accept, args=(door, lambda: serving(served)), daemon=True).start()
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def listen(port: int) -> "socket.socket | None":
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        sys.stderr.write(f"the lab cannot be reached from here: {error.strerror}\n")
        return None
    listener.listen(64)
    return listener


def open_door(served: str) -> "socket.socket | None":
    """A socket file through which the command's port is reached from outside the walls."""
    if served == "-":
        return None
    folder, name = os.path.split(served.partition(":")[2])  # in the job, where nothing is imported that need not be
    begins = os.open(".", os.O_PATH)
    os.chdir(folder)  # a socket's path may not be longer than some hundred characters
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(name)
    os.fchdir(begins)
    os.close(begins)
    door.listen(64)
    return door


def serving(served: str) -> "socket.socket | None":
    """A connection to the command's port; None where nobody listens there yet."""
    inner = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        inner.connect(("127.0.0.1", int(served.partition(":")[0])))
    except OSError:
        inner.close()
        return None
    return inner


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
    for limit in limits.split(",") if limits != "-" else ():
        name, _, value = limit.partition("=")
        resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (int(value), int(value)))
    try:
        os.execvp(argv[0], argv)
    except FileNotFoundError:
        sys.stderr.write(f"{argv[0]}: there is no such command in the job\n")
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
    sys.stderr.flush()
    os._exit(127)


def accept(listener: socket.socket, other: "Callable[[], socket.socket | None]") -> None:
    while True:
        connection, _ = listener.accept()
        try:
            threading.Thread(target=carry, args=(connection, other), daemon=True).start()
        except RuntimeError:  # the job has used up its processes: this connection fails, a later one may not
            connection.close()


def carry(connection: socket.socket, other: "Callable[[], socket.socket | None]") -> None:
    end = other()
    if end is None:
        connection.close()
        return
    back = threading.Thread(target=pipe, args=(end, connection), daemon=True)
    back.start()
    pipe(connection, end)
    back.join()
    connection.close()
    end.close()


def reach(path: str) -> "socket.socket | None":
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        lab = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            lab.connect(path)
        except OSError:
            lab.close()
            time.sleep(RETRY_SECONDS)
        else:
            return lab
    return None


def pipe(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(PIECE_BYTES):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


if __name__ == "__main__":
    port, path, served, limits, status, *_ = sys.argv[1:]
    sys.exit(main(int(port), path, served, limits, int(status), sys.argv[sys.argv.index("--") + 1 :]))

"""Inside the walls: runs the job's command, and carries its loopback port to the lab's socket.

Runs as `python -I -S forward.py PORT SOCKET LIMITS STATUS_FD -- COMMAND…` with the standard library alone. LIMITS are resource limits
for the command, `nproc=64,data=1000000`, or `-`. PORT 0 takes a free one, and the command is told. A byte on STATUS_FD says that the
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

PATIENCE_SECONDS = 60
RETRY_SECONDS = 0.1
PIECE_BYTES = 1 << 16
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main(port: int, path: str, limits: str, status_fd: int, argv: list[str]) -> int:
    listener = listen(port)
    if port == 0 and listener is not None:
        os.environ["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)  # none may come between the fork and the handlers
    child = os.fork()
    if child == 0:
        os.close(status_fd)
        run(argv, limits)
    group(child)
    os.write(status_fd, b"1")
    os.close(status_fd)
    for number in PASSED_ON:
        signal.signal(number, lambda got, _frame: pass_on(child, got))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    if listener is not None:
        threading.Thread(target=accept, args=(listener, path), daemon=True).start()
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


def run(argv: list[str], limits: str) -> None:
    os.setpgid(0, 0)
    for number in (*PASSED_ON, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
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


def accept(listener: socket.socket, path: str) -> None:
    while True:
        connection, _ = listener.accept()
        try:
            threading.Thread(target=carry, args=(connection, path), daemon=True).start()
        except RuntimeError:  # the job has used up its processes: this connection fails, a later one may not
            connection.close()


def carry(connection: socket.socket, path: str) -> None:
    lab = reach(path)
    if lab is None:
        connection.close()
        return
    back = threading.Thread(target=pipe, args=(lab, connection), daemon=True)
    back.start()
    pipe(connection, lab)
    back.join()
    connection.close()
    lab.close()


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
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[sys.argv.index("--") + 1 :]))

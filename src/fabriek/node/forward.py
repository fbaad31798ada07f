"""Inside the walls: runs the job's command, and carries its loopback port to the lab's socket.

Runs as `python -I -S forward.py PORT SOCKET -- COMMAND…` with the standard library alone. Where the socket is gone because the server
restarts, a connection waits for it to come back. The exit code is the command's, or 128 + signal.
"""

import os
import signal
import socket
import sys
import threading
import time

PATIENCE_SECONDS = 60
PIECE_BYTES = 1 << 16


def main(port: int, path: str, argv: list[str]) -> int:
    listener = listen(port)
    child = os.fork()
    if child == 0:
        run(argv)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda got, _frame: os.kill(child, got))
    if listener is not None:
        threading.Thread(target=accept, args=(listener, path), daemon=True).start()
    while True:
        try:
            ended, status = os.wait()
        except InterruptedError:
            continue
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


def run(argv: list[str]) -> None:
    for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
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
        threading.Thread(target=carry, args=(connection, path), daemon=True).start()


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
        except (FileNotFoundError, ConnectionRefusedError):
            lab.close()
            time.sleep(0.1)
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
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[sys.argv.index("--") + 1 :]))

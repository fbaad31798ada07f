"""Listening: the main app and the sessions' gate on TCP ports, the jobs' app on a socket file, in one event loop until a signal says stop."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from fabriek.gate.server import Gate
from fabriek.kernel.errors import AlreadyExists, InvalidInput

SHUTDOWN_SECONDS = 5


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: two of them in one process would fight over SIGTERM."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises AlreadyExists when the port is taken, InvalidInput when the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise AlreadyExists(
                f"port {port} is in use", fix=f"fabriek up --port {port + 1}, or --port 0 for a free one"
            ) from None
        raise InvalidInput(
            f"cannot listen on {host}:{port} ({error.strerror})", fix="choose another --host or --port"
        ) from None
    listener.listen(512)
    listener.set_inheritable(False)
    return listener


def listen_at(path: Path) -> socket.socket:
    """A listening socket file, for this user only; one that a dead server left is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o666)  # a job runs under a uid of its own; its token, not the file's mode, says which run it may reach
    listener.listen(512)
    return listener


def serve(
    main: ASGIApp, at: socket.socket, jobs: ASGIApp, jobs_at: socket.socket, gate: Gate, gate_at: socket.socket,
    ready: Callable[[], None],
) -> None:  # fmt: skip
    """Serves all three until SIGTERM or SIGINT; calls `ready` once they answer."""
    servers = [(_Server(_config(main)), at), (_Server(_config(jobs)), jobs_at)]

    async def both() -> None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            for server, _ in servers:
                server.force_exit = server.should_exit  # a second signal does not wait for open streams
                server.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        running = [asyncio.create_task(server.serve(sockets=[listener])) for server, listener in servers]
        visits = asyncio.create_task(gate.serve(gate_at))
        while not all(server.started for server, _ in servers):
            if any(task.done() for task in running):
                break
            await asyncio.sleep(0.002)
        else:
            # What is imported by now stays. Looking through it again and again would stop every answer, for some 150 ms each time.
            gc.freeze()
            ready()
        await asyncio.gather(*running)
        visits.cancel()

    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(both())


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
    )


def _loop() -> asyncio.AbstractEventLoop:
    import uvloop  # noqa: PLC0415  # Linux only, and only the server pays for it

    return uvloop.new_event_loop()

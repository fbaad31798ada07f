"""One embedded server from start to stop: the home taken, the database brought up to date, both apps and the worker running."""

import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fabriek import __version__
from fabriek.adapters.database import open_database
from fabriek.adapters.logging import log_to
from fabriek.api.app import build
from fabriek.api.mlflow.routes import build_job_app
from fabriek.bootstrap import building, machinery
from fabriek.gate.server import Gate
from fabriek.gate.visits import Visits
from fabriek.kernel.errors import AlreadyExists, Unavailable
from fabriek.ops.home import Home, Running
from fabriek.ops.migrate import known_schemas, migrate_database
from fabriek.ops.quickstart import quickstart as start
from fabriek.ops.serving import listen, listen_at, serve
from fabriek.portal.app import page_of, routes
from fabriek.settings import Settings
from fabriek.web.services import Services
from fabriek.worker.loop import Worker
from fabriek.worker.starting import Starter


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is said once the server answers: variables for a shell, and the first sign-in where nobody has signed in yet."""

    variables: dict[str, str]
    pid: int
    bootstrap: str = ""
    sign_in: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"variables": self.variables, "pid": self.pid, "bootstrap": self.bootstrap, "sign_in": self.sign_in}


def run(
    settings: Settings, *, quickstart: bool, announce: Callable[[Announcement], None], passphrase: str | None = None
) -> None:
    """Serves until SIGTERM or SIGINT. `passphrase` opens the keyring, where no file holds it.

    Raises AlreadyExists when the home or the port is taken, WrongState on a newer home.
    """
    if not Path("/proc/self").is_dir():
        raise Unavailable("the server runs on Linux only", fix="use fabriek login to reach one")
    home = Home(settings.home)
    home.prepare()
    with home.hold():
        home.check_release(known_schemas())
        listener = listen(settings.host, settings.port)
        port = listener.getsockname()[1]
        gate_at = _gate_at(settings)
        settings = replace(settings, port=port, sessions_port=gate_at.getsockname()[1])
        url = f"http://localhost:{port}"
        database = open_database(settings.database)
        home.write_release(migrate_database(database), __version__)
        wake = threading.Event()
        services = building.build(settings, database, wake=wake.set, passphrase=passphrase)
        app = build(services, portal=routes(services), page_of=page_of(services))
        lab_socket = settings.home / "run" / "lab" / "lab.sock"
        starter = Starter(
            services,
            machinery.environments(settings),
            wake.set,
            server_url=settings.seen_by_nodes(port),
            lab_socket_dir=str(lab_socket.parent),
        )
        worker = Worker(services, starter, wake)

        def ready() -> None:
            log_to()
            worker.start()
            threading.Thread(target=services.executor.warm_up, name="fabriek-warm-up", daemon=True).start()
            home.write_running(Running(os.getpid(), url))
            announce(_announcement(services, url, quickstart=quickstart))

        try:
            gate = Gate(Visits(services))
            serve(app, listener, build_job_app(services), listen_at(lab_socket), gate, gate_at, ready)
        finally:
            worker.stop()
            home.forget_running()
            services.executor.close()
            services.by_provider.close()
            database.close()


def _gate_at(settings: Settings) -> socket.socket:
    """Where sessions are reached. Without a proxy that must find it, any free port will do when the usual one is taken."""
    wanted = settings.sessions_port if settings.port else 0
    try:
        return listen(settings.host, wanted)
    except AlreadyExists:
        if settings.sessions_url:
            raise
        return listen(settings.host, 0)


def _announcement(services: Services, url: str, *, quickstart: bool) -> Announcement:
    variables = {"FABRIEK_URL": url}
    if not quickstart:
        return Announcement(variables, os.getpid(), bootstrap=services.first_sign_in.secret())
    begun = start(services)
    variables |= {
        "FABRIEK_TOKEN": begun.token,
        "FABRIEK_PROJECT": begun.project,
        "MLFLOW_TRACKING_URI": f"{url}/lab/{begun.project}",
        "MLFLOW_TRACKING_TOKEN": begun.token,
    }
    return Announcement(variables, os.getpid(), sign_in=f"{url}/sign-in/{begun.sign_in_code}")

"""A right that is lost on one server is lost on the other, at every door and on every line that stands open: two servers on one PostgreSQL."""

import asyncio
import contextlib
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from fabriek.access.login.tokens import Wanted
from fabriek.adapters.database import open_database
from fabriek.api import app as api
from fabriek.bootstrap import building
from fabriek.compute.jobs import State
from fabriek.compute.requests import JobAsked
from fabriek.compute.terms import Terms
from fabriek.gate.server import Gate
from fabriek.gate.visits import Visits
from fabriek.kernel.callers import Caller
from fabriek.kernel.ids import RandomIds
from fabriek.portal import app as portal
from fabriek.schemas.node import PORT_SOCKET
from fabriek.settings import Settings
from fabriek.web.services import Services
from tests.contract.test_worker import Shop, a_worker
from tests.factories.executor import MemoryExecutor
from tests.factories.keyring import MemoryKeyring
from tests.factories.services import Town, a_town
from tests.factories.tables import PostgresTables
from tests.factories.waiting import until
from tests.servers.app import serving

EFFECTIVE = timedelta(seconds=5)

pytestmark = pytest.mark.postgres


@dataclass
class Lines:
    """What stands open, each read by a thread of its own until it ends."""

    ended: dict[str, threading.Event] = field(default_factory=dict)
    begun: dict[str, threading.Event] = field(default_factory=dict)

    def follow(self, name: str, read: Callable[[threading.Event], None]) -> None:
        begun, ended = self.begun.setdefault(name, threading.Event()), self.ended.setdefault(name, threading.Event())

        def run() -> None:
            with contextlib.suppress(httpx.TransportError, OSError):
                read(begun)
            ended.set()

        threading.Thread(target=run, daemon=True).start()


@dataclass
class Pair:
    town: Town
    other: Services
    url: str
    gate_port: int
    shop: Shop
    member: Caller
    token: str
    cookie: str
    run: str
    job: str
    visit: str
    lines: Lines = field(default_factory=Lines)

    def ask(self, door: str) -> int:
        """The status at a door of the other server."""
        slug, by_token = self.shop.project, {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            if door == "portal":
                return client.get(f"/projects/{slug}", headers={"Cookie": f"fabriek_session={self.cookie}"}).status_code
            if door == "mlflow":
                point = {"run_id": self.run, "key": "loss", "value": 1.0, "timestamp": 1, "step": 0}
                path = f"/lab/{slug}/api/2.0/mlflow/runs/log-metric"
                return client.post(path, json=point, headers=by_token).status_code
            path = {"api": "", "jobs": "/jobs", "data": "/datasets"}[door]
            return client.get(f"/api/v1/projects/{slug}{path}", headers=by_token).status_code

    def open_lines(self) -> None:
        slug, by_token = self.shop.project, {"Authorization": f"Bearer {self.token}"}

        def streamed(path: str) -> Callable[[threading.Event], None]:
            def read(begun: threading.Event) -> None:
                with (
                    httpx.Client(base_url=self.url, trust_env=False, timeout=60) as client,
                    client.stream("GET", path, headers=by_token) as answer,
                ):
                    assert answer.status_code == 200
                    begun.set()
                    for _ in answer.iter_raw():
                        pass

            return read

        def visited(begun: threading.Event) -> None:
            with socket.create_connection(("127.0.0.1", self.gate_port), timeout=60) as line:
                host = f"{self.job.replace('_', '-', 1)}.localhost:{self.gate_port}"
                line.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nCookie: fabriek_door={self.visit}\r\n\r\n".encode())
                assert b"200" in line.recv(65_536).split(b"\r\n")[0]
                begun.set()
                while line.recv(65_536):
                    pass

        self.lines.follow("events", streamed(f"/api/v1/projects/{slug}/runs/{self.run}/events"))
        self.lines.follow("log", streamed(f"/api/v1/projects/{slug}/jobs/{self.job}/log?follow=true"))
        self.lines.follow("notebook", visited)
        for name, begun in self.lines.begun.items():
            assert begun.wait(20), f"{name} did not begin"
        assert not any(ended.is_set() for ended in self.lines.ended.values())


@contextlib.contextmanager
def _app_of_job(socket_at: Path) -> Iterator[None]:
    """A notebook that answers and then keeps its line open."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, contextlib.ExitStack() as kept:
        listener.bind(str(socket_at))
        listener.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = listener.accept()
                    kept.enter_context(line)
                    line.recv(65_536)
                    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhere")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@contextlib.contextmanager
def _gate(services: Services) -> Iterator[int]:
    listener, stop, loops = socket.create_server(("127.0.0.1", 0)), asyncio.Event(), list[asyncio.AbstractEventLoop]()

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        serving_now = asyncio.create_task(Gate(Visits(services)).serve(listener))
        await stop.wait()
        serving_now.cancel()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    until(lambda: bool(loops))
    yield listener.getsockname()[1]
    loops[0].call_soon_threadsafe(stop.set)
    thread.join()
    listener.close()


@pytest.fixture
def pair(postgres_tables: PostgresTables, tmp_path: Path) -> Iterator[Pair]:
    here, there = postgres_tables.lend(), open_database(postgres_tables.url)
    keys = MemoryKeyring(open_transaction=here.in_transaction)
    town = a_town(here, tmp_path / "home", keys=keys)
    executor = town.services.executor
    assert isinstance(executor, MemoryExecutor)
    other = building.build(
        Settings(home=tmp_path / "home"), there, wake=lambda: None, clock=town.clock, ids=RandomIds(), executor=executor, keys=keys,
    )  # fmt: skip
    lead = town.person("weefsel")
    slug = town.project(lead)
    shop = Shop(town, town.again(lead), slug, a_worker(town), executor)
    member = town.person("partner")
    town.services.access.add_member(slug, member.person, "member", by=shop.person)
    member = town.again(member)
    identity = town.services.identity
    _, token = town.services.tokens.create(Wanted("nightly"), by=member)
    _, cookie = identity.redeem(identity.issue_link(member.person, by=member), session=True)
    home = town.services.access.project(slug).id
    run = town.services.lab.create_run(home, "0", name="x", person="", started_ms=0, tags={}, by=member).run.id
    asked = JobAsked(("sleep", "60"), wall_seconds_max=3_600, terms=Terms(port=8_888))
    job = shop.work(town.services.compute.submit(slug, asked, by=member), State.RUNNING)
    by_token = identity.caller_of(token)
    visit = town.services.job_secrets.enter(town.services.doors.code_for(slug, job.id, by=by_token), job.id)
    with tempfile.TemporaryDirectory(prefix="fab-") as rooms:
        executor.doors = Path(rooms)
        (executor.doors / job.id).mkdir()
        app = api.build(other, portal=portal.routes(other), page_of=portal.page_of(other))
        notebook = _app_of_job(executor.doors / job.id / PORT_SOCKET)
        with serving(app) as url, notebook, _gate(other) as gate_port:
            yield Pair(town, other, url, gate_port, shop, member, token, cookie, run, job.id, visit)
    shop.worker._starter.close()
    shop.worker._upkeep.close()
    there.close()
    here.close()


def removed(pair: Pair) -> None:
    pair.town.services.vault.remove_member(pair.shop.project, pair.member.person, by=pair.shop.person)


def all_ended(pair: Pair) -> None:
    pair.town.services.open_doors.end_all(pair.member.person, by=pair.town.operator)


DOORS = ("api", "jobs", "data", "portal", "mlflow")


@pytest.mark.parametrize("lose", [removed, all_ended], ids=lambda one: one.__name__)
def test_every_door_and_every_open_line_of_the_other_server_is_shut(pair: Pair, lose: Callable[[Pair], None]) -> None:
    assert {door: pair.ask(door) for door in DOORS} == dict.fromkeys(DOORS, 200)
    pair.open_lines()
    lose(pair)
    pair.town.clock.move(EFFECTIVE)  # what is remembered is so by this clock; the lines look again by the wall's
    assert [door for door in DOORS if pair.ask(door) < 400] == []
    for name, ended in pair.lines.ended.items():
        assert ended.wait(20), f"{name} stays open"


def test_a_revoked_token_takes_its_own_lines_along_and_leaves_the_session(pair: Pair) -> None:
    pair.open_lines()
    pair.town.services.tokens.revoke("nightly", by=pair.town.again(pair.member))
    pair.town.clock.move(EFFECTIVE)
    assert [door for door in DOORS if pair.ask(door) < 400] == ["portal"]
    for name, ended in pair.lines.ended.items():
        assert ended.wait(20), f"{name} stays open"


def test_a_role_that_was_changed_is_so_on_the_other_server(pair: Pair) -> None:
    access, slug = pair.town.services.access, pair.shop.project
    home = access.project(slug).id
    for role, may in (("lead", True), ("member", False)):
        access.add_member(slug, pair.member.person, role, by=pair.shop.person)
        assert pair.other.identity.caller_of(pair.token).may("project.manage", project=home) is may
    until(lambda: pair.ask("api") == 200)

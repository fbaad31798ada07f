"""A run as it happens, over HTTP: server-sent events that go on where they broke, and end with the right to hear them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from fabriek.api import app as api
from fabriek.api import lab_live
from fabriek.compute.requests import JobAsked
from fabriek.kernel.callers import Caller
from fabriek.lab.metrics import Metric
from fabriek.worker.admission import admit_jobs
from tests.factories.executor import MemoryExecutor, a_spec
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.factories.waiting import until
from tests.servers.app import serving


@dataclass
class Place:
    town: Town
    url: str
    person: Caller
    slug: str
    project: str

    def run(self) -> str:
        lab = self.town.services.lab
        return lab.create_run(self.project, "0", name="x", person="", started_ms=0, tags={}, by=self.person).run.id

    def log(self, run: str, *steps: int, value: float = 0.5) -> None:
        points = [Metric("loss", value, step * 1000, step) for step in steps]
        self.town.services.lab.log(self.project, run, metrics=points, by=self.person)

    def end(self, run: str) -> None:
        self.town.services.lab.update_run(self.project, run, status="FINISHED", ended_ms=1_000, name="", by=self.person)

    def token(self, by: Caller | None = None) -> str:
        who = by or self.person
        return self.town.services.identity.issue_token(who.person, by=who)

    @contextmanager
    def channel(self, run: str, token: str = "", after: str = "", **query: str) -> Iterator["Channel"]:
        headers = {"Authorization": f"Bearer {token or self.token()}"} | ({"Last-Event-ID": after} if after else {})
        path = f"{self.url}/api/v1/projects/{self.slug}/runs/{run}/events"
        with (
            httpx.Client(trust_env=False, timeout=20) as client,
            client.stream("GET", path, headers=headers, params=query) as answer,
        ):
            yield Channel(answer)


class Channel:
    """What a follower hears."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status, self.kind = answer.status_code, answer.headers["content-type"]
        self._lines = answer.iter_lines()
        self.mark = ""

    def next(self) -> tuple[str, dict[str, Any]]:
        """The next event, by name; remarks and the time to wait are passed over."""
        said: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                said[name] = value
            elif "event" in said:
                self.mark = said["id"]
                return said["event"], json.loads(said["data"])
            else:
                said = {}
        raise AssertionError("the line was closed without an end")

    def until(self, name: str) -> dict[str, Any]:
        while True:
            found, data = self.next()
            if found == name:
                return data

    def steps(self, count: int) -> list[int]:
        found: list[int] = []
        while len(found) < count:
            found += [step for step, _, _ in self.until("points")["points"]]
        return found

    def closed(self) -> bool:
        return not any(line and not line.startswith(":") for line in self._lines)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("live")
    database = a_database(folder / "fabriek.db")
    town = a_town(database, folder / "home")
    person = town.person("weefsel")
    slug = town.project(person)
    with serving(api.build(town.services)) as url:
        yield Place(town, url, town.again(person), slug, town.services.access.project(slug).id)
    database.close()


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_live, "LOOK_SECONDS", 0.02)


def test_points_come_as_they_are_logged_and_go_on_where_the_line_broke(place: Place) -> None:
    run = place.run()
    place.log(run, 0, 1)
    with place.channel(run) as channel:
        assert (channel.status, channel.kind) == (200, "text/event-stream; charset=utf-8")
        name, first = channel.next()
        assert (name, first["status"], first["metrics"]) == (
            "run",
            "RUNNING",
            {"loss": {"count": 2, "last": 0.5, "step": 1}},
        )
        place.log(run, 2, 3)
        assert channel.steps(2) == [2, 3]
        mark = channel.mark
    place.log(run, 4, value=float("nan"))
    place.log(run, 5)
    with place.channel(run, after=mark) as channel:
        points = channel.until("points")["points"]
        assert points == [[4, 4000, "NaN"], [5, 5000, 0.5]]
    with place.channel(run, since="start") as channel:
        assert channel.steps(6) == list(range(6))
    with place.channel(run, since="start", key="accuracy") as channel:
        place.end(run)
        assert [channel.next()[0] for _ in range(3)] == ["run", "run", "end"]


def test_a_run_that_ends_says_so_last_and_after_its_last_point(place: Place) -> None:
    run = place.run()
    with place.channel(run) as channel:
        channel.until("run")
        place.log(run, 7)
        place.end(run)
        heard = [channel.next()]
        while heard[-1][0] != "end":
            heard.append(channel.next())
        assert sorted(name for name, _ in heard) == ["end", "points", "run"]
        assert heard[-1] == ("end", {"reason": "run"})
        assert channel.closed()


def test_points_from_before_those_that_were_told_are_to_be_read_anew(place: Place) -> None:
    run = place.run()
    place.log(run, 5)
    with place.channel(run) as channel:
        channel.until("run")
        place.log(run, 3)
        assert channel.until("again") == {"key": "loss", "count": 2}


def test_it_ends_with_the_token_and_with_the_right(place: Place) -> None:
    services, run = place.town.services, place.run()
    token = place.token()
    with place.channel(run, token) as channel:
        channel.until("run")
        services.identity.end(token)
        assert channel.until("end") == {"reason": "session"}
        assert channel.closed()
    colleague = place.town.person("weefsel")
    services.access.add_member(place.slug, colleague.person, "member", by=place.person)
    with place.channel(run, place.token(colleague)) as channel:
        channel.until("run")
        services.access.remove_member(place.slug, colleague.person, by=place.person)
        assert channel.until("end") == {"reason": "right"}
        place.log(run, 99)
        assert channel.closed()


def test_a_stranger_hears_nothing_and_a_mark_of_no_channel_is_refused(place: Place) -> None:
    run = place.run()
    with place.channel(run, place.token(place.town.person("elsewhere"))) as channel:
        assert channel.status == 404
    with place.channel("0" * 32) as channel:
        assert channel.status == 404
    with place.channel(run, after="nonsense") as channel:
        assert channel.status == 422


def test_one_person_holds_so_many_channels_and_a_closed_one_is_free_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab_live, "CHANNELS_OF_PERSON", 2)
    person = place.person.person
    until(lambda: lab_live.channels.count(person) == 0)
    run = place.run()
    with place.channel(run) as first, place.channel(run) as second:
        first.until("run")
        second.until("run")
        with place.channel(run) as third:
            assert third.status == 429
    until(lambda: lab_live.channels.count(person) == 0)
    with place.channel(run) as channel:
        assert channel.status == 200


def test_a_quiet_line_is_kept_open_by_a_heartbeat(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_live, "HEARTBEAT_SECONDS", 0.0)
    with place.channel(place.run()) as channel:
        channel.until("run")
        assert next(line for line in channel._lines if line) == ":"


def test_what_a_job_writes_comes_whole_to_the_last_character(place: Place) -> None:
    services = place.town.services
    executor = services.executor
    assert isinstance(executor, MemoryExecutor)
    job = services.compute.submit(place.slug, JobAsked(("sleep", "9")), by=place.person)
    run = services.lab.open_run(
        place.project, "Default", job=job.id, label=job.label, person=place.person.person, name="x"
    )
    admit_jobs(services)
    services.progress.begin(job.id)
    handle = executor.submit(a_spec("sleep", "9", job=job.id))
    executor.write(handle, "één".encode()[:3])
    with place.channel(run, offset="2") as channel:
        executor.write(handle, "één".encode()[3:])
        assert channel.until("log") == {"offset": 2, "end": 5, "text": "én"}
        mark = channel.mark
    executor.write(handle, b"more")
    with place.channel(run, after=mark) as channel:
        assert channel.until("log") == {"offset": 5, "end": 9, "text": "more"}
    executor.write(handle, "é".encode()[:1])
    with place.channel(run, offset="9") as channel:
        channel.until("run")
        executor.write(handle, "é".encode()[1:])
        assert channel.until("log") == {"offset": 9, "end": 11, "text": "é"}
    with place.channel(run, log="false") as channel:
        services.lab.close_run(run, "FINISHED")
        assert [channel.next()[0] for _ in range(3)] == ["run", "run", "end"]

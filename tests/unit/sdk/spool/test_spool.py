"""What is logged while the server is away arrives when it is back: nothing that was acknowledged is lost, nothing comes twice."""

import json
import logging
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fabriek.adapters.database import open_database
from fabriek.api import app as api
from fabriek.kernel.errors import FabriekError, InvalidInput, StorageFull, WrongState
from fabriek.sdk import Fabriek
from fabriek.sdk.spool.logger import fresh_head
from fabriek.sdk.spool.segments import Segment, sessions
from fabriek.sdk.tracking.dialect import Dialect
from tests.factories.services import Town, a_town
from tests.factories.waiting import until
from tests.servers.app import serving
from tests.servers.factory import clean_environment
from tests.servers.losing import losing_answers

SOON = 0.01
"""How long closing waits for a server that a test keeps away."""


@dataclass
class Place:
    """A factory at an address at which it is only at times, and somebody who logs there."""

    town: Town
    port: int
    token: str
    project: str
    spool: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def factory(self) -> Fabriek:
        return Fabriek(self.url, self.token, self.project)

    def up(self, around: Any = None) -> Any:
        app = api.build(self.town.services)
        return serving(around(app) if around else app, port=self.port)

    def points(self, run: str, key: str = "loss") -> list[tuple[int, float]]:
        """As the server has them, asked of it below its edge."""
        services = self.town.services
        by = services.identity.caller_of(self.token)
        home = services.access.project(self.project).id
        found = services.lab.history(home, run, key, limit=100_000, by=by)
        return [(one.step, one.value) for _, one in found]

    def logged(self, run: str) -> Any:
        services = self.town.services
        return services.lab.run(
            services.access.project(self.project).id, run, by=services.identity.caller_of(self.token)
        )


@pytest.fixture
def place(sqlite_with_tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    shutil.copyfile(sqlite_with_tables, tmp_path / "fabriek.db")
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    town = a_town(database, tmp_path / "home")
    person = town.person("weefsel")
    project = town.project(person)
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    monkeypatch.setenv("FABRIEK_SPOOL", str(tmp_path / "spool"))
    yield Place(town, port, town.services.identity.issue_token(person.person, by=person), project, tmp_path / "spool")
    database.close()


def files(place: Place) -> list[str]:
    return sorted(one.name for one in place.spool.glob("*")) if place.spool.exists() else []


def test_with_a_server_all_of_it_arrives_as_it_is_logged_and_nothing_stays(place: Place) -> None:
    with place.up(), place.factory() as factory:
        with factory.lab.log(experiment="trees", name="first", tags={"kind": "trial"}) as log:
            log.params({"depth": 3, "rate": 0.1})
            for step, value in enumerate([1.0, math.nan, math.inf, -math.inf, 0.1 + 0.2]):
                log.metric("loss", value, step=step)
            log.tag("note", "good")
            assert log.flush(20)
            assert len(place.points(log.run)) == 5
        kept = place.logged(log.run)
        assert (str(kept.run.status), kept.run.name, kept.params) == (
            "FINISHED",
            "first",
            {"depth": "3", "rate": "0.1"},
        )
        assert kept.tags.items() >= {"kind": "trial", "note": "good"}.items()
        values = dict(place.points(log.run))
        assert (values[4], math.isnan(values[1]), values[2], values[3]) == (0.1 + 0.2, True, math.inf, -math.inf)
    assert files(place) == []


def test_a_run_that_never_met_its_server_is_sent_later_and_once(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    with place.factory() as factory:
        with (
            caplog.at_level(logging.WARNING),
            factory.lab.log(experiment="trees", wait_seconds=SOON, sync_seconds=9) as log,
        ):
            log.param("depth", 3)
            for step in range(2_500):
                log.metrics({"loss": step / 7, "acc": step / 3}, step=step, at_ms=step)
            assert not log.flush(SOON)
            assert log.pending_bytes > 0
        assert "fabriek runs sync" in caplog.text
        away = factory.lab.sync()
        assert [one.run for one in away.left] == [log.run]
        with place.up():
            synced = factory.lab.sync()
            assert (synced.runs, synced.left, synced.refused) == ([log.run], [], 0)
            again = factory.lab.sync()
            assert (again.runs, again.records) == ([], 0)
    assert sorted(place.points(log.run)) == [(step, step / 7) for step in range(2_500)]
    assert len(place.points(log.run, "acc")) == 2_500
    assert str(place.logged(log.run).run.status) == "FINISHED"
    assert files(place) == []


def test_a_server_that_goes_and_comes_back_misses_nothing(place: Place) -> None:
    with place.factory() as factory:
        with place.up():
            log = factory.lab.log(wait_seconds=20)
            log.metric("loss", 0, step=0)
            assert log.flush(20)
        for step in range(1, 50):
            log.metric("loss", step, step=step)
        with place.up():
            log.metric("loss", 50, step=50)
            assert log.flush(20)
            log.end("FAILED")
            log.close()
    assert place.points(log.run) == [(step, step) for step in range(51)]
    assert str(place.logged(log.run).run.status) == "FAILED"


def test_answers_that_are_lost_double_nothing(place: Place) -> None:
    with place.factory() as factory:
        with factory.lab.log(wait_seconds=SOON, sync_seconds=9) as log:
            for step in range(5_000):
                log.metrics({"loss": step / 7}, step=step, at_ms=step)
        with place.up(losing_answers(3)):
            until(lambda: factory.lab.sync().runs == [log.run])
    assert sorted(place.points(log.run)) == [(step, step / 7) for step in range(5_000)]
    by = place.town.services.identity.caller_of(place.token)
    (only,) = place.town.services.lab.search(place.town.services.access.project(place.project).id, by=by)
    assert only.run.id == log.run


WRITER = """
import sys
import threading
from fabriek.sdk import Fabriek
url, token, project, run = sys.argv[1:]
log = Fabriek(url, token, project).lab.log(run=run)
print(log.run, flush=True)
step = 0
while True:
    log.metrics({"loss": step / 7, "acc": -step}, step=step)
    print(step, flush=True)
    step += 1
"""


def writer(place: Place, run: str = "") -> "subprocess.Popen[str]":
    environment = clean_environment(place.spool) | {"FABRIEK_SPOOL": str(place.spool)}
    argv = [sys.executable, "-c", WRITER, place.url, place.token, place.project, run]
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True)


def killed_after(process: "subprocess.Popen[str]", lines: int) -> tuple[str, int]:
    """(its run, the last step that was acknowledged) of a process that is killed without a word."""
    assert process.stdout is not None
    run = process.stdout.readline().strip()
    for _ in range(lines):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    return run, int(rest[-1]) if rest and rest[-1] else lines - 1


@pytest.mark.parametrize(("lines", "server"), [(3, "away"), (150, "away"), (200, "there")])
def test_a_process_that_is_killed_loses_nothing_that_was_acknowledged(place: Place, lines: int, server: str) -> None:
    with place.factory() as factory:
        if server == "there":
            with place.up():
                run, last = killed_after(writer(place), lines)
        else:
            run, last = killed_after(writer(place), lines)
        with place.up():
            assert factory.lab.sync().runs == [run]
    steps = [step for step, _ in place.points(run)]
    assert steps == sorted(set(steps))
    assert set(range(last + 1)) <= set(steps)
    assert len(steps) <= last + 2, "the one that was being written may be there"
    assert dict(place.points(run))[last] == last / 7
    assert str(place.logged(run).run.status) == "KILLED"


def test_two_processes_log_to_one_run_and_a_living_one_is_left_alone(place: Place) -> None:
    with place.factory() as factory, place.up():
        mlflow = Dialect(factory.lab.tracking_uri, place.token)
        run = mlflow.post("/runs/create", experiment_id="0", start_time=1)["run"]["info"]["run_id"]
        mlflow.close()
        one, two = writer(place, run), writer(place, run)
        assert two.stdout is not None
        two.stdout.readline()
        _, last = killed_after(one, 40)
        synced = factory.lab.sync()
        assert synced.runs == [run]
        assert [(left.run, left.reason) for left in synced.left] == [(run, "its process is still logging")]
        two.send_signal(signal.SIGKILL)
        two.stdout.close()
        two.wait()
        assert factory.lab.sync().left == []
    assert str(place.logged(run).run.status) == "RUNNING", "who began it elsewhere says how it ends"
    assert set(range(last + 1)) <= {step for step, _ in place.points(run)}
    assert files(place) == []


def test_a_line_that_was_cut_off_counts_for_nothing(place: Place) -> None:
    with place.factory() as factory:
        with factory.lab.log(wait_seconds=SOON) as log:
            log.metric("loss", 1.5, step=1, at_ms=5)
        (file,) = place.spool.glob("*.jsonl")
        whole = file.read_bytes()
        for torn in (b'["m",5,2,{"loss":2.', b'["m",5,2,{"loss":2.5}]', b"\0" * 100 + b"\n"):
            file.write_bytes(whole + torn)
            found = Segment.found(file)
            assert found is not None
            with closing(found) as segment:
                assert [record for record, _ in segment.records(0)] == [
                    json.loads(line) for line in whole.splitlines()[1:]
                ]
        with place.up():
            assert factory.lab.sync().runs == [log.run]
    assert place.points(log.run) == [(1, 1.5)]


LIMITED = """
import resource, signal, sys
from fabriek.kernel.errors import StorageFull
from fabriek.sdk import Fabriek
url, token, project = sys.argv[1:]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = Fabriek(url, token, project).lab.log(wait_seconds=0.01)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY))
step = 0
try:
    while True:
        log.metric("loss", step / 7, step=step)
        step += 1
except StorageFull as error:
    print(step, error.detail)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.metric("loss", 0.5, step=100_000)
log.end()
log.close()
print(log.run)
"""


def test_a_full_disk_is_said_and_costs_only_what_was_refused(place: Place) -> None:
    environment = clean_environment(place.spool) | {"FABRIEK_SPOOL": str(place.spool)}
    argv = [sys.executable, "-c", LIMITED, place.url, place.token, place.project]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True, timeout=60)
    said, run = ended.stdout.splitlines()
    step, _, detail = said.partition(" ")
    assert "is full" in detail
    assert "not logged" in detail
    with place.factory() as factory, place.up():
        assert factory.lab.sync().runs == [run]
    assert [one for one, _ in place.points(run)] == [*range(int(step)), 100_000]


def test_what_waits_is_bounded_and_old_files_go_as_they_are_sent(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fabriek.sdk.spool.logger.SEGMENT_BYTES", 2_000)
    with place.factory() as factory:
        log = factory.lab.log(wait_seconds=20, bytes_max=20_000, sync_seconds=9)
        step = 0
        with pytest.raises(StorageFull, match="wait for the server"):
            for step in range(5_000):
                log.metric("loss", step, step=step, at_ms=step)
        assert len(files(place)) > 5
        with place.up():
            assert log.flush(30)
            log.metric("loss", -1, step=9_999, at_ms=9_999)
            log.end()
            log.close()
    assert place.points(log.run) == [*((one, one) for one in range(step)), (9_999, -1)]
    assert files(place) == []


def test_what_the_server_will_not_take_lies_beside_the_spool_and_holds_up_nothing(place: Place) -> None:
    with place.factory() as factory, place.up():
        with factory.lab.log() as log:
            log.param("depth", 3)
            log.metric("loss", 1, step=1)
            log.param("depth", 4)
            log.metric("loss", 2, step=2)
        assert log.refused == 1
    assert place.logged(log.run).params == {"depth": "3"}
    assert place.points(log.run) == [(1, 1), (2, 2)]
    (refused,) = place.spool.glob("*.refused")
    said = json.loads(refused.read_text())
    assert said["record"] == ["p", {"depth": "4"}]
    assert "depth" in said["reason"]


def test_a_run_that_is_deleted_there_keeps_what_is_logged_here(place: Place) -> None:
    with place.factory() as factory, place.up():
        log = factory.lab.log(wait_seconds=20)
        log.metric("loss", 1, step=1)
        assert log.flush(20)
        mlflow = Dialect(factory.lab.tracking_uri, place.token)
        mlflow.post("/runs/delete", run_id=log.run)
        log.metric("loss", 2, step=2)
        assert not log.flush(20)
        assert isinstance(log.trouble, WrongState)
        log.close()
        assert [one.run for one in factory.lab.sync().left] == [log.run]
        mlflow.post("/runs/restore", run_id=log.run)
        mlflow.close()
        assert factory.lab.sync().runs == [log.run]
    assert place.points(log.run) == [(1, 1), (2, 2)]


def test_another_factorys_runs_are_not_shown_to_this_one(place: Place) -> None:
    with Fabriek("http://127.0.0.1:1", "other", "other") as other, other.lab.log(wait_seconds=SOON) as log:
        log.metric("secret", 1)
    with place.factory() as factory, place.up():
        synced = factory.lab.sync()
    assert [(one.run, one.reason) for one in synced.left] == [(log.run, "it is for http://127.0.0.1:1")]
    assert [len(one) for one in sessions(place.spool)] == [1]


def test_a_log_that_begins_during_a_round_over_the_spool_is_not_taken_for_a_leftover(place: Place) -> None:
    has_ended = threading.Event()

    def rounds(_: int) -> None:
        while not has_ended.is_set():
            list(sessions(place.spool))

    def begin(number: int) -> None:
        head = fresh_head(url=place.url, project=place.project, name=str(number))
        made.append(Segment.create(place.spool, head))

    made: list[Segment] = []
    looker = threading.Thread(target=rounds, args=(0,))
    looker.start()
    try:
        for number in range(150):
            begin(number)
    finally:
        has_ended.set()
        looker.join()
        for segment in made:
            segment.close()
    assert len(list(sessions(place.spool))) == 150
    (place.spool / "left-000001.new").write_text("a head that was cut off")
    assert len(list(sessions(place.spool))) == 150
    assert not list(place.spool.glob("*.new"))


def test_a_wrong_name_or_value_is_said_while_its_caller_looks_on(place: Place) -> None:
    with place.factory() as factory:
        log = factory.lab.log(wait_seconds=SOON)
        for wrong in ("", "a" * 251, "../up", "/root", "semi;colon"):
            with pytest.raises(InvalidInput):
                log.metric(wrong, 1)
        for value in ("many", None, [1, 2]):
            with pytest.raises(InvalidInput):
                log.metric("loss", value)  # type: ignore[arg-type]
        with pytest.raises(InvalidInput):
            log.metric("loss", 1, step=2**63)
        with pytest.raises(InvalidInput):
            log.end("PERHAPS")
        log.close()
        with pytest.raises(WrongState):
            log.metric("loss", 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_opens_a_log_of_its_own(place: Place) -> None:
    with place.factory() as factory:
        log = factory.lab.log(wait_seconds=SOON)
        child = os.fork()
        if not child:
            try:
                log.metric("loss", 1)
            except FabriekError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        log.close()

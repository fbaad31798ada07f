"""Imports and logs that are killed over and over, at any instant, by SIGKILL: in the end everything is there, once."""

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.adapters.database import open_database
from fabriek.api import app as api
from fabriek.sdk import Fabriek
from fabriek.sdk.tracking.dialect import Dialect
from fabriek.sdk.tracking.live import Live
from fabriek.sdk.tracking.mlruns import Mlruns
from tests.factories.mlruns import fill, mlflow_at
from tests.factories.services import a_town
from tests.servers.app import serving
from tests.servers.factory import COMMAND, clean_environment
from tests.unit.sdk.spool.test_spool import WRITER
from tests.unit.sdk.tracking.test_importing import check_same

pytestmark = pytest.mark.faults
ROUNDS = 20


@pytest.fixture
def factory(sqlite_with_tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fabriek]:
    monkeypatch.setenv("FABRIEK_SPOOL", str(tmp_path / "spool"))
    shutil.copyfile(sqlite_with_tables, tmp_path / "fabriek.db")
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    town = a_town(database, tmp_path / "home")
    person = town.person("weefsel")
    project = town.project(person)
    token = town.services.identity.issue_token(person.person, by=person)
    with serving(api.build(town.services)) as url, Fabriek(url, token, project) as opened:
        yield opened
    database.close()


def environment(factory: Fabriek, folder: Path) -> dict[str, str]:
    client = factory.client
    known = {"FABRIEK_URL": client.url, "FABRIEK_TOKEN": client.token, "FABRIEK_PROJECT": client.project}
    return clean_environment(folder) | known | {"FABRIEK_SPOOL": str(folder / "spool")}


@pytest.mark.timeout(900)
def test_an_import_that_is_killed_at_any_instant_is_whole_in_the_end(
    factory: Fabriek, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mlruns"
    made = fill(mlflow_at(folder, monkeypatch), folder)
    dice, killed = random.Random(5), 0  # noqa: S311  # the same each time
    argv = [*COMMAND, "runs", "import", str(folder), "--models", "--json"]
    for _ in range(ROUNDS):
        process = subprocess.Popen(
            argv, env=environment(factory, tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            assert process.wait(dice.uniform(0.2, 2.0)) == 0
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
    assert killed, "the dice never fell while it ran"
    assert factory.lab.import_runs(str(folder), registered=True).is_whole
    line = Dialect(factory.lab.tracking_uri, factory.client.token)
    here = Live(line)
    check_same(Mlruns(folder), here, made)
    (arbor,) = here.registered()
    assert [one.number for one in arbor.versions] == [1, 2]
    trees = next(one for one in here.experiments() if one.name == "trees")
    assert len(list(here.models(trees))) == 1
    line.close()


@pytest.mark.timeout(900)
def test_logs_that_are_killed_at_any_instant_lose_nothing_that_was_acknowledged(
    factory: Fabriek, tmp_path: Path
) -> None:
    dice = random.Random(7)  # noqa: S311  # the same each time
    client = factory.client
    acknowledged: dict[str, int] = {}
    for _ in range(ROUNDS):
        argv = [sys.executable, "-c", WRITER, client.url, client.token, client.project, ""]
        process = subprocess.Popen(argv, env=environment(factory, tmp_path), stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        run = process.stdout.readline().strip()
        for _ in range(dice.randrange(300)):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        steps = process.stdout.read().splitlines()
        process.wait()
        process.stdout.close()
        acknowledged[run] = int(steps[-1]) if steps and steps[-1].isdigit() else -1
        if dice.random() < 0.5:
            factory.lab.sync()
    assert factory.lab.sync().left == []
    for run, last in acknowledged.items():
        for key, value in (("loss", lambda step: step / 7), ("acc", lambda step: -step)):
            points = factory.lab.metric(run, key)
            assert [one.step for one in points if one.step <= last] == list(range(last + 1))
            assert all(one.value == value(one.step) for one in points)
            assert len(points) <= last + 2 or last < 0
    assert not list((tmp_path / "spool").glob("*.jsonl"))

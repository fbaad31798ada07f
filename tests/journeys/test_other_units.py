"""Storage, tokens and experts as people meet them on the command line."""

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import metadata, open_database
from fabriek.api import app as api
from fabriek.funding.metering.readings import TIB
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from tests.factories.metering import give
from tests.factories.services import Town, a_town
from tests.servers.app import serving
from tests.servers.factory import COMMAND, clean_environment

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    metadata.create_all(database.engine)
    yield a_town(database, tmp_path / "home")
    database.close()


@pytest.fixture
def lead(town: Town) -> Caller:
    return town.person("weefsel")


@pytest.fixture
def slug(town: Town, lead: Caller) -> str:
    return town.project(lead)


@pytest.fixture
def cli(town: Town, lead: Caller, slug: str, tmp_path: Path) -> Iterator[Cli]:
    """The command line of the project's lead."""
    token = town.services.identity.issue_token(lead.person, by=lead)
    with serving(api.build(town.services)) as url:
        named = clean_environment(tmp_path / "none") | {
            "FABRIEK_URL": url, "FABRIEK_TOKEN": token, "FABRIEK_PROJECT": slug, "HOME": str(tmp_path),
        }  # fmt: skip

        def run(*words: str) -> "subprocess.CompletedProcess[str]":
            argv = [*COMMAND, *words]
            return subprocess.run(argv, env=named, capture_output=True, text=True, check=False, timeout=60)

        yield run


def test_a_project_sees_what_its_storage_took_and_what_it_owes(town: Town, slug: str, cli: Cli) -> None:
    assert "nothing was measured yet" in cli("usage", "readings").stdout
    give(town, slug, Resource.TIB_HOUR, 2)
    project, metering = town.services.access.project(slug).id, town.services.metering
    metering._held = lambda: {project: TIB}
    metering.read_storage()
    for _ in range(3):
        town.clock.move(timedelta(hours=1))
        metering.read_storage()
    rows = json.loads(cli("usage", "readings", "--json").stdout)
    assert [(one["resource"], one["amount"], one["charged"], one["owed"]) for one in rows] == [
        ("tib_hour", "1", "0", "1"),
        ("tib_hour", "1", "1", "0"),
        ("tib_hour", "1", "1", "0"),
    ]
    rows = json.loads(cli("project", "credits", "--json").stdout)
    found = {one["resource"]: (one["granted"], one["held"], one["used"], one["left"], one["owed"]) for one in rows}
    assert found["tib_hour"] == ("2", "0", "3", "0", "1")


def test_a_booking_is_given_more_hours_and_called_off(town: Town, slug: str, cli: Cli) -> None:
    expert = town.person("centrum", "expert")
    town.services.desk.offer("Trees.", by=expert)
    booked = json.loads(cli("expert", "book", expert.person, "--hours", "2", "--about", "help", "--json").stdout)
    assert json.loads(cli("expert", "extend", booked["id"], "--hours", "4", "--json").stdout)["hours"] == 4
    held = {one["resource"]: one["held"] for one in json.loads(cli("project", "credits", "--json").stdout)}
    assert held["expert_hour"] == "4"
    assert cli("expert", "extend", booked["id"], "--hours", "3").returncode == 2
    assert json.loads(cli("expert", "cancel", booked["id"], "--json").stdout)["state"] == "cancelled"
    held = {one["resource"]: one["held"] for one in json.loads(cli("project", "credits", "--json").stdout)}
    assert held["expert_hour"] == "0"


def test_an_operator_sets_a_charge_right(town: Town, slug: str, tmp_path: Path) -> None:
    project, funding = town.services.access.project(slug), town.services.funding
    funding.hold(project.id, project.purpose, Resource.GPU_HOUR, 3_000_000, "job_1")
    funding.settle("job_1", 2_000_000)
    token = town.services.identity.issue_token(town.operator.person, by=town.operator)
    with serving(api.build(town.services)) as url:
        named = clean_environment(tmp_path / "none") | {
            "FABRIEK_URL": url, "FABRIEK_TOKEN": token, "HOME": str(tmp_path),
        }  # fmt: skip

        def cli(*words: str) -> "subprocess.CompletedProcess[str]":
            argv = [*COMMAND, *words]
            return subprocess.run(argv, env=named, capture_output=True, text=True, check=False, timeout=60)

        refused = cli("funding", "correct", "job_1", "--used", "-2", "--reason", "the node failed")
        assert refused.returncode != 0
        assert "cannot be" in refused.stderr
        endless = cli("funding", "correct", "job_1", "--used", "1e999999999", "--reason", "the node failed")
        assert "is beyond what is counted" in endless.stderr or "is not an amount" in endless.stderr
        made = cli("funding", "correct", "job_1", "--used", "0.25", "--reason", "the node failed", "--json")
        assert json.loads(made.stdout)["stands"] == "0.25"
        shown = cli("funding", "charge", "job_1").stdout
        assert "the node failed" in shown
        assert "0.25" in shown
        entries = cli("funding", "entries", "--json").stdout
        assert json.loads(made.stdout)["posting"] in entries

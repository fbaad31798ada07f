"""Rates and running out as people meet them on the command line: the table, how a project stands, and what a refusal says."""

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from fabriek.api import app as api
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from tests.factories.services import Town, a_town
from tests.factories.spending import Purse
from tests.factories.tables import a_database
from tests.servers.app import serving
from tests.servers.factory import COMMAND, clean_environment

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    database = a_database(tmp_path / "fabriek.db")
    yield a_town(
        database, tmp_path / "home", rates=Path(str(files("fabriek.funding").joinpath("data", "tariffs", "csc.toml")))
    )
    database.close()


@pytest.fixture
def lead(town: Town) -> Caller:
    return town.person("weefsel")


@pytest.fixture
def purse(town: Town, lead: Caller) -> Purse:
    return Purse(town, town.project(lead, gpu_hours=100))


@pytest.fixture
def cli(town: Town, lead: Caller, purse: Purse, tmp_path: Path) -> Iterator[Cli]:
    """The command line of the project's lead."""
    token = town.services.identity.issue_token(lead.person, by=lead)
    with serving(api.build(town.services)) as url:
        named = clean_environment(tmp_path / "none") | {
            "FABRIEK_URL": url, "FABRIEK_TOKEN": token, "FABRIEK_PROJECT": purse.slug, "HOME": str(tmp_path),
        }  # fmt: skip

        def run(*words: str) -> "subprocess.CompletedProcess[str]":
            argv = [*COMMAND, *words]
            return subprocess.run(argv, env=named, capture_output=True, text=True, check=False, timeout=60)

        yield run


def test_the_rates_of_a_day_are_read_as_formulas(cli: Cli) -> None:
    rows = json.loads(cli("funding", "rates", "--json").stdout)
    found = {(one["resource"], one["kind"]): one["costs"] for one in rows}
    assert found["cpu_hour", ""] == "max(0.75 per CPU, 0.375 per GiB of memory) + 0.02 per GiB of local disk"
    assert found["tib_hour", "home"] == "10 per TiB"
    assert found["expert_hour", ""] == "1 per expert"
    assert "no rate is in force on that day" in cli("funding", "rates", "--on", "2020-01-01").stdout
    assert cli("funding", "rates", "--on", "never").returncode == 2


def test_a_project_without_storage_says_why_no_job_is_taken_and_what_comes_next(cli: Cli, purse: Purse) -> None:
    before = cli("project", "credits")
    assert "Open: its allocation ends on 2026-12-25, in 31 days" in before.stdout
    purse.give(Resource.TIB_HOUR, 5)
    purse.spend(Resource.TIB_HOUR, 5)
    refused = cli("run", "--", "true")
    assert refused.returncode == 7, refused.stdout + refused.stderr
    assert "storage is empty since 2026-11-24" in refused.stderr
    assert "fabriek apply new" in refused.stderr
    problem = json.loads(cli("run", "--json", "--", "true").stderr)
    assert (problem["code"], problem["rule"]) == ("credits_exhausted", "spending.storage_empty")
    purse.town.services.running_out.round()
    says = cli("project", "credits").stdout
    assert "No new jobs: there are no TiB-hours left" in says
    assert "access to its data is shut on 2026-12-24 if no TiB-hours come; nothing is deleted" in says
    purse.town.clock.move(timedelta(days=30))
    stands = json.loads(cli("project", "standing", "--json").stdout)
    assert stands["state"] == "data_shut"
    assert stands["empty"] == [{"resource": "tib_hour", "since": "2026-11-24", "owed": "0"}]

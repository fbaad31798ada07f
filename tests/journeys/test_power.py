"""Power as an operator sees it on the command line: what the ladder does, a message that came by telephone, a meter, and the record."""

import csv
import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.api import app as api
from fabriek.kernel.clock import SystemClock
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.servers.app import serving
from tests.servers.factory import COMMAND, clean_environment

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    database = a_database(tmp_path / "fabriek.db")
    made = a_town(database, tmp_path / "home")
    # The command line reads the clock of its own machine.
    made.clock.move(SystemClock().now() - made.clock.now())
    yield made
    database.close()


@pytest.fixture
def cli(town: Town, tmp_path: Path) -> Iterator[Cli]:
    token = town.services.identity.issue_token(town.operator.person, by=town.operator)
    with serving(api.build(town.services)) as url:
        named = clean_environment(tmp_path / "none") | {
            "FABRIEK_URL": url,
            "FABRIEK_TOKEN": token,
            "HOME": str(tmp_path),
        }

        def run(*words: str) -> "subprocess.CompletedProcess[str]":
            argv = [*COMMAND, "power", *words]
            return subprocess.run(argv, env=named, capture_output=True, text=True, check=False, timeout=60)

        yield run


def test_an_operator_sees_and_brings_in_what_there_is_of_power(cli: Cli, town: Town, tmp_path: Path) -> None:
    begins, ends = (SystemClock().now() + timedelta(days=days) for days in (2, 3))
    asked = ("message", "add", "NB-1", "--from", begins.isoformat(), "--to", ends.isoformat(), "--kw", "0.02")
    confirmed = cli(*asked, "--json")
    assert confirmed.returncode == 0, confirmed.stderr
    assert json.loads(confirmed.stdout)["answer"] == "will be followed"
    assert "NB-1" in cli("message", "ls").stdout
    assert cli("message", "add", "NB-2", "--replaces", "NB-1", "--withdraws").returncode == 0
    assert cli("message", "ls", "--json").stdout.count("withdrawn") == 1
    refused = cli("message", "add", "NB-3", "--from", "-3h", "--to", "-2h", "--kw", "1")
    assert (refused.returncode, "wholly in the past" in refused.stderr) == (2, True)
    assert cli("limit", "add", "--from", town.clock.now().isoformat(), "--to", "+2h", "--watts", "20").returncode == 0
    shown = cli("show").stdout
    assert "20 W are allowed now and 28 W are planned: no job starts" in shown
    town.services.power_record.look()
    assert cli("meter", "read", "main", "--at", town.clock.now().isoformat(), "--watts", "25").returncode == 0
    town.clock.move(timedelta(minutes=16))
    assert town.services.power_record.look()
    file = tmp_path / "record.csv"
    assert cli("record", "--from", "-1h", "--to", "+1h", "--csv", str(file)).returncode == 0
    first = next(csv.DictReader(file.read_text("utf-8").splitlines()))
    assert (first["drawn_watts"], first["drawn_from"], first["allowed_watts"], first["over"]) == (
        "25",
        "meter",
        "20",
        "True",
    )
    assert json.loads(cli("record", "--from", "-1h", "--to", "+1h", "--json").stdout)[0]["over"] is True
    assert cli("meter", "read", "main").returncode == 2


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("limit", "add", "--to", "+1h", "--kw", "-3"), "watts must be 0 or more"),
        (("limit", "add", "--to", "+1h", "--kw", "nan"), "nan kW is no amount"),
        (("limit", "add", "--to", "+1h", "--kw", "1e300"), "watts may be 1,000,000,000,000 at most"),
        (("limit", "add", "--to", "+999999999999h", "--kw", "3"), "is not an instant"),
        (("limit", "add", "--from", "+3h", "--to", "+1h", "--kw", "3"), "ends before it begins"),
        (("meter", "read", "main", "--watts", "-1"), "watts must be 0.0 or more"),
        (("message", "add", "NB-1", "--from", "+30h", "--to", "+31h", "--kw", "inf"), "kw is not right"),
    ],
)
def test_what_is_no_limit_and_no_reading_is_refused_in_words(cli: Cli, words: tuple[str, ...], what: str) -> None:
    refused = cli(*words)
    assert (refused.returncode, what in refused.stderr, "Traceback" in refused.stderr) == (2, True, False), (
        refused.stderr
    )

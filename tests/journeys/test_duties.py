"""The whole way of an award's reports by commands: due, filed, returned, accepted, extended, and thanked for."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fabriek.api import app as api
from fabriek.cli.main import fabriek
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.units import MICRO
from fabriek.sdk import Fabriek
from tests.factories.duties import INTERIM, a_science_project, days, decided
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.servers.app import serving

AS_TOML = "\n".join(f"{name} = {json.dumps(value)}" for name, value in INTERIM.items())


@dataclass
class Desk:
    """A factory behind a real port, and the command line in front of it."""

    town: Town
    url: str
    home: Path
    open: list[Fabriek] = field(default_factory=list)

    def run(self, by: Caller, *words: str) -> Any:
        """What the command prints as JSON. Raises what it would say."""
        token = self.town.services.identity.issue_token(by.person, by=by)

        def connect(project: str = "") -> Fabriek:
            self.open.append(Fabriek(self.url, token, project))
            return self.open[-1]

        with pytest.MonkeyPatch.context() as patched:
            for module in ("report_duties", "funding", "project"):
                patched.setattr(f"fabriek.cli.{module}.connect", connect)
            done = CliRunner().invoke(fabriek, [*words, "--json"], standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return json.loads(done.stdout)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    town.services.giving.contribute("factory", "national", 1, {"gpu_hour": 4_000}, by=town.operator)
    with serving(api.build(town.services)) as url:
        made = Desk(town, url, tmp_path)
        yield made
        for one in made.open:
            one.close()
    database.close()


def test_an_award_is_reported_on_extended_and_thanked_for_by_commands(desk: Desk) -> None:
    town = desk.town
    lead = town.person("academy", kind="university")
    slug, allocation = a_science_project(town, lead)
    lead, operator = town.again(lead), town.operator
    duty = f"{allocation}.interim"
    assert [one["id"] for one in desk.run(lead, "report", "due")] == [duty, f"{allocation}.final"]
    assert {one["name"] for one in desk.run(lead, "report", "form", "interim")["fields"]} >= set(INTERIM)

    days(town, 95)
    with pytest.raises(NotPermitted) as kept:
        town.services.awarding.award_decided(decided(town, lead), 10, share="", by=operator)
    assert kept.value.fix == f"fabriek report file {duty}"
    assert desk.run(lead, "report", "duties", "--project", slug)[0]["days_overdue"] == 2
    with pytest.raises(WrongState, match="is due"):
        desk.run(lead, "funding", "extend", slug)
    with pytest.raises(InvalidInput, match="is missing"):
        desk.run(lead, "report", "file", duty)
    with pytest.raises(InvalidInput, match="at most 100"):
        desk.run(lead, "report", "file", duty, "--answer", "part_used=101")
    (desk.home / "interim.toml").write_text(AS_TOML)
    draft = desk.run(lead, "report", "file", duty, "--file", str(desk.home / "interim.toml"), "--draft")
    assert (draft["state"], draft["revision"]) == ("due", 1)
    assert desk.run(lead, "report", "file", duty)["state"] == "filed"
    town.services.awarding.award_decided(decided(town, lead), 10, share="", by=operator)

    assert [one["id"] for one in desk.run(operator, "report", "due", "--to-decide")] == [duty]
    with pytest.raises(NotPermitted):
        desk.run(lead, "report", "accept", duty)
    back = desk.run(operator, "report", "return", duty, "--note", "Which languages?")
    assert (back["state"], back["note"]) == ("returned", "Which languages?")
    desk.run(lead, "report", "file", duty, "--answer", "results=Frisian and Low Saxon.")
    assert desk.run(operator, "report", "show", duty)["answers"]["results"] == "Frisian and Low Saxon."
    assert desk.run(operator, "report", "accept", duty)["state"] == "accepted"

    made = desk.run(lead, "funding", "extend", slug)
    assert (made["came"]["gpu_hour"], made["rule"]) == ("20", "extension.science")
    with pytest.raises(WrongState, match="extends it once"):
        desk.run(lead, "funding", "extend", slug)

    assert desk.run(lead, "project", "acknowledgement", "--project", slug) == []
    project = town.services.access.project(slug)
    town.services.funding.hold(project.id, project.purpose, Resource.GPU_HOUR, 4 * MICRO, "job_1")
    town.services.funding.settle("job_1", 3 * MICRO)
    words = ("--text-nl", "{funder} gaf {hours} in {quarters}.", "--text-en", "{funder} gave {hours} in {quarters}.")
    desk.run(operator, "funding", "acknowledgement", "nation", *words)
    (thanks,) = desk.run(lead, "project", "acknowledgement", "--project", slug, "--lang", "nl")
    assert thanks["text"] == "The Factory gaf 3 GPU-hours in 2027Q1."
    with pytest.raises(InvalidInput, match="cannot be filled in"):
        desk.run(operator, "funding", "acknowledgement", "nation", "--text-nl", "{who}", "--text-en", "x")


def test_a_stranger_learns_nothing_by_commands(desk: Desk) -> None:
    town = desk.town
    slug, allocation = a_science_project(town, town.person("academy", kind="university"))
    stranger = town.person("weefsel")
    assert desk.run(stranger, "report", "duties") == []
    for words in (
        ("show", f"{allocation}.interim"),
        ("file", f"{allocation}.interim"),
        ("show", "alc_x.interim"),
        ("show", ".."),
    ):
        with pytest.raises(NotFound):
            desk.run(stranger, "report", *words)
    for words in (("funding", "extend", slug), ("project", "acknowledgement", "--project", slug)):
        with pytest.raises((NotFound, NotPermitted)):
            desk.run(stranger, *words)
    with pytest.raises(NotPermitted):
        desk.run(stranger, "funding", "acknowledgement", "nation", "--text-nl", "x", "--text-en", "x")

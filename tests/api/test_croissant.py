"""A dataset as Croissant: loaded and read by the library that others use, beside the files as they were pulled; and who is told of its files."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabriek.adapters.database import Database
from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.knowledge.catalogue.entries import Face, Reach
from fabriek.sdk.catalogue import Catalogue
from fabriek.sdk.client import Client
from fabriek.sdk.vault import Vault
from fabriek.sealing.digests import BLOCK_BYTES
from tests.factories.services import Town, a_town
from tests.servers.app import serving

TABLE = "cell,radius,benign,seen on\n1,17.99,False,2026-01-02\n2,20.57,True,2026-01-03\n3,,True,2026-01-03\n"
WITHOUT_A_VERSION = '[Metadata(Cells: één)] Property "https://schema.org/version" is recommended, but does not exist.'
READ = """
import json, sys
import mlcroissant as mlc
loaded = mlc.Dataset(sys.argv[1])
issues = loaded.metadata.ctx.issues
print(json.dumps({"errors": sorted(issues.errors), "warnings": sorted(issues.warnings), "records": {
    one.id: [{str(key): str(value) for key, value in row.items()} for row in loaded.records(one.id)]
    for one in loaded.metadata.record_sets}}))
"""


class House:
    """A hospital with a published dataset, and somebody elsewhere."""

    def __init__(self, town: Town, url: str, room: Path) -> None:
        self.town, self.url = town, url
        self.owner = town.person("ziekenhuis")
        self.project = town.project(self.owner)
        self.stranger = town.person("elders")
        town.project(self.stranger)
        self.folder = room / "data"
        (self.folder / "sub folder").mkdir(parents=True)
        (self.folder / "cells.csv").write_text(TABLE)
        (self.folder / "sub folder" / "notes [1].txt").write_text("Nothing else.")
        self.client = self.of(self.owner)
        Vault(self.client).push(self.folder, "cells", label="internal", project=self.project)
        face = Face(
            "Cells: één", "Radius of <b>cells</b>.", licence="CC-BY-4.0", keywords=("cell",), authors=("Noord, Anna",)
        )
        publisher = town.again(self.owner)
        self.entry = town.services.catalogue.publish(
            self.project, "dataset", "cells", face, reach=Reach.WORLD, by=publisher
        )

    def of(self, person: Caller) -> Client:
        return Client(self.url, self.town.services.identity.issue_token(person.person, by=person), project=self.project)

    def told(self, person: Caller) -> dict[str, Any]:
        with closing(self.of(person)) as client:
            return Catalogue(client).croissant(self.entry.id)


@pytest.fixture
def house(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    town = a_town(database, tmp_path / "home")
    with serving(api.build(town.services)) as url:
        house = House(town, url, tmp_path)
        yield house
        house.client.close()


def test_who_may_read_it_is_told_of_files_hashes_and_columns(house: House) -> None:
    told = house.told(house.owner)
    assert (told["name"], told["version"], told["license"]) == (
        "Cells: één",
        "1.0.0",
        "https://spdx.org/licenses/CC-BY-4.0",
    )
    table, note = told["distribution"]
    assert (table["contentUrl"], table["sha256"]) == ("cells.csv", hashlib.sha256(TABLE.encode()).hexdigest())
    assert (note["@id"], note["contentUrl"]) == ("sub%20folder/notes%20%5B1%5D.txt", "sub folder/notes [1].txt")
    (records,) = told["recordSet"]
    assert [(one["name"], one["dataType"]) for one in records["field"]] == [
        ("cell", "sc:Integer"), ("radius", "sc:Float"), ("benign", "sc:Boolean"), ("seen on", "sc:Date"),
    ]  # fmt: skip


def test_looking_is_on_record_and_closed_again(house: House) -> None:
    house.told(house.owner)
    by = house.town.again(house.owner)
    opened = house.town.services.vault.opened(house.entry.subject, limit=10, by=by)
    assert [(one.person, one.ended_at is not None) for one in opened] == [(by.person, True)]


def test_whoever_may_not_read_it_gets_the_card_alone(house: House) -> None:
    told = house.told(house.stranger)
    assert told["name"] == "Cells: één"
    assert not {"distribution", "recordSet", "version"} & told.keys()
    for secret in ("cells.csv", "notes", hashlib.sha256(TABLE.encode()).hexdigest()):
        assert secret not in json.dumps(told)


def test_what_one_may_not_know_of_is_not_told_at_all(house: House) -> None:
    by = house.town.again(house.owner)
    house.town.services.catalogue.publish(
        house.project, "dataset", "cells", Face("Cells", "x"), reach=Reach.PROJECT, by=by
    )
    with pytest.raises(NotFound):
        house.told(house.stranger)
    assert httpx.get(f"{house.url}/api/v1/catalogue/{house.entry.id}/croissant", trust_env=False).status_code == 401


def test_a_file_without_a_hash_of_the_whole_is_a_set_of_one(house: House) -> None:
    with (house.folder / "large.bin").open("wb") as large:
        large.truncate(BLOCK_BYTES + 1)
    Vault(house.client).push(house.folder, "cells", project=house.project)
    told = {one["name"]: one for one in house.told(house.owner)["distribution"]}
    assert told["large.bin"]["@type"] == "cr:FileSet"
    assert told["large.bin"]["includes"] == "large.bin"
    assert "sha256" not in told["large.bin"]


def test_a_dataset_without_a_version_is_its_card(house: House) -> None:
    by = house.town.again(house.owner)
    house.town.services.vault.create(house.project, "empty", label="internal", by=by)
    entry = house.town.services.catalogue.publish(house.project, "dataset", "empty", Face("Empty", "Yet."), by=by)
    assert "distribution" not in Catalogue(house.client).croissant(entry.id)


def test_what_is_no_dataset_is_refused(house: House) -> None:
    owner = house.town.again(house.owner)
    answer = house.town.services.catalogue.publish_answer(
        "que_1", "How?", ["So."], organisation=owner.organisation, by=owner
    )
    with pytest.raises(InvalidInput, match="datasets"):
        Catalogue(house.client).croissant(answer.id)


@pytest.mark.parametrize("person", ["owner", "stranger"])
def test_the_library_that_others_use_loads_it_and_reads_its_records(house: House, tmp_path: Path, person: str) -> None:
    if find_spec("mlcroissant") is None:
        pytest.skip("mlcroissant is not installed: it brings pandas and scipy")
    pulled = tmp_path / "pulled"
    Vault(house.client).pull("cells", pulled, project=house.project)
    (pulled / "croissant.json").write_text(json.dumps(house.told(getattr(house, person))))
    ran = subprocess.run(
        [sys.executable, "-c", READ, str(pulled / "croissant.json")], capture_output=True, text=True, check=False, timeout=240
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert (said["errors"], said["warnings"]) == ([], [] if person == "owner" else [WITHOUT_A_VERSION])
    if person == "owner":
        first = said["records"]["cells"][0]
        assert {key.partition("/")[2]: value for key, value in first.items()} == {
            "cell": "1", "radius": "17.99", "benign": "False", "_3": "2026-01-02 00:00:00",
        }  # fmt: skip
        assert len(said["records"]["cells"]) == 3

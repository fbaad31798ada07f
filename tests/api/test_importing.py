"""What another house hands over comes in once, checked, from one folder alone: documents in Croissant, and folders of the Hugging Face Hub."""

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabriek.adapters.database import Database
from fabriek.api import app as api
from fabriek.kernel.errors import FabriekError, InvalidInput, NotPermitted
from fabriek.sdk.catalogue import Catalogue
from fabriek.sdk.facade import Fabriek
from fabriek.sdk.importing.importing import Imported, bring_in
from tests.factories.base_models import a_model
from tests.factories.services import Town, a_town
from tests.servers.app import serving
from tests.servers.factory import COMMAND, clean_environment

TABLE = b"cell,radius\n1,17.99\n2,20.57\n"
SHA256 = hashlib.sha256(TABLE).hexdigest()
HUB_CARD = """---
license: cc-by-4.0
language: [nl]
pretty_name: Longscans
tags: [long, beelden]
task_categories: [image-classification]
dataset_info: {features: [{name: cell, dtype: int64}], splits: [{name: train}]}
size_categories: [n<1K]
---
# Wat het is

Beelden van **300** [patiënten](https://example.org).
"""


def a_document(folder: Path, files: dict[str, bytes] | None = None, version: str = "1.1", **more: Any) -> Path:
    """A folder with a document in Croissant, and the files that it tells of."""
    for path, content in (files or {"cells.csv": TABLE}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    told = {
        "@context": {"@vocab": "https://schema.org/"}, "@type": "sc:Dataset", "conformsTo": f"http://mlcommons.org/croissant/{version}",
        "name": "Cells of Biopsies", "description": "Radius of cells.", "license": "https://creativecommons.org/licenses/by/4.0/",
        "keywords": ["cell", "biopsy"], "creator": [{"@type": "sc:Person", "name": "Noord, Anna"}], "sameAs": "https://doi.org/10.24432/C5DW2B",
        "rai:dataCollection": "By hand.",
        "distribution": [
            {"@type": "cr:FileObject", "@id": path, "name": path, "contentUrl": path, "encodingFormat": "text/csv",
             "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in (files or {"cells.csv": TABLE}).items()
        ],
    } | more  # fmt: skip
    document = folder / "croissant.json"
    document.write_text(json.dumps(told))
    return document


class Importer:
    """Somebody with a project, and the client that they bring things in with."""

    def __init__(self, town: Town, url: str) -> None:
        self.town, self.url, self.person = town, url, town.person("ziekenhuis")
        self.project = town.project(self.person)
        self.token = town.services.identity.issue_token(self.person.person, by=self.person)
        self.factory = Fabriek(url, self.token, self.project)

    def bring(self, place: Path, **how: Any) -> Imported:
        return bring_in(self.factory, place, **how)

    def nothing_came(self) -> bool:
        return not self.factory.vault.list().items and not self.factory.catalogue.search().items


@pytest.fixture
def importer(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Importer]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    town = a_town(database, tmp_path / "home")
    with serving(api.build(town.services)) as url:
        made = Importer(town, url)
        with made.factory:
            yield made


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_document_becomes_a_version_and_a_card_and_once_more_changes_nothing(
    importer: Importer, tmp_path: Path, version: str
) -> None:
    document = a_document(tmp_path / "in", version=version)
    (tmp_path / "in" / "left.txt").write_text("No part of it.")
    first = importer.bring(document)
    assert (first.name, first.version, first.unchanged) == ("cells-of-biopsies", "1", False)
    entry = first.entry
    assert (entry.title, entry.licence, entry.doi, entry.authors) == (
        "Cells of Biopsies",
        "CC-BY-4.0",
        "10.24432/C5DW2B",
        ["Noord, Anna"],
    )
    assert entry.reach == "project"
    assert list(first.handed.left_out) == ["rai:dataCollection"]
    with importer.factory.vault.opened(first.name) as opened:
        assert {one.path: one.sha256 for one in opened.book.files()} == {
            "cells.csv": SHA256, "croissant.json": hashlib.sha256(document.read_bytes()).hexdigest(),
        }  # fmt: skip
    importer.town.clock.move(timedelta(minutes=5))
    again = importer.bring(document)
    assert (again.version, again.unchanged, again.entry) == ("1", True, entry)


def test_what_we_tell_is_what_we_take(importer: Importer, tmp_path: Path) -> None:
    first = importer.bring(a_document(tmp_path / "in", {"cells.csv": TABLE, "more/a b.txt": b"x"}))
    pulled = importer.factory.vault.pull(first.name, tmp_path / "out")
    (pulled / "croissant.json").unlink()
    (pulled / "croissant.json").write_text(json.dumps(importer.factory.catalogue.croissant(first.entry.id)))
    second = importer.bring(pulled, name="second")
    assert (second.entry.title, second.entry.licence) == (first.entry.title, "CC-BY-4.0")
    with importer.factory.vault.opened("second") as opened:
        assert {one.path for one in opened.book.files()} == {"cells.csv", "croissant.json", "more/a b.txt"}


def part(**said: Any) -> dict[str, Any]:
    return {"distribution": [{"@type": "cr:FileObject", "@id": "a", "name": "cells.csv", "sha256": SHA256} | said]}


@pytest.mark.parametrize("said", [
    part(contentUrl="./cells.csv"), part(contentUrl="https://example.org/far/cells.csv"), part(contentUrl="cells.csv", sha256=SHA256.upper()),
    part(contentUrl="cells.csv", sha256=base64.b64encode(bytes.fromhex(SHA256)).decode()),
    {"distribution": [{"@type": "cr:FileSet", "@id": "a", "includes": "*.csv"}]},
    {"distribution": [*part(contentUrl="cells.csv")["distribution"],
                      {"@type": "cr:FileObject", "@id": "b", "contentUrl": "inside.txt", "containedIn": {"@id": "a"}}]},
    {"name": {"en": "Cells of Biopsies"}, "license": {"@id": "https://spdx.org/licenses/CC-BY-4.0.html"}, "creator": "Noord, Anna"},
], ids=range(7))  # fmt: skip
def test_files_are_named_in_every_way_that_documents_have(
    importer: Importer, tmp_path: Path, said: dict[str, Any]
) -> None:
    done = importer.bring(a_document(tmp_path / "in", **said))
    with importer.factory.vault.opened(done.name) as opened:
        assert {one.path for one in opened.book.files()} == {"cells.csv", "croissant.json"}
    assert done.entry.licence == "CC-BY-4.0"


@pytest.mark.parametrize(("said", "told"), [
    (part(contentUrl="cells.csv", sha256="0" * 64), "is another"), (part(contentUrl="cells.csv", sha256=""), "no sha256"),
    (part(contentUrl="https://example.org/x.csv", name="x.csv"), "nothing is fetched"), (part(contentUrl="../secret.txt"), "no path of a file"),
    (part(contentUrl="/etc/passwd"), "no path of a file"), (part(contentUrl="file:///etc/passwd", name="passwd"), "nothing is fetched"),
    (part(contentUrl="link.csv"), "no file"), (part(contentUrl="away/secret.txt"), "no file"), (part(contentUrl="gone.csv"), "no file"),
    (part(contentUrl="https://example.org/x", name="../secret.txt"), "nothing is fetched"),
    ({"distribution": [{"@type": "cr:FileSet", "includes": "../*"}]}, "leads out"),
    ({"distribution": [{"@type": "cr:FileSet", "includes": "/etc/*"}]}, "leads out"),
    ({"distribution": ["x"]}, "no file"), ({"distribution": [{"@type": "sc:Thing"}]}, "neither a file"),
    ({"conformsTo": "http://mlcommons.org/croissant/0.8"}, "1.0 or 1.1"), ({"name": ""}, "names no dataset"),
], ids=range(16))  # fmt: skip
def test_a_document_that_lies_or_leads_away_is_refused_before_anything_is_sent(
    importer: Importer, tmp_path: Path, said: dict[str, Any], told: str
) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "secret.txt")
    (folder / "away").symlink_to(tmp_path)
    document = a_document(folder, **said)
    with pytest.raises(InvalidInput, match=told):
        importer.bring(document)
    assert importer.nothing_came()


def test_a_title_that_gives_no_name_takes_the_folders_or_asks_for_one(importer: Importer, tmp_path: Path) -> None:
    assert importer.bring(a_document(tmp_path / "cells", name="日本")).name == "cells"
    with pytest.raises(InvalidInput, match="gives no name"):
        importer.bring(a_document(tmp_path / "9", name="日本"))


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 100_000, b"\xff", b"{" + b" " * (16 * 2**20)], ids=range(5))
def test_what_is_no_document_is_refused(importer: Importer, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"c\.json"):
        importer.bring(tmp_path / "c.json")
    with pytest.raises(InvalidInput, match="neither"):
        importer.bring(tmp_path / "c.csv")


def test_a_folder_of_the_hub_is_a_dataset_and_what_has_no_place_is_named(importer: Importer, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text("secret")
    (folder / "README.md").write_text(HUB_CARD)
    (folder / "train.csv").write_bytes(TABLE)
    done = importer.bring(folder, reach="everyone")
    entry = done.entry
    assert (entry.kind, entry.title, entry.licence, entry.language) == ("dataset", "Longscans", "CC-BY-4.0", "nl")
    assert entry.summary == "Beelden van 300 patiënten."
    assert entry.keywords == ["long", "beelden", "image-classification"]
    assert list(done.handed.left_out) == ["dataset_info", "size_categories"]
    with importer.factory.vault.opened(done.name) as opened:
        assert {one.path for one in opened.book.files()} == {"README.md", "train.csv"}
    assert importer.bring(folder, reach="everyone").unchanged


def test_a_folder_with_weights_is_a_model(importer: Importer, tmp_path: Path) -> None:
    folder = a_model(tmp_path / "tiny")
    done = importer.bring(folder)
    assert (done.entry.kind, done.name, done.entry.licence, done.entry.title) == ("model", "tiny", "Apache-2.0", "Tiny")
    assert [one.name for one in importer.factory.base_models.list()] == ["tiny"]
    again = importer.bring(folder)
    assert (again.unchanged, again.entry) == (True, done.entry)


@pytest.mark.parametrize(("card", "told"), [
    ("", "empty"), ("---\na: &a [x]\nb: [*a, *a]\n---\nx", "not YAML"), (f"---\nx: {'[' * 50}{']' * 50}\n---\n", "not YAML"),
    ("x" * 500_000, "more than"),
], ids=range(4))  # fmt: skip
def test_a_card_that_cannot_be_read_is_refused(importer: Importer, tmp_path: Path, card: str, told: str) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "README.md").write_text(card)
    with pytest.raises(InvalidInput, match=told):
        importer.bring(tmp_path / "scans")
    assert importer.nothing_came()


def test_nobody_imports_into_the_project_of_others(importer: Importer, tmp_path: Path) -> None:
    stranger = importer.town.person("elders")
    importer.town.project(stranger)
    token = importer.town.services.identity.issue_token(stranger.person, by=stranger)
    with Fabriek(importer.url, token, importer.project) as theirs, pytest.raises((NotPermitted, FabriekError)) as told:
        bring_in(theirs, a_document(tmp_path / "in"))
    assert told.value.code in {"not_permitted", "not_found"}
    assert importer.nothing_came()


def test_the_same_in_a_terminal(importer: Importer, tmp_path: Path) -> None:
    a_document(tmp_path / "in")
    named = clean_environment(tmp_path / "house") | {"FABRIEK_URL": importer.url, "FABRIEK_TOKEN": importer.token}

    def ran(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*COMMAND, "catalogue", *words], env=named, capture_output=True, text=True, check=False, timeout=60
        )

    done = ran("import", str(tmp_path / "in"), "--project", importer.project)
    assert done.returncode == 0, done.stderr
    assert "dataset cells-of-biopsies@1; in the catalogue as crd_" in done.stdout
    assert "not taken over: rai:dataCollection" in done.stdout
    again = ran("import", str(tmp_path / "in"), "--project", importer.project)
    assert "as it was" in again.stdout
    entry = done.stdout.split("crd_")[1].split()[0]
    told = ran("croissant", f"crd_{entry}")
    assert json.loads(told.stdout)["conformsTo"].endswith("1.1")
    with closing(importer.factory.client) as client:
        assert Catalogue(client).entry(f"crd_{entry}").title == "Cells of Biopsies"

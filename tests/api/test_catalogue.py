"""The catalogue over HTTP and in a terminal: a card as a file, what is found with its counts, how it is cited, and taken back."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from fabriek.adapters.database import Database
from fabriek.api import app as api
from tests.factories.services import Town, a_town
from tests.servers.app import serving
from tests.servers.factory import COMMAND, clean_environment

CARD = """---
title: Longscans
summary: Beelden van 300 patiënten.
licence: CC-BY-4.0
keywords: [long, beelden]
language: nl
doi: https://doi.org/10.5281/zenodo.1234567
authors: ["Noord, Anna"]
---
# Wat het is

Metingen van longen.
"""


class Publisher:
    """Somebody with a dataset to publish."""

    def __init__(self, town: Town, url: str) -> None:
        self.town, self.url, self.person = town, url, town.person("ziekenhuis")
        self.project = town.project(self.person)
        town.services.vault.create(self.project, "scans", label="personal", by=town.again(self.person))
        self.token = town.services.identity.issue_token(self.person.person, by=self.person)

    def send(self, method: str, path: str, **options: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(
            method, f"{self.url}/api/v1{path}", headers=headers, trust_env=False, timeout=30, **options
        )  # type: ignore[arg-type]  # httpx's own

    def publish(self, **said: object) -> httpx.Response:
        return self.send(
            "POST", f"/projects/{self.project}/cards", json={"kind": "dataset", "subject": "scans", **said}
        )


@pytest.fixture
def publisher(database: Database, tmp_path: Path) -> Iterator[Publisher]:
    town = a_town(database, tmp_path / "home")
    with serving(api.build(town.services)) as url:
        yield Publisher(town, url)


def test_a_card_is_published_found_cited_and_taken_back(publisher: Publisher) -> None:
    made = publisher.publish(card=CARD, title="Scans of lungs").json()
    assert (made["title"], made["summary"], made["doi"], made["authors"]) == (
        "Scans of lungs", "Beelden van 300 patiënten.", "10.5281/zenodo.1234567", ["Noord, Anna"],
    )  # fmt: skip
    found = publisher.send("GET", "/catalogue", params={"q": "meting", "keyword": "Long"}).json()
    assert [one["passage"] for one in found["items"]] == ["# Wat het is  \x02Metingen\x03 van longen."]
    assert (found["total"], found["facets"]["language"]) == (1, {"nl": 1})
    assert publisher.send("GET", "/catalogue-words", params={"q": "meti"}).json() == {"items": ["metingen"]}
    cited = publisher.send("GET", f"/catalogue/{made['id']}/citation")
    assert cited.headers["Content-Disposition"] == 'attachment; filename="CITATION.cff"'
    assert yaml.safe_load(cited.text)["doi"] == "10.5281/zenodo.1234567"
    assert publisher.send("DELETE", f"/catalogue/{made['id']}").status_code == 204
    assert publisher.send("GET", f"/catalogue/{made['id']}").status_code == 404
    assert publisher.send("GET", "/catalogue").json()["total"] == 0


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"card": CARD.replace("title:", "titel:")}, "titel"), ({"card": "no head"}, "no head"), ({}, "a title and a summary"),
        ({"title": "x", "summary": "x", "doi": "nothing"}, "no DOI"), ({"title": "x", "summary": "x", "keywords": ["a\nb"]}, "a line of"),
        ({"title": "x", "summary": "x", "keywords": ["k"] * 10**5}, "keywords"), ({"title": "x", "summary": "x", "reach": "moon"}, "reach"),
        ({"title": "x", "summary": "x", "authors": ["a"] * 101}, "authors"),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_card_that_cannot_be_is_refused_and_nothing_is_published(
    publisher: Publisher, said: dict[str, object], told: str
) -> None:
    answer = publisher.publish(**said)
    assert answer.status_code == 422
    assert told in answer.text
    assert publisher.send("GET", "/catalogue").json()["total"] == 0


@pytest.mark.parametrize("query", ["offset=901", "offset=-1", "limit=0", "limit=101", f"q={'x' * 401}"])
def test_a_page_that_there_is_not_is_refused(publisher: Publisher, query: str) -> None:
    assert publisher.send("GET", f"/catalogue?{query}").status_code == 422


def test_the_same_in_a_terminal(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "card.md").write_text(CARD)

    def ran(*words: str) -> "subprocess.CompletedProcess[str]":
        named = clean_environment(tmp_path / "home") | {
            "FABRIEK_URL": publisher.url, "FABRIEK_TOKEN": publisher.token, "FABRIEK_PROJECT": publisher.project,
        }  # fmt: skip
        return subprocess.run(
            [*COMMAND, "catalogue", *words], env=named, capture_output=True, text=True, check=False, timeout=60
        )

    made = ran("publish", "dataset", "scans", "--card", str(tmp_path / "card.md"), "--reach", "project")
    assert made.returncode == 0, made.stderr
    told = ran("search", "longscnas")
    assert "nothing has longscnas" not in told.stdout, "a correction would be a word of what not everybody may know of"
    assert ran("publish", "dataset", "scans", "--card", str(tmp_path / "card.md")).returncode == 0
    told = ran("search", "longscnas", "--language", "nl")
    assert told.stdout.startswith("nothing has longscnas; also looked for: longscans"), told.stderr
    assert "Longscans" in told.stdout
    entry = made.stdout.split()[-1]
    assert ran("cite", entry).stdout.startswith("cff-version: 1.2.0")
    assert ran("withdraw", entry).returncode == 0
    assert "nothing found" in ran("search", "longscans").stdout + ran("search", "longscans").stderr


def test_other_catalogues_fetch_what_is_for_the_world_without_an_account(publisher: Publisher) -> None:
    assert publisher.publish(card=CARD).status_code == 201
    for path, kind in (("/catalog.jsonld", "application/ld+json"), ("/catalog.ttl", "text/turtle; charset=utf-8")):
        told = httpx.get(publisher.url + path, trust_env=False)
        assert (told.status_code, told.headers["Content-Type"]) == (200, kind)
        assert "Longscans" not in told.text
    assert publisher.publish(card=CARD, reach="world").status_code == 201
    told = httpx.get(f"{publisher.url}/catalog.jsonld", trust_env=False).json()
    (entry,) = (one for one in told["@graph"] if one["@type"] == "dcat:Dataset")
    assert entry["dct:title"] == {"@value": "Longscans", "@language": "nl"}
    assert "Longscans" in httpx.get(f"{publisher.url}/catalog.ttl", trust_env=False).text
    for wrong in ("start=-1", "start=x", f"start={10**9}"):
        assert httpx.get(f"{publisher.url}/catalog.jsonld?{wrong}", trust_env=False).status_code == 422

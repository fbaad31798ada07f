"""What other catalogues fetch is DCAT-AP: checked by shapes, in both forms, page by page."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import Graph, URIRef
from rdflib.namespace import DCAT, DCTERMS, RDF

from fabriek.knowledge.catalogue.entries import Entry, EntryKind, Reach
from fabriek.knowledge.exchange.dcat import Page, json_ld, turtle

BASE = "https://fabriek.example"
ENTRY = Entry(
    "crd_1", EntryKind.DATASET, "dst_1", "prj_1", "org_1", "personal", "Longscans: één", 'Beelden "van" <b>longen</b>.', "CC-BY-4.0", "Met afspraak.",
    ("long", "röntgen"), "nl", "", datetime(2026, 11, 28, 9, tzinfo=UTC), Reach.WORLD, "10.5281/zenodo.1234567",
)  # fmt: skip
OPEN = replace(ENTRY, id="crd_2", label="open", licence="", terms="", keywords=(), language="en", doi="")
PAGE = Page([(ENTRY, "Ziekenhuis Noord"), (OPEN, "Weefsel BV")], 0, 100, 2)


@pytest.mark.parametrize("page", [PAGE, Page([], 0, 100, 0), Page([(OPEN, "x")], 100, 100, 301)])
def test_both_forms_say_the_same_and_keep_to_the_shapes(page: Page) -> None:
    read = Graph().parse(data=turtle(page, BASE, "fabriek.example"), format="turtle")
    other = Graph().parse(data=json.dumps(json_ld(page, BASE, "fabriek.example")), format="json-ld")
    assert len(read) == len(other) > 5
    keeps, _, report = validate(
        read, shacl_graph=str(Path(__file__).with_name("shapes.ttl")), shacl_graph_format="turtle"
    )
    assert keeps, report
    assert len(list(read.subjects(RDF.type, DCAT.Dataset))) == len(page.entries)


def test_the_shapes_see_what_is_missing() -> None:
    read = Graph().parse(data=turtle(PAGE, BASE, "fabriek.example"), format="turtle")
    for missing in (DCTERMS.title, DCAT.accessURL, DCTERMS.publisher):
        less = Graph()
        for triple in read:
            if triple[1] != missing:
                less.add(triple)
        assert not validate(less, shacl_graph=str(Path(__file__).with_name("shapes.ttl")), shacl_graph_format="turtle")[
            0
        ], missing


def test_what_is_not_open_asks_for_consent_and_says_that_it_is_restricted() -> None:
    read = Graph().parse(data=turtle(PAGE, BASE, "fabriek.example"), format="turtle")
    rights = {
        str(read.value(URIRef(f"{BASE}/catalogue/{name}"), DCTERMS.accessRights)).rsplit("/", 1)[-1]
        for name in ("crd_1", "crd_2")
    }
    assert rights == {"RESTRICTED", "PUBLIC"}
    assert turtle(PAGE, BASE, "x").count("obtainConsent") == 1


def test_pages_lead_to_each_other() -> None:
    def view(start: int) -> dict[str, object]:
        return json_ld(Page([(OPEN, "x")], start, 100, 250), BASE, "x")["@graph"][1]  # type: ignore[no-any-return]  # plain JSON

    assert view(0)["hydra:next"] == {"@id": f"{BASE}/catalog.jsonld?start=100"}
    assert "hydra:previous" not in view(0)
    assert view(200)["hydra:previous"] == {"@id": f"{BASE}/catalog.jsonld?start=100"}
    assert "hydra:next" not in view(200)

"""Catalogues elsewhere come in, change and go with their source; one that lies, loops, is huge or points inside changes nothing."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import AlreadyExists, FabriekError, InvalidInput, NotFound, NotPermitted
from fabriek.knowledge.catalogue.entries import Entry, EntryKind, Face, Reach
from fabriek.knowledge.exchange.dcat import CONTEXT, json_ld, turtle
from fabriek.knowledge.exchange.dcat import Page as Ours
from fabriek.knowledge.harvest import service
from fabriek.knowledge.harvest.sources import Source
from fabriek.worker.harvesting import Harvester
from tests.factories.services import Town, a_town, with_project
from tests.servers.catalogue import Elsewhere, Page, elsewhere

FAR = "https://data.example.org/sets"
CATALOGUE = {"@id": "https://data.example.org/catalogue", "@type": "dcat:Catalog"}


def a_set(name: str, title: Any = "", **more: Any) -> dict[str, Any]:
    return {
        "@id": f"{FAR}/{name}", "@type": "dcat:Dataset", "dct:title": title or {"@value": f"Water {name}", "@language": "en"},
        "dct:description": {"@value": "Levels of a harbour.", "@language": "en"}, "dcat:landingPage": {"@id": f"{FAR}/{name}.html"},
    } | more  # fmt: skip


def a_page(*things: dict[str, Any], following: str = "", **more: Any) -> Page:
    view = (
        [{"@id": "_:view", "@type": "hydra:PartialCollectionView", "hydra:next": {"@id": following}}]
        if following
        else []
    )
    return Page(json.dumps({"@context": CONTEXT, "@graph": [CATALOGUE, *view, *things]} | more).encode())


class Harbour:
    """A town whose operator may read one server of this machine, and that server."""

    def __init__(self, town: Town, there: Elsewhere) -> None:
        self.town, self.there, self.harvesting = town, there, town.services.harvesting
        self.by = town.operator
        self.source = self.harvesting.add(f"{there.url}/dcat", "The port", by=self.by)

    def run(self, *things: dict[str, Any], page: Page | None = None) -> Source:
        self.there.pages["/dcat"] = page or a_page(*things)
        return self.harvesting.run(self.source.id, by=self.by)

    def entries(self) -> dict[str, Entry]:
        """By title, all of them that came from elsewhere, as somebody who is nobody in particular finds them."""
        found = self.town.services.finding.search("", filters={"kind": "elsewhere"}, limit=100, by=self.by)
        return {hit.entry.title: hit.entry for hit in found.hits}


@pytest.fixture
def harbour(database: Database, tmp_path: Path) -> Iterator[Harbour]:
    with elsewhere() as there:
        town = a_town(database, tmp_path / "home", harvest_hosts=there.url, portal_url="https://ours.example")
        yield Harbour(town, there)


def test_entries_come_change_and_go_with_their_source(harbour: Harbour) -> None:
    issued = {"@value": "2024-05-06", "@type": "xsd:date"}
    more = {"dcat:keyword": [{"@value": "tide", "@language": "en"}], "dct:license": {"@id": "https://creativecommons.org/licenses/by/4.0/"},
            "dct:publisher": {"@id": "_:p", "foaf:name": "Port"}, "dct:issued": issued}  # fmt: skip
    done = harbour.run(a_set("a", **more), a_set("b"))
    assert (done.entries, done.pages, done.trouble, done.left_out_count) == (2, 1, "", 0)
    first = harbour.entries()["Water a"]
    assert (first.kind, first.licence, first.keywords, first.authors) == (
        EntryKind.ELSEWHERE,
        "CC-BY-4.0",
        ("tide",),
        ("Port",),
    )
    assert (first.published_at.date().isoformat(), first.label, first.project) == ("2024-05-06", "", "")
    assert harbour.harvesting.origin(first.id, by=harbour.by) == ("The port", f"{FAR}/a.html")
    harbour.run(a_set("a", {"@value": "Waterstanden", "@language": "nl"}, **more))
    ((title, changed),) = harbour.entries().items()
    assert (title, changed.language, changed.id) == ("Waterstanden", "nl", first.id)
    harbour.run()
    assert harbour.entries() == {}
    with pytest.raises(NotFound):
        harbour.harvesting.origin(first.id, by=harbour.by)


def test_the_same_again_changes_nothing(harbour: Harbour) -> None:
    harbour.run(a_set("a"), a_set("b"))
    before = harbour.entries()
    harbour.town.clock.move(timedelta(days=1))
    harbour.run(a_set("a"), a_set("b"))
    assert harbour.entries() == before


def test_pages_are_followed_as_hydra_and_as_headers_say(harbour: Harbour) -> None:
    there, url = harbour.there, harbour.there.url
    there.pages["/2"] = Page(
        a_page(a_set("b")).body, {"Content-Type": "application/ld+json", "Link": '</3>; rel="next"'}
    )
    turtle = f'@prefix dcat: <http://www.w3.org/ns/dcat#> . <{FAR}/c> a dcat:Dataset ; <http://purl.org/dc/terms/title> "Water c"@en .'
    there.pages["/3"] = Page(
        gzip.compress(turtle.encode()), {"Content-Type": "text/turtle; charset=utf-8", "Content-Encoding": "gzip"}
    )
    done = harbour.run(page=a_page(a_set("a"), following=f"{url}/2"))
    assert (done.trouble, done.pages, sorted(harbour.entries())) == ("", 3, ["Water a", "Water b", "Water c"])
    assert "authorization" not in there.asked[0][1]
    assert "cookie" not in there.asked[0][1]


def test_our_own_catalogue_is_one_that_we_read(harbour: Harbour) -> None:
    by, project = with_project(harbour.town, "ziekenhuis")
    services = harbour.town.services
    services.vault.create(project, "scans", label="open", by=by)
    face = Face(
        "Longscans", "Beelden.", language="nl", licence="CC-BY-4.0", keywords=("long",), doi="10.5281/zenodo.1234567"
    )
    services.catalogue.publish(project, "dataset", "scans", face, reach=Reach.WORLD, by=by)
    found, total = services.catalogue.world()
    told = Ours(found, 0, 100, total)
    for base, body, kind in (
        ("https://theirs.example", json.dumps(json_ld(told, "https://theirs.example", "x")).encode(), "application/ld+json"),
        ("https://others.example", turtle(told, "https://others.example", "x").encode(), "text/turtle"),
    ):  # fmt: skip
        done = harbour.run(page=Page(body, {"Content-Type": kind}))
        assert (done.trouble, done.left_out) == ("", ()), base
        entry = harbour.entries()["Longscans"]
        assert (entry.language, entry.licence, entry.doi) == ("nl", "CC-BY-4.0", "10.5281/zenodo.1234567")
    ours = harbour.run(page=Page(json.dumps(json_ld(told, "https://ours.example", "x")).encode()))
    assert ours.left_out_count == 1
    assert "it is ours" in ours.left_out[0]


BOMB = gzip.compress(bytes(64 * 2**20))
HTTP_TROUBLE = {
    "gone": (Page(b"", status=404), "answered 404"),
    "html": (Page(b"<!doctype html><p>Hello", {"Content-Type": "text/html"}), "HTML"),
    "nothing": (Page(b"{}"), "no catalogue"),
    "not JSON": (Page(b"{"), "neither"),
    "deep": (Page(b'{"a":' * 60 + b"1" + b"}" * 60), "deeper than"),
    "deeper": (Page(b"[" * 100_000), "neither"),
    "deep Turtle": (Page(b"[ a " * 5_000, {"Content-Type": "text/turtle"}), "neither|deeper"),
    "bad bytes": (Page(b"\xff\xfe\xff"), "UTF-8"),
    "a bomb": (Page(BOMB, {"Content-Type": "application/ld+json", "Content-Encoding": "gzip"}), "more than 4 MiB"),
    "no gzip": (Page(b"no gzip at all", {"Content-Encoding": "gzip"}), "no gzip"),
    "half a gzip": (Page(gzip.compress(b"{}")[:-4], {"Content-Encoding": "gzip"}), "not answer to the end"),
    "packed": (Page(b"x", {"Content-Encoding": "br"}), "not asked for"),
    "too much": (Page(b" " * (4 * 2**20 + 1)), "more than 4 MiB"),
    "cut": (Page(a_page(a_set("a")).body, announced=10**6), "not answer to the end"),
    "far context": (Page(b'{"@context": "https://www.w3.org/ns/dcat.jsonld"}'), "not fetched"),
    "far context within": (Page(json.dumps({"@context": [{"x": {"@id": "dct:title", "@context": "http://a/"}}]}).encode()), "not fetched"),
    "imported context": (Page(b'{"@context": {"@import": "http://127.0.0.1:1/"}}'), "not fetched"),
    "a long prefix": (Page(json.dumps({"@context": {"x": "http://" + "a" * 5_000}}).encode()), "long name"),
    "a long prefix in Turtle": (Page(f"@prefix x: <http://{'a' * 5_000}> .".encode(), {"Content-Type": "text/turtle"}), "address of more than"),
    "a prefix used often": (Page(f"@prefix x: <http://{'a' * 1_500}> . x:a x:b {','.join(f'x:{one}' for one in range(250_000))} .".encode(),
                                 {"Content-Type": "text/turtle"}), "written out"),
    "a context used often": (Page(json.dumps({"@context": {"@vocab": f"http://{'a' * 1_900}/"}, "x": [{"x": 1}] * 45_000}).encode()), "written out"),
    "very many things": (Page(f"@prefix x: <http://a/> . x:a x:b {','.join(f'x:{one}' for one in range(100_001))} .".encode(),
                              {"Content-Type": "text/turtle"}), "more than 100,000 things"),
    "escapes": (Page(f"@prefix x: <http://{chr(92)}u0061{'a' * 5_000}> .".encode(), {"Content-Type": "text/turtle"}), "address of more than"),
    "two next": (a_page({"@id": "_:v", "hydra:next": [{"@id": "http://127.0.0.1/1"}, {"@id": "http://127.0.0.1/2"}]}), "two next"),
    "another host": (a_page(following="https://example.org/2"), "another host"),
    "a file": (a_page(following="file:///etc/passwd"), "another host"),
}  # fmt: skip


@pytest.mark.parametrize("what", HTTP_TROUBLE)
def test_a_source_in_trouble_says_so_and_what_was_here_stays(harbour: Harbour, what: str) -> None:
    page, told = HTTP_TROUBLE[what]
    good = harbour.run(a_set("a"), a_set("b"))
    before = harbour.entries()
    harbour.town.clock.move(timedelta(hours=1))
    done = harbour.run(page=page)
    assert re.search(told, done.trouble), done.trouble
    assert (done.entries, done.good_at, harbour.entries()) == (2, good.good_at, before)
    assert done.tried_at is not None
    assert done.tried_at > good.tried_at  # type: ignore[operator]  # it was read
    assert harbour.run(a_set("a")).trouble == ""
    assert list(harbour.entries()) == ["Water a"]


def test_pages_that_lead_in_a_circle_or_never_end_are_left(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    url = harbour.there.url
    harbour.there.pages["/2"] = a_page(a_set("b"), following=f"{url}/dcat")
    assert "circle" in harbour.run(page=a_page(a_set("a"), following=f"{url}/2")).trouble
    assert "circle" in harbour.run(page=a_page(a_set("a"), following=f"{url}/dcat")).trouble
    for number in range(6):
        harbour.there.pages[f"/p{number}"] = a_page(a_set(str(number)), following=f"{url}/p{number + 1}")
    monkeypatch.setattr(service, "PAGES_MAX", 4)
    assert "more than 4 pages" in harbour.run(page=a_page(following=f"{url}/p0")).trouble
    monkeypatch.setattr(service, "PAGES_MAX", 500)
    monkeypatch.setattr(service, "ENTRIES_MAX", 3)
    assert "more than 3 datasets" in harbour.run(page=a_page(following=f"{url}/p0")).trouble
    monkeypatch.setattr(service, "ALL_BYTES_MAX", 100)
    assert "MiB" in harbour.run(page=a_page(following=f"{url}/p0")).trouble
    assert harbour.entries() == {}


def test_a_page_that_fails_half_way_takes_nothing_over(harbour: Harbour) -> None:
    harbour.run(a_set("a"))
    done = harbour.run(page=a_page(a_set("new"), following=f"{harbour.there.url}/gone"))
    assert "404" in done.trouble
    assert list(harbour.entries()) == ["Water a"]


@pytest.mark.parametrize(("thing", "told"), [
    (a_set("x", {"@id": "https://example.org/title"}), "no title"), ({"@id": f"{FAR}/x", "@type": "dcat:Dataset"}, "no title"),
    (a_set("x", "<script>alert(1)</script>"), "says nothing"), (a_set("x") | {"@id": "https://ours.example/catalogue/crd_1"}, "it is ours"),
    (a_set("x") | {"@id": "_:x"}, "no identifier"), (a_set("x") | {"@id": "https://example.org/" + "a" * 600}, "no identifier"),
    (a_set("x") | {"@id": "_:x", "dct:identifier": "ds_1"}, "no identifier"),
], ids=range(7))  # fmt: skip
def test_what_does_not_hold_together_is_left_out_by_itself(harbour: Harbour, thing: dict[str, Any], told: str) -> None:
    done = harbour.run(a_set("a"), thing)
    assert (done.trouble, done.entries, done.left_out_count) == ("", 1, 1)
    assert told in done.left_out[0]
    assert list(harbour.entries()) == ["Water a"]


def test_one_that_became_unreadable_stays_as_it_was(harbour: Harbour) -> None:
    harbour.run(a_set("a"), a_set("b"))
    done = harbour.run(a_set("a", {"@id": "https://example.org/title"}))
    assert (done.left_out_count, list(harbour.entries())) == (1, ["Water a"])


def test_texts_are_texts_and_days_to_come_are_not_believed(harbour: Harbour) -> None:
    hostile = (
        "<b>Bold</b> &amp; <script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x00 [x](javascript:alert(1)) "
        + "long " * 200
    )
    done = harbour.run(a_set(
        "a", "A <i>title</i>\nin two lines", **{
            "dct:description": hostile, "dct:issued": {"@value": "2999-01-01", "@type": "xsd:date"},
            "dcat:landingPage": {"@id": "javascript:alert(1)"}, "dcat:keyword": ["a\nb", "k" * 100, {"@id": "x:y"}],
        },
    ))  # fmt: skip
    assert done.trouble == ""
    ((title, entry),) = harbour.entries().items()
    assert title == "A title in two lines"
    assert entry.summary.startswith("Bold & [x](javascript:alert(1)) long")
    assert "alert(1)<" not in entry.text
    assert "<" not in entry.text
    assert "\u202e" not in entry.text + entry.summary
    assert entry.keywords == ("a b",)
    assert entry.published_at <= harbour.town.clock.now()
    assert harbour.harvesting.origin(entry.id, by=harbour.by)[1] == f"{FAR}/a"
    first = entry.published_at
    harbour.town.clock.move(timedelta(days=2))
    harbour.run(a_set("a", "Another", **{"dct:issued": "2999-01-01"}))
    assert harbour.entries()["Another"].published_at == first


def test_no_source_says_anything_about_what_is_ours_or_anothers(harbour: Harbour) -> None:
    by, project = with_project(harbour.town, "ziekenhuis")
    services = harbour.town.services
    services.vault.create(project, "scans", label="internal", by=by)
    ours = services.catalogue.publish(project, "dataset", "scans", Face("Scans", "x"), by=by)
    harbour.run(a_set("a"))
    liar = harbour.harvesting.add(f"{harbour.there.url}/liar", by=harbour.by)
    harbour.there.pages["/liar"] = a_page(
        a_set("a", "Stolen"), a_set("x", "Taken") | {"@id": f"urn:{ours.subject}"}, a_set("y", "Mine") | {"@id": f"{harbour.source.id}:{FAR}/a"},
    )  # fmt: skip
    harbour.harvesting.run(liar.id, by=harbour.by)
    assert services.catalogue.entry(ours.id, by=by) == ours
    assert {"Water a", "Stolen"} <= harbour.entries().keys()
    harbour.harvesting.remove(liar.id, by=harbour.by)
    assert list(harbour.entries()) == ["Water a"]
    assert services.catalogue.entry(ours.id, by=by) == ours


def test_what_is_elsewhere_is_read_only_and_opens_nothing(harbour: Harbour) -> None:
    harbour.run(a_set("a"))
    (entry,) = harbour.entries().values()
    by, project = with_project(harbour.town, "ziekenhuis")
    catalogue = harbour.town.services.catalogue
    for who in (by, harbour.by):
        with pytest.raises(NotPermitted):
            catalogue.withdraw(entry.id, by=who)
    for act in (lambda: catalogue.request(entry.id, project, "why", by=by), lambda: catalogue.citation(entry.id, "x", by=by),
                lambda: harbour.town.services.telling.croissant(entry.id, "x", by=by)):  # fmt: skip
        with pytest.raises(InvalidInput):
            act()
    with pytest.raises(NotFound):
        catalogue.of_the_world(entry.id)
    with pytest.raises(InvalidInput):
        catalogue.publish(project, "elsewhere", entry.subject, Face("x", "x"), by=by)
    found = harbour.town.services.finding.search("water", by=by)
    assert (found.total, found.facets["label"]) == (1, {})


@pytest.mark.parametrize(("address", "told"), [
    ("http://example.org/dcat", "https only"), ("file:///etc/passwd", "no host"), ("https://me:secret@example.org/", "a user"),
    ("ftp://example.org/", "https only"), ("https://example.org:8080/", "port 8080"), ("https://example.org/#x", "fragment"), ("", "plain address"),
    ("https://exa mple.org", "plain address"), ("http://127.0.0.1:1/", "https only"), ("https://[::1", "plain address"),
    ("https://" + "a" * 3000, "plain"),
], ids=range(11))  # fmt: skip
def test_an_address_that_is_never_read_is_refused_at_once(harbour: Harbour, address: str, told: str) -> None:
    with pytest.raises(FabriekError, match=told):
        harbour.harvesting.add(address, "x", by=harbour.by)
    assert len(harbour.harvesting.all(by=harbour.by)) == 1


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1/x",
        "https://localhost/x",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "https://[::1]/x",
    ],
)
def test_a_redirect_that_leads_inside_is_not_followed(harbour: Harbour, location: str) -> None:
    done = harbour.run(page=Page(b"", {"Location": location}, status=302))
    assert any(told in done.trouble for told in ("private address", "https only", "no host")), done.trouble


def test_redirects_are_followed_so_far_and_no_further(harbour: Harbour) -> None:
    url = harbour.there.url
    harbour.there.pages["/moved"] = a_page(a_set("a"))
    assert harbour.run(page=Page(b"", {"Location": "/moved"}, status=301)).entries == 1
    assert "redirects more than" in harbour.run(page=Page(b"", {"Location": f"{url}/dcat"}, status=302)).trouble


def test_only_operators_do_this_and_each_name_is_there_once(harbour: Harbour) -> None:
    stranger, _ = with_project(harbour.town, "elders")
    acts: tuple[Callable[[Caller], object], ...] = (
        lambda by: harbour.harvesting.add("https://example.org/", by=by), lambda by: harbour.harvesting.all(by=by),
        lambda by: harbour.harvesting.run(harbour.source.id, by=by), lambda by: harbour.harvesting.remove(harbour.source.id, by=by),
        lambda by: harbour.harvesting.get(harbour.source.id, by=by), lambda by: harbour.harvesting.due(by=by),
    )  # fmt: skip
    for act in acts:
        with pytest.raises(NotPermitted):
            act(stranger)
    with pytest.raises(AlreadyExists):
        harbour.harvesting.add(harbour.source.address, by=harbour.by)
    with pytest.raises(InvalidInput, match="name"):
        harbour.harvesting.add("https://example.org/", "a\nb", by=harbour.by)
    with pytest.raises(NotFound):
        harbour.harvesting.run("src_nothing", by=harbour.by)


def test_the_worker_reads_what_is_due_once_a_day(harbour: Harbour) -> None:
    harbour.there.pages["/dcat"] = a_page(a_set("a"))
    harvester = Harvester(harbour.town.services)
    try:
        assert harvester.round()
        harvester.beside.wait()
        assert list(harbour.entries()) == ["Water a"]
        harbour.town.clock.move(timedelta(hours=2))
        assert not harvester.round()
        harbour.town.clock.move(timedelta(days=1))
        assert [one.id for one in harbour.harvesting.due(by=SYSTEM)] == [harbour.source.id]
        assert harvester.round()
    finally:
        harvester.beside.wait()
        harvester.beside.close()
    assert len(harbour.there.asked) == 2


def test_many_at_once(harbour: Harbour) -> None:
    page = a_page(*(a_set(f"{number:04}") for number in range(130)))
    assert harbour.run(page=page).entries == 130
    assert harbour.run(page=page).entries == 130
    assert len(harbour.entries()) == 100
    harbour.harvesting.remove(harbour.source.id, by=harbour.by)
    assert harbour.entries() == {}

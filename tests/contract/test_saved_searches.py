"""Searches that people keep, on both databases."""

from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.knowledge.catalogue.entries import Face
from fabriek.knowledge.saved_searches.searches import SEARCHES_MAX
from tests.factories.services import Town, a_town, with_project


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def publish(town: Town, by: Caller, project: str, name: str) -> str:
    town.clock.move(timedelta(minutes=1))
    return town.services.catalogue.publish(project, "guide", name, Face(f"Scans {name}", "Of lungs."), by=by).id


def test_what_was_published_since_one_looked_is_new(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    saving = town.services.saved_searches
    publish(town, by, project, "one")
    town.clock.move(timedelta(minutes=1))
    saving.save("lungs", "scans", {"kind": "guide", "label": ""}, by=by)
    [kept] = saving.list(by=by)
    assert (kept.found, kept.new, dict(kept.search.filters)) == (1, 0, {"kind": "guide"})
    publish(town, by, project, "two")
    [kept] = saving.list(by=by)
    assert (kept.found, kept.new) == (2, 1)
    looked, found = saving.look("lungs", by=by)
    assert (looked.new, len(found.hits)) == (1, 2)
    town.clock.move(timedelta(minutes=1))
    assert saving.list(by=by)[0].new == 0


def test_they_are_one_s_own(town: Town) -> None:
    by, _ = with_project(town, "ziekenhuis")
    stranger, _ = with_project(town, "elders")
    town.services.saved_searches.save("lungs", "scans", {}, by=by)
    town.services.saved_searches.save("lungs", "hearts", {}, by=stranger)
    assert [one.search.text for one in town.services.saved_searches.list(by=by)] == ["scans"]
    town.services.saved_searches.forget("lungs", by=by)
    with pytest.raises(NotFound):
        town.services.saved_searches.look("lungs", by=by)
    assert [one.search.text for one in town.services.saved_searches.list(by=stranger)] == ["hearts"]


def test_one_of_a_name_takes_the_place_of_the_one_before(town: Town) -> None:
    by, _ = with_project(town, "ziekenhuis")
    for text in ("scans", "hearts"):
        town.services.saved_searches.save(" lungs ", text, {}, by=by)
    assert [(one.search.name, one.search.text) for one in town.services.saved_searches.list(by=by)] == [
        ("lungs", "hearts")
    ]


BAD = [
    ("", "x", {}), ("x" * 101, "x", {}), ("two\nlines", "x", {}), ("x", "x" * 401, {}), ("x", " ", {"kind": ""}), ("x", "x", {"person": "y"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "filters"), BAD, ids=range(len(BAD)))
def test_what_asks_for_nothing_or_too_much_is_not_kept(
    town: Town, name: str, text: str, filters: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput):
        town.services.saved_searches.save(name, text, filters, by=town.operator)
    assert town.services.saved_searches.list(by=town.operator) == []


def test_nobody_keeps_more_than_so_many(town: Town) -> None:
    for at in range(SEARCHES_MAX):
        town.services.saved_searches.save(f"search {at}", "scans", {}, by=town.operator)
    with pytest.raises(InvalidInput, match="at most"):
        town.services.saved_searches.save("one more", "scans", {}, by=town.operator)
    town.services.saved_searches.save("search 0", "hearts", {}, by=town.operator)

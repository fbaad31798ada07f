"""Finding by meaning, with the real encoder, on both databases."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.knowledge.catalogue.entries import Face, Reach
from fabriek.knowledge.meaning.encoder import encoder_here
from fabriek.knowledge.meaning.service import Meaning
from fabriek.knowledge.meaning.store import SqlMeanings
from tests.factories.services import Town, a_town, with_project

CARDS = {
    "lungs": Face("CT-scans van longen", "Beelden van longen van rokers, met de plaats van tumoren.", language="nl"),
    "rain": Face("Neerslag per uur", "Regen in millimeters, van alle weerstations.", language="nl"),
    "engines": Face("Vibration of turbines", "Sensor readings of jet engines until they failed."),
    "votes": Face("Minutes of councils", "What municipalities decided, in full text."),
}


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


@pytest.fixture
def read(town: Town) -> tuple[Town, Caller, str]:
    """Four guides that were read; skips where nothing reads them."""
    if encoder_here() is None:
        pytest.skip("finding by meaning was not tested: the extra `meaning` is not installed")
    by, project = with_project(town, "ziekenhuis")
    for name, face in CARDS.items():
        town.services.catalogue.publish(project, "guide", name, face, by=by)
    while town.services.meaning.read_some():
        pass
    return town, by, project


def near(town: Town, text: str, by: Caller) -> Sequence[str]:
    return [hit.entry.title for hit in town.services.finding.search(text, by_words=False, by=by).hits]


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("rainfall", "Neerslag per uur"), ("pulmonary cancer imaging", "CT-scans van longen"), ("vliegtuigmotor kapot", "Vibration of turbines"),
        ("gemeenteraad besluiten", "Minutes of councils"),
    ],
)  # fmt: skip
def test_what_means_the_same_in_another_language_is_nearest(
    read: tuple[Town, Caller, str], asked: str, first: str
) -> None:
    town, by, _ = read
    assert near(town, asked, by)[0] == first


def test_what_has_the_words_goes_first_and_what_is_near_says_so(read: tuple[Town, Caller, str]) -> None:
    town, by, _ = read
    found = town.services.finding.search("regen", by=by)
    assert (found.hits[0].entry.title, found.hits[0].near) == ("Neerslag per uur", False)
    assert all(hit.near for hit in found.hits[1:])
    assert found.total == len(found.hits) == sum(found.facets["kind"].values())


@pytest.mark.parametrize("asked", ['"weather stations"', "weather -rain"])
def test_who_says_which_words_means_the_words(read: tuple[Town, Caller, str], asked: str) -> None:
    town, by, _ = read
    assert not any(hit.near for hit in town.services.finding.search(asked, by=by).hits)


def test_what_one_may_not_know_of_changes_nothing_of_what_is_near(read: tuple[Town, Caller, str]) -> None:
    town, by, project = read
    stranger, _ = with_project(town, "elders")
    before = [near(town, asked, stranger) for asked in ("weather", "illness", "aircraft")]
    for name in ("storms", "hospitals"):
        face = Face(f"Weather and illness: {name}", "Aircraft.")
        town.services.catalogue.publish(project, "guide", name, face, reach=Reach.PROJECT, by=by)
    while town.services.meaning.read_some():
        pass
    assert [near(town, asked, stranger) for asked in ("weather", "illness", "aircraft")] == before
    assert near(town, "weather and illness", by)[0].startswith("Weather and illness")


def test_what_was_hidden_or_changed_is_near_no_more_as_it_was(read: tuple[Town, Caller, str]) -> None:
    town, by, project = read
    stranger, _ = with_project(town, "elders")
    assert near(town, "rainfall", stranger)[0] == "Neerslag per uur"
    town.services.catalogue.publish(project, "guide", "rain", CARDS["rain"], reach=Reach.PROJECT, by=by)
    assert "Neerslag per uur" not in near(town, "rainfall", stranger)
    town.services.catalogue.publish(project, "guide", "rain", Face("Opera", "Arias."), by=by)
    while town.services.meaning.read_some():
        pass
    assert near(town, "classical singing", stranger)[0] == "Opera"


def test_without_an_encoder_words_alone_find(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    town.services.catalogue.publish(project, "guide", "rain", CARDS["rain"], by=by)
    off = Meaning(None, SqlMeanings(town.services.database))
    assert (off.is_on, off.read_some(), off.nearest("rain", ["all"], 9)) == (False, 0, [])

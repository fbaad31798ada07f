"""The catalogue and its search, on both databases."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from fabriek.access.store import projects
from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted
from fabriek.knowledge.catalogue.entries import Entry, Face, Reach
from tests.factories.services import Town, a_town, with_project


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def publish(town: Town, by: Caller, project: str, name: str, **face: str) -> Entry:
    town.services.vault.create(project, name, label="personal", by=by)
    said = Face(face.pop("title", name), face.pop("summary", "Measured."), **face)
    return town.services.catalogue.publish(project, "dataset", name, said, by=by)


def found(town: Town, text: str) -> list[str]:
    return [hit.entry.title for hit in town.services.finding.search(text, by=town.operator).hits]


def test_a_card_is_found_by_any_of_its_words(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    publish(town, by, project, "biopsies", title="Borstbiopten", summary="Fijne naald, één per patiënt.", text="Diagnose en straal")  # fmt: skip
    publish(town, by, project, "scans", title="Scans", summary="Of the lung.")
    for asked in ("borstbiopten", "NAALD", "een patient", "diagnose straal", "biops", "borst", "fijne één"):
        assert "Borstbiopten" in found(town, asked) or asked == "biops", asked
    assert town.services.finding.search("fijne naald", by=town.operator).loose is False
    assert set(found(town, "")) == {"Borstbiopten", "Scans"}


def test_a_title_weighs_more_than_a_mention(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    publish(town, by, project, "a", title="Scans", summary="Once about biopsies and other things.")
    publish(town, by, project, "b", title="Biopsies", summary="Cells.")
    assert found(town, "biopsies") == ["Biopsies", "Scans"]


OPERATORS = [
    '"', "*", "NEAR(", "a OR b", "a -b", "^a", "title:a", "'; drop table knowledge_cards; --", "a & | !", "<->", "\\", "\x00",
]  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60) | st.sampled_from(OPERATORS))
def test_no_word_is_an_operator(town: Town, text: str) -> None:
    said = town.services.finding.search(text, by=town.operator)
    assert not said.total, "nothing is there that any text could find"
    assert not said.hits


def test_a_card_is_changed_in_place(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    first = publish(town, by, project, "biopsies", title="Before")
    second = town.services.catalogue.publish(project, "dataset", "biopsies", Face("After", "Measured."), by=by)
    assert first.id == second.id
    assert (found(town, "before"), found(town, "after")) == ([], ["After"])


def test_a_card_makes_known_and_opens_nothing(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    card = publish(town, by, project, "biopsies")
    stranger, other = with_project(town, "elders")
    assert town.services.catalogue.entry(card.id, by=stranger).label == "personal"
    with pytest.raises(NotPermitted):
        town.services.vault.opened(card.subject, limit=10, by=stranger)
    with pytest.raises(NotFound):
        town.services.vault.open_upload(other, card.subject, by=stranger)


def test_only_ones_own_is_published(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    town.services.vault.create(project, "biopsies", label="personal", by=by)
    stranger, other = with_project(town, "elders")
    with pytest.raises(NotPermitted):
        town.services.catalogue.publish(project, "dataset", "biopsies", Face("Mine", "Now."), by=stranger)
    with pytest.raises(NotFound):
        town.services.catalogue.publish(other, "dataset", "biopsies", Face("Mine", "Now."), by=stranger)
    assert found(town, "") == []


BAD_FACES = [
    Face("", "x"), Face("x", " "), Face("x" * 201, "x"), Face("x", "x" * 501), Face("x", "x", language="de"),
    Face("x", "x", keywords=("k",) * 21),
]  # fmt: skip


@pytest.mark.parametrize("face", BAD_FACES, ids=range(len(BAD_FACES)))
def test_a_card_that_says_nothing_or_too_much_is_refused(town: Town, face: Face) -> None:
    by, project = with_project(town, "ziekenhuis")
    town.services.vault.create(project, "biopsies", label="personal", by=by)
    with pytest.raises(InvalidInput):
        town.services.catalogue.publish(project, "dataset", "biopsies", face, by=by)
    assert found(town, "") == []


def titles(town: Town, text: str, by: Caller, **filters: str) -> set[str]:
    return {hit.entry.title for hit in town.services.finding.search(text, filters=filters, by=by).hits}


@pytest.fixture
def full(town: Town) -> Town:
    """A few entries in both languages."""
    by, project = with_project(town, "ziekenhuis")
    for name, title, summary, language in (
        ("scans", "Longscans", "Beelden van de longen van 300 patiënten, met metingen.", "nl"),
        ("biopsies", "Breast biopsies", "Thirty measurements of each cell nucleus.", "en"),
        ("water", "Waterstand in de haven", "Elke tien minuten gemeten.", "nl"),
        ("turbine", "Turbine vibrations", "Vibration of a wind turbine, measured at ten kilohertz.", "en"),
    ):
        town.services.vault.create(project, name, label="internal" if name == "water" else "personal", by=by)
        face = Face(title, summary, language=language, keywords=("lung",) if name == "scans" else ())
        town.services.catalogue.publish(project, "dataset", name, face, by=by)
    return town


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("biopsy", "Breast biopsies"), ("measurement", "Breast biopsies"), ("beeld", "Longscans"), ("meting", "Longscans"),
        ("haven waterstanden", "Waterstand in de haven"), ("vibrated turbine", "Turbine vibrations"), ("vibratons", "Turbine vibrations"),
        ("biopsis", "Breast biopsies"), ("long scans", "Longscans"), ("windturbine", "Turbine vibrations"), ("longsc", "Longscans"),
        ('"wind turbine"', "Turbine vibrations"), ("keyword:lung", "Longscans"), ("LÓNGSCÁNS", "Longscans"),
    ],
)  # fmt: skip
def test_a_word_stands_for_its_family_its_parts_and_what_it_was_meant_to_be(full: Town, asked: str, title: str) -> None:
    assert titles(full, asked, full.operator) == {title}


def test_a_correction_is_said(full: Town) -> None:
    said = full.services.finding.search("vibratons", by=full.operator)
    assert said.meant == {"vibratons": ("vibrations",)}
    assert full.services.finding.search("vibrations", by=full.operator).meant == {}


def test_where_nothing_has_all_of_it_some_is_shown_and_said(full: Town) -> None:
    said = full.services.finding.search("haven turbine", by=full.operator)
    assert said.loose
    assert {hit.entry.title for hit in said.hits} == {"Waterstand in de haven", "Turbine vibrations"}
    assert not full.services.finding.search("qqqqzz xxjjkk", by=full.operator).loose
    pages = [full.services.finding.search("haven turbine", limit=1, offset=at, by=full.operator) for at in (0, 1, 2)]
    assert [(len(page.hits), page.total, page.loose) for page in pages] == [(1, 2, True), (1, 2, True), (0, 2, True)]


def test_a_phrase_stands_together_and_what_is_without_does_not_occur(full: Town) -> None:
    assert titles(full, '"turbine wind"', full.operator) == set()
    assert titles(full, "measured -wind", full.operator) == set()
    assert titles(full, "ten -wind", full.operator) == set()
    assert titles(full, "turbine -water", full.operator) == {"Turbine vibrations"}


def test_filters_narrow_and_counts_say_by_how_much(full: Town) -> None:
    every = full.services.finding.search("", by=full.operator)
    assert (every.total, every.more) == (4, False)
    assert every.facets == {
        "kind": {"dataset": 4},
        "language": {"nl": 2, "en": 2},
        "label": {"personal": 3, "internal": 1},
    }
    assert titles(full, "", full.operator, label="internal") == {"Waterstand in de haven"}
    assert titles(full, "label:internal", full.operator) == {"Waterstand in de haven"}
    assert titles(full, "", full.operator, language="nl", kind="dataset") == {"Longscans", "Waterstand in de haven"}
    assert titles(full, "organisation:ziekenhuis language:en", full.operator) == {
        "Breast biopsies",
        "Turbine vibrations",
    }
    assert titles(full, "organisation:nobody", full.operator) == set()
    assert titles(full, "", full.operator, keyword="lung") == {"Longscans"}
    narrowed = full.services.finding.search("turbine", filters={"language": "en"}, by=full.operator)
    assert (narrowed.total, narrowed.facets["language"]) == (1, {"en": 1})


def test_pages_follow_each_other(full: Town) -> None:
    pages = [full.services.finding.search("", limit=2, offset=at, by=full.operator) for at in (0, 2, 4)]
    assert [len(page.hits) for page in pages] == [2, 2, 0]
    assert len({hit.entry.id for page in pages for hit in page.hits}) == 4
    for limit, offset in ((0, 0), (101, 0), (20, -1), (20, 901)):
        with pytest.raises(InvalidInput):
            full.services.finding.search("", limit=limit, offset=offset, by=full.operator)


def test_what_is_being_typed_goes_on(full: Town) -> None:
    assert list(full.services.finding.suggest("breast bio", by=full.operator)) == ["breast biopsies"]
    assert list(full.services.finding.suggest("b", by=full.operator)) == []


def test_what_is_taken_back_is_found_no_more(full: Town) -> None:
    by = full.services.finding.search("turbine", by=full.operator).hits[0].entry
    stranger, _ = with_project(full, "elders")
    with pytest.raises(NotPermitted):
        full.services.catalogue.withdraw(by.id, by=stranger)
    owner = full.again(full.person("ziekenhuis"))
    with pytest.raises(NotPermitted):
        full.services.catalogue.withdraw(by.id, by=owner)


ASKED = (
    "", "zonnestorm", "zonnestorme", "zonne", "storm", "zonnestormen", "weather zonnestorm", "rain", "keyword:geheim", "label:personal", "wind",
)  # fmt: skip


class Hidden:
    """What a project keeps to itself, beside what everybody may know of; and a stranger."""

    def __init__(self, town: Town) -> None:
        self.town, (self.owner, self.project) = town, with_project(town, "ziekenhuis")
        publish(town, self.owner, self.project, "open", title="Weather", summary="Wind and rain of a year.")
        self.stranger, _ = with_project(town, "elders")
        self.before = self.told()

    def told(self) -> object:
        """All that a stranger can learn."""
        finding, found = self.town.services.finding, list[object]()
        for asked in ASKED:
            said = finding.search(asked, by=self.stranger)
            order = [hit.entry.title for hit in said.hits]
            found.append((asked, order, said.total, said.more, said.facets, said.meant, said.loose))
        return [
            *found,
            *(list(finding.suggest(beginning, by=self.stranger)) for beginning in ("zo", "zonne", "ra", "wi")),
        ]

    def hide(self, reach: Reach) -> Entry:
        self.town.services.vault.create(self.project, "kept", label="personal", by=self.owner)
        face = Face("Zonnestormen", "Rain rain rain wind of the zonnestorm.", keywords=("geheim",), text="wind " * 50)
        return self.town.services.catalogue.publish(self.project, "dataset", "kept", face, reach=reach, by=self.owner)


@pytest.mark.parametrize("reach", [Reach.ORGANISATION, Reach.PROJECT])
def test_whoever_may_not_know_of_it_learns_nothing_by_any_way(town: Town, reach: Reach) -> None:
    hidden = Hidden(town)
    entry = hidden.hide(reach)
    assert hidden.told() == hidden.before
    with pytest.raises(NotFound) as told:
        town.services.catalogue.entry(entry.id, by=hidden.stranger)
    with pytest.raises(NotFound) as nothing:
        town.services.catalogue.entry("crd_nothing", by=hidden.stranger)
    assert told.value.detail == nothing.value.detail
    with pytest.raises(NotFound):
        town.services.catalogue.withdraw(entry.id, by=hidden.stranger)
    owner = town.again(hidden.owner)
    assert titles(town, "zonnestorm", owner) == {"Zonnestormen"}
    assert titles(town, "keyword:geheim", owner) == {"Zonnestormen"}
    assert town.services.finding.search("rain", by=owner).total == 2
    colleague = town.again(town.person("ziekenhuis"))
    assert titles(town, "zonnestorm", colleague) == ({"Zonnestormen"} if reach is Reach.ORGANISATION else set())


def test_what_was_for_few_becomes_for_all_and_back(town: Town) -> None:
    hidden = Hidden(town)
    for reach, known in ((Reach.PROJECT, False), (Reach.EVERYONE, True), (Reach.ORGANISATION, False)):
        if reach is Reach.PROJECT:
            hidden.hide(reach)
        else:
            face = Face("Zonnestormen", "Of the zonnestorm.")
            town.services.catalogue.publish(hidden.project, "dataset", "kept", face, reach=reach, by=hidden.owner)
        assert titles(town, "zonnestorm", hidden.stranger) == ({"Zonnestormen"} if known else set())
        assert titles(town, "zonnestorm", town.again(hidden.owner)) == {"Zonnestormen"}
    entry = town.services.finding.search("zonnestorm", by=town.again(hidden.owner)).hits[0].entry
    town.services.catalogue.withdraw(entry.id, by=town.again(hidden.owner))
    assert titles(town, "zonnestorm", town.again(hidden.owner)) == set()


def test_what_is_withheld_until_it_is_released_is_known_to_its_project_alone(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    with town.services.database.transaction():
        town.services.database.execute(update(projects).values(label_ceiling="export-controlled"))
    town.services.vault.create(project, "parts", label="export-controlled", by=by)
    for reach in (Reach.WORLD, Reach.EVERYONE, Reach.ORGANISATION):
        with pytest.raises(NotPermitted, match="after a release alone"):
            town.services.catalogue.publish(
                project, "dataset", "parts", Face("Parts", "Of a thing."), reach=reach, by=by
            )
    town.services.catalogue.publish(
        project, "dataset", "parts", Face("Parts", "Of a thing."), reach=Reach.PROJECT, by=by
    )
    assert found(town, "parts") == []
    assert titles(town, "parts", town.again(by)) == {"Parts"}


def test_the_world_is_told_of_what_is_for_the_world_alone(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    for number, reach in enumerate(Reach):
        town.services.vault.create(project, f"set-{number}", label="open", by=by)
        face = Face(f"Of {reach}", "Numbers.")
        made = town.services.catalogue.publish(project, "dataset", f"set-{number}", face, reach=reach, by=by)
        if reach is Reach.WORLD:
            assert town.services.catalogue.of_the_world(made.id) == made
        else:
            with pytest.raises(NotFound):
                town.services.catalogue.of_the_world(made.id)
    told, total = town.services.catalogue.world()
    assert ([one.title for one, _ in told], total) == (["Of world"], 1)
    assert town.services.catalogue.world(start=1) == ([], 1)
    assert {"Of world", "Of everyone"} == titles(town, "numbers", town.operator)

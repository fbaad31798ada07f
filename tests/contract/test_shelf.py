"""What the factory itself offers, in the catalogue; and what projects publish by a card alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from fabriek.access.store import projects
from fabriek.adapters.database import Database
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.knowledge.catalogue.entries import EntryKind, Face, Reach
from fabriek.knowledge.offers.faces import faces_on
from fabriek.worker.shelving import shelve
from tests.factories.services import Town, a_town, with_project


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def found(town: Town, text: str, **filters: str) -> list[str]:
    return [hit.entry.title for hit in town.services.finding.search(text, filters=filters, by=town.operator).hits]


def test_services_are_found_in_both_languages_and_once_each(town: Town) -> None:
    shelve(town.services)
    shelve(town.services)
    assert found(town, "rekentijd")[0] == "Rekentijd"
    assert found(town, "courses", kind="service") == ["Courses"]
    assert len(found(town, "", kind="service")) == len(faces_on(town.services.offering.today()))


def test_what_is_offered_no_more_is_found_no_more_and_what_says_otherwise_says_so(town: Town) -> None:
    catalogue = town.services.catalogue
    faces = {"gpu:en": Face("Computing time", "GPUs."), "desk:en": Face("Hours with an expert", "Advice.")}
    assert catalogue.shelve(EntryKind.SERVICE, faces)
    assert not catalogue.shelve(EntryKind.SERVICE, faces)
    [before] = town.services.finding.search("computing", by=town.operator).hits
    assert catalogue.shelve(EntryKind.SERVICE, {"gpu:en": replace(faces["gpu:en"], summary="GPUs and processors.")})
    [after] = town.services.finding.search("processors", by=town.operator).hits
    assert (after.entry.id, found(town, "expert")) == (before.entry.id, [])


def test_nobody_takes_back_what_is_the_factory_s_own(town: Town) -> None:
    shelve(town.services)
    [hit, *_] = town.services.finding.search("rekentijd", by=town.operator).hits
    assert town.services.catalogue.whose(hit.entry) == ("", "this factory")
    with pytest.raises(NotPermitted, match="factory's own"):
        town.services.catalogue.withdraw(hit.entry.id, by=town.operator)


@pytest.mark.parametrize("kind", ["guide", "app", "training"])
def test_a_guide_is_its_card(town: Town, kind: str) -> None:
    by, project = with_project(town, "ziekenhuis")
    card = town.services.catalogue.publish(project, kind, "first-model", Face("A first model", "In an hour."), by=by)
    again = town.services.catalogue.publish(project, kind, "first-model", Face("The first model", "Now."), by=by)
    assert (card.id, card.label, found(town, "first", kind=kind)) == (again.id, "open", ["The first model"])


@pytest.mark.parametrize(
    ("kind", "name"), [("guide", "No Name"), ("guide", "../x"), ("service", "mine"), ("recipe", "x"), ("poem", "x")]
)
def test_what_is_not_published_so_is_refused(town: Town, kind: str, name: str) -> None:
    by, project = with_project(town, "ziekenhuis")
    with pytest.raises(InvalidInput):
        town.services.catalogue.publish(project, kind, name, Face("Mine", "Now."), by=by)


def test_a_guide_of_a_sealed_project_needs_a_release(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    sealed = next(one for one in town.services.vault.labels.names if town.services.vault.labels.withholds_logs(one))
    known = town.services.access.project(project).id
    with town.services.database.transaction():
        town.services.database.execute(projects.update().where(projects.c.id == known).values(label_ceiling=sealed))
    with pytest.raises(NotPermitted, match="after a release"):
        town.services.catalogue.publish(project, "guide", "inside", Face("Inside", "What we saw."), by=by)
    kept = town.services.catalogue.publish(
        project, "guide", "inside", Face("Inside", "Seen."), reach=Reach.PROJECT, by=by
    )
    assert (kept.label, found(town, "inside")) == (sealed, [])


def test_recipes_and_courses_are_found_beside_services(town: Town) -> None:
    shelve(town.services)
    assert found(town, "tabular", kind="recipe")
    assert "Werken met beveiligde gegevens" in found(town, "beveiligde gegevens", kind="training")
    hit, *_ = town.services.finding.search("secured data", filters={"kind": "training"}, by=town.operator).hits
    assert town.services.catalogue.snippet(hit.entry).command == "fabriek training ls --course secured-data"
    with pytest.raises(NotPermitted, match="factory's own"):
        town.services.catalogue.withdraw(hit.entry.id, by=town.operator)

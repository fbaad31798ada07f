"""Versions have names that may move, and an end that nothing moves."""

import pytest

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted, QuotaExhausted, WrongState
from fabriek.vault import naming
from tests.factories.vault import World, a_grant_read, a_push

FILES = {"a.csv": b"1,2,3"}


def number_of(world: World, reference: str) -> int:
    return world.vault.resolve(reference, project="lab", by=world.hanna)[1].number


def test_a_tag_names_a_version_until_it_is_moved(world: World) -> None:
    for _ in range(3):
        a_push(world, "biopsies", FILES)
    world.vault.tag("biopsies@2", "gold", project="lab", by=world.hanna)
    assert (number_of(world, "biopsies@gold"), number_of(world, "lab/biopsies@gold")) == (2, 2)
    world.vault.tag("biopsies@3", "gold", project="lab", by=world.hanna)
    assert number_of(world, "biopsies@gold") == 3
    assert [one.name for one in world.vault.tags("biopsies", project="lab", by=world.stef)] == ["gold"]
    world.vault.untag("biopsies", "gold", project="lab", by=world.hanna)
    for act in (
        lambda: number_of(world, "biopsies@gold"),
        lambda: world.vault.untag("biopsies", "gold", project="lab", by=world.hanna),
    ):
        with pytest.raises(NotFound):
            act()


def test_newest_is_the_newest_and_no_tag(world: World) -> None:
    a_push(world, "biopsies", FILES)
    a_push(world, "biopsies", FILES)
    assert number_of(world, "biopsies@newest") == 2


@pytest.mark.parametrize("name", ["newest", "3", "3rd", "Gold", "", "-x", "a b", "a/b", "a\n", "x" * 64, "é"])
def test_a_name_that_could_be_taken_for_something_else_is_no_tag(world: World, name: str) -> None:
    a_push(world, "biopsies", FILES)
    with pytest.raises(InvalidInput):
        world.vault.tag("biopsies@1", name, project="lab", by=world.hanna)
    assert world.vault.tags("biopsies", project="lab", by=world.hanna) == []


def test_only_the_owner_names_and_removes_and_a_stranger_learns_nothing(world: World) -> None:
    a_push(world, "biopsies", FILES)
    world.vault.tag("biopsies@1", "gold", project="lab", by=world.hanna)
    for act in (
        lambda who: world.vault.tag("lab/biopsies@1", "silver", by=who),
        lambda who: world.vault.untag("lab/biopsies", "gold", by=who),
        lambda who: world.vault.remove_version("lab/biopsies@1", by=who),
    ):
        with pytest.raises(NotPermitted) as refused:
            act(world.stef)
        assert refused.value.fields["rule"] == "data.owner"
        with pytest.raises(NotFound):
            act(world.uma)
    said = set()
    for reference in ("lab/biopsies@gold", "lab/biopsies@silver", "lab/nothing@gold"):
        with pytest.raises(NotFound) as missing:
            world.vault.find(reference, by=world.uma)
        said.add((missing.value.detail, missing.value.fix))
    assert len(said) == 1


def test_a_dataset_has_a_bounded_number_of_tags(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "TAGS_MAX", 2)
    a_push(world, "biopsies", FILES)
    for name in ("one", "two", "two"):
        world.vault.tag("biopsies@1", name, project="lab", by=world.hanna)
    with pytest.raises(QuotaExhausted):
        world.vault.tag("biopsies@1", "three", project="lab", by=world.hanna)


def test_a_removed_version_opens_for_nobody_and_its_number_is_never_given_again(world: World) -> None:
    a_push(world, "biopsies", FILES)
    second = a_push(world, "biopsies", FILES)
    removed = world.vault.remove_version("biopsies@2", project="lab", by=world.hanna)
    assert (removed.number, removed.wrapped_key) == (2, b"")
    assert world.parts.versions.objects(second.id) == frozenset()
    assert number_of(world, "biopsies") == 1
    for reference in ("biopsies@2", second.id):
        with pytest.raises(NotFound):
            world.vault.open(reference, project="lab", by=world.hanna)
    assert a_push(world, "biopsies", FILES).number == 3
    assert [one.number for one in world.vault.versions("biopsies", project="lab", by=world.hanna)] == [3, 1]
    opened = world.vault.open("biopsies@1", project="lab", by=world.hanna)
    assert a_grant_read(world, opened, "a.csv", by=world.hanna) == b"1,2,3"


def test_what_a_tag_names_or_somebody_has_open_is_not_removed(world: World) -> None:
    a_push(world, "biopsies", FILES)
    world.vault.tag("biopsies@1", "gold", project="lab", by=world.hanna)
    with pytest.raises(WrongState, match="the tag gold"):
        world.vault.remove_version("biopsies@1", project="lab", by=world.hanna)
    world.vault.untag("biopsies", "gold", project="lab", by=world.hanna)
    opened = world.vault.open("biopsies", project="lab", by=world.hanna)
    with pytest.raises(WrongState, match="has this version open"):
        world.vault.remove_version("biopsies@1", project="lab", by=world.hanna)
    world.vault.end_grant(opened.grant.id, by=world.hanna)
    version = world.vault.resolve("biopsies@1", project="lab", by=world.hanna)[1]
    granted = world.vault.grant_to_job(version.id, "job_1", project="prj_1", purpose="civilian")
    with pytest.raises(WrongState, match="the job job_1"):
        world.vault.remove_version("biopsies@1", project="lab", by=world.hanna)
    world.vault.end_job(granted.job)
    world.vault.remove_version("biopsies@1", project="lab", by=world.hanna)


def test_a_dataset_whose_every_version_was_removed_begins_with_the_next_number(world: World) -> None:
    a_push(world, "biopsies", FILES)
    world.vault.remove_version("biopsies@1", project="lab", by=world.hanna)
    assert world.vault.newest(world.vault.find("biopsies", project="lab", by=world.hanna).id) is None
    assert a_push(world, "biopsies", FILES).number == 2
    with pytest.raises(AlreadyExists):
        world.vault.create("lab", "biopsies", by=world.hanna)


def test_nothing_of_a_dataset_that_is_held_is_removed(world: World) -> None:
    a_push(world, "biopsies", FILES)
    officer = Caller("per_sofie", "org_factory", rights=frozenset({"data.hold"}))
    world.vault.erasing.hold("biopsies", "a court asked", project="lab", by=officer)
    with pytest.raises(WrongState, match="hold"):
        world.vault.remove_version("biopsies@1", project="lab", by=world.hanna)
    world.vault.erasing.unhold("biopsies", "the case is over", project="lab", by=officer)
    world.vault.remove_version("biopsies@1", project="lab", by=world.hanna)


def test_a_version_that_is_not_there_is_said_with_its_dataset_and_to_strangers_nothing_is(world: World) -> None:
    a_push(world, "scans", FILES)
    with pytest.raises(NotFound, match="scans has no version 7"):
        world.vault.resolve("scans@7", project="lab", by=world.hanna)
    with pytest.raises(NotFound, match="no such thing"):
        world.vault.resolve("lab/scans@7", by=world.uma)

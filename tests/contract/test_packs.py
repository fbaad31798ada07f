"""Packing, on both databases: what a submission asks is asked, but for credits and room; and what comes back is the pack's own."""

from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.compute.gpus import Gpus
from fabriek.compute.packs.packs import State
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.secrets.secrets import SecretUse
from fabriek.compute.terms import Terms
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, WrongState
from tests.factories.services import Town, a_town


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


@pytest.fixture
def owner(town: Town) -> Caller:
    person = town.person("weefsel")
    town.project(person)
    return town.again(person)


def slug(town: Town, owner: Caller) -> str:
    return town.services.access.project(next(iter(owner.project_rights))).slug


def test_what_the_whole_machine_does_not_have_is_packed_and_holds_nothing(town: Town, owner: Caller) -> None:
    project = slug(town, owner)
    before = town.services.funding.left(town.services.access.project(project).id)
    pack = town.services.packing.pack(project, JobAsked(("train",), gpus=Gpus(64_000), cpus=512), by=owner)
    assert (pack.state, pack.gpus, pack.stays) == (State.PACKED, 64, "")
    assert town.services.packing.get(project, pack.id, by=owner) == pack
    assert list(town.services.packing.list(project, by=owner)) == [pack]
    assert town.services.funding.left(town.services.access.project(project).id) == before
    assert town.services.compute.list(project, limit=5, cursor="", by=owner).items == []


def test_a_kind_of_work_is_for_our_own_books_and_stops_no_pack(town: Town, owner: Caller) -> None:
    asked = JobAsked(("train",), terms=Terms(work="language-training"))
    assert town.services.packing.pack(slug(town, owner), asked, by=owner).state is State.PACKED


@pytest.mark.parametrize(
    "asked",
    [
        JobAsked(()), JobAsked(("a",), array="0-3"), JobAsked(("a",), sweep={"x": ("1", "2")}), JobAsked(("a",), terms=Terms(requeues_max=1)),
        JobAsked(("a",), requirements="--trusted-host evil"), JobAsked(("a",), environment={"LD_PRELOAD": "x"}), JobAsked(("a",), cpus=0),
        JobAsked(("a",), inputs=(InputAsked("x", "/etc"),)), JobAsked(("a",), purpose="fun"),
        JobAsked(("a",), nodes=2), JobAsked(("a",), secrets=(SecretUse("TOKEN", "TOKEN"),)),
    ],
)  # fmt: skip
def test_what_is_not_one_well_formed_job_is_refused(town: Town, owner: Caller, asked: JobAsked) -> None:
    with pytest.raises(InvalidInput):
        town.services.packing.pack(slug(town, owner), asked, by=owner)


def test_an_element_of_a_sweep_is_packed_with_its_values_and_without_its_queue(town: Town, owner: Caller) -> None:
    project = slug(town, owner)
    asked = JobAsked(("train", "--lr", "{lr}"), sweep={"lr": ("0.1", "0.2")}, terms=Terms(requeues_max=2))
    second = town.services.compute.submit_each(project, asked, by=owner)[1]
    pack = town.services.packing.pack_job(project, second, by=owner)
    assert (pack.argv, pack.job) == (("train", "--lr", "0.2"), second.id)
    assert "0.2" in pack.environment.values()


def test_a_pack_belongs_to_its_project(town: Town, owner: Caller) -> None:
    stranger = town.person("others")
    other = town.project(stranger)
    stranger = town.again(stranger)
    pack = town.services.packing.pack(slug(town, owner), JobAsked(("true",)), by=owner)
    for ask in (town.services.packing.get, town.services.packing.withdraw):
        with pytest.raises(NotFound):
            ask(other, pack.id, by=stranger)
        with pytest.raises(NotPermitted):
            ask(slug(town, owner), pack.id, by=stranger)


def test_nothing_comes_back_before_there_is_a_folder_nor_a_version_of_something_else(town: Town, owner: Caller) -> None:
    project, packing = slug(town, owner), town.services.packing
    pack = packing.pack(project, JobAsked(("true",)), by=owner)
    with pytest.raises(WrongState, match="no folder yet"):
        packing.receive(project, pack.id, "0" * 64, by=owner)
    packing.seal(project, pack.id, "1" * 64, by=owner)
    coming = packing.receive(project, pack.id, "0" * 64, by=owner)
    assert coming.upload is not None
    assert (coming.upload.label, coming.upload.person, coming.upload.parent) == (pack.label, owner.person, "")
    with pytest.raises(NotFound):
        packing.take_back(project, pack.id, "lisa", 0, "2" * 64, "ver_1", by=owner)
    packing.withdraw(project, pack.id, by=owner)
    with pytest.raises(WrongState, match="withdrawn"):
        packing.receive(project, pack.id, "0" * 64, by=owner)


def test_a_purpose_laxer_than_the_projects_is_refused(town: Town) -> None:
    person = town.person("fort")
    project = town.project(person, purpose="exclusively_military")
    with pytest.raises(NotPermitted) as refused:
        town.services.packing.pack(project, JobAsked(("a",), purpose="civilian"), by=town.again(person))
    assert refused.value.fields["rule"] == "purpose.project"

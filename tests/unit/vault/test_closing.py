"""What was open and is no longer: expiry, an end, a member or a project that leaves, and a grant taken back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import NotFound, Unavailable, WrongState
from fabriek.vault.datasets import Dataset
from fabriek.vault.ports import Datasets
from fabriek.vault.pushing import Committed
from fabriek.vault.service import Vault
from tests.factories.vault import World, a_push
from tests.unit.vault.labelling.test_lowering import Interrupted
from tests.unit.vault.test_opening import FILES, agree, inputs, refused


def epoch(world: World, name: str = "biopsies") -> int:
    return world.vault.find(name, project="lab", by=world.hanna).epoch


def rules(world: World) -> list[str]:
    """The rules by which grants were closed, newest first, from the audit log."""
    page = world.audit.events(by=SYSTEM, limit=100)
    return [event.facts.split('"rule":"')[1].split('"')[0] for event in page.items if event.action == "grant.closed"]


def job_grant(world: World, person: str = "per_stef") -> str:
    version = world.vault.resolve("biopsies", project="lab", by=world.hanna)[1].id
    return world.vault.grant_to_job(version, "job_1", project="prj_1", purpose="civilian", person=person).id


def test_when_an_agreement_runs_out_its_grants_close_at_the_next_round_and_an_epoch_begins(world: World) -> None:
    a_push(world, "biopsies", FILES, label="special-category")
    agree(world, until=world.clock.today() + timedelta(days=1), right="take_away")
    node = world.directory.add_node("job_1", "prj_1")
    of_job = job_grant(world)
    world.clock.move(timedelta(days=1, hours=13))
    of_person = world.vault.open("biopsies", project="lab", by=world.stef)
    assert world.vault.close_what_ended() == 0
    world.clock.move(timedelta(hours=11, seconds=20))
    assert world.vault.close_what_ended() == 2
    assert refused(lambda: world.vault.grant(of_job, by=node)) == "grant.ended"
    assert refused(lambda: world.vault.grant(of_person.grant.id, by=world.stef)) == "grant.ended"
    for act in (lambda: inputs(world), lambda: job_grant(world)):
        assert refused(act) == "agreement.ended"
    moved = epoch(world)
    assert moved > 1
    assert world.vault.close_what_ended() == 0
    assert epoch(world) == moved


def test_one_end_begins_one_epoch_whatever_was_open_under_it(world: World) -> None:
    a_push(world, "biopsies", FILES, label="special-category")
    a_push(world, "scans", FILES)
    for project, purpose in (("lab", "civilian"), ("lab", "dual_use"), ("campus", "civilian")):
        agree(world, project=project, until=world.clock.today(), right="take_away", purposes=[purpose])
    job_grant(world)
    world.clock.move(timedelta(hours=13))
    for by, acting in ((world.stef, "lab"), (world.uma, "campus")):
        world.vault.open("lab/biopsies", project=acting, by=by)
    world.clock.move(timedelta(hours=1))
    assert world.vault.close_what_ended() == 3
    assert world.vault.close_what_ended() == 0
    assert (epoch(world), epoch(world, "scans")) == (2, 1)


def test_of_two_workers_that_see_the_same_end_one_begins_the_epoch(world: World) -> None:
    a_push(world, "biopsies", FILES, label="special-category")
    agree(world, until=world.clock.today(), right="take_away")
    job_grant(world)
    world.clock.move(timedelta(days=1))
    second: list[int] = []

    class Slow:
        """The real grants, for a worker that has seen what is open and is overtaken."""

        def __getattr__(self, name: str) -> object:
            return getattr(world.parts.grants, name)

        def open_ones(self, *asked: object) -> object:
            found = world.parts.grants.open_ones(*asked)  # type: ignore[arg-type]
            second.append(world.vault.close_what_ended())
            return found

    slow = Vault(replace(world.parts, grants=Slow()), world.keeping)  # type: ignore[arg-type]
    assert (slow.close_what_ended(), second) == (0, [1])
    assert epoch(world) == 2


class Away:
    """The real people, of whom one cannot be asked about just now."""

    def __init__(self, world: World, person: str) -> None:
        self._world, self._person = world, person

    def caller_for(self, person: str) -> Caller:
        if person == self._person:
            raise Unavailable("the database went away", fix="try again")
        return self._world.directory.caller_for(person)


def test_what_nobody_can_say_just_now_is_not_closed_and_the_rest_is(world: World) -> None:
    a_push(world, "biopsies", FILES, label="special-category")
    a_push(world, "scans", FILES)
    agree(world, until=world.clock.today(), right="take_away")
    terms = {"project": "lab", "purposes": ["civilian"], "right": "take_away", "until": date(2026, 12, 24)}
    world.vault.agree("scans", home="lab", **terms, by=world.hanna)  # type: ignore[arg-type]
    of_job = job_grant(world)
    world.clock.move(timedelta(hours=13))
    of_owner = world.vault.open("biopsies", project="lab", by=world.hanna).grant.id
    good = world.vault.open("scans", project="lab", by=world.stef).grant.id
    world.clock.move(timedelta(hours=1))
    lost = Vault(replace(world.parts, people=Away(world, "per_stef")), world.keeping)
    for _ in range(2):
        with pytest.raises(Unavailable):
            lost.close_what_ended()
    assert {one.id for one in world.parts.grants.open_ones(world.clock.now())} == {of_job, of_owner, good}
    assert (rules(world), epoch(world)) == ([], 1)
    del world.directory.callers["hanna"]
    with pytest.raises(Unavailable):
        lost.close_what_ended()
    assert rules(world) == ["person.gone"]
    assert {one.id for one in world.parts.grants.open_ones(world.clock.now())} == {of_job, good}
    assert world.vault.close_what_ended() == 1
    assert world.vault.grant(good, by=world.stef).grant.id == good


def test_what_is_allowed_stays_open(world: World) -> None:
    a_push(world, "biopsies", FILES, label="special-category")
    agree(world)
    node = world.directory.add_node("job_1", "prj_1")
    of_job, of_owner = job_grant(world), world.vault.open("biopsies", project="lab", by=world.hanna)
    assert world.vault.close_what_ended() == 0
    assert world.vault.grant(of_job, by=node).grant.id == of_job
    assert world.vault.grant(of_owner.grant.id, by=world.hanna).grant == of_owner.grant
    assert epoch(world) == 1


def lowered(world: World) -> None:
    with world.database.transaction():
        world.database.execute(text("update vault_versions set record = replace(record, 'special-category', 'open')"))


def left_behind(world: World) -> None:
    world.directory.remove_member("prj_1", "per_stef", by=world.hanna)


def narrowed(world: World) -> None:
    world.directory.projects["prj_1"] = replace(world.directory.projects["prj_1"], label_ceiling="internal")


def test_a_job_above_the_ceiling_that_its_project_has_today_reads_no_further(world: World) -> None:
    a_push(world, "biopsies", FILES, label="special-category")
    agree(world)
    job_grant(world)
    narrowed(world)
    assert world.vault.close_what_ended() == 1
    assert rules(world) == ["label.ceiling"]


def test_who_submitted_a_job_does_not_hold_its_grant(world: World) -> None:
    """They may end it, and have it listed; the key goes to the node alone."""
    a_push(world, "biopsies", FILES, label="special-category")
    agree(world)
    of_job = job_grant(world)
    with pytest.raises(NotFound):
        world.vault.grant(of_job, by=world.stef)
    world.vault.revoke(of_job, by=world.stef)
    assert world.vault.grants_on("biopsies", project="lab", by=world.hanna) == []


def gone(world: World) -> None:
    del world.directory.callers["stef"]


@pytest.mark.parametrize(
    ("happens", "rule"), [(left_behind, "project.member"), (lowered, "damaged"), (gone, "person.gone")]
)
def test_what_would_not_be_given_today_is_closed(world: World, happens: Callable[[World], None], rule: str) -> None:
    a_push(world, "biopsies", FILES, label="special-category")
    agree(world, right="take_away")
    world.vault.open("biopsies", project="lab", by=world.stef)
    happens(world)
    assert world.vault.close_what_ended() == 1
    assert rules(world) == [rule]


def test_an_agreement_that_no_longer_allows_this_place_closes_too(world: World) -> None:
    a_push(world, "biopsies", FILES, label="special-category")
    agree(world, places=[])
    job_grant(world)
    dataset = world.vault.find("biopsies", project="lab", by=world.hanna).id
    with world.database.transaction():
        world.parts.agreements.save(replace(world.parts.agreements.of_dataset(dataset)[0], places=("BE",)))
    assert world.vault.close_what_ended() == 1
    assert rules(world) == ["place.agreement"]


def test_a_removed_member_opens_nothing_written_later_and_their_grants_end_at_once(world: World) -> None:
    a_push(world, "biopsies", FILES)
    agree(world, right="take_away")
    node = world.directory.add_node("job_1", "prj_1")
    of_job, opened = job_grant(world), world.vault.open("biopsies", project="lab", by=world.stef)
    a_push(world, "untouched", FILES)
    world.vault.remove_member("lab", "per_stef", by=world.hanna)
    stef = world.directory.callers["stef"]
    assert refused(lambda: world.vault.grant(opened.grant.id, by=stef)) == "grant.ended"
    assert refused(lambda: world.vault.grant(of_job, by=node)) == "grant.ended"
    later = a_push(world, "biopsies", {"a.csv": b"later"})
    assert (later.epoch, a_push(world, "untouched", {"b": b"later"}).epoch) == (2, 2)
    for reference in (later.id, "lab/biopsies", "lab/untouched"):
        with pytest.raises(NotFound):
            world.vault.open(reference, by=stef)
    assert refused(lambda: job_grant(world)) == "project.member"


class Watched:
    """The real datasets; `loose` are those whose row was written while nobody kept others from it, `taken` the order of the locks."""

    def __init__(self, kept: Datasets) -> None:
        self._kept = kept
        self._held: list[str] = []
        self.taken: list[str] = []
        self.loose: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._kept, name)

    @contextmanager
    def transaction(self, *, alone: str = "") -> Iterator[None]:
        with self._kept.transaction(alone=alone):
            self._held.append(alone)
            self.taken.append(alone)
            try:
                yield
            finally:
                self._held.pop()

    def save(self, dataset: Dataset) -> None:
        if f"dataset:{dataset.id}" not in self._held:
            self.loose.append(dataset.id)
        self._kept.save(dataset)


def test_each_dataset_is_ours_alone_while_a_removal_moves_its_epoch(world: World) -> None:
    """Else a push that commits meanwhile is undone, or its epoch is."""
    for name in ("biopsies", "scans", "cells"):
        a_push(world, name, FILES)
    watched = Watched(world.parts.datasets)
    vault = Vault(replace(world.parts, datasets=watched), world.keeping)  # type: ignore[arg-type]
    vault.remove_member("lab", "per_stef", by=world.hanna)
    assert [epoch(world, name) for name in ("biopsies", "scans", "cells")] == [2, 2, 2]
    assert watched.loose == []
    of_datasets = [one for one in watched.taken if one.startswith("dataset:")]
    assert len(of_datasets) == 3
    assert of_datasets == sorted(of_datasets)


def test_a_removed_member_goes_on_with_no_push(world: World) -> None:
    henk = world.directory.add_person("henk", "hospital", "prj_1")
    a_push(world, "biopsies", FILES)
    upload, code = (
        world.vault.open_upload("lab", "biopsies", by=henk),
        world.vault.open_code_upload("lab", by=henk),
    )
    named, coded = (world.vault.mint(one.id, 1, by=henk)[0] for one in (upload, code))
    world.vault.put_object(upload.id, named, [b"x"], by=henk)
    said = Committed(named, bytes(32), 1, 1, "0" * 64, 0)
    world.vault.remove_member("lab", "per_henk", by=world.hanna)
    gone = world.directory.callers["henk"]
    assert refused(lambda: world.vault.parent_of(upload, by=gone)) == "data.take_away"
    for act in (
        lambda: world.vault.resume_upload(upload.id, by=gone),
        lambda: world.vault.mint(upload.id, 1, by=gone),
        lambda: world.vault.put_object(upload.id, named, [b"x"], by=gone),
        lambda: world.vault.commit(upload.id, said, by=gone),
    ):
        assert refused(act) == "data.owner"
    assert refused(lambda: world.vault.put_object(code.id, coded, [b"x"], by=gone)) == "job.submit"
    # Nor with rights that were read before they left, or with those that they are given anew.
    for one in (upload, code):
        with pytest.raises(WrongState, match="left open"):
            world.vault.mint(one.id, 1, by=henk)
    with pytest.raises(WrongState, match="left open"):
        world.vault.commit(upload.id, said, by=henk)
    assert len(world.vault.versions("biopsies", project="lab", by=world.hanna)) == 1


def test_a_commit_that_had_begun_when_its_member_left_makes_nothing(world: World) -> None:
    henk = world.directory.add_person("henk", "hospital", "prj_1")
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=henk)
    named = world.vault.mint(upload.id, 1, by=henk)[0]
    world.vault.put_object(upload.id, named, [b"x"], by=henk)
    leaves = Interrupted(world.parts.signer, lambda: world.vault.remove_member("lab", "per_henk", by=world.hanna))
    slow = Vault(replace(world.parts, signer=leaves), world.keeping)
    with pytest.raises(WrongState, match="left open"):
        slow.commit(upload.id, Committed(named, bytes(32), 1, 1, "0" * 64, 0), by=henk)
    assert world.vault.versions("biopsies", project="lab", by=world.hanna) == []


def test_a_project_that_leaves_ends_its_agreement_itself(world: World) -> None:
    a_push(world, "biopsies", FILES)
    agreement = agree(world, project="campus", right="take_away")
    world.vault.open("lab/biopsies", project="campus", by=world.uma)
    with pytest.raises(NotFound):
        world.vault.end_agreement(agreement, by=replace(world.uma, project_rights={}))
    lead = replace(world.uma, project_rights={"prj_2": world.uma.project_rights["prj_2"] | {"project.manage"}})
    assert world.vault.end_agreement(agreement, by=lead).ended_at
    assert epoch(world) == 2
    assert world.vault.grants_on("biopsies", project="lab", by=world.hanna) == []


def test_the_owner_sees_every_open_grant_and_ends_one(world: World) -> None:
    a_push(world, "biopsies", FILES)
    agree(world, right="take_away")
    theirs, own = (world.vault.open("biopsies", project="lab", by=who) for who in (world.stef, world.hanna))
    of_job = job_grant(world)
    listed = world.vault.grants_on("biopsies", project="lab", by=world.hanna)
    assert {one.id for one in listed} == {theirs.grant.id, own.grant.id, of_job}
    assert {one.id for one in world.vault.grants_on("biopsies", project="lab", by=world.stef)} == {
        theirs.grant.id,
        of_job,
    }
    with pytest.raises(NotFound):
        world.vault.revoke(own.grant.id, by=world.stef)
    with pytest.raises(NotFound):
        world.vault.revoke(theirs.grant.id, by=world.directory.add_node("job_9", "prj_1"))
    world.vault.revoke(theirs.grant.id, by=world.hanna)
    world.vault.revoke(theirs.grant.id, by=world.hanna)
    assert refused(lambda: world.vault.grant(theirs.grant.id, by=world.stef)) == "grant.ended"
    assert {one.id for one in world.vault.grants_on("biopsies", project="lab", by=world.hanna)} == {
        own.grant.id,
        of_job,
    }

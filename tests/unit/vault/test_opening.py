from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, Damaged, InvalidInput, NotFound, NotPermitted, Unavailable, WrongState
from fabriek.vault.agreeing.agreements import DataRight
from fabriek.vault.keeping.epochs import EpochCipher
from fabriek.vault.ports import People
from fabriek.vault.service import Vault
from tests.factories.vault import World, a_grant_read, a_push, fill

FILES = {"a.csv": b"1,2,3"}
UNTIL = date(2026, 12, 24)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(NotPermitted) as error:
        act()
    return str(error.value.fields["rule"])


def agree(world: World, **changed: object) -> str:
    terms = {
        "home": "lab",
        "project": "lab",
        "purposes": ["civilian"],
        "right": "compute",
        "until": UNTIL,
        "by": world.hanna,
    }
    return world.vault.agree("biopsies", **(terms | changed)).id  # type: ignore[arg-type]


def inputs(
    world: World,
    reference: str = "biopsies",
    *,
    project: str = "prj_1",
    by: Caller | None = None,
    purpose: str = "civilian",
) -> list[str]:
    found = world.vault.inputs_for_job([reference], project=project, purpose=purpose, by=by or world.stef)
    return [one.version for one in found]


def start(world: World, version: str, job: str = "job_1") -> str:
    return world.vault.grant_to_job(version, job, project="prj_1", purpose="civilian").id


def test_the_owner_opens_what_was_pushed_and_reads_it(world: World) -> None:
    a_push(world, "biopsies", FILES, label="special-category")
    opened = world.vault.open("biopsies", project="lab", by=world.hanna)
    assert a_grant_read(world, opened, "a.csv", by=world.hanna) == b"1,2,3"


def test_an_older_version_stays_as_it_was(world: World) -> None:
    a_push(world, "biopsies", FILES)
    a_push(world, "biopsies", {"a.csv": b"new"})
    opened = world.vault.open("biopsies@1", project="lab", by=world.hanna)
    assert a_grant_read(world, opened, "a.csv", by=world.hanna) == b"1,2,3"
    with pytest.raises(NotFound):
        world.vault.open("biopsies@3", project="lab", by=world.hanna)


def test_a_member_of_another_organisation_does_not_take_it_away(world: World) -> None:
    a_push(world, "biopsies", FILES)
    agree(world)
    assert refused(lambda: world.vault.open("biopsies", project="lab", by=world.stef)) == "data.take_away"
    agree(world, right="take_away")
    assert world.vault.open("biopsies", project="lab", by=world.stef).grant.right is DataRight.TAKE_AWAY


def test_a_reader_of_the_card_gets_the_rule_and_a_stranger_gets_nothing(world: World) -> None:
    a_push(world, "biopsies", FILES, label="special-category")
    dataset = world.vault.find("biopsies", project="lab", by=world.hanna)
    with pytest.raises(NotFound):
        world.vault.open(dataset.id, by=world.uma)
    world.vault.publish(dataset.id, by=world.hanna)
    assert world.vault.find("lab/biopsies", by=world.uma).id == dataset.id
    assert refused(lambda: world.vault.open("lab/biopsies", by=world.uma)) == "data.take_away"
    assert refused(lambda: world.vault.open("lab/biopsies", project="campus", by=world.uma)) == "data.take_away"
    world.vault.withdraw(dataset.id, by=world.hanna)
    with pytest.raises(NotFound):
        world.vault.open(dataset.id, by=world.uma)


def test_only_the_owner_publishes_and_shares_and_sees_who_asked(world: World) -> None:
    a_push(world, "biopsies", FILES)
    dataset = world.vault.find("biopsies", project="lab", by=world.hanna)
    assert refused(lambda: world.vault.publish(dataset.id, by=world.stef)) == "data.owner"
    assert refused(lambda: agree(world, by=world.stef)) == "data.owner"
    assert refused(lambda: world.vault.requests_on(dataset.id, by=world.stef)) == "data.owner"
    assert refused(lambda: world.vault.opened(dataset.id, limit=5, by=world.stef)) == "data.owner"
    assert refused(lambda: world.vault.new_epoch(dataset.id, by=world.stef)) == "data.owner"
    agreement = agree(world)
    assert refused(lambda: world.vault.end_agreement(agreement, by=world.stef)) == "data.owner"


def test_a_job_computes_under_an_agreement_for_its_purpose_only(world: World) -> None:
    version = a_push(world, "biopsies", FILES, label="special-category")
    assert refused(lambda: inputs(world)) == "agreement.required"
    agree(world)
    assert inputs(world) == [version.id]
    assert inputs(world, "biopsies@1") == inputs(world, version.id) == [version.id]
    assert refused(lambda: inputs(world, purpose="exclusively_military")) == "agreement.purpose"
    world.clock.move(timedelta(days=31))
    assert refused(lambda: inputs(world)) == "agreement.ended"


def test_a_job_of_another_project_needs_an_agreement_with_that_project(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    with pytest.raises(NotFound):
        inputs(world, "lab/biopsies", project="prj_2", by=world.uma)
    agree(world, project="campus")
    assert inputs(world, "lab/biopsies", project="prj_2", by=world.uma) == [version.id]


def test_data_above_the_ceiling_of_the_project_is_not_computed_on_there(world: World) -> None:
    a_push(world, "biopsies", FILES, label="personal")
    world.directory.projects["prj_2"] = replace(world.directory.projects["prj_2"], label_ceiling="internal")
    assert refused(lambda: agree(world, project="campus")) == "label.ceiling"
    world.directory.projects["prj_1"] = replace(world.directory.projects["prj_1"], label_ceiling="internal")
    assert refused(lambda: inputs(world)) == "label.ceiling"


def test_the_node_of_the_job_opens_and_nobody_else(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    agree(world)
    grant = start(world, version.id)
    node = world.directory.add_node("job_1", "prj_1")
    opened = world.vault.grant(grant, by=node)
    assert a_grant_read(world, opened, "a.csv", by=node) == b"1,2,3"
    for other in (world.hanna, world.stef, world.uma, world.directory.add_node("job_2", "prj_1")):
        for act in (world.vault.grant, world.vault.end_grant):
            with pytest.raises(NotFound):
                act(grant, by=other)
        with pytest.raises(NotFound):
            world.vault.granted_object(grant, opened.facts.manifest, by=other)


def test_a_person_cannot_use_anothers_grant_nor_a_job_its_submitters(world: World) -> None:
    a_push(world, "biopsies", FILES)
    opened = world.vault.open("biopsies", project="lab", by=world.hanna)
    for other in (world.stef, replace(world.hanna, job="job_1")):
        with pytest.raises(NotFound):
            world.vault.grant(opened.grant.id, by=other)


def test_a_grant_reaches_the_objects_of_its_version_and_no_other(world: World) -> None:
    a_push(world, "biopsies", FILES)
    second = a_push(world, "biopsies", {"b": b"2"})
    opened = world.vault.open("biopsies@1", project="lab", by=world.hanna)
    for name in [*world.parts.versions.objects(second.id), "obj_0", "../../etc/passwd", ""]:
        with pytest.raises(NotFound):
            world.vault.granted_object(opened.grant.id, name, by=world.hanna)


def test_an_agreement_that_ended_while_the_job_waited_stops_its_start(world: World) -> None:
    version = a_push(world, "biopsies", FILES, label="special-category")
    agreement = agree(world)
    inputs(world)
    world.vault.end_agreement(agreement, by=world.hanna)
    assert refused(lambda: start(world, version.id)) == "agreement.ended"


class Counted:
    """The real people, and how often somebody was asked about."""

    def __init__(self, people: People) -> None:
        self._people = people
        self.asked: list[str] = []

    def caller_for(self, person: str) -> Caller:
        self.asked.append(person)
        return self._people.caller_for(person)


def test_a_job_that_starts_asks_about_its_person_once_and_gets_all_it_reads_or_nothing(world: World) -> None:
    names = ("biopsies", "cells", "scans")
    versions = [a_push(world, name, FILES, label="special-category").id for name in names]
    until = {"until": UNTIL, "purposes": ["civilian"], "right": "compute"}
    for name in names[:2]:
        world.vault.agree(name, home="lab", project="lab", **until, by=world.hanna)  # type: ignore[arg-type]
    people = Counted(world.directory)
    vault = Vault(replace(world.parts, people=people), world.keeping)
    job = {"project": "prj_1", "purpose": "civilian", "person": "per_stef"}
    assert refused(lambda: vault.grants_to_job(versions, "job_1", **job)) == "agreement.required"
    assert world.parts.grants.of_job("job_1") == []
    world.vault.agree("scans", home="lab", project="lab", **until, by=world.hanna)  # type: ignore[arg-type]
    people.asked.clear()
    given = vault.grants_to_job([*versions, versions[0]], "job_1", **job)
    assert people.asked == ["per_stef"]
    assert [given[one].version for one in versions] == versions
    assert len(world.parts.grants.of_job("job_1")) == 3
    assert vault.grants_to_job(versions, "job_1", **job) == given
    assert vault.grant_to_job(versions[2], "job_1", **job) == given[versions[2]]
    world.directory.remove_member("prj_1", "per_stef", by=world.hanna)
    assert refused(lambda: vault.grants_to_job(versions, "job_1", **job)) == "project.member"


def test_ending_an_agreement_ends_its_grants_and_begins_an_epoch(world: World) -> None:
    version = a_push(world, "biopsies", FILES, label="special-category")
    agreement = agree(world)
    grant = start(world, version.id)
    node = world.directory.add_node("job_1", "prj_1")
    world.vault.end_agreement(agreement, by=world.hanna)
    assert refused(lambda: world.vault.grant(grant, by=node)) == "grant.ended"
    assert world.vault.find("biopsies", project="lab", by=world.hanna).epoch == 2
    assert a_push(world, "biopsies", FILES).epoch == 2
    with pytest.raises(WrongState):
        world.vault.end_agreement(agreement, by=world.hanna)
    older = world.vault.open("biopsies@1", project="lab", by=world.hanna)
    assert a_grant_read(world, older, "a.csv", by=world.hanna) == b"1,2,3"


def test_a_push_that_crosses_a_new_epoch_is_under_the_new_key(world: World) -> None:
    a_push(world, "biopsies", FILES)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    world.vault.new_epoch(upload.dataset, by=world.hanna)
    assert fill(world, upload, FILES, by=world.hanna).epoch == 2


def test_a_grant_ends_with_its_time_with_its_job_and_when_given_back(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    agree(world)
    node = world.directory.add_node("job_1", "prj_1")
    names = sorted(world.parts.versions.objects(version.id))

    def ended(grant: str, by: Caller) -> set[str]:
        """Neither the key nor an object any more."""
        asked = [lambda: world.vault.grant(grant, by=by)]
        asked += [lambda name=name: world.vault.granted_object(grant, name, by=by) for name in names]  # type: ignore[misc]
        return {refused(act) for act in asked}

    job_grant = start(world, version.id)
    assert start(world, version.id) == job_grant
    assert all(world.vault.granted_object(job_grant, name, by=node) for name in names)
    world.vault.end_job("job_1")
    world.vault.end_job("job_1")
    assert ended(job_grant, node) == {"grant.ended"}
    given_back = world.vault.open("biopsies", project="lab", by=world.hanna).grant.id
    world.vault.end_grant(given_back, by=world.hanna)
    world.vault.end_grant(given_back, by=world.hanna)
    assert ended(given_back, world.hanna) == {"grant.ended"}
    old = world.vault.open("biopsies", project="lab", by=world.hanna).grant.id
    assert all(world.vault.granted_object(old, name, by=world.hanna) for name in names)
    world.clock.move(timedelta(hours=12))
    assert ended(old, world.hanna) == {"grant.ended"}
    world.vault.end_stale_grants()
    assert world.parts.grants.get(old).ended_at == world.clock.now()


def test_the_result_of_a_job_carries_its_inputs_label_and_cannot_launder_them(world: World) -> None:
    version = a_push(world, "biopsies", FILES, label="special-category")
    agree(world)
    start(world, version.id)
    upload = world.vault.output_for_job("prj_1", "job_1", "open")
    assert world.vault.output_for_job("prj_1", "job_1", "open") == upload
    node = world.directory.add_node("job_1", "prj_1")
    made = fill(world, upload, {"copy.csv": b"1,2,3"}, by=node)
    assert made.facts.label == "special-category"
    assert [one.version for one in world.vault.outputs_of_job("job_1")] == [made.id]
    assert refused(lambda: world.vault.open(made.id, project="lab", by=world.stef)) == "data.take_away"
    assert world.vault.open(made.id, project="lab", by=world.hanna)
    assert world.vault.list("lab", limit=9, by=world.hanna)[0].name == "biopsies"
    assert inputs(world, made.id) == [made.id]
    world.clock.move(timedelta(days=31))
    assert refused(lambda: inputs(world, made.id)) == "agreement.ended"


def test_the_result_of_a_result_is_still_ruled_by_the_first_data(world: World) -> None:
    version = a_push(world, "biopsies", FILES, label="special-category")
    agree(world)
    start(world, version.id)
    first = fill(
        world,
        world.vault.output_for_job("prj_1", "job_1", "open"),
        FILES,
        by=world.directory.add_node("job_1", "prj_1"),
    )
    start(world, first.id, "job_2")
    second = fill(
        world,
        world.vault.output_for_job("prj_1", "job_2", "open"),
        FILES,
        by=world.directory.add_node("job_2", "prj_1"),
    )
    assert second.facts.label == "special-category"
    assert refused(lambda: world.vault.open(second.id, project="lab", by=world.stef)) == "data.take_away"


def test_the_result_of_a_job_without_data_is_the_projects_own(world: World) -> None:
    node = world.directory.add_node("job_1", "prj_1")
    made = fill(world, world.vault.output_for_job("prj_1", "job_1", "open"), {"x": b"1"}, by=node)
    for member in (world.hanna, world.stef):
        opened = world.vault.open(made.id, project="lab", by=member)
        assert a_grant_read(world, opened, "x", by=member) == b"1"
    with pytest.raises(NotFound):
        world.vault.open(made.id, project="campus", by=world.uma)


def test_a_job_that_is_over_adds_nothing_more(world: World) -> None:
    upload = world.vault.output_for_job("prj_1", "job_1", "open")
    world.vault.end_job("job_1")
    node = world.directory.add_node("job_1", "prj_1")
    with pytest.raises(WrongState):
        world.vault.mint(upload.id, 1, by=node)
    assert world.vault.outputs_of_job("job_1") == ()


def test_a_request_reaches_the_owner_and_an_agreement_answers_it(world: World) -> None:
    a_push(world, "biopsies", FILES)
    dataset = world.vault.find("biopsies", project="lab", by=world.hanna)
    with pytest.raises(NotFound):
        world.vault.request_access(dataset.id, project="campus", purpose="civilian", by=world.uma)
    world.vault.publish(dataset.id, by=world.hanna)
    asked = world.vault.request_access(dataset.id, project="campus", purpose="civilian", reason="a study", by=world.uma)
    with pytest.raises(AlreadyExists):
        world.vault.request_access(dataset.id, project="campus", purpose="civilian", by=world.uma)
    world.vault.request_access(dataset.id, purpose="civilian", by=world.uma)
    with pytest.raises(NotFound):
        world.vault.request_access(dataset.id, project="lab", purpose="civilian", by=world.uma)
    assert next(one.id for one in world.vault.requests_on("biopsies", project="lab", by=world.hanna)) == asked.id
    agree(world, project="campus")
    answers = [str(one.state) for one in world.vault.requests_on(dataset.id, by=world.hanna)]
    assert answers == ["approved", "sent"]
    assert [one.project for one in world.vault.agreements_on(dataset.id, by=world.uma)] == ["prj_2"]


def test_others_see_only_the_agreements_of_their_own_projects(world: World) -> None:
    a_push(world, "biopsies", FILES)
    agree(world)
    agree(world, project="campus")
    dataset = world.vault.find("biopsies", project="lab", by=world.hanna)
    assert len(world.vault.agreements_on(dataset.id, by=world.hanna)) == 2
    assert [one.project for one in world.vault.agreements_on(dataset.id, by=world.uma)] == ["prj_2"]


@pytest.mark.parametrize(
    "changed",
    [{"until": date(2026, 11, 23)}, {"purposes": []}, {"purposes": ["peace"]}, {"right": "own"}],
)
def test_terms_that_make_no_sense_are_refused(world: World, changed: dict[str, object]) -> None:
    a_push(world, "biopsies", FILES)
    with pytest.raises(InvalidInput):
        agree(world, **changed)


def test_the_owner_sees_who_opened_what(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    agree(world)
    start(world, version.id)
    world.clock.move(timedelta(seconds=1))
    world.vault.open("biopsies", project="lab", by=world.hanna)
    seen = [
        (one.person, one.job, one.right.value)
        for one in world.vault.opened("biopsies", project="lab", limit=9, by=world.hanna)
    ]
    assert seen == [("per_hanna", "", "take_away"), ("", "job_1", "compute")]


def test_without_the_master_key_opens_are_unavailable_and_record_nothing(world: World) -> None:
    a_push(world, "biopsies", FILES)

    class Away:
        def wrap(self, key: bytes, context: bytes) -> bytes:
            raise Unavailable("the master key is out of reach", fix="wait")

        unwrap = wrap

    cipher = EpochCipher(Away(), world.clock, world.parts.ids)
    cut_off = Vault(replace(world.parts, cipher=cipher), world.keeping)
    with pytest.raises(Unavailable):
        cut_off.open("biopsies", project="lab", by=world.hanna)
    assert world.vault.opened("biopsies", project="lab", limit=9, by=world.hanna) == []


def test_no_name_and_no_key_enters_the_audit_log(world: World) -> None:
    a_push(world, "canary-name", {"canary-file": b"canary-content"}, label="special-category")
    opened = world.vault.open("canary-name", project="lab", by=world.hanna)
    world.vault.request_access("canary-name", project="lab", purpose="civilian", reason="canary-reason", by=world.stef)
    written = " ".join(f"{event.subject} {event.facts}" for _, event in world.audit._events.newest(100))
    assert "canary" not in written
    assert opened.manifest_key.hex() not in written


def test_an_object_gone_from_the_store_is_damaged_and_named(world: World) -> None:
    a_push(world, "biopsies", FILES)
    opened = world.vault.open("biopsies", project="lab", by=world.hanna)
    world.blobs.delete(opened.facts.manifest)
    with pytest.raises(Damaged) as gone:
        world.vault.granted_object(opened.grant.id, opened.facts.manifest, by=world.hanna)
    assert gone.value.fields["where"] == opened.facts.manifest

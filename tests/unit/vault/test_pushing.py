from dataclasses import replace
from datetime import timedelta

import pytest

from fabriek.kernel.errors import (
    AlreadyExists,
    FabriekError,
    InvalidInput,
    NotFound,
    NotPermitted,
    QuotaExhausted,
    StorageFull,
    WrongState,
    nothing_here,
)
from fabriek.vault import pushing
from fabriek.vault.pushing import Committed
from fabriek.vault.uploads import OBJECT_BYTES_MAX, Upload
from fabriek.vault.versions import Version
from tests.factories.threads import at_once
from tests.factories.vault import World, a_push, fill

FILES = {"a.csv": b"1,2,3", "b/c.csv": b""}


def rule_of(refused: pytest.ExceptionInfo[NotPermitted]) -> object:
    return refused.value.fields["rule"]


def committed(manifest: str, *objects: str) -> Committed:
    return Committed(manifest, bytes(32), 1, 1, "0" * 64, len(objects), frozenset(objects))


def test_a_push_makes_versions_one_two_three(world: World) -> None:
    assert [a_push(world, "biopsies", FILES).number for _ in range(3)] == [1, 2, 3]
    dataset = world.vault.find("biopsies", project="lab", by=world.hanna)
    assert (dataset.sequence, dataset.organisation, dataset.label) == (3, "org_hospital", "internal")
    assert [one.number for one in world.vault.versions("biopsies", project="lab", by=world.hanna)] == [3, 2, 1]


def test_the_audit_log_repeats_every_sequence(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    event = next(one for one in world.audit._events.newest(50) if one[1].subject == version.id)[1]
    assert event.action == "version.recorded"
    assert '"sequence":1' in event.facts


@pytest.mark.parametrize("label", ["stg-geheim", "Stg. Geheim", "departementaal-vertrouwelijk"])
def test_a_state_label_is_refused_by_name_where_the_installation_is_not_accredited(world: World, label: str) -> None:
    with pytest.raises(NotPermitted) as refused:
        world.vault.create("lab", "secret", label=label, by=world.hanna)
    assert rule_of(refused) == "label.accreditation"
    with pytest.raises(NotFound):
        world.vault.find("secret", project="lab", by=world.hanna)
    with pytest.raises(NotPermitted) as refused:
        world.accredited().create("lab", "secret", label=label, by=world.hanna)
    assert rule_of(refused) == "label.ceiling"


def test_a_label_above_the_projects_ceiling_is_refused_at_the_push_too(world: World) -> None:
    a_push(world, "biopsies", FILES)
    with pytest.raises(NotPermitted) as refused:
        world.vault.open_upload("lab", "biopsies", label="export-controlled", by=world.hanna)
    assert rule_of(refused) == "label.ceiling"


def test_a_push_raises_a_label_and_never_lowers_it(world: World) -> None:
    a_push(world, "biopsies", FILES, label="internal")
    assert a_push(world, "biopsies", FILES, label="personal").facts.label == "personal"
    assert a_push(world, "biopsies", FILES).facts.label == "personal"
    with pytest.raises(NotPermitted) as refused:
        world.vault.open_upload("lab", "biopsies", label="open", by=world.hanna)
    assert rule_of(refused) == "label.lowering"
    assert world.vault.find("biopsies", project="lab", by=world.hanna).label == "personal"


def test_an_upload_opened_before_the_label_rose_cannot_lower_it_again(world: World) -> None:
    a_push(world, "biopsies", FILES)
    slow = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    a_push(world, "biopsies", FILES, label="special-category")
    assert fill(world, slow, FILES, by=world.hanna).facts.label == "special-category"


def test_only_the_owners_people_push_since_the_parents_keys_come_along(world: World) -> None:
    a_push(world, "biopsies", FILES)
    with pytest.raises(NotPermitted) as refused:
        world.vault.open_upload("lab", "biopsies", by=world.stef)
    assert rule_of(refused) == "data.owner"


def test_a_name_is_taken_once_in_a_project(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    with pytest.raises(AlreadyExists):
        world.vault.create("lab", "biopsies", by=world.stef)
    world.vault.create("campus", "biopsies", by=world.uma)


def test_a_stranger_cannot_tell_a_dataset_of_others_from_none(world: World) -> None:
    a_push(world, "biopsies", FILES)
    dataset = world.vault.find("biopsies", project="lab", by=world.hanna)
    version = world.vault.versions("biopsies", project="lab", by=world.hanna)[0]
    said = set()
    for reference in (
        dataset.id,
        version.id,
        "lab/biopsies",
        "lab/biopsies@1",
        "lab/nothing",
        "ds_0",
        "ver_0",
        "none/none",
    ):
        for act in (world.vault.find, world.vault.open, world.vault.agreements_on, world.vault.requests_on):
            with pytest.raises(NotFound) as missing:
                act(reference, project="campus", by=world.uma)
            said.add((missing.value.detail, missing.value.fix, tuple(missing.value.fields)))
    assert said == {(nothing_here().detail, nothing_here().fix, ())}


def test_nobody_but_its_holder_knows_of_an_upload(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    name = world.vault.mint(upload.id, 1, by=world.hanna)[0]
    node = world.directory.add_node("job_1", "prj_1")
    for other in (world.stef, world.uma, node, replace(world.hanna, job="job_1")):
        for act in (
            lambda who: world.vault.upload(upload.id, by=who),
            lambda who: world.vault.mint(upload.id, 1, by=who),
            lambda who: world.vault.put_object(upload.id, name, [b"x"], by=who),
            lambda who: world.vault.use(upload.id, {name}, by=who),
            lambda who: world.vault.commit(upload.id, committed(name), by=who),
        ):
            with pytest.raises(NotFound):
                act(other)


@pytest.mark.parametrize("name", ["obj_0", "../x", "", "obj_1/../../y"])
def test_nobody_names_a_place_in_the_store(world: World, name: str) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    with pytest.raises(NotFound):
        world.vault.put_object(upload.id, name, [b"x"], by=world.hanna)
    with pytest.raises(NotFound):
        world.vault.commit(upload.id, committed(name), by=world.hanna)
    assert world.blobs.objects == {}


def test_an_object_of_another_upload_or_dataset_cannot_be_borrowed(world: World) -> None:
    theirs = a_push(world, "biopsies", FILES)
    foreign = next(iter(world.parts.versions.objects(theirs.id)))
    world.vault.create("lab", "mine", by=world.stef)
    upload = world.vault.open_upload("lab", "mine", by=world.stef)
    name = world.vault.mint(upload.id, 1, by=world.stef)[0]
    world.vault.put_object(upload.id, name, [b"manifest"], by=world.stef)
    with pytest.raises(NotFound):
        world.vault.commit(upload.id, committed(name, foreign), by=world.stef)
    with pytest.raises(NotFound):
        world.vault.commit(upload.id, committed(foreign), by=world.stef)
    with pytest.raises(NotFound):
        world.vault.put_object(upload.id, foreign, [b"x"], by=world.stef)


def test_a_commit_that_misses_an_object_makes_nothing(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    manifest, missing = world.vault.mint(upload.id, 2, by=world.hanna)
    world.vault.put_object(upload.id, manifest, [b"x"], by=world.hanna)
    with pytest.raises(InvalidInput, match="has not arrived"):
        world.vault.commit(upload.id, committed(manifest, missing), by=world.hanna)
    assert world.vault.versions("biopsies", project="lab", by=world.hanna) == []


def a_second_upload(world: World) -> tuple[Upload, str, list[str]]:
    """One on a version of three objects: it, a new object that has arrived, and the parent's objects beside its manifest."""
    first = a_push(world, "biopsies", {"a": b"1", "b": b"2", "c": b"3"})
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    name = world.vault.mint(upload.id, 1, by=world.hanna)[0]
    world.vault.put_object(upload.id, name, [b"x"], by=world.hanna)
    inherited = world.parts.versions.objects(first.id) - {first.facts.manifest}
    return upload, name, sorted([*inherited, first.facts.manifest], key=lambda one: one == first.facts.manifest)


def test_a_version_is_its_parents_objects_but_those_left_and_the_new_ones(world: World) -> None:
    upload, root, (kept, *left) = a_second_upload(world)
    new = world.vault.mint(upload.id, 2, by=world.hanna)
    for name in new:
        world.vault.put_object(upload.id, name, [b"x"], by=world.hanna)
    world.vault.use(upload.id, {new[0]}, left[:1], by=world.hanna)
    said = Committed(root, bytes(32), 1, 1, "0" * 64, 3, frozenset(new), frozenset(left), on_parent=True)
    version = world.vault.commit(upload.id, said, by=world.hanna)
    assert world.parts.versions.objects(version.id) == {kept, root, *new}
    assert world.vault.commit(upload.id, said, by=world.hanna) == version


def test_a_version_that_does_not_build_on_its_parent_uses_nothing_of_it(world: World) -> None:
    upload, root, _ = a_second_upload(world)
    version = world.vault.commit(upload.id, committed(root), by=world.hanna)
    assert world.parts.versions.objects(version.id) == {root}


def test_a_commit_of_more_or_fewer_objects_than_there_are_makes_nothing(world: World) -> None:
    upload, root, inherited = a_second_upload(world)
    for count in (0, 3, 5):
        said = Committed(root, bytes(32), 1, 1, "0" * 64, count, on_parent=True)
        with pytest.raises(WrongState, match=f"uses {count} objects, and {len(inherited)} are here"):
            world.vault.commit(upload.id, said, by=world.hanna)
    assert len(world.vault.versions("biopsies", project="lab", by=world.hanna)) == 1
    said = Committed(root, bytes(32), 1, 1, "0" * 64, len(inherited), on_parent=True)
    assert world.vault.commit(upload.id, said, by=world.hanna).number == 2


def test_what_an_interrupted_push_named_is_forgotten_when_it_goes_on(world: World) -> None:
    upload, root, inherited = a_second_upload(world)
    stray = world.vault.mint(upload.id, 1, by=world.hanna)[0]
    world.vault.put_object(upload.id, stray, [b"x"], by=world.hanna)
    world.vault.use(upload.id, {stray}, inherited[:2], by=world.hanna)
    world.vault.resume_upload(upload.id, by=world.hanna)
    said = Committed(root, bytes(32), 1, 1, "0" * 64, len(inherited), on_parent=True)
    version = world.vault.commit(upload.id, said, by=world.hanna)
    assert world.parts.versions.objects(version.id) == {root, *inherited}


def test_only_objects_of_the_upload_are_used_and_only_those_of_its_parent_left(world: World) -> None:
    upload, root, inherited = a_second_upload(world)
    other = a_push(world, "other", FILES)
    foreign = next(iter(world.parts.versions.objects(other.id)))
    for objects, left in (({foreign}, ()), ({inherited[0]}, ()), ((), {foreign}), ((), {root}), ({"obj_0"}, ())):
        with pytest.raises(NotFound):
            world.vault.use(upload.id, objects, left, by=world.hanna)
    missing = world.vault.mint(upload.id, 1, by=world.hanna)[0]
    with pytest.raises(InvalidInput, match="has not arrived"):
        world.vault.use(upload.id, {missing}, by=world.hanna)
    with pytest.raises(NotFound):
        world.vault.use(upload.id, {root}, by=world.stef)
    with pytest.raises(InvalidInput, match="at a time"):
        world.vault.use(upload.id, {f"obj_{number}" for number in range(10_001)}, by=world.hanna)


def test_a_commit_sent_again_is_the_same_version_and_another_one_is_refused(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    first, second = world.vault.mint(upload.id, 2, by=world.hanna)
    for name in (first, second):
        world.vault.put_object(upload.id, name, [name.encode()], by=world.hanna)
    version = world.vault.commit(upload.id, committed(first), by=world.hanna)
    assert world.vault.commit(upload.id, committed(first), by=world.hanna) == version
    with pytest.raises(WrongState):
        world.vault.commit(upload.id, committed(second), by=world.hanna)
    with pytest.raises(WrongState):
        world.vault.mint(upload.id, 1, by=world.hanna)
    assert len(world.vault.versions("biopsies", project="lab", by=world.hanna)) == 1


def test_an_upload_left_open_too_long_is_closed(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    name = world.vault.mint(upload.id, 1, by=world.hanna)[0]
    world.clock.move(timedelta(days=7))
    for act in (
        lambda: world.vault.mint(upload.id, 1, by=world.hanna),
        lambda: world.vault.put_object(upload.id, name, [b"x"], by=world.hanna),
        lambda: world.vault.commit(upload.id, committed(name), by=world.hanna),
    ):
        with pytest.raises(WrongState):
            act()


def test_an_object_may_be_sent_again_and_not_be_changed(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    name = world.vault.mint(upload.id, 1, by=world.hanna)[0]
    stored = world.vault.put_object(upload.id, name, [b"same"], by=world.hanna)
    assert world.vault.put_object(upload.id, name, [b"same"], by=world.hanna) == stored
    with pytest.raises(AlreadyExists):
        world.vault.put_object(upload.id, name, [b"else"], by=world.hanna)


def test_an_object_over_the_limit_is_refused(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    name = world.vault.mint(upload.id, 1, by=world.hanna)[0]
    piece = bytes(2**20)
    with pytest.raises(InvalidInput):
        world.vault.put_object(upload.id, name, (piece for _ in range(OBJECT_BYTES_MAX // 2**20 + 1)), by=world.hanna)
    assert world.blobs.objects == {}


def test_a_full_store_leaves_the_upload_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    name = world.vault.mint(upload.id, 1, by=world.hanna)[0]

    def full(*_: object, **__: object) -> None:
        raise StorageFull("the disk of the objects is full", fix="free some space")

    with monkeypatch.context() as patched:
        patched.setattr(world.blobs, "put", full)
        with pytest.raises(StorageFull):
            world.vault.put_object(upload.id, name, [b"x"], by=world.hanna)
    with pytest.raises(InvalidInput, match="has not arrived"):
        world.vault.commit(upload.id, committed(name), by=world.hanna)
    world.vault.put_object(upload.id, name, [b"x"], by=world.hanna)
    world.vault.commit(upload.id, committed(name), by=world.hanna)


def test_names_are_handed_out_within_bounds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    for count in (0, -1, 10_001):
        with pytest.raises(InvalidInput):
            world.vault.mint(upload.id, count, by=world.hanna)
    monkeypatch.setattr(pushing, "OBJECTS_MAX", 3)
    world.vault.mint(upload.id, 2, by=world.hanna)
    with pytest.raises(QuotaExhausted):
        world.vault.mint(upload.id, 2, by=world.hanna)


def test_eight_pushes_at_once_are_eight_versions_in_a_row(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)

    def push(number: int) -> Version:
        upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
        return fill(world, upload, {"f": str(number).encode()}, by=world.hanna)

    outcomes = at_once(push, times=8)
    assert not [one for one in outcomes if isinstance(one, FabriekError)]
    found = world.vault.versions("biopsies", project="lab", by=world.hanna)
    assert sorted(one.number for one in found) == list(range(1, 9))
    assert sorted(one.facts.sequence for one in found) == list(range(1, 9))


def test_code_is_its_pushers_own_in_a_project_and_in_no_list(world: World) -> None:
    upload = world.vault.open_code_upload("lab", by=world.stef)
    version = fill(world, upload, {"train.py": b"print(1)"}, by=world.stef)
    assert version.facts.label == "open"
    assert world.vault.list("lab", limit=10, by=world.stef) == []
    assert world.vault.code_for_job(version.id, "prj_1", by=world.stef).version == version.id
    again = world.vault.open_code_upload("lab", by=world.stef)
    assert (again.dataset, again.parent) == (upload.dataset, version.id)
    assert world.vault.open_code_upload("lab", by=world.hanna).dataset != upload.dataset
    with pytest.raises(NotFound):
        world.vault.code_for_job(version.id, "prj_2", by=world.uma)


def test_data_is_no_code_and_code_is_no_data(world: World) -> None:
    data = a_push(world, "biopsies", FILES)
    with pytest.raises(NotFound):
        world.vault.code_for_job(data.id, "prj_1", by=world.hanna)
    code = fill(world, world.vault.open_code_upload("lab", by=world.stef), {"a.py": b"1"}, by=world.stef)
    with pytest.raises(NotFound):
        world.vault.inputs_for_job([code.id], project="prj_1", purpose="civilian", by=world.stef)
    with pytest.raises(NotFound):
        world.vault.open_upload("lab", world.vault.reference(code.id).dataset, by=world.stef)

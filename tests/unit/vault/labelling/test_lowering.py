"""Labels go down by two people and a signed record, and no other way."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import AlreadyExists, Damaged, InvalidInput, NotFound, WrongState
from fabriek.kernel.signing import Signer
from fabriek.vault.labelling.proposals import Outcome
from fabriek.vault.service import Vault
from tests.factories.vault import World, a_grant_read, a_push
from tests.unit.vault.test_opening import FILES, agree, inputs, refused, start


@pytest.fixture
def henk(world: World) -> Caller:
    """A colleague of hanna's."""
    return world.directory.add_person("henk", "hospital", "prj_1")


def labels(world: World) -> tuple[str, list[str]]:
    found = world.vault.find("biopsies", project="lab", by=world.hanna)
    return found.label, [one.facts.label for one in world.vault.versions("biopsies", project="lab", by=world.hanna)]


def test_a_second_person_signs_and_every_version_gets_a_new_record(world: World, henk: Caller) -> None:
    a_push(world, "biopsies", FILES, label="internal")
    a_push(world, "biopsies", FILES, label="personal")
    a_push(world, "biopsies", {"a.csv": b"2"}, label="special-category")
    low = world.vault.propose_lowering(
        "biopsies", "confidential-business", "Made anonymous", project="lab", by=world.hanna
    )
    assert labels(world) == ("special-category", ["special-category", "personal", "internal"])
    assert refused(lambda: world.vault.sign_lowering(low.id, by=world.hanna)) == "proposal.second_person"
    assert world.vault.sign_lowering(low.id, by=henk).outcome is Outcome.AGREED
    assert labels(world) == ("confidential-business", ["confidential-business", "confidential-business", "internal"])
    for number in (1, 2, 3):
        opened = world.vault.open(f"biopsies@{number}", project="lab", by=world.hanna)
        assert a_grant_read(world, opened, "a.csv", by=world.hanna)
    event = next(one for one in world.audit.events(by=SYSTEM, limit=10).items if one.action == "label.lowered")
    assert "special-category" in event.facts
    assert world.hanna.person in event.facts
    assert world.vault.lowered_from("biopsies", project="lab", by=henk) == {low.id: "special-category"}
    assert refused(lambda: world.vault.lowered_from("biopsies", project="lab", by=world.stef)) == "data.owner"
    # The next push goes on from the lower label, and a record of before put back is seen.
    assert a_push(world, "biopsies", {"a.csv": b"3"}).facts.label == "confidential-business"


def test_the_record_from_before_the_lowering_put_back_is_seen(world: World, henk: Caller) -> None:
    version = a_push(world, "biopsies", FILES, label="personal")
    low = world.vault.propose_lowering("biopsies", "internal", "Made anonymous", project="lab", by=world.hanna)
    world.vault.sign_lowering(low.id, by=henk)
    lowered = world.parts.versions.get(version.id)
    assert lowered.record != version.record
    with world.database.transaction():
        world.parts.versions.save(version)
    with pytest.raises(Damaged):
        world.vault.open("biopsies", project="lab", by=world.hanna)
    with world.database.transaction():
        world.parts.versions.save(lowered)
    assert world.vault.open("biopsies", project="lab", by=world.hanna)


def test_lowering_one_half_of_a_join_keeps_the_other(world: World, henk: Caller) -> None:
    for project in list(world.directory.projects):
        wide = replace(world.directory.projects[project], label_ceiling="personal+export-controlled")
        world.directory.projects[project] = wide
    a_push(world, "biopsies", FILES, label="personal")
    a_push(world, "biopsies", {"a.csv": b"2"}, label="export-controlled+personal")
    assert labels(world)[0] == "personal+export-controlled"
    low = world.vault.propose_lowering("biopsies", "export-controlled", "No people in it", project="lab", by=henk)
    world.vault.sign_lowering(low.id, by=world.hanna)
    assert labels(world) == ("export-controlled", ["export-controlled", "confidential-business"])


def test_nobody_else_proposes_signs_or_refuses(world: World, henk: Caller) -> None:
    a_push(world, "biopsies", FILES, label="personal")
    lower = world.vault.propose_lowering
    assert refused(lambda: lower("biopsies", "internal", "x", project="lab", by=world.stef)) == "data.owner"
    low = lower("biopsies", "internal", "x", project="lab", by=world.hanna)
    with pytest.raises(AlreadyExists):
        lower("biopsies", "open", "x", project="lab", by=henk)
    assert refused(lambda: world.vault.sign_lowering(low.id, by=world.stef)) == "data.owner"
    for act in (world.vault.sign_lowering, lambda one, by: world.vault.refuse_lowering(one, "no", by=by)):
        with pytest.raises(NotFound):
            act(low.id, by=world.uma)
    with pytest.raises(NotFound):
        world.vault.sign_lowering("low_0", by=henk)
    world.vault.refuse_lowering(low.id, "It names people.", by=henk)
    with pytest.raises(WrongState):
        world.vault.sign_lowering(low.id, by=henk)
    assert labels(world)[0] == "personal"
    assert [str(one.outcome) for one in world.vault.lowerings_of("biopsies", project="lab", by=henk)] == ["refused"]


@pytest.mark.parametrize(("label", "reason"), [("personal", "x"), ("special-category", "x"), ("export-controlled", "x"),
                                               ("secret", "x"), ("internal", " "), ("internal", "x" * 2_001)])  # fmt: skip
def test_a_label_that_is_not_lower_and_a_reason_that_is_none_are_refused(world: World, label: str, reason: str) -> None:
    a_push(world, "biopsies", FILES, label="personal")
    with pytest.raises(InvalidInput):
        world.vault.propose_lowering("biopsies", label, reason, project="lab", by=world.hanna)


def test_what_needs_accreditation_is_not_lowered_where_there_is_none(world: World) -> None:
    a_push(world, "biopsies", FILES, label="personal")
    with world.database.transaction():
        world.database.execute(text("update vault_datasets set label = 'stg-geheim'"))
    asked = lambda: world.vault.propose_lowering("biopsies", "internal", "x", project="lab", by=world.hanna)  # noqa: E731
    assert refused(asked) == "label.accreditation"


def test_a_label_lowered_in_the_database_opens_nothing_on_any_path(world: World) -> None:
    """In the dataset's row it does not count; in the signed record it is seen; in both too."""
    version = a_push(world, "biopsies", FILES, label="special-category")
    agree(world)
    with world.database.transaction():
        world.database.execute(text("update vault_datasets set label = 'open'"))
    with world.database.transaction():
        world.database.execute(text("update vault_agreements set ended_at = signed_at"))
    assert refused(lambda: inputs(world)) == "agreement.ended"
    assert refused(lambda: start(world, version.id)) == "agreement.ended"
    assert world.vault.reference(version.id).label == "special-category"
    with world.database.transaction():
        world.database.execute(text("update vault_versions set record = replace(record, 'special-category', 'open')"))
    for act in (
        lambda: inputs(world),
        lambda: start(world, version.id),
        lambda: world.vault.open("biopsies", project="lab", by=world.hanna),
        lambda: world.vault.reference(version.id),
        lambda: world.vault.propose_lowering("biopsies", "open", "x", project="lab", by=world.hanna),
        lambda: agree(world),
    ):
        with pytest.raises(Damaged):
            act()


class Interrupted:
    """Signs as the signer does, and lets something else happen first, once."""

    def __init__(self, signer: Signer, happens: Callable[[], object]) -> None:
        self._signer, self._happens = signer, [happens]

    def sign(self, message: bytes) -> bytes:
        while self._happens:
            self._happens.pop()()
        return self._signer.sign(message)

    @property
    def installation_id(self) -> str:
        return self._signer.installation_id

    def public_key_bytes(self) -> bytes:
        return self._signer.public_key_bytes()


def test_keys_that_were_wrapped_anew_and_versions_that_went_meanwhile_stay_as_they_are(
    world: World, henk: Caller
) -> None:
    a_push(world, "biopsies", FILES, label="personal")
    a_push(world, "biopsies", {"a.csv": b"2"})
    low = world.vault.propose_lowering("biopsies", "internal", "Made anonymous", project="lab", by=world.hanna)

    def meanwhile() -> None:
        world.vault.remove_version("biopsies@1", project="lab", by=world.hanna)
        world.vault.rotating.rotate_dataset("biopsies", project="lab", by=world.hanna)

    parts = replace(world.parts, signer=Interrupted(world.parts.signer, meanwhile))
    Vault(parts, world.keeping).sign_lowering(low.id, by=henk)
    assert labels(world) == ("internal", ["internal"])
    opened = world.vault.open("biopsies", project="lab", by=world.hanna)
    assert a_grant_read(world, opened, "a.csv", by=world.hanna) == b"2"


@pytest.mark.parametrize("meanwhile", [False, True])
def test_what_was_pushed_since_is_not_lowered_with_the_rest(world: World, henk: Caller, *, meanwhile: bool) -> None:
    a_push(world, "biopsies", FILES, label="personal")
    low = world.vault.propose_lowering("biopsies", "internal", "Made anonymous", project="lab", by=world.hanna)
    assert low.covers == 1

    def pushed() -> None:
        a_push(world, "biopsies", {"a.csv": b"with names"})

    vault = world.vault
    if meanwhile:  # the push comes between the signer's look and what they write
        vault = Vault(replace(world.parts, signer=Interrupted(world.parts.signer, pushed)), world.keeping)
    else:
        pushed()
    with pytest.raises(WrongState, match="pushed since") as refused:
        vault.sign_lowering(low.id, by=henk)
    assert low.id in refused.value.fix
    assert labels(world) == ("personal", ["personal", "personal"])
    world.vault.refuse_lowering(low.id, "There is more now.", by=henk)
    again = world.vault.propose_lowering("biopsies", "internal", "Made anonymous", project="lab", by=world.hanna)
    assert again.covers == 2
    assert world.vault.sign_lowering(again.id, by=henk).outcome is Outcome.AGREED
    assert labels(world) == ("internal", ["internal", "internal"])


def test_what_was_erased_has_no_label_to_lower(world: World, henk: Caller) -> None:
    a_push(world, "biopsies", FILES, label="personal")
    low = world.vault.propose_lowering("biopsies", "internal", "x", project="lab", by=world.hanna)
    asked, _ = world.vault.erasing.ask("biopsies", "gone", project="lab", by=world.hanna)
    world.vault.erasing.confirm(asked.id, "biopsies", by=world.hanna)
    with pytest.raises(WrongState):
        world.vault.sign_lowering(low.id, by=henk)
    with pytest.raises(WrongState):
        world.vault.propose_lowering("biopsies", "open", "x", project="lab", by=world.hanna)

"""What waits for somebody's word is listed for who may give it, in as many questions for many as for one."""

import pytest

from fabriek.kernel.callers import Caller
from fabriek.vault.labelling.proposals import Proposal
from tests.factories.vault import World, a_push


def waiting(world: World, by: Caller) -> list[str]:
    return [one.id for one, _ in world.vault.waiting.lowerings(by=by)]


def lowered(world: World, name: str) -> Proposal:
    a_push(world, name, {"a": name.encode()}, label="personal")
    return world.vault.propose_lowering(name, "internal", "Made anonymous", project="lab", by=world.hanna)


def test_a_lowering_waits_for_the_owners_others_and_not_for_who_proposed_it_or_may_not(world: World) -> None:
    henk = world.directory.add_person("henk", "hospital", "prj_1")
    elsewhere = world.directory.add_person("hilde", "hospital", "prj_2")
    first, second = lowered(world, "biopsies"), lowered(world, "scans")
    assert waiting(world, henk) == [first.id, second.id]
    assert [dataset.name for _, dataset in world.vault.waiting.lowerings(by=henk)] == ["biopsies", "scans"]
    for nobody in (world.hanna, world.stef, world.uma, elsewhere):
        assert waiting(world, nobody) == []
    world.vault.sign_lowering(first.id, by=henk)
    assert waiting(world, henk) == [second.id]
    world.vault.refuse_lowering(second.id, "It names people.", by=world.hanna)
    assert waiting(world, henk) == []


def test_many_take_as_many_questions_as_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    henk = world.directory.add_person("henk", "hospital", "prj_1")
    asked, rows = list[object](), world.database.rows
    counted = []
    for more in (["one"], ["two", "three", "four"]):
        for name in more:
            lowered(world, name)
        with monkeypatch.context() as patch:
            patch.setattr(world.database, "rows", lambda *said: (asked.append(said), rows(*said))[1])
            found = waiting(world, henk)
        counted.append((len(found), len(asked)))
        asked.clear()
    assert counted == [(1, 2), (4, 2)]

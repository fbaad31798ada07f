"""Reading in place, of versions of more objects than there is room for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.sdk import gathering, reading
from fabriek.sdk.reading import Reading
from tests.factories.vault import Doors, World
from tests.unit.sdk.test_pushing import a_folder

BODIES = {f"{number:02d}": os.urandom(300_000) for number in range(12)}


@pytest.fixture
def doors(world: World) -> Iterator[Doors]:
    with world.served() as served:
        yield served


def test_who_goes_through_everything_keeps_the_heads_of_few_objects(
    doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FABRIEK_CONTEXT", str(tmp_path / "client" / "context.json"))
    monkeypatch.setattr(gathering, "SMALL_BYTES", 1_000)  # so that each file is an object
    monkeypatch.setattr(reading, "OPENERS_MAX", 3)
    monkeypatch.setattr(reading, "STEPS_MAX", 4)
    vault = doors.vault("hanna")
    vault.push(a_folder(tmp_path / "in", BODIES), "many")
    with vault.opened("many") as opened:
        version = Reading(opened, kept_bytes_max=2**18)
        for _ in range(2):
            for path, body in BODIES.items():
                assert version.read(version.file(path), 0, 1_000) == body[:1_000]
                assert version.read(version.file(path), 1_000, 200_000) == body[1_000:200_000]
        assert len(version._openers) == 3
        assert len(version._steps) == 4
        for path, body in BODIES.items():
            assert version.read(version.file(path), 0, len(body)) == body
        assert not set(version._steps) & set(list(BODIES)[:8]), "what was read to its end is remembered"
        version.forget()
        assert version._openers == {}
        assert version.read(version.file("00"), 9, 99) == BODIES["00"][9:99]

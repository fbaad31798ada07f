"""Flips all over small objects, large ones and manifests, as often as the promise says: 20,000, or `FABRIEK_FLIPS`."""

import os
import random
from pathlib import Path

import pytest

from tests.factories.tables import a_database
from tests.factories.vault import a_push, a_world
from tests.unit.vault.test_tampering import BODY, all_seen, flips, flips_in_a_large_push, objects_of, opened

FLIPS = int(os.environ.get("FABRIEK_FLIPS", "20000"))  # noqa: TID251  # how long it takes is chosen where it is started

pytestmark = pytest.mark.faults


def test_random_flips_are_all_seen(tmp_path: Path) -> None:
    seed = os.urandom(8).hex()
    dice = random.Random(seed)  # noqa: S311  # which bits are flipped is no secret
    print(f"seed {seed}")
    database = a_database(tmp_path / "vault.db")
    world, tried = a_world(database), 0
    a_push(world, "biopsies", {"f": BODY})
    grant = opened(world)
    for name in objects_of(world, grant):
        tried += all_seen(world, grant, name, flips(world.blobs.objects[name], FLIPS // 4, dice))
    # And in every object of a real push; in each of the blocks of its large file a tenth as many.
    large = flips_in_a_large_push(world, tmp_path, FLIPS // 8, dice)
    database.close()
    print(
        f"{tried + large} bits flipped, {tried} of them in objects of less than a kilobyte: each was seen, and nothing was read"
    )
    assert tried + large >= FLIPS

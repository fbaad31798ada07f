"""Labels only go up by themselves, as often as the promise says: 100,000 graphs, or as many as are asked for by `FABRIEK_GRAPHS`."""

import os
from pathlib import Path

import pytest

from tests.unit.vault.labelling.test_labels import random_graph
from tests.unit.vault.test_derivations import a_wide_world, history

GRAPHS = int(os.environ.get("FABRIEK_GRAPHS", "100000"))  # noqa: TID251  # how long it takes is chosen where it is started

pytestmark = pytest.mark.faults


def test_along_random_derivation_graphs_labels_only_go_up() -> None:
    for seed in range(GRAPHS):
        random_graph(seed)
    print(f"{GRAPHS} graphs of labels, 0 violations")


def test_through_the_vault_labels_only_go_up(tmp_path: Path) -> None:
    made, histories = 0, GRAPHS // 100
    for start in range(0, histories, 50):
        (folder := tmp_path / str(start)).mkdir()
        with a_wide_world(folder) as world:
            made += sum(history(world, seed) for seed in range(start, min(start + 50, histories)))
    print(f"{histories} histories of a vault, {made} things made, 0 violations")

"""Random histories of a vault, through its own verbs: what jobs make is never below anything that it was made of, whoever writes to the rows."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from fabriek.vault.labelling.labels import Labels
from fabriek.vault.versions import Version
from tests.factories.tables import a_database
from tests.factories.vault import World, a_push, a_world, fill

ALLOWED = ("open", "internal", "confidential-business", "personal", "special-category", "export-controlled")


def history(world: World, seed: int) -> int:
    """People push, jobs make things of what there is, and somebody lowers rows now and then. How many things were made."""
    chance, labels = random.Random(seed), world.parts.labels  # noqa: S311  # a test repeats by its seed
    made: list[tuple[Version, frozenset[str]]] = []
    for number in range(chance.randrange(4, 9)):
        if not made or chance.random() < 0.4:
            label = labels.highest(chance.sample(ALLOWED, chance.randrange(1, 3)))
            made.append(pushed(world, f"d{seed}-{number}", label))
        else:
            made.append(derived(world, f"job_{seed}_{number}", chance.choices(made, k=chance.randrange(1, 4)), labels))
        if chance.random() < 0.5:
            with world.database.transaction():
                world.database.execute(text("update vault_datasets set label = 'open'"))
        version, carried = made[-1]
        for one in carried:
            assert not labels.exceeds(one, world.vault.reference(version.id).label), seed
            assert not labels.exceeds(one, version.facts.label), seed
    return len(made)


def pushed(world: World, name: str, label: str) -> tuple[Version, frozenset[str]]:
    version = a_push(world, name, {"a": b"a"}, label=label)
    if world.parts.labels.needs_agreement(label):
        world.vault.agree(
            name, home="lab", project="lab", purposes=["civilian"], right="compute", until=date(2027, 1, 1), by=world.hanna
        )  # fmt: skip
    return version, frozenset({label})


def derived(
    world: World, job: str, inputs: list[tuple[Version, frozenset[str]]], labels: Labels
) -> tuple[Version, frozenset[str]]:
    """What a job made, whose submitter said that it is open."""
    for version, _ in inputs:
        world.vault.grant_to_job(version.id, job, project="prj_1", purpose="civilian")
    upload = world.vault.output_for_job("prj_1", job, labels.lowest)
    version = fill(world, upload, {"out": b"out"}, by=world.directory.add_node(job, "prj_1"))
    world.vault.end_job(job)
    return version, frozenset().union(*(carried for _, carried in inputs))


@contextmanager
def a_wide_world(folder: Path) -> Iterator[World]:
    """A new vault whose project may hold every label of ours that needs no accreditation."""
    database = a_database(folder / "vault.db")
    world = a_world(database)
    lab = world.directory.projects["prj_1"]
    world.directory.projects["prj_1"] = replace(lab, label_ceiling="special-category+export-controlled")
    yield world
    database.close()


@pytest.mark.parametrize("histories", [8, pytest.param(40, marks=pytest.mark.faults)])
def test_what_jobs_make_is_never_below_what_they_read(tmp_path: Path, histories: int) -> None:
    with a_wide_world(tmp_path) as world:
        assert sum(history(world, seed) for seed in range(histories)) >= histories * 4

"""Whoever can write to the store or the database, and has no key, is always seen. Promise P5, thinned."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.errors import Damaged, FabriekError
from fabriek.sealing.digests import BLOCK_BYTES
from fabriek.sealing.manifest import File
from fabriek.vault.opening import Opened
from tests.factories.vault import World, a_grant_read, a_push, a_reader

FLIPS = 2_000
MANY = 3_000
"""Files: more than one page of the manifest says."""
BODY = b"the one small file: " + bytes(range(40))


def opened(world: World, reference: str = "biopsies") -> Opened:
    return world.vault.open(reference, project="lab", by=world.hanna)


def read(world: World, grant: Opened, path: str = "f") -> bytes:
    return a_grant_read(world, grant, path, by=world.hanna)


def listed(world: World, grant: Opened) -> list[File]:
    return list(a_reader(world, grant, by=world.hanna).book.files())


def all_seen(
    world: World, grant: Opened, name: str, changed: Iterator[bytes], reads: Callable[[World, Opened], object] = read
) -> int:
    """Puts each changed object in place; how many were tried. The reader says damage of every one, and reads on when it is whole again."""
    whole, tried = world.blobs.objects[name], 0
    right = reads(world, grant)
    for body in changed:
        world.blobs.objects[name] = body
        with pytest.raises(Damaged):
            reads(world, grant)
        tried += 1
    world.blobs.objects[name] = whole
    assert reads(world, grant) == right
    return tried


def flipped(body: bytes, positions: Iterator[int]) -> Iterator[bytes]:
    for position in positions:
        changed = bytearray(body)
        changed[position // 8] ^= 1 << position % 8
        yield bytes(changed)


def flips(body: bytes, count: int, dice: random.Random) -> Iterator[bytes]:
    return flipped(body, (dice.randrange(len(body) * 8) for _ in range(count)))


def objects_of(world: World, grant: Opened) -> tuple[str, str]:
    """The manifest's object and the file's."""
    file = next(iter(world.parts.versions.objects(grant.facts.version) - {grant.facts.manifest}))
    return grant.facts.manifest, file


def test_every_flipped_bit_of_a_small_object_is_seen(world: World) -> None:
    a_push(world, "biopsies", {"f": BODY})
    grant = opened(world)
    _, name = objects_of(world, grant)
    body = world.blobs.objects[name]
    assert all_seen(world, grant, name, flipped(body, iter(range(len(body) * 8)))) == len(body) * 8


def test_flips_all_over_the_manifest_are_seen(world: World) -> None:
    a_push(world, "biopsies", {"f": BODY})
    grant = opened(world)
    name, _ = objects_of(world, grant)
    dice = random.Random(20261124)  # noqa: S311  # the same flips every time, so that a miss can be looked at
    assert all_seen(world, grant, name, flips(world.blobs.objects[name], FLIPS, dice)) == FLIPS


def test_flips_in_every_object_of_a_large_push_are_seen(world: World, tmp_path: Path) -> None:
    assert flips_in_a_large_push(world, tmp_path, 30, random.Random(20261124)) >= 4 * 30  # noqa: S311


def test_every_cut_and_every_longer_object_is_seen(world: World) -> None:
    a_push(world, "biopsies", {"f": BODY})
    grant = opened(world)
    for name in objects_of(world, grant):
        body = world.blobs.objects[name]
        all_seen(world, grant, name, (body[:length] for length in range(len(body))))
        all_seen(world, grant, name, iter([body + b"\0", body + body, body[1:], b"\0" + body]))


def test_objects_swapped_within_a_version_are_seen(world: World) -> None:
    a_push(world, "biopsies", {"f": BODY, "g": BODY[::-1]})
    grant = opened(world)
    first, second = sorted(world.parts.versions.objects(grant.facts.version) - {grant.facts.manifest})
    store = world.blobs.objects
    store[first], store[second] = store[second], store[first]
    with pytest.raises(Damaged):
        read(world, grant)


def test_an_object_of_another_version_or_dataset_in_its_place_is_seen(world: World) -> None:
    a_push(world, "biopsies", {"f": BODY})
    a_push(world, "biopsies", {"f": BODY[::-1]})
    a_push(world, "others", {"f": BODY})
    newest, oldest, others = opened(world), opened(world, "biopsies@1"), opened(world, "others")
    for foreign in (oldest, others):
        for name, wrong in zip(objects_of(world, newest), objects_of(world, foreign), strict=True):
            kept = world.blobs.objects[name]
            world.blobs.objects[name] = world.blobs.objects[wrong]
            with pytest.raises(Damaged):
                read(world, newest)
            world.blobs.objects[name] = kept
    assert read(world, newest) == BODY[::-1]


def flips_in_a_large_push(world: World, place: Path, count: int, dice: random.Random) -> int:
    """So many flips in each object of a version that a client pushed: packs of small files, pages of the manifest below the outermost,
    an object of many chunks, and a tenth as many in the two blocks of a file that is larger than one; how many in all.
    """
    (folder := place / "in").mkdir()
    for number in range(MANY):
        (folder / f"{number:05}").write_bytes(b"%d " % number * 9)
    (folder / "middle").write_bytes(dice.randbytes(2**20 + 5))
    (folder / "large").write_bytes(dice.randbytes(BLOCK_BYTES + 2**20))
    with world.served() as doors:
        doors.vault("hanna").push(folder, "scans")
    grant = opened(world, "scans")
    book = a_reader(world, grant, by=world.hanna).book
    paths: dict[str, str] = {}
    for file in book.files():
        for part in file.parts:
            paths.setdefault(part.object_id, file.path)
    # What holds no file is the manifest's: its outermost page, and the pack of those below.
    of_manifest = world.parts.versions.objects(grant.facts.version) - paths.keys()
    assert len(of_manifest) > 1
    assert {"middle", "large"} < set(paths.values())
    tried = 0
    for name in sorted(of_manifest | paths.keys()):
        path = paths.get(name, "")
        wanted = max(1, count // 10) if path == "large" else count
        reads = partial(read, path=path) if path else listed
        tried += all_seen(world, grant, name, flips(world.blobs.objects[name], wanted, dice), reads)
    return tried


def vandal(world: World, statement: str, **values: object) -> None:
    with world.database.transaction():
        assert world.database.execute(text(statement), values) > 0


def test_an_old_record_put_back_is_seen(world: World) -> None:
    a_push(world, "biopsies", {"f": BODY})
    version = a_push(world, "biopsies", {"f": BODY[::-1]})
    first = world.parts.versions.numbered(version.dataset, 1)
    stolen = replace(version, record=first.record, wrapped_key=first.wrapped_key)
    with world.database.transaction():
        world.parts.versions.save(stolen)
    with pytest.raises(Damaged):
        opened(world, "biopsies@2")


def test_a_record_that_was_replaced_by_a_newer_one_of_the_same_version_is_not_believed_again(world: World) -> None:
    version = a_push(world, "biopsies", {"f": BODY})
    with world.database.transaction():
        world.audit.record(
            "version.recorded", version.id, SYSTEM, dataset=version.dataset, sequence=2, label="personal"
        )
    with pytest.raises(Damaged, match="old copy"):
        opened(world)


@pytest.mark.parametrize(
    "statement",
    [
        "update vault_versions set record = replace(record, 'special-category', 'open')",
        "update vault_versions set record = '{}'",
        "update vault_versions set signature = zeroblob(64)",
        "update vault_versions set wrapped_key = zeroblob(60)",
        "update vault_versions set number = 7",
        "update vault_epochs set wrapped = zeroblob(60)",
        "delete from audit_events where action = 'version.recorded'",
        "update audit_events set facts = '{}' where action = 'version.recorded'",
    ],
)
def test_a_changed_row_opens_nothing(world: World, statement: str) -> None:
    a_push(world, "biopsies", {"f": BODY}, label="special-category")
    version = world.vault.versions("biopsies", project="lab", by=world.hanna)[0]
    world.parts.cipher._remembered.clear()
    vandal(world, statement)
    with pytest.raises(Damaged):
        world.vault.open(version.id, project="lab", by=world.hanna)


def test_a_label_lowered_in_the_database_does_not_open_the_data_to_a_job(world: World) -> None:
    a_push(world, "biopsies", {"f": BODY}, label="special-category")
    vandal(world, "update vault_datasets set label = 'open'")
    reference = world.vault.reference(world.vault.resolve("biopsies", project="lab", by=world.hanna)[1].id)
    assert reference.label == "special-category"

    def submit() -> object:
        return world.vault.inputs_for_job(["biopsies"], project="prj_1", purpose="civilian", by=world.stef)

    assert rule_of(submit) == "agreement.required"


def test_a_source_cut_off_in_the_database_is_not_forgotten_by_the_label(world: World) -> None:
    a_push(world, "biopsies", {"f": BODY}, label="special-category")
    moved = "update vault_versions set dataset = (select id from vault_datasets where name = 'bait')"
    world.vault.create("lab", "bait", by=world.stef)
    version = world.vault.versions("biopsies", project="lab", by=world.hanna)[0]
    vandal(world, moved)
    with pytest.raises(Damaged):
        world.vault.open(version.id, project="lab", by=world.stef)


def rule_of(act: Callable[[], object]) -> object:
    with pytest.raises(FabriekError) as refused:
        act()
    return refused.value.fields.get("rule")

"""Checking versions of many pages on both databases: in stretches of any size, with the paths concerned, whatever is not what it was."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace

import pytest
from sqlalchemy import text

from fabriek.adapters.database import Database
from fabriek.kernel.callers import SYSTEM
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import File, Part
from fabriek.sealing.objects import seal_bytes
from fabriek.sealing.pages import Growing, Page, write_page
from fabriek.sealing.paths import rank
from fabriek.vault import leafing
from fabriek.vault.care.checking import LOST
from fabriek.vault.care.damage import Damage, Looked, Position
from fabriek.vault.care.examining import CHANGED, GONE
from fabriek.vault.care.stretches import Sample
from fabriek.vault.leafing import MANIFEST, MISPLACED, UNREADABLE
from fabriek.vault.pushing import Committed
from fabriek.vault.uploads import Upload
from fabriek.vault.versions import Version
from tests.contract.test_checking import again, flip, walk
from tests.factories.vault import World, a_push, a_world

PATHS = [f"images/{number:04}.tif" for number in range(1_200)]
IN_ONE = 100
"""Files that lie in one object: more or fewer than there are in a page, so that the borders of both differ."""


class Tree:
    """A version in the making, of files in packs and pages that are objects each"""

    def __init__(self, world: World, upload: Upload) -> None:
        self.world, self.upload = world, upload
        self.used: set[str] = set()
        self.pages: list[tuple[Page, Part]] = []

    def place(self, plain: bytes) -> Part:
        _, dataset = self.world.vault.upload(self.upload.id, by=self.world.hanna)
        (name,) = self.world.vault.mint(self.upload.id, 1, by=self.world.hanna)
        key = os.urandom(32)
        sealed = seal_bytes(plain, key, object_context(dataset.organisation, dataset.id, name), os.urandom(24))
        self.world.vault.put_object(self.upload.id, name, [sealed], by=self.world.hanna)
        self.used.add(name)
        return Part(name, key, 0, len(plain))

    def files(self, paths: Iterable[str]) -> list[File]:
        found = []
        ordered = sorted(paths, key=rank)
        for start in range(0, len(ordered), IN_ONE):
            batch = ordered[start : start + IN_ONE]
            pack = self.place("".join(batch).encode())
            at = 0
            for path in batch:
                body = path.encode()
                part = Part(pack.object_id, pack.key, at, len(body))
                found.append(File(path, 0o644, len(body), hashlib.sha256(body).hexdigest(), (part,)))
                at += len(body)
        return found

    def keep(self, page: Page, _: str) -> Part:
        part = self.place(write_page(page))
        self.pages.append((page, part))
        return part

    def grown(self, files: Iterable[File]) -> Page:
        growing = Growing(self.keep)
        for file in files:
            growing.add(file)
        return growing.finish()

    def commit(self, root: Page, *, left: Iterable[str] = (), inherited: int = 0) -> Version:
        outermost = self.place(write_page(root))
        used = frozenset(self.used - {outermost.object_id})
        said = Committed(
            outermost.object_id, outermost.key, root.count, root.size_bytes, root.sha256(), len(used) + inherited, used, frozenset(left),
            on_parent=bool(self.upload.parent),
        )  # fmt: skip
        return self.world.vault.commit(self.upload.id, said, by=self.world.hanna)


@pytest.fixture
def world(database: Database) -> World:
    world = a_world(database)
    world.vault.create("lab", "scans", by=world.hanna)
    return world


@pytest.fixture
def tree(world: World) -> Tree:
    return Tree(world, world.vault.open_upload("lab", "scans", by=world.hanna))


def whole(tree: Tree) -> tuple[Version, list[File]]:
    files = tree.files(PATHS)
    version = tree.commit(tree.grown(files))
    assert len(tree.pages) >= 3, "or it shows nothing"
    return version, files


def damage(stretches: list[Looked]) -> list[Damage]:
    return [one for found in stretches for one in found.damage]


def take_out(world: World, version: Version, name: str) -> None:
    with world.database.transaction():
        world.database.execute(
            text("delete from vault_version_objects where version = :version and object = :object"),
            {"version": version.id, "object": name},
        )


def lies_in(files: list[File], name: str) -> list[str]:
    return [file.path for file in files if file.parts[0].object_id == name]


def test_every_object_is_read_once_with_its_key_however_small_the_stretches(world: World, tree: Tree) -> None:
    version, _ = whole(tree)
    objects = world.parts.versions.objects(version.id)
    size = sum(map(world.blobs.size, objects))
    for bounds in ({}, {"objects_max": 1}, {"objects_max": 3}, {"bytes_max": 1}):
        found = walk(world, 1.0, **bounds)
        assert sum(one.objects for one in found) == sum(one.authenticated for one in found) == len(objects)
        assert sum(one.read_bytes for one in found) == size
        assert (sum(one.versions for one in found), damage(found)) == (1, [])
        assert again(world, version).verified_at is not None
    assert len(walk(world, 0.0, objects_max=1)) >= len(objects) - 1, (
        "a stretch ends where it is full without reading too"
    )


def test_another_process_goes_on_where_a_stretch_ended(world: World, tree: Tree) -> None:
    """It knows of nothing but the position: what lies on the border of two pages may be read twice, and nothing is left out."""
    version, _ = whole(tree)
    at: Position | None = Position()
    read = 0
    while at is not None:
        world.vault.checking._memory = None
        found = world.vault.checking.look(at, Sample(1.0), objects_max=2, bytes_max=2**20)
        read, at = read + found.objects, found.next
    objects = len(world.parts.versions.objects(version.id))
    assert objects <= read <= objects + 2 * len(tree.pages)


def test_a_position_says_no_path(world: World, tree: Tree) -> None:
    whole(tree)
    for found in walk(world, 1.0, objects_max=1):
        assert found.next is None or "images" not in found.next.text


@pytest.mark.parametrize("bounds", [{}, {"objects_max": 1}])
def test_an_object_that_is_gone_or_changed_is_named_with_a_path(
    world: World, tree: Tree, bounds: dict[str, int]
) -> None:
    _, files = whole(tree)
    gone, changed = files[0].parts[0].object_id, files[-1].parts[0].object_id
    world.blobs.delete(gone)
    flip(world, changed, 900)
    found = {one.object_id: one for one in damage(walk(world, 1.0, **bounds))}
    assert {name: one.why for name, one in found.items()} == {gone: GONE, changed: CHANGED}
    for name, one in found.items():
        assert one.path in lies_in(files, name)
        assert 1 <= one.files <= IN_ONE


@pytest.mark.parametrize("bounds", [{}, {"objects_max": 1}])
def test_a_page_that_is_gone_or_changed_is_named_and_all_objects_are_looked_at_still(
    world: World, tree: Tree, bounds: dict[str, int]
) -> None:
    version, _ = whole(tree)
    objects = world.parts.versions.objects(version.id)
    page, part = tree.pages[1]
    lost = next(file.parts[0].object_id for file in page.files[len(page.files) // 2 :])
    for bad in (lambda: flip(world, part.object_id, 600), lambda: world.blobs.delete(part.object_id)):
        kept = world.blobs.objects[part.object_id]
        bad()
        flip(world, lost, 600)
        found = damage(walk(world, 1.0, **bounds))
        flip(world, lost, 600)
        world.blobs.objects[part.object_id] = kept
        assert {one.object_id for one in found} == {part.object_id, lost}
        assert next(one.path for one in found if one.object_id == part.object_id) == MANIFEST
        walked = walk(world, 1.0, **bounds)
        assert damage(walked) == []
        assert sum(one.objects for one in walked) == len(objects)
        assert list(world.parts.damages.all(limit=9)) == []


def test_a_page_of_another_place_is_seen_though_it_opens(world: World, tree: Tree) -> None:
    """Somebody who may push, or their client, made a manifest of which a page is not what the one above it says."""
    root = tree.grown(tree.files(PATHS))
    first, second = root.refs[:2]
    version = tree.commit(replace(root, refs=(first, replace(second, part=first.part), *root.refs[2:])))
    for _ in range(2):
        (seen,) = damage(walk(world, 0.0))
        assert (seen.version, seen.object_id, seen.why, seen.path) == (version.id, "", MISPLACED, MANIFEST)
    assert again(world, version).verified_at is None


def test_a_version_that_fails_in_a_way_nobody_foresaw_keeps_the_walk_from_no_other_one(
    world: World, tree: Tree, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    version, files = whole(tree)
    other = a_push(world, "biopsies", {"a.csv": b"in a"})
    lost, sound = files[0].parts[0].object_id, leafing.read_below
    flip(world, lost, 600)
    with monkeypatch.context() as patched:
        patched.setattr(leafing, "read_below", lambda above, ref, packed: sound(above, ref, packed).no_such_thing)  # type: ignore[attr-defined]  # the fault
        found = walk(world, 1.0)
    assert {(one.version, one.object_id, one.why) for one in damage(found)} == {
        (version.id, "", UNREADABLE), (version.id, lost, CHANGED),
    }, "its objects are looked at by the list"  # fmt: skip
    assert again(world, other).verified_at is not None
    assert again(world, version).verified_at is None
    assert "no_such_thing" in caplog.text
    flip(world, lost, 600)
    assert damage(walk(world, 1.0)) == []
    assert list(world.parts.damages.of_version(version.id)) == []


@pytest.mark.parametrize("bounds", [{}, {"objects_max": 1}])
def test_what_a_page_names_and_the_list_lacks_is_said_with_its_paths_until_it_is_back(
    world: World, tree: Tree, bounds: dict[str, int]
) -> None:
    version, files = whole(tree)
    name = files[-1].parts[0].object_id
    take_out(world, version, name)
    for _ in range(2):
        found = damage(walk(world, 0.0, **bounds))
        assert {(one.version, one.object_id, one.why) for one in found} == {(version.id, "", LOST)}
        assert found[0].path in lies_in(files, name)
        assert sum(one.files for one in found) == len(lies_in(files, name))
    events = [one.action for one in world.audit.events(by=SYSTEM, limit=100, subject=version.dataset).items]
    assert (events.count("damage.found"), events.count("damage.mended")) == (1, 0), (
        "it stands, however often it is seen"
    )
    with world.database.transaction():
        world.database.execute(
            text("insert into vault_version_objects (version, object) values (:version, :object)"),
            {"version": version.id, "object": name},
        )
    assert damage(walk(world, 0.0, **bounds)) == []
    assert list(world.parts.damages.of_version(version.id)) == []


def test_a_page_that_the_list_lacks_is_said_too(world: World, tree: Tree) -> None:
    version, _ = whole(tree)
    page, part = tree.pages[0]
    take_out(world, version, part.object_id)
    (seen,) = damage(walk(world, 0.0))
    assert (seen.why, seen.path, seen.files) == (LOST, MANIFEST, page.count)


def test_a_version_on_another_shares_its_pages_and_is_looked_at_for_its_own(world: World, tree: Tree) -> None:
    first, files = whole(tree)
    other = Tree(world, world.vault.open_upload("lab", "scans", by=world.hanna))
    known = {page.sha256(): part for page, part in tree.pages}
    kept: set[str] = set()

    def keep(page: Page, sha256: str) -> Part:
        if sha256 not in known:
            return other.keep(page, sha256)
        kept.add(known[sha256].object_id)
        return known[sha256]

    growing = Growing(keep)
    for file in [*files[:-1], *other.files([files[-1].path + "f"])]:
        growing.add(file)
    root = growing.finish()
    kept |= {file.parts[0].object_id for file in files[:-1]}
    inherited = world.parts.versions.objects(first.id)
    version = other.commit(root, left=inherited - kept, inherited=len(kept))
    assert len(other.pages) < len(tree.pages)
    found = walk(world, 1.0, objects_max=4)
    assert damage(found) == []
    everything = inherited | world.parts.versions.objects(version.id)
    assert sum(one.objects for one in found) == len(everything)
    assert sum(one.versions for one in found) == 2
    # A page that both use names what the second one's list lacks: the second one's damage, before the first one goes.
    take_out(world, version, files[0].parts[0].object_id)
    (seen,) = damage(walk(world, 0.0))
    assert (seen.version, seen.why, seen.path) == (version.id, LOST, files[0].path)

"""Folders of more files than lie on one page of a manifest, and files with holes."""

import os
import random
from collections.abc import Iterator
from io import FileIO
from itertools import pairwise
from pathlib import Path

import pytest

from fabriek.kernel.errors import Damaged, NotFound
from fabriek.sdk import gathering, hashes, sending
from fabriek.sdk.holes import runs
from fabriek.sdk.vault import Vault
from fabriek.sealing.digests import BLOCK_BYTES
from fabriek.sealing.manifest import File
from tests.factories.vault import Doors, World
from tests.unit.sdk.test_pushing import a_folder, contents

MANY = {f"{number % 11}/{number:05d}": str(number).encode() * 9 for number in range(3_000)}


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The client's own memory, for this test alone; a file counts as left alone from the start."""
    monkeypatch.setenv("FABRIEK_CONTEXT", str(tmp_path / "client" / "context.json"))
    monkeypatch.setattr(hashes, "GRAIN_NANOSECONDS", -(10**9))
    return tmp_path / "client" / "memory"


@pytest.fixture
def doors(world: World) -> Iterator[Doors]:
    with world.served() as served:
        yield served


@pytest.fixture
def many(tmp_path: Path) -> Path:
    return a_folder(tmp_path / "in", MANY)


def test_many_files_come_back_and_a_few_of_them_alone(doors: Doors, many: Path, tmp_path: Path) -> None:
    vault = doors.vault("hanna")
    pushed = vault.push(many, "many")
    assert (pushed.version.files, pushed.sent_bytes) == (3_000, sum(map(len, MANY.values())))
    assert contents(vault.pull("many", tmp_path / "out")) == MANY
    some = vault.pull("many", tmp_path / "some", paths=["3", "4/00004"])
    assert set(contents(some)) == {path for path in MANY if path.startswith("3/")} | {"4/00004"}
    assert vault.verify("many") == []
    assert vault.push(many, "many").unchanged


def test_a_changed_file_sends_itself_its_page_and_the_outermost(
    world: World, doors: Doors, many: Path, tmp_path: Path
) -> None:
    vault = doors.vault("hanna")
    vault.push(many, "many")
    (many / "5" / "00005").write_bytes(b"changed")
    before = set(world.blobs.objects)
    pushed = vault.push(many, "many")
    new = {name: len(world.blobs.objects[name]) for name in set(world.blobs.objects) - before}
    assert pushed.sent_bytes == len(b"changed")
    assert len(new) == 3
    assert sum(new.values()) < 60_000, "pages that say the same were sent again"
    assert contents(vault.pull("many", tmp_path / "out")) == MANY | {"5/00005": b"changed"}
    assert contents(vault.pull("many@1", tmp_path / "old")) == MANY


def test_the_pages_of_a_parent_are_asked_for_pack_by_pack(
    doors: Doors, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They lie by turns in what three pushes sent: where each run of them was a question, there were as many as pages."""
    vault = doors.vault("hanna")
    for number in range(3):
        vault.push(many, "many")
        for path in list(MANY)[number * 900 : number * 900 + 3]:
            (many / path).write_bytes(b"changed %d" % number)
    with vault.opened("many") as version:
        refs = version.book.root.refs
    packs = {ref.part.object_id for ref in refs}
    assert len(refs) > 2 * len(packs) > 4, "or it shows nothing"
    client, asked = vault._client, list[str]()
    fetch_range = client.fetch_range
    monkeypatch.setattr(client, "fetch_range", lambda path, *given: asked.append(path) or fetch_range(path, *given))  # type: ignore[func-returns-value]
    assert vault.push(many, "many").version.number == 4
    assert len(asked) == len(packs)


def test_what_moved_is_not_sent_again(doors: Doors, many: Path, tmp_path: Path) -> None:
    vault = doors.vault("hanna")
    vault.push(many, "many")
    (many / "9").rename(many / "0before")
    (many / "8").rename(many / "zbehind")
    assert vault.push(many, "many").sent_bytes < 100 * len(MANY), "more than looking through the parent costs"
    assert contents(vault.pull("many", tmp_path / "out")) == contents(many)


def test_a_version_uses_no_object_that_it_does_not_need(world: World, doors: Doors, many: Path) -> None:
    vault = doors.vault("hanna")
    first = vault.push(many, "many").version
    for path in list(MANY)[:2_990]:
        (many / path).unlink()
    second = vault.push(many, "many").version
    uses = world.parts.versions.objects
    assert len(uses(second.id) & uses(first.id)) <= 2, "pages or packs of the parent that nothing points at"
    (many / "new").write_bytes(b"n")
    for path in list(MANY)[2_990:]:
        (many / path).unlink()
    assert not uses(vault.push(many, "many").version.id) & uses(first.id)


def test_a_parent_whose_pages_are_damaged_is_not_built_upon(
    world: World, doors: Doors, many: Path, tmp_path: Path
) -> None:
    vault = doors.vault("hanna")
    vault.push(many, "many")
    store = world.blobs.objects
    for name, sealed in list(store.items()):
        store[name] = sealed[:200] + bytes([sealed[200] ^ 1]) + sealed[201:]
    newest = world.vault.open("many", project="lab", by=world.hanna).facts.manifest
    store[newest] = store[newest][:200] + bytes([store[newest][200] ^ 1]) + store[newest][201:]
    (many / "new").write_bytes(b"n")
    assert vault.push(many, "many").version.number == 2
    assert contents(vault.pull("many", tmp_path / "out")) == MANY | {"new": b"n"}
    with pytest.raises(Damaged):
        vault.pull("many@1", tmp_path / "old")


def test_what_was_said_before_a_parent_proved_damaged_is_not_counted(
    world: World, doors: Doors, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PACKED_PAGES_BYTES", 1)
    monkeypatch.setattr(sending, "USED_AT_ONCE", 1)
    monkeypatch.setattr(gathering, "SMALL_BYTES", 1_000)
    monkeypatch.setattr(gathering, "WAITING_MAX", 10)
    vault, store = doors.vault("hanna"), world.blobs.objects
    vault.push(many, "many")
    with vault.opened("many") as version:
        last = version.book.root.refs[-1].part.object_id
    store[last] = store[last][:100] + bytes([store[last][100] ^ 1]) + store[last][101:]
    (many / "0" / "00000").write_bytes(os.urandom(5_000))
    (many / "5" / "00005").write_bytes(os.urandom(5_000))
    before = len(store)
    pushed = vault.push(many, "many")
    assert (pushed.version.number, pushed.sent_bytes) == (2, pushed.version.size_bytes)
    used = world.parts.versions.objects(pushed.version.id)
    assert len(store) - before > len(used), "nothing had been sent when the damage was met"
    assert contents(vault.pull("many", tmp_path / "out")) == contents(many)
    assert not list((tmp_path / "client" / "memory" / "pushes").iterdir())


def test_a_push_without_memory_reads_all_and_says_the_same(
    doors: Doors, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault, read = doors.vault("hanna"), list[str]()
    vault.push(many, "many")
    real = gathering.read_whole

    def counting(root: Path, path: str, bytes_max: int) -> tuple[bytes, os.stat_result]:
        read.append(path)
        return real(root, path, bytes_max)

    monkeypatch.setattr(gathering, "read_whole", counting)
    assert vault.push(many, "many").unchanged
    assert read == []
    (many / "5" / "00005").write_bytes(b"changed")
    vault.push(many, "many")
    assert read == ["5/00005"]
    assert vault.push(many, "many", read_all=True).unchanged
    assert len(read) == 3_001


def test_what_a_killed_push_had_read_is_not_read_again(
    doors: Doors, many: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault, read = doors.vault("hanna"), list[str]()
    vault.push(many, "many")
    (saved,) = (memory / "hashes").iterdir()
    whole = saved.read_bytes()
    rows = 80 * 2_000
    saved.unlink()
    saved.with_name(f".{saved.name}.dead").write_bytes(whole[: rows + 33])
    real = gathering.read_whole
    monkeypatch.setattr(gathering, "read_whole", lambda *given: read.append(given[1]) or real(*given))  # type: ignore[func-returns-value]
    assert vault.push(many, "many").unchanged
    assert 1_000 <= len(read) < 1_500
    assert [one.name for one in (memory / "hashes").iterdir()] == [saved.name]
    read.clear()
    saved.with_name(f".{saved.name}.dead").write_bytes(whole[: 80 * 500])
    assert vault.push(many, "many").unchanged
    assert read == [], "what was saved before is forgotten"


def test_code_is_sent_whole_where_the_pages_of_the_code_before_are_damaged(
    world: World, doors: Doors, many: Path
) -> None:
    vault, store = doors.vault("hanna"), world.blobs.objects
    first = vault.push_code(many)
    for name, sealed in list(store.items()):
        if name != world.parts.versions.get(first).facts.manifest:
            store[name] = sealed[:100] + bytes([sealed[100] ^ 1]) + sealed[101:]
    (many / "5" / "00005").write_bytes(b"changed")
    second = vault.push_code(many)
    assert second != first
    assert not world.parts.versions.objects(second) & world.parts.versions.objects(first)


def test_names_that_come_and_go_cost_few_files_a_second_reading(
    doors: Doors, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault, read = doors.vault("hanna"), list[str]()
    vault.push(many, "many")
    for path in list(MANY)[::100]:
        (many / path).rename(many / f"{path}x")
    real = gathering.read_whole
    monkeypatch.setattr(gathering, "read_whole", lambda *given: read.append(given[1]) or real(*given))  # type: ignore[func-returns-value]
    vault.push(many, "many")
    assert set(read) >= {f"{path}x" for path in list(MANY)[::100]}
    assert len(read) < 900, "one renamed file had its whole folder read again"


def sparse(place: Path, size: int, *data: tuple[int, bytes]) -> Path:
    with place.open("wb") as out:
        out.truncate(size)
        for offset, body in data:
            out.seek(offset)
            out.write(body)
    return place


def stored(world: World) -> int:
    return sum(map(len, world.blobs.objects.values()))


def test_holes_are_neither_sent_nor_filled(world: World, doors: Doors, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    size = 40 * BLOCK_BYTES + 12_345
    data = [
        (0, b"first"),
        (7 * BLOCK_BYTES - 3, b"across"),
        (20 * BLOCK_BYTES + 5_000_000, os.urandom(300_000)),
        (size - 4, b"last"),
    ]
    file = sparse(tmp_path / "in" / "sparse", size, *data)
    if file.stat().st_blocks * 512 > 2**24:
        pytest.skip("this file system keeps no holes")
    sparse(tmp_path / "in" / "nothing", 3 * BLOCK_BYTES)
    sparse(tmp_path / "in" / "small nothing", 3 * 2**20)
    vault = doors.vault("hanna")
    pushed = vault.push(tmp_path / "in", "sparse")
    assert pushed.version.size_bytes == size + 3 * BLOCK_BYTES + 3 * 2**20
    assert stored(world) < 8 * 2**20
    out = vault.pull("sparse", tmp_path / "out")
    assert (out / "sparse").stat().st_blocks * 512 < 8 * 2**20
    assert (out / "sparse").stat().st_size == size
    with (out / "sparse").open("rb") as pulled:
        for offset, body in data:
            pulled.seek(offset)
            assert pulled.read(len(body)) == body
            assert b"".join(vault.read("sparse", "sparse", start=offset, stop=offset + len(body))) == body
    again = vault.push(out, "sparse")
    assert vault.diff("sparse@1", "sparse") == []
    assert again.unchanged
    assert vault.verify("sparse") == []


def test_zeros_and_a_hole_are_the_same_content(doors: Doors, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    sparse(tmp_path / "a" / "f", 2 * BLOCK_BYTES + 5, (9, b"x"))
    body = bytearray(2 * BLOCK_BYTES + 5)
    body[9:10] = b"x"
    (tmp_path / "b" / "f").write_bytes(body)
    vault = doors.vault("hanna")
    one, other = vault.push(tmp_path / "a", "holes"), vault.push(tmp_path / "b", "zeros")
    assert one.version.content_hash == other.version.content_hash
    assert vault.push(tmp_path / "b", "holes").unchanged


def test_of_a_large_file_only_the_blocks_that_changed_are_sent(doors: Doors, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "large"
    body = bytearray(random.Random(5).randbytes(2 * BLOCK_BYTES + 2**20))  # noqa: S311
    file.write_bytes(body)
    vault = doors.vault("hanna")
    assert vault.push(tmp_path / "in", "large").sent_bytes == len(body)
    with file.open("r+b") as out:
        out.seek(BLOCK_BYTES + 77)
        out.write(b"changed")
        out.seek(0, os.SEEK_END)
        out.write(b"more")
    assert vault.push(tmp_path / "in", "large").sent_bytes == BLOCK_BYTES + 2**20 + 4
    assert (vault.pull("large", tmp_path / "out") / "large").read_bytes() == file.read_bytes()


def test_a_flipped_byte_in_any_block_of_a_large_file_is_told(world: World, doors: Doors, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "large").write_bytes(os.urandom(BLOCK_BYTES + 3 * 2**20))
    (tmp_path / "in" / "whole").write_bytes(b"w")
    vault = doors.vault("hanna")
    vault.push(tmp_path / "in", "large")
    name = max(world.blobs.objects, key=lambda one: len(world.blobs.objects[one]))
    sealed = bytearray(world.blobs.objects[name])
    sealed[40_000_000] ^= 1
    world.blobs.objects[name] = bytes(sealed)
    assert [one.file.path for one in vault.verify("large")] == ["large"]
    with pytest.raises(Damaged, match="large"):
        vault.pull("large", tmp_path / "out")
    assert contents(tmp_path / "out") == {}
    assert contents(vault.pull("large", tmp_path / "out", paths=["whole"])) == {"whole": b"w"}


def test_a_folder_that_is_there_gets_only_what_it_lacks(doors: Doors, many: Path, tmp_path: Path) -> None:
    vault = doors.vault("hanna")
    vault.push(many, "many")
    out = a_folder(tmp_path / "out", {"5/00005": b"mine", "5/own": b"too"})
    pulled = vault.fetch("many", out)
    assert (pulled.files, pulled.kept) == (2_999, ("5/00005",))
    assert contents(out) == MANY | {"5/00005": b"mine", "5/own": b"too"}
    vault.pull("many", out, overwrite=True)
    assert contents(out) == MANY | {"5/own": b"too"}
    with pytest.raises(NotFound):
        vault.pull("many", tmp_path / "none", paths=["5/00005/x"])


def test_runs_are_those_of_the_file_system_or_all_data(tmp_path: Path) -> None:
    file = sparse(tmp_path / "f", 10 * 2**20, (4 * 2**20, b"x" * 4096), (4 * 2**20 + 8192, b"y" * 4096))
    with file.open("rb") as source:
        found = runs(source.fileno(), 0, 10 * 2**20)
    assert found[0][1] == 0
    assert found[-1][2] == 10 * 2**20
    assert all(one[2] == other[1] for one, other in pairwise(found))
    if file.stat().st_blocks * 512 < 2**20:
        assert [is_data for is_data, _, _ in found] == [False, True, False]


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes of large files a push reads, each reading by itself."""
    real, read = gathering.opened, list[int]()

    class Counted(FileIO):
        def readinto(self, room: object) -> int:
            read.append(super().readinto(room) or 0)  # type: ignore[arg-type]  # as it came
            return read[-1]

    def opened(root: Path, path: str) -> FileIO:
        with real(root, path) as source:
            return Counted(os.dup(source.fileno()), "rb")

    monkeypatch.setattr(gathering, "opened", opened)
    return read


def test_large_files_are_read_once_where_nothing_of_the_dataset_is_known(
    world: World, doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "SENT_AT_ONCE", 1)
    read, vault = counting(monkeypatch), doors.vault("hanna")
    block = random.Random(8).randbytes(BLOCK_BYTES)  # noqa: S311
    bodies = {"a": b"one" * 2**20, "b": b"another" * 2**20, "c": block + b"c", "d": block + b"of d"}
    folder = a_folder(tmp_path / "in", bodies)
    vault.push(folder, "large")
    assert sum(read) == sum(map(len, bodies.values()))
    named = {part.object_id for file in vault_files(vault, "large") for part in file.parts}
    assert sum(len(world.blobs.objects[name]) for name in named) < BLOCK_BYTES * 3 // 2, (
        "the block of both is kept once"
    )
    assert contents(vault.pull("large", tmp_path / "out")) == bodies
    # Where something is known, reading twice may save the sending, and does here.
    read.clear()
    (folder / "c").rename(folder / "e")
    assert vault.push(folder, "large").sent_bytes == 0
    assert sum(read) >= len(bodies["c"])


def vault_files(vault: Vault, reference: str) -> list[File]:
    with vault.opened(reference) as version:
        return list(version.book.files())


def test_nothing_is_sent_twice_of_twins(world: World, doors: Doors, tmp_path: Path) -> None:
    body = os.urandom(3 * 2**20)
    folder = a_folder(tmp_path / "in", {f"twin {number}": b"small" for number in range(50)} | {"a": body})
    vault = doors.vault("hanna")
    assert vault.push(folder, "twins").sent_bytes == len(body) + 5
    (folder / "b").write_bytes(body)
    before = stored(world)
    assert vault.push(folder, "twins").sent_bytes == 0
    assert stored(world) - before < 4_000, "more than pages"
    assert contents(vault.pull("twins", tmp_path / "out")) == contents(folder)

import os
from pathlib import Path

import pytest

from fabriek.kernel.errors import Damaged, InvalidInput, NotPermitted, Stale
from fabriek.sdk import exchange as module
from fabriek.sdk.crypt4gh import BLOCK_BYTES, read_public_key, read_secret_key
from fabriek.sdk.exchange import Exchange
from fabriek.sealing.packing import PART_BYTES
from tests.factories.vault import World, a_push

pytest.importorskip("crypt4gh", reason="the crypt4gh package is not installed: its files were not exchanged")

from tests.factories.crypt4gh import Pair, a_pair, opened_by, theirs


@pytest.fixture
def mine(tmp_path: Path) -> Pair:
    return a_pair(tmp_path, "mine")


def key(pair: Pair) -> bytes:
    return read_secret_key(pair.secret, lambda: "")


def a_container(folder: Path, name: str, body: bytes, *pairs: Pair) -> Path:
    (folder / name).write_bytes(body)
    return theirs(folder / name, folder / f"{name}.c4gh", *pairs)


def test_files_come_in_beside_what_is_there_and_go_out_again(world: World, tmp_path: Path, mine: Pair) -> None:
    a_push(world, "genomes", {"kept": b"kept", "a.bam": b"before"})
    body = os.urandom(3 * BLOCK_BYTES + 5)
    files = [a_container(tmp_path, "a.bam", body, mine), a_container(tmp_path, "empty", b"", mine)]
    with world.served() as doors:
        gate = Exchange(doors.client("hanna"))
        pushed = gate.bring_in(files, "genomes", key=key(mine))
        assert (pushed.version.number, pushed.version.files, pushed.sent_bytes) == (2, 3, len(body))
        assert gate.bring_in(files, "genomes", key=key(mine)).unchanged
        other = a_pair(tmp_path, "other")
        out = tmp_path / "out.c4gh"
        out.write_bytes(b"".join(gate.take_out("genomes@2", "a.bam", [read_public_key(other.public)])))
        vault = doors.vault("hanna")
        assert b"".join(vault.read("genomes", "kept")) == b"kept"
        assert vault.verify("genomes") == []
    assert opened_by(other, out, tmp_path / "plain") == body
    assert not any(body[:1000] in sealed for sealed in world.blobs.objects.values())


def test_a_large_file_comes_in_parts(world: World, tmp_path: Path, mine: Pair) -> None:
    body = os.urandom(1_000) * ((PART_BYTES + 3_000_000) // 1_000)
    with world.served() as doors:
        Exchange(doors.client("hanna")).bring_in([a_container(tmp_path, "big", body, mine)], "genomes", key=key(mine))
        assert b"".join(doors.vault("hanna").read("genomes", "big")) == body


def test_nothing_is_sent_of_a_file_that_does_not_hold(world: World, tmp_path: Path, mine: Pair) -> None:
    good, bad = (a_container(tmp_path, name, os.urandom(200_000), mine) for name in ("good", "bad"))
    raw = bytearray(bad.read_bytes())
    raw[-1] ^= 1
    bad.write_bytes(raw)
    with world.served() as doors:
        gate = Exchange(doors.client("hanna"))
        with pytest.raises(Damaged, match="its block 3 does not hold"):
            gate.bring_in([good, bad], "genomes", key=key(mine))
        with pytest.raises(InvalidInput, match="opens none"):
            gate.bring_in([good], "genomes", key=key(a_pair(tmp_path, "other")))
        with pytest.raises(InvalidInput, match="would be"):
            gate.bring_in([good, good], "genomes", key=key(mine))
    assert world.blobs.objects == {}


def test_a_cut_that_cannot_be_seen_is_told(world: World, tmp_path: Path, mine: Pair) -> None:
    file, told = a_container(tmp_path, "a", bytes(BLOCK_BYTES), mine), list[str]()
    with world.served() as doors:
        Exchange(doors.client("hanna")).bring_in([file], "genomes", key=key(mine), tell=told.append)
    assert told == ["a: its last block is a full one. Crypt4GH marks no end, so a cut just there cannot be seen"]


def test_a_push_that_came_between_is_not_covered_up(
    world: World, tmp_path: Path, mine: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_push(world, "genomes", {"kept": b"kept"})
    file, real = a_container(tmp_path, "a", b"a", mine), module.send_beside

    def later(*said: object, **named: object) -> object:
        a_push(world, "genomes", {"kept": b"kept", "theirs": b"theirs"})
        return real(*said, **named)  # type: ignore[arg-type]

    with world.served() as doors:
        gate = Exchange(doors.client("hanna"))
        with monkeypatch.context() as between:
            between.setattr(module, "send_beside", later)
            with pytest.raises(Stale):
                gate.bring_in([file], "genomes", key=key(mine))
        assert gate.bring_in([file], "genomes", key=key(mine)).version.files == 3


def test_going_out_needs_the_right_to_take_away(world: World, tmp_path: Path, mine: Pair) -> None:
    a_push(world, "genomes", {"a": b"a"}, label="personal")
    with world.served() as doors:
        with pytest.raises(NotPermitted):
            list(Exchange(doors.client("stef")).take_out("genomes", "a", [read_public_key(mine.public)]))
        with pytest.raises(InvalidInput, match="nobody is named"):
            list(Exchange(doors.client("hanna")).take_out("genomes", "a", []))


def test_a_file_where_there_is_a_folder_is_refused_before_anything_is_sent(
    world: World, tmp_path: Path, mine: Pair
) -> None:
    a_push(world, "genomes", {"a/b": b"in a folder", "a-b": b"beside it"})
    before = set(world.blobs.objects)
    with world.served() as doors, pytest.raises(InvalidInput, match="both a file and a folder"):
        Exchange(doors.client("hanna")).bring_in([a_container(tmp_path, "a", b"a", mine)], "genomes", key=key(mine))
    assert set(world.blobs.objects) == before

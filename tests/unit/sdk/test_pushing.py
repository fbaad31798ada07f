"""Folders as people have them, through a served vault: pushed, interrupted, changed under our hands, and pulled again."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import FileIO
from pathlib import Path

import pytest

from fabriek.kernel.errors import InvalidInput, NotFound, StorageFull, Unavailable, WrongState
from fabriek.sdk import folders, gathering, sending
from fabriek.sdk.vault import Vault
from tests.factories.vault import Doors, World

NAMES = [
    "caf\u00e9.txt", "cafe\u0301.txt", "two\nlines", "\x1b[31mred\x1b[0m", "\u202etxt.exe", "-rf", "--help", " ", "\u65e5\u672c", "a&b;c$(d)",
]  # fmt: skip
"""NFC and NFD of one word, a newline, ANSI, right-to-left, and what a command line could take for options."""


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The client's own memory, for this test alone."""
    monkeypatch.setenv("FABRIEK_CONTEXT", str(tmp_path / "client" / "context.json"))
    return tmp_path / "client" / "memory"


@pytest.fixture
def doors(world: World) -> Iterator[Doors]:
    with world.served() as served:
        yield served


def a_folder(place: Path, files: dict[str, bytes]) -> Path:
    for name, body in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(body)
    return place


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def objects_sent(world: World, act: Callable[[], object]) -> int:
    """How many objects the store took meanwhile."""
    before = len(world.blobs.objects)
    act()
    return len(world.blobs.objects) - before


def test_names_of_every_kind_come_back_as_they_were(doors: Doors, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "in", {f"sub/{name}": name.encode() for name in NAMES})
    vault = doors.vault("hanna")
    vault.push(folder, "names")
    assert contents(vault.pull("names", tmp_path / "out")) == contents(folder)


def test_modes_empty_files_and_links_inside_the_set_are_kept(doors: Doors, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "in", {"run.sh": b"#!", "empty": b"", "deep/x": b"x"})
    (folder / "run.sh").chmod(0o755)
    (folder / "deep" / "up").symlink_to("../run.sh")
    vault = doors.vault("hanna")
    vault.push(folder, "kinds")
    out = vault.pull("kinds", tmp_path / "out")
    assert os.access(out / "run.sh", os.X_OK)
    assert not os.access(out / "deep" / "x", os.X_OK)
    assert (out / "empty").read_bytes() == b""
    assert (out / "deep" / "up").readlink() == Path("../run.sh")


def test_files_and_folders_can_be_pulled_by_name(doors: Doors, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "in", {"a": b"1", "b/c": b"2", "b/d/e": b"3", "bb": b"4"})
    vault = doors.vault("hanna")
    vault.push(folder, "some")
    assert set(contents(vault.pull("some", tmp_path / "out", paths=["b/", "a"]))) == {"a", "b/c", "b/d/e"}
    with pytest.raises(NotFound):
        vault.pull("some", tmp_path / "none", paths=["a", "c"])
    assert contents(tmp_path / "none") == {}


def test_what_changed_between_versions_is_told_by_path(doors: Doors, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "in", {"same": b"1", "gone": b"22", "other": b"3", "run": b"4"})
    vault = doors.vault("hanna")
    vault.push(folder, "diff")
    (folder / "gone").unlink()
    (folder / "other").write_bytes(b"three")
    (folder / "run").chmod(0o755)
    (folder / "new").write_bytes(b"n")
    vault.push(folder, "diff")
    told = [(one.how, one.path, one.was, one.size) for one in vault.diff("diff@1", "diff@2")]
    assert told == [
        ("removed", "gone", 2, 0),
        ("added", "new", 0, 1),
        ("changed", "other", 1, 5),
        ("mode", "run", 1, 1),
    ]
    assert vault.diff("diff@2", "diff") == []


def test_a_push_that_lost_its_server_goes_on_where_it_stopped(
    world: World, doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_folder(tmp_path / "in", {f"{number}": os.urandom(2**20) for number in range(6)})
    vault = doors.vault("hanna")
    monkeypatch.setattr(gathering, "SENT_AT_ONCE", 1)
    real, sent = sending.Sender.deliver, []

    def breaking(self: sending.Sender, *given: object) -> sending.Placed:
        if len(sent) == 4:
            raise Unavailable("gone", fix="wait")
        sent.append(real(self, *given))  # type: ignore[arg-type]  # as they came
        return sent[-1]

    with monkeypatch.context() as broken:
        broken.setattr(sending.Sender, "deliver", breaking)
        with pytest.raises(Unavailable):
            vault.push(folder, "resumed")
    assert len(world.blobs.objects) == 4
    assert (
        objects_sent(world, lambda: vault.push(folder, "resumed")) == 3
    )  # the two that were missing, and the manifest
    assert contents(vault.pull("resumed", tmp_path / "out")) == contents(folder)
    assert not list((tmp_path / "client" / "memory" / "pushes").iterdir())


def test_a_file_that_changed_before_the_push_went_on_is_sent_as_it_is_now(
    world: World, doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_folder(tmp_path / "in", {f"{number}": os.urandom(2**20) for number in range(3)})
    vault = doors.vault("hanna")
    with monkeypatch.context() as broken:
        broken.setattr(
            sending.Sender, "commit", lambda *_, **__: (_ for _ in ()).throw(Unavailable("gone", fix="wait"))
        )
        with pytest.raises(Unavailable):
            vault.push(folder, "resumed")
    (folder / "1").write_bytes(os.urandom(2**20))
    assert objects_sent(world, lambda: vault.push(folder, "resumed")) == 2  # the changed one, and the manifest
    assert contents(vault.pull("resumed", tmp_path / "out")) == contents(folder)


def test_an_upload_that_is_over_is_not_gone_on_with(
    world: World, doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_folder(tmp_path / "in", {"a": os.urandom(2**20)})
    vault = doors.vault("hanna")
    with monkeypatch.context() as broken:
        broken.setattr(
            sending.Sender, "commit", lambda *_, **__: (_ for _ in ()).throw(Unavailable("gone", fix="wait"))
        )
        with pytest.raises(Unavailable):
            vault.push(folder, "late")
    world.clock.move(timedelta(days=8))
    assert vault.push(folder, "late").version.number == 1


def test_a_torn_or_strange_journal_costs_bytes_and_nothing_else(
    doors: Doors, tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_folder(tmp_path / "in", {"a": os.urandom(2**20), "b": os.urandom(2**20)})
    vault = doors.vault("hanna")
    with monkeypatch.context() as broken:
        broken.setattr(
            sending.Sender, "commit", lambda *_, **__: (_ for _ in ()).throw(Unavailable("gone", fix="wait"))
        )
        with pytest.raises(Unavailable):
            vault.push(folder, "torn")
    (journal,) = (memory / "pushes").iterdir()
    assert journal.stat().st_mode & 0o777 == 0o600
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join([*lines[:2], lines[2][:40]]))
    assert vault.push(folder, "torn").version.number == 1
    assert contents(vault.pull("torn", tmp_path / "out")) == contents(folder)


def meddling(write: Callable[[], None]) -> Callable[[Path, str], FileIO]:
    """Opens a file as `folders` does, and has somebody else write between its opening and its reading."""
    real = folders.opened

    class Meddled(FileIO):
        def read(self, size: int | None = -1) -> bytes:  # type: ignore[override]  # never without waiting
            write()
            return super().read(size) or b""

    def opened(root: Path, path: str) -> FileIO:
        with real(root, path) as source:
            return Meddled(os.dup(source.fileno()), "rb")

    return opened


def test_a_file_that_changes_while_it_is_pushed_is_told_of_and_tried_once_more(
    doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_folder(tmp_path / "in", {"a": b"old", "b": b"b"})
    vault, told = doors.vault("hanna"), list[str]()

    def write() -> None:
        if not told:
            (folder / "a").write_bytes(b"new and longer")

    monkeypatch.setattr(folders, "opened", meddling(write))
    assert vault.push(folder, "restless", tell=told.append).version.number == 1
    assert told == ["a changed while it was being read; trying once more"]
    assert contents(vault.pull("restless", tmp_path / "out"))["a"] == b"new and longer"


def test_a_file_that_never_rests_makes_no_version(
    doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_folder(tmp_path / "in", {"a": b"old"})
    vault = doors.vault("hanna")

    def write() -> None:
        with (folder / "a").open("ab") as out:
            out.write(b"+")

    monkeypatch.setattr(folders, "opened", meddling(write))
    with pytest.raises(InvalidInput, match="a changed while"):
        vault.push(folder, "restless")
    assert vault.versions("restless") == []


def test_a_file_nobody_touched_is_not_read_again_and_a_touched_one_is(doors: Doors, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "in", {"a": b"aaa", "b": b"bbb"})
    long_ago = time.time_ns() - 10**13
    vault = doors.vault("hanna")
    vault.push(folder, "quiet")
    # Same size, same time of change: only the clock of the file itself, which no program sets back, tells.
    (folder / "a").write_bytes(b"AAA")
    os.utime(folder / "a", ns=(long_ago, long_ago))
    assert vault.push(folder, "quiet").version.number == 2
    assert contents(vault.pull("quiet", tmp_path / "out"))["a"] == b"AAA"


MOMENT = threading.Event()
"""Never set: waiting for it passes the time."""


def alone(memory: Path) -> dict[str, str]:
    """The environment of a client that is to be killed."""
    return {"FABRIEK_CONTEXT": str(memory.with_name("context.json"))}


KILLED = """
import sys
from fabriek.sdk.client import Client
from fabriek.sdk.vault import Vault
print("begun", flush=True)
Vault(Client(sys.argv[1], "hanna", "lab")).push(sys.argv[2], "killed")
"""


@pytest.mark.parametrize("kills", [4, pytest.param(10, marks=pytest.mark.faults)])
def test_a_push_killed_at_many_moments_leaves_nothing_visible_and_is_whole_at_last(
    world: World, doors: Doors, tmp_path: Path, memory: Path, kills: int
) -> None:
    """A kill at each of the four steps; each of them more than once: `make faults`."""
    folder = a_folder(tmp_path / "in", {f"{number}": os.urandom(2**20) for number in range(24)})
    vault = doors.vault("hanna")
    vault.create("killed")
    for kill in range(kills):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, doors.url, str(folder)], env=alone(memory), stdout=subprocess.PIPE
        ) as pushing:
            assert pushing.stdout is not None
            pushing.stdout.readline()
            # The k-th kill comes after two objects more than there were: at another moment of another step each time.
            wanted = len(world.blobs.objects) + (kill % 4)
            while pushing.poll() is None and len(world.blobs.objects) < wanted:
                MOMENT.wait(0.001)
            pushing.send_signal(signal.SIGKILL)
        if vault.versions("killed"):
            break
    known = len(world.blobs.objects)
    vault.push(folder, "killed")
    assert len(vault.versions("killed")) == 1
    assert len(world.blobs.objects) - known < 26, "all was sent again"
    assert contents(vault.pull("killed", tmp_path / "out")) == contents(folder)


def test_a_pull_that_was_killed_leaves_only_whole_files_and_its_rest_is_cleared(
    doors: Doors, tmp_path: Path, memory: Path
) -> None:
    folder = a_folder(tmp_path / "in", {f"{number}": os.urandom(2**20) for number in range(8)})
    vault = doors.vault("hanna")
    vault.push(folder, "pulled")
    code = KILLED.replace('push(sys.argv[2], "killed")', 'pull("pulled", sys.argv[2])')
    out = tmp_path / "out"
    for kill in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", code, doors.url, str(out)], env=alone(memory), stdout=subprocess.PIPE
        ) as pulling:
            assert pulling.stdout is not None
            pulling.stdout.readline()
            while pulling.poll() is None and len(list(out.glob(".fabriek-*/*"))) < 2 + kill:
                MOMENT.wait(0.001)
            pulling.send_signal(signal.SIGKILL)
        for name, body in contents(out).items():
            assert name.startswith(".fabriek-") or body == (folder / name).read_bytes()
    vault.pull("pulled", out)
    assert contents(out) == contents(folder)


def test_a_disk_that_is_full_during_a_pull_leaves_no_file(
    doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_folder(tmp_path / "in", {f"{number}": os.urandom(2**20) for number in range(4)})
    vault = doors.vault("hanna")
    vault.push(folder, "large")
    room = tmp_path / "small"
    room.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", room], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("a small file system could not be mounted here")
    try:
        with pytest.raises(StorageFull):
            vault.pull("large", room / "out")
        assert contents(room) == {}
        vault.pull("large", room / "out", paths=["0", "1"])
        assert set(contents(room / "out")) == {"0", "1"}
    finally:
        subprocess.run(["umount", room], check=True)


def test_a_memory_that_cannot_be_written_is_done_without(doors: Doors, tmp_path: Path, memory: Path) -> None:
    memory.parent.mkdir()
    memory.write_text("a file where the folder should be")
    folder = a_folder(tmp_path / "in", {"a": b"a"})
    vault: Vault = doors.vault("hanna")
    assert vault.push(folder, "forgetful").version.number == 1
    assert vault.push(folder, "forgetful").unchanged
    assert json.dumps(memory.read_text())


def test_a_tag_stands_wherever_a_version_is_named(doors: Doors, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "in", {"a": b"first"})
    vault = doors.vault("hanna")
    vault.push(folder, "tagged")
    vault.tag("tagged@1", "gold")
    (folder / "a").write_bytes(b"second")
    vault.push(folder, "tagged")
    assert contents(vault.pull("tagged@gold", tmp_path / "out")) == {"a": b"first"}
    assert b"".join(vault.read("lab/tagged@gold", "a")) == b"first"
    assert [(one.how, one.path) for one in vault.diff("tagged@gold", "tagged")] == [("changed", "a")]
    assert [(one.tag, one.number) for one in vault.tags("tagged")] == [("gold", 1)]
    with pytest.raises(WrongState, match="the tag gold"):
        vault.remove("tagged@1")
    vault.untag("tagged", "gold")
    assert vault.remove("tagged@1").number == 1
    with pytest.raises(NotFound):
        vault.pull("tagged@1", tmp_path / "none")
    with pytest.raises(InvalidInput, match="does not say which version"):
        vault.remove("tagged")


@pytest.mark.parametrize("full_at", range(6))
def test_a_store_that_is_full_at_any_object_shows_nothing_and_the_push_goes_on_when_there_is_room(
    world: World, doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_at: int
) -> None:
    """Five objects of data and the manifest."""
    folder = a_folder(tmp_path / "in", {f"{number}": os.urandom(2**20) for number in range(5)})
    vault, real = doors.vault("hanna"), world.blobs.put
    monkeypatch.setattr(gathering, "SENT_AT_ONCE", 1)

    def full(name: str, chunks: Iterator[bytes], *, bytes_max: int | None = None) -> object:
        if len(world.blobs.objects) >= full_at:
            raise StorageFull("the disk of the objects is full", fix="free some space")
        return real(name, chunks, bytes_max=bytes_max)

    with monkeypatch.context() as without_room:
        without_room.setattr(world.blobs, "put", full)
        with pytest.raises(StorageFull):
            vault.push(folder, "large")
        assert vault.versions("large") == []
    assert objects_sent(world, lambda: vault.push(folder, "large")) == 6 - full_at
    assert contents(vault.pull("large", tmp_path / "out")) == contents(folder)

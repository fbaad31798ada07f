"""`fabriek://` does what fsspec's own suite asks of a file system that is only read, against a real server; and libraries read it."""

import errno
import itertools
import os
import pickle
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pandas as pd
import pyarrow.dataset
import pytest
from fsspec.tests.abstract import AbstractFixtures, AbstractGetTests
from pyarrow.fs import FSSpecHandler, PyFileSystem

from fabriek.sdk.filesystem import FabriekFileSystem
from fabriek.sdk.vault import Vault as VaultClient
from tests.factories.tables import a_database
from tests.factories.vault import Doors, World, a_push, a_world

LEFT_OUT = {
    "AbstractPutTests": "a version is never changed in place",
    "AbstractCopyTests": "a version is never changed in place",
    "AbstractPipeTests": "a version is never changed in place",
    "AbstractOpenTests": "its one test opens for writing",
}
"""Of fsspec's abstract suite."""

_numbers = itertools.count()
CSV = b"patient,age\n" + b"".join(b"p%d,%d\n" % (number, number % 90) for number in range(20_000))
BIG = os.urandom(3 * 2**20 + 17)
STRETCH_BYTES = 100_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Doors]]:
    database = a_database(tmp_path_factory.mktemp("reading") / "fabriek.db")
    world = a_world(database)
    with world.served() as doors:
        yield world, doors
    database.close()


@pytest.fixture
def world(served: tuple[World, Doors]) -> World:
    return served[0]


@pytest.fixture
def vault(served: tuple[World, Doors]) -> VaultClient:
    return served[1].vault("hanna")


@pytest.fixture
def files(served: tuple[World, Doors]) -> Iterator[FabriekFileSystem]:
    made = FabriekFileSystem(served[1].url, "hanna", "lab", skip_instance_cache=True)
    yield made
    made.close()


@pytest.fixture(scope="module")
def scans(served: tuple[World, Doors]) -> str:
    """A dataset that all tests read."""
    world, _ = served
    a_push(world, "scans", {"table.csv": CSV, "a/b/big.bin": BIG, "a/empty": b"", "a/ünïcode\n name": b"odd"})
    return "fabriek://lab/scans@1"


class _Fixtures(AbstractFixtures):
    """Scenarios that the suite would write itself are pushed instead."""

    @pytest.fixture
    def fs(self, files: FabriekFileSystem) -> FabriekFileSystem:
        return files

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return lambda *parts: "/".join(parts)

    @pytest.fixture
    def fs_path(self, vault: VaultClient, tmp_path: Path) -> str:
        self.pushed = (vault, tmp_path / "to-push", f"suite-{next(_numbers)}")  # type: ignore[attr-defined]
        return f"lab/{self.pushed[2]}"

    def _push(self, fs: Any, build: Callable[[Any, Any, Any], str], join: Any, path: Any) -> str:
        if not isinstance(fs, FabriekFileSystem):
            return build(fs, join, path)
        vault, folder, name = self.pushed
        build(fsspec.filesystem("file", auto_mkdir=True), os.path.join, str(folder))
        vault.push(folder, name)
        return join(path, "source")

    def _bulk_operations_scenario_0(self, some_fs: Any, some_join: Any, some_path: Any) -> str:
        return self._push(some_fs, super()._bulk_operations_scenario_0, some_join, some_path)

    def _glob_edge_cases_files(self, some_fs: Any, some_join: Any, some_path: Any) -> str:
        return self._push(some_fs, super()._glob_edge_cases_files, some_join, some_path)

    def _dir_and_file_with_same_name_prefix(self, some_fs: Any, some_join: Any, some_path: Any) -> str:
        return self._push(some_fs, super()._dir_and_file_with_same_name_prefix, some_join, some_path)

    def _10_files_with_hashed_names(self, some_fs: Any, some_join: Any, some_path: Any) -> str:
        return self._push(some_fs, super()._10_files_with_hashed_names, some_join, some_path)

    # The suite removes what it made; a pushed version stays.
    @pytest.fixture
    def fs_bulk_operations_scenario_0(self, fs: Any, fs_join: Any, fs_path: Any) -> str:
        return self._bulk_operations_scenario_0(fs, fs_join, fs_path)

    @pytest.fixture
    def fs_glob_edge_cases_files(self, fs: Any, fs_join: Any, fs_path: Any) -> str:
        return self._glob_edge_cases_files(fs, fs_join, fs_path)

    @pytest.fixture
    def fs_dir_and_file_with_same_name_prefix(self, fs: Any, fs_join: Any, fs_path: Any) -> str:
        return self._dir_and_file_with_same_name_prefix(fs, fs_join, fs_path)

    @pytest.fixture
    def fs_10_files_with_hashed_names(self, fs: Any, fs_join: Any, fs_path: Any) -> str:
        return self._10_files_with_hashed_names(fs, fs_join, fs_path)


class TestGet(_Fixtures, AbstractGetTests):
    """fsspec's own."""

    def test_get_directory_recursive(self) -> None:  # type: ignore[override]
        pytest.skip("fsspec's test_get_directory_recursive makes its folders through the file system itself")


@pytest.mark.parametrize("suite", sorted(LEFT_OUT))
def test_of_fsspecs_suite_only_what_writes_is_left_out(suite: str) -> None:
    import fsspec.tests.abstract as theirs  # noqa: PLC0415

    assert hasattr(theirs, suite)
    pytest.skip(f"fsspec's {suite}: {LEFT_OUT[suite]}")


def test_folders_and_files_are_listed_with_their_sizes(files: FabriekFileSystem, scans: str) -> None:
    listed = {one["name"]: (one["type"], one["size"]) for one in files.ls(scans)}
    assert listed == {"lab/scans@1/a": ("directory", 0), "lab/scans@1/table.csv": ("file", len(CSV))}
    assert files.ls(f"{scans}/a", detail=False) == [
        "lab/scans@1/a/b",
        "lab/scans@1/a/empty",
        "lab/scans@1/a/ünïcode\n name",
    ]
    assert files.find(scans) == sorted(
        f"lab/scans@1/{name}" for name in ("table.csv", "a/b/big.bin", "a/empty", "a/ünïcode\n name")
    )
    assert files.glob(f"{scans}/**/*.bin") == ["lab/scans@1/a/b/big.bin"]
    assert [top for top, _, _ in files.walk(scans)] == ["lab/scans@1", "lab/scans@1/a", "lab/scans@1/a/b"]
    assert "lab/scans" in files.ls("fabriek://lab", detail=False)


def test_what_is_not_there_is_told_in_the_words_of_files(files: FabriekFileSystem, scans: str) -> None:
    assert files.exists(f"{scans}/table.csv")
    assert not files.exists(f"{scans}/nothing")
    assert not files.exists("fabriek://lab/unheard-of@7/table.csv")
    with pytest.raises(FileNotFoundError):
        files.ls(f"{scans}/nothing")
    with pytest.raises(FileNotFoundError):
        files.open(f"{scans}/table.csv/below")
    with pytest.raises(IsADirectoryError):
        files.cat_file(f"{scans}/a")


def test_a_stranger_gets_not_a_byte(served: tuple[World, Doors], scans: str) -> None:
    stranger = FabriekFileSystem(served[1].url, "uma", "campus", skip_instance_cache=True)
    with pytest.raises((PermissionError, FileNotFoundError)):
        stranger.cat_file(f"{scans}/table.csv")


def test_any_stretch_is_the_bytes_that_were_pushed(files: FabriekFileSystem, scans: str) -> None:
    path = f"{scans}/a/b/big.bin"
    for start, end in (
        (0, 1),
        (2**18 - 1, 2**18 + 1),
        (100, 2**20 + 100),
        (len(BIG) - 1, len(BIG) + 9),
        (-5, None),
        (7, -9),
        (9, 9),
    ):
        assert files.cat_file(path, start, end) == BIG[slice(start, end)]
    with files.open(path) as opened:
        opened.seek(-10, os.SEEK_END)
        assert opened.read() == BIG[-10:]
        opened.seek(0)
        assert opened.read() == BIG
    assert files.cat_file(f"{scans}/a/empty") == b""
    assert files.checksum(path) == int(files.info(path)["sha256"], 16)


def test_a_small_stretch_fetches_only_the_chunks_that_it_lies_in(
    files: FabriekFileSystem, scans: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.info(f"{scans}/a/b/big.bin")
    client, fetched = files._factory().client, []
    fetch_range = client.fetch_range
    monkeypatch.setattr(
        client, "fetch_range", lambda *given: fetched.append(len((got := fetch_range(*given))[0])) or got
    )
    assert files.cat_file(f"{scans}/a/b/big.bin", 2**20 + 5, 2**20 + 105) == BIG[2**20 + 5 : 2**20 + 105]
    assert 0 < sum(fetched) < 300 * 1024
    before = sum(fetched)
    files.cat_file(f"{scans}/a/b/big.bin", 2**20, 2**20 + 50)
    assert sum(fetched) == before, "what was opened is kept"


@pytest.mark.parametrize(
    "change",
    [
        lambda fs, path: fs.open(path, "wb"),
        lambda fs, path: fs.pipe_file(path, b"x"),
        lambda fs, path: fs.rm(path),
        lambda fs, path: fs.mkdir(path),
        lambda fs, path: fs.touch(path),
        lambda fs, path: fs.mv(path, path + "2"),
    ],
    ids=["open", "pipe", "rm", "mkdir", "touch", "mv"],
)
def test_writing_is_refused_and_says_how_to_push(files: FabriekFileSystem, scans: str, change: Any) -> None:
    with pytest.raises(OSError, match="fabriek data push") as refused:
        change(files, f"{scans}/table.csv")
    assert refused.value.errno == errno.EROFS


def test_links_lead_to_what_they_point_at(files: FabriekFileSystem, vault: VaultClient, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").write_bytes(b"behind")
    (tmp_path / "door").symlink_to("real")
    (tmp_path / "name").symlink_to("real/x")
    vault.push(tmp_path, "linked")
    assert files.cat_file("fabriek://lab/linked/door/x") == b"behind"
    assert files.cat_file("fabriek://lab/linked/name") == b"behind"
    assert {one["name"]: one["type"] for one in files.ls("fabriek://lab/linked")}["lab/linked/door"] == "directory"


def test_a_grant_that_ran_out_is_opened_anew(files: FabriekFileSystem, world: World, scans: str) -> None:
    assert files.cat_file(f"{scans}/a/b/big.bin", 0, 10) == BIG[:10]
    world.clock.move(timedelta(hours=13))
    assert files.cat_file(f"{scans}/a/b/big.bin", 2**21, 2**21 + 10) == BIG[2**21 : 2**21 + 10]


def test_a_version_of_many_pages_is_listed_and_read_page_by_page(
    files: FabriekFileSystem, vault: VaultClient, world: World, tmp_path: Path
) -> None:
    bodies = {f"{number % 7}/{number:05d}": str(number).encode() for number in range(2_500)}
    for path, body in bodies.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(body)
    vault.push(tmp_path, "pages")
    path = "fabriek://lab/pages@1"
    assert [one["name"] for one in files.ls(path)] == [f"lab/pages@1/{number}" for number in range(7)]
    assert len(files.ls(f"{path}/3", detail=False)) == 357
    book = files._version("lab/pages@1").reading.book
    assert book.root.level == 1
    assert len(book._kept) < len(book.root.refs), "pages were read that nobody needed"
    world.clock.move(timedelta(hours=13))
    files._version("lab/pages@1").reading.book.forget()
    assert files.cat_file(f"{path}/6/02498") == b"2498", "names are read under a fresh grant too"
    assert files.find(path) == sorted(f"lab/pages@1/{one}" for one in bodies)


def test_damage_is_an_error_of_the_disk_and_names_the_file(files: FabriekFileSystem, world: World) -> None:
    a_push(world, "broken", {"fine": b"fine", "spoilt": os.urandom(2**19)})
    spoilt = files._at("lab/broken@1", "spoilt").parts[0].object_id  # type: ignore[union-attr]
    sealed = bytearray(world.blobs.objects[spoilt])
    sealed[300_000] ^= 1
    world.blobs.objects[spoilt] = bytes(sealed)
    with pytest.raises(OSError, match="spoilt") as seen:
        files.cat_file("fabriek://lab/broken@1/spoilt")
    assert seen.value.errno == errno.EIO
    assert files.cat_file("fabriek://lab/broken@1/fine") == b"fine"


def test_the_entry_point_makes_the_address_known(served: tuple[World, Doors], scans: str) -> None:
    options = {"url": served[1].url, "token": "hanna"}
    with fsspec.open(f"{scans}/table.csv", "rt", **options) as text:
        assert text.readline() == "patient,age\n"


def test_pandas_reads_it(served: tuple[World, Doors], scans: str) -> None:
    options = {"url": served[1].url, "token": "hanna"}
    table = pd.read_csv(f"{scans}/table.csv", storage_options=options)
    assert (len(table), int(table["age"].max())) == (20_000, 89)


def test_pyarrow_reads_it(files: FabriekFileSystem, scans: str) -> None:
    system = PyFileSystem(FSSpecHandler(files))
    table = pyarrow.dataset.dataset("lab/scans@1/table.csv", filesystem=system, format="csv").to_table()
    assert table.num_rows == 20_000


def test_duckdb_reads_it(files: FabriekFileSystem, scans: str) -> None:
    with duckdb.connect() as database:
        database.register_filesystem(files)
        database.read_csv(f"{scans}/table.csv").create_view("patients")
        assert database.execute("select count(*), max(age) from patients").fetchone() == (20_000, 89)


class _Stretches:
    """What a PyTorch `DataLoader` takes for a dataset: stretches of a large file, read where they are."""

    def __init__(self, files: FabriekFileSystem, path: str) -> None:
        self._files, self._path = files, path

    def __len__(self) -> int:
        return len(BIG) // STRETCH_BYTES

    def __getitem__(self, number: int) -> bytes:
        if not 0 <= number < len(self):
            raise IndexError(number)
        read: bytes = self._files.cat_file(self._path, number * STRETCH_BYTES, (number + 1) * STRETCH_BYTES)
        return read


def test_pytorchs_loader_reads_it_in_workers_of_either_kind(files: FabriekFileSystem, scans: str) -> None:
    loading = pytest.importorskip(
        "torch.utils.data", reason="PyTorch is not installed: its DataLoader read nothing in place"
    )
    for kind in ("fork", "spawn"):
        loader = loading.DataLoader(
            _Stretches(files, f"{scans}/a/b/big.bin"), num_workers=2, batch_size=4, collate_fn=b"".join, multiprocessing_context=kind
        )  # fmt: skip
        assert b"".join(loader) == BIG[: len(BIG) // STRETCH_BYTES * STRETCH_BYTES]


def test_it_can_be_sent_to_another_process_and_be_forked(files: FabriekFileSystem, scans: str) -> None:
    again = pickle.loads(pickle.dumps(files))  # noqa: S301  # what a loader's workers are sent
    assert again.cat_file(f"{scans}/table.csv", 0, 7) == CSV[:7]
    assert files.cat_file(f"{scans}/table.csv", 0, 7) == CSV[:7]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, files.cat_file(f"{scans}/a/b/big.bin", 2**21, 2**21 + 100))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 200) == BIG[2**21 : 2**21 + 100]
    os.close(reader)
    os.close(writer)

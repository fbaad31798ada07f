"""Files sent by tuspy as it was released, to a server that is killed meanwhile."""

import gc
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed
from tusclient.storage.interface import Storage

from fabriek.kernel.clock import SystemClock
from tests.servers.factory import Running, quickstarted

pytestmark = pytest.mark.xdist_group("tus")

HERE = "/api/v1/projects/playground/datasets/scans/files"
MEBIBYTE = 2**20
PART_BYTES = 64 * MEBIBYTE
Opened = Callable[[Path], BinaryIO]


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Running]:
    with quickstarted(tmp_path / "home") as running:
        (tmp_path / "first").mkdir()
        (tmp_path / "first" / "readme").write_text("what was there")
        done = running.run("data", "push", str(tmp_path / "first"), "scans")
        assert done.returncode == 0, done.stderr
        yield running


class Remembered(Storage):
    """Where tuspy keeps addresses of uploads: in memory, since the one it comes with leaves its file open."""

    def __init__(self) -> None:
        self.urls: dict[str, str] = {}

    def get_item(self, key: str) -> str | None:
        return self.urls.get(key)

    def set_item(self, key: str, value: str) -> None:
        self.urls[key] = value

    def remove_item(self, key: str) -> None:
        self.urls.pop(key, None)


def client_of(factory: Running, where: str = HERE) -> TusClient:
    token = factory.environment()["FABRIEK_TOKEN"]
    return TusClient(f"{factory.url}{where}", headers={"Authorization": f"Bearer {token}"})


def asking(factory: Running) -> httpx.Client:
    token = factory.environment()["FABRIEK_TOKEN"]
    return httpx.Client(base_url=factory.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False)


def kill(factory: Running) -> None:
    os.kill(factory.variables["pid"], signal.SIGKILL)  # type: ignore[arg-type]


def start(factory: Running) -> None:
    """Once more, on the same home and port."""
    port = factory.url.rpartition(":")[2]
    started = factory.run("up", "--quickstart", "--home", str(factory.home), "--port", port, "--detach", "--json")
    assert started.returncode == 0, started.stderr
    factory.variables["pid"] = json.loads(started.stdout)["pid"]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens files for a client that leaves closing them to somebody else."""
    with ExitStack() as stack:
        yield lambda file: stack.enter_context(file.open("rb"))


def a_file(tmp_path: Path, size: int) -> Path:
    made = tmp_path / "scan.tif"
    with made.open("wb") as out:
        for _ in range(size // MEBIBYTE):
            out.write(os.urandom(MEBIBYTE))
        out.write(os.urandom(size % MEBIBYTE))
    return made


def pulled(factory: Running, tmp_path: Path) -> Path:
    done = factory.run("data", "pull", "scans", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    return tmp_path / "out"


def test_a_file_goes_up_in_chunks_with_checksums_beside_what_was_there(
    factory: Running, tmp_path: Path, opened: Opened
) -> None:
    file = a_file(tmp_path, 3 * MEBIBYTE + 17)
    sending = client_of(factory).uploader(
        file_stream=opened(file), chunk_size=MEBIBYTE, metadata={"filename": "tif/scan é.tif"}, upload_checksum=True
    )
    sending.upload()
    out = pulled(factory, tmp_path)
    assert (out / "tif/scan é.tif").read_bytes() == file.read_bytes()
    assert (out / "readme").read_text() == "what was there"
    assert factory.run("data", "verify", "scans").returncode == 0


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # tuspy leaves the files open that it opens
def test_a_server_that_is_killed_between_chunks_has_lost_none_that_it_acknowledged(
    factory: Running, tmp_path: Path
) -> None:
    file, kept = a_file(tmp_path, 5 * MEBIBYTE), Remembered()
    first = client_of(factory).uploader(
        str(file),
        chunk_size=MEBIBYTE,
        metadata={"filename": "scan.tif"},
        store_url=True,
        url_storage=kept,
    )
    first.upload_chunk()
    first.upload_chunk()
    assert first.offset == 2 * MEBIBYTE
    kill(factory)
    start(factory)
    second = client_of(factory).uploader(
        str(file),
        chunk_size=MEBIBYTE,
        metadata={"filename": "scan.tif"},
        store_url=True,
        url_storage=kept,
    )
    assert (second.offset, second.url) == (2 * MEBIBYTE, first.url)
    second.upload()
    assert (pulled(factory, tmp_path) / "scan.tif").read_bytes() == file.read_bytes()
    assert factory.run("data", "verify", "scans").returncode == 0
    del first, second
    gc.collect()


def test_one_long_request_that_a_kill_cuts_goes_on_where_it_was_durable(
    factory: Running, tmp_path: Path, opened: Opened
) -> None:
    file = a_file(tmp_path, 4 * PART_BYTES)
    sending = client_of(factory).uploader(file_stream=opened(file), metadata={"filename": "scan.tif"})
    sending.set_url(sending.create_url())
    outcome: list[Exception] = []

    def send() -> None:
        try:
            sending.upload()
        except (TusUploadFailed, TusCommunicationError) as error:
            outcome.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    with asking(factory) as client:
        while int(client.head(sending.url, headers={"Tus-Resumable": "1.0.0"}).headers["upload-offset"]) < PART_BYTES:
            SystemClock().sleep(0.01)
    kill(factory)
    start(factory)
    thread.join()
    assert outcome, "the kill came too late to cut anything"
    rest = client_of(factory).uploader(file_stream=opened(file), url=sending.url, chunk_size=PART_BYTES)
    assert PART_BYTES <= rest.offset < file.stat().st_size
    assert rest.offset % PART_BYTES == 0
    rest.upload()
    assert (pulled(factory, tmp_path) / "scan.tif").read_bytes() == file.read_bytes()


def test_a_client_whose_line_breaks_tries_again_by_itself(factory: Running, tmp_path: Path, opened: Opened) -> None:
    """tuspy's own retry: the server dies under one chunk and is back before the next try."""
    file = a_file(tmp_path, 3 * MEBIBYTE)
    sending = client_of(factory).uploader(
        file_stream=opened(file), chunk_size=MEBIBYTE, metadata={"filename": "scan.tif"}, retries=30, retry_delay=1
    )
    sending.upload_chunk()
    thread = threading.Thread(target=sending.upload)
    kill(factory)
    thread.start()
    start(factory)
    thread.join()
    assert sending.offset == file.stat().st_size
    assert (pulled(factory, tmp_path) / "scan.tif").read_bytes() == file.read_bytes()


def test_several_files_of_one_upload_become_one_version(factory: Running, tmp_path: Path, opened: Opened) -> None:
    with asking(factory) as client:
        upload = client.post("/api/v1/projects/playground/datasets/scans/file-uploads").json()["upload"]
        for path in ("a/1.bin", "a/2.bin", "empty"):
            file = tmp_path / path.replace("/", "-")
            file.write_bytes(b"" if path == "empty" else os.urandom(100_000))
            client_of(factory, f"/api/v1/uploads/{upload}/files").uploader(
                file_stream=opened(file), metadata={"path": path}
            ).upload()
        made = client.post(f"/api/v1/uploads/{upload}/finish").json()
    assert (made["number"], made["files"]) == (2, 4)
    out = pulled(factory, tmp_path)
    for path in ("a/1.bin", "a/2.bin", "empty"):
        assert (out / path).read_bytes() == (tmp_path / path.replace("/", "-")).read_bytes()


def test_nothing_of_a_file_lies_in_plain_in_the_home(factory: Running, tmp_path: Path, opened: Opened) -> None:
    file = tmp_path / "canary"
    file.write_bytes(b"the canary sings; " * 200_000)
    sending = client_of(factory).uploader(
        file_stream=opened(file), chunk_size=MEBIBYTE, metadata={"filename": "canary"}
    )
    sending.upload_chunk()
    open_one = [one for one in factory.home.rglob("*") if one.is_file() and b"canary sings" in one.read_bytes()]
    sending.upload()
    done = [one for one in factory.home.rglob("*") if one.is_file() and b"canary sings" in one.read_bytes()]
    assert (open_one, done) == ([], [])

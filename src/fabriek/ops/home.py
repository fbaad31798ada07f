"""The folder of an installation: who holds it, which release wrote it, and where the running server is."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from fabriek.kernel.errors import AlreadyExists, NotFound, WrongState

RELEASE_FILE = "release.json"


@dataclass(frozen=True, slots=True)
class Running:
    """A server that serves this home: its process and its address. No secret is in it."""

    pid: int
    url: str


class Home:
    """One installation's folder, mode 0700."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Makes the folders. Raises WrongState when the home belongs to somebody else or is open to others."""
        for name in ("", "run", "logs", "keys", "objects", "jobs", "environments"):
            (self.path / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        status = self.path.stat()
        if status.st_uid != os.getuid():
            raise WrongState(
                f"{self.path} belongs to another user", fix=f"sudo chown -R $USER {self.path}, or choose --home"
            )
        if status.st_mode & 0o077:
            raise WrongState(f"{self.path} is open to other users", fix=f"chmod 700 {self.path}")

    def hold(self) -> IO[str]:
        """Takes the home for this process; the lock ends with the file. Raises AlreadyExists when a server has it."""
        lock = (self.path / "run" / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AlreadyExists(f"a server is running on {self.path}", fix=f"fabriek down --home {self.path}") from None
        return lock

    def check_release(self, known: list[str]) -> None:
        """Raises WrongState when a newer release wrote this home: its tables mean things that this one does not know."""
        file = self.path / RELEASE_FILE
        if file.exists():
            schema = str(json.loads(file.read_text("utf-8")).get("schema", ""))
            if schema not in known:
                raise WrongState(
                    f"{self.path} was written by a newer release (schema {schema}); nothing was changed",
                    fix="pip install --upgrade 'fabriek[server]', or choose another --home",
                )

    def write_release(self, schema: str, version: str) -> None:
        _write_whole(self.path / RELEASE_FILE, json.dumps({"schema": schema, "version": version}))

    def write_running(self, running: Running) -> None:
        _write_whole(self.path / "run" / "server.json", json.dumps(asdict(running)))

    def forget_running(self) -> None:
        (self.path / "run" / "server.json").unlink(missing_ok=True)

    def running(self) -> Running:
        """The server of this home. Raises NotFound when there is none."""
        try:
            raw = json.loads((self.path / "run" / "server.json").read_text("utf-8"))
            running = Running(int(raw["pid"]), str(raw["url"]))
            os.kill(running.pid, 0)
        except (FileNotFoundError, ProcessLookupError, ValueError, KeyError):
            raise NotFound(f"no server is running on {self.path}", fix=f"fabriek up --home {self.path}") from None
        return running


def _write_whole(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)

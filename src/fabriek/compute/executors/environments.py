"""The packages that a job sees: built once per list of requirements, outside the sandbox, from the operator's package index."""

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import distributions
from pathlib import Path

from fabriek.kernel.errors import InvalidInput

BUILD_SECONDS_MAX = 1_800
LAST_LINES = 6


@dataclass(frozen=True, slots=True)
class Environment:
    """An interpreter with its packages; `hash` goes into the statement of every result that was made with it."""

    path: str
    hash: str


class Environments:
    """Environments below `root`. `python`: the interpreter that jobs without requirements use; empty means this one."""

    def __init__(self, root: Path, python: str = "") -> None:
        self._root, self._python = root, python or sys.executable

    def base(self) -> Environment:
        """The installation's own packages."""
        return Environment(self._python, self._base_hash)

    def build(self, requirements: bytes) -> Environment:
        """The environment with these requirements, built if it is not there yet. Raises InvalidInput with pip's last words."""
        key = hashlib.sha256(
            b"\0".join([requirements, platform.python_version().encode(), platform.platform().encode()])
        ).hexdigest()
        folder = self._root / key
        self._root.mkdir(parents=True, exist_ok=True, mode=0o755)
        lock = os.open(self._root / f"{key}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "built").exists():
                self._build(folder, requirements)
        finally:
            os.close(lock)
        return Environment(str(folder / "bin" / "python"), (folder / "built").read_text("utf-8"))

    def _build(self, folder: Path, requirements: bytes) -> None:
        # In place, since a virtual environment knows its own path; `built` is written last, and without it the rest does not count.
        _run([self._python, "-m", "venv", "--clear", str(folder)])
        wanted = folder / "requirements.txt"
        wanted.write_bytes(requirements)
        pip = [str(folder / "bin" / "python"), "-m", "pip"]
        _run([*pip, "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r", str(wanted)])
        frozen = _run([*pip, "list", "--format=freeze", "--disable-pip-version-check"])
        (folder / "built").write_text(_hash_of(frozen.splitlines()), "utf-8")

    @cached_property
    def _base_hash(self) -> str:
        if self._python == sys.executable:
            return _hash_of([f"{one.name}=={one.version}" for one in distributions()])
        return _hash_of(
            _run([self._python, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]).splitlines()
        )


def _hash_of(packages: list[str]) -> str:
    lines = sorted({line.strip().lower() for line in packages if line.strip()})
    return hashlib.sha256("\n".join([platform.python_version(), *lines]).encode()).hexdigest()


def _run(argv: list[str]) -> str:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=BUILD_SECONDS_MAX, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise InvalidInput(
            "the environment took too long to build", fix="name fewer or smaller packages in --requirements"
        ) from None
    if done.returncode:
        last = " / ".join((done.stderr or done.stdout).strip().splitlines()[-LAST_LINES:])
        raise InvalidInput(f"the environment could not be built: {last}", fix="correct the file behind --requirements")
    return done.stdout

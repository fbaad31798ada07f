"""The packages that a job sees: built once per list of requirements, outside the sandbox, from the operator's package index.

Nothing of a package runs here: only wheels are taken, since building one runs what its author wrote, and an interpreter whose packages
have been installed is never started again outside the sandbox, since a package may bring lines that run at its start.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, distributions
from pathlib import Path

from fabriek.compute.executors.requirements import check_requirements
from fabriek.kernel.errors import InvalidInput

BUILD_SECONDS_MAX = 1_800
LAST_LINES = 6
FIX = "correct the file behind --requirements"
BUILT_FILE = "built"
PLATFORM = "import platform, sysconfig; print(platform.python_version(), sysconfig.get_platform())"
PACKAGES = "import importlib.metadata as m; [print(f'{one.name}=={one.version}') for one in m.distributions()]"


@dataclass(frozen=True, slots=True)
class Environment:
    """`path`: its interpreter. `hash`: of its packages and versions; it goes into the statement of every result made with it."""

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
        lines = check_requirements(requirements)
        key = hashlib.sha256("\n".join([self._platform, *lines]).encode()).hexdigest()
        folder = self._root / key
        self._root.mkdir(parents=True, exist_ok=True, mode=0o755)
        lock = os.open(self._root / f"{key}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / BUILT_FILE).exists():
                self._build(folder, lines)
        finally:
            os.close(lock)
        return Environment(str(folder / "bin" / "python"), (folder / BUILT_FILE).read_text("ascii"))

    def _build(self, folder: Path, lines: list[str]) -> None:
        # In place, since the programs of a virtual environment name its path; `built` comes last, and without it the rest does not count.
        shutil.rmtree(folder, ignore_errors=True)
        try:
            _run([self._python, "-I", "-m", "venv", *(["--without-pip"] if self._has_pip else []), str(folder)])
            wanted = folder / "requirements.txt"
            wanted.write_text("\n".join(lines) + "\n", "utf-8")
            python = str(folder / "bin" / "python")
            pip = (
                [self._python, "-I", "-m", "pip", "--python", python] if self._has_pip else [python, "-I", "-m", "pip"]
            )
            quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
            _run([*pip, *quiet, "install", "--only-binary", ":all:", "-r", str(wanted)])
            packages = [str(one) for one in (folder / "lib").glob("python*/site-packages")]
            draft = folder / f".{BUILT_FILE}"
            draft.write_text(_hash_of(self._platform, _named(distributions(path=packages))), "ascii")
            draft.replace(folder / BUILT_FILE)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @cached_property
    def _has_pip(self) -> bool:
        """Whether the base brings a pip that can install elsewhere, which saves some seconds over one of the environment's own."""
        asked = [self._python, "-I", "-m", "pip", "--python", self._python, "--version"]
        return subprocess.run(asked, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode == 0

    @cached_property
    def _platform(self) -> str:
        if self._python == sys.executable:
            return f"{sys.version.split()[0]} {sysconfig.get_platform()}"
        return _run([self._python, "-I", "-c", PLATFORM]).strip()

    @cached_property
    def _base_hash(self) -> str:
        if self._python == sys.executable:
            return _hash_of(self._platform, _named(distributions()))
        return _hash_of(self._platform, _run([self._python, "-I", "-c", PACKAGES]).splitlines())


def _named(found: Iterable[Distribution]) -> list[str]:
    return [f"{one.name}=={one.version}" for one in found]


def _hash_of(platform: str, packages: list[str]) -> str:
    lines = sorted({line.strip().lower() for line in packages if line.strip()})
    return hashlib.sha256("\n".join([platform, *lines]).encode()).hexdigest()


def _run(argv: list[str]) -> str:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=BUILD_SECONDS_MAX, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise InvalidInput("the environment took too long to build", fix="name fewer or smaller packages") from None
    if done.returncode:
        last = " / ".join((done.stderr or done.stdout).strip().splitlines()[-LAST_LINES:])
        raise InvalidInput(f"the environment could not be built: {last}", fix=FIX)
    return done.stdout

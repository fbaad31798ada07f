"""The packages that a job sees: built once per list of requirements, outside the sandbox, from the operator's package index.

Nothing of a package runs here: only wheels are taken, since building one runs what its author wrote, and an interpreter whose packages
have been installed is never started again outside the sandbox, since a package may bring lines that run at its start.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import quote

from fabriek.compute.executors.requirements import check_requirements
from fabriek.compute.installing import ask_for
from fabriek.kernel.errors import InvalidInput

BUILD_SECONDS_MAX = 1_800
LAST_LINES = 6
FIX = "correct the file behind --requirements"
BUILT_FILE = "built"
NOT_FOUND = re.compile(r"satisfies the requirement (?P<wanted>\S.*?)(?: \(from (?P<by>[^()]+)\))? \(from versions:")
PLATFORM = "import platform, sysconfig; print(platform.python_version(), sysconfig.get_platform())"
PACKAGES = "import importlib.metadata as m; [print(f'{one.name}=={one.version}') for one in m.distributions()]"


@dataclass(frozen=True, slots=True)
class Environment:
    """`path`: its interpreter. `hash`: of its packages and versions; it goes into the statement of every result made with it."""

    path: str
    hash: str


@dataclass(frozen=True, slots=True)
class Approved:
    """The index of approved packages, as one project may read it. `address` holds a token of the build. `withdrawn`: files that may not be
    installed any more; an environment from before is not used again once this list has changed. `page`: where people ask for more.
    """

    address: str
    project: str
    withdrawn: tuple[str, ...]
    page: str


class Environments:
    """Environments below `root`. `python`: the interpreter that jobs without requirements use; empty means this one."""

    def __init__(self, root: Path, python: str = "") -> None:
        self._root, self._python = root, python or sys.executable

    def base(self) -> Environment:
        """The installation's own packages."""
        return Environment(self._python, self._base_hash)

    @cached_property
    def installed(self) -> Mapping[str, str]:
        """What the installation's own packages are, normalised name → version: what a job finds that names none."""
        ours = self._python == sys.executable
        listed = _named(distributions()) if ours else _run([self._python, "-I", "-c", PACKAGES]).splitlines()
        pairs = (line.strip().partition("==") for line in listed if line.strip())
        return {re.sub(r"[-_.]+", "-", name).lower(): version for name, _, version in pairs}

    @property
    def version(self) -> str:
        """Of Python, in jobs: `3.11`."""
        return ".".join(self._platform.split(".")[:2])

    def build(self, requirements: bytes, approved: Approved | None = None) -> Environment:
        """The environment with these requirements, built if it is not there yet: from what the operator's pip is configured to use, or from
        approved packages alone. Raises InvalidInput with pip's last words, or with how to ask for what is not approved.
        """
        lines = check_requirements(requirements)
        within = [approved.project, *approved.withdrawn] if approved else []
        key = hashlib.sha256("\n".join([self._platform, *lines, *within]).encode()).hexdigest()
        folder = self._root / key
        self._root.mkdir(parents=True, exist_ok=True, mode=0o755)
        lock = os.open(self._root / f"{key}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / BUILT_FILE).exists():
                self._build(folder, lines, approved)
        finally:
            os.close(lock)
        return Environment(str(folder / "bin" / "python"), (folder / BUILT_FILE).read_text("ascii"))

    def _build(self, folder: Path, lines: list[str], approved: Approved | None) -> None:
        # In place, since the programs of a virtual environment name its path; `built` comes last, and without it the rest does not count.
        shutil.rmtree(folder, ignore_errors=True)
        try:
            # With approved packages, jobs find a pip in their environment: they may add to it from the same index.
            without_pip = self._has_pip and approved is None
            _run([self._python, "-I", "-m", "venv", *(["--without-pip"] if without_pip else []), str(folder)])
            wanted = folder / "requirements.txt"
            wanted.write_text("\n".join(lines) + "\n", "utf-8")
            python = str(folder / "bin" / "python")
            pip = (
                [self._python, "-I", "-m", "pip", "--python", python] if self._has_pip else [python, "-I", "-m", "pip"]
            )
            quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
            try:
                _run([*pip, *quiet, "install", "--only-binary", ":all:", "-r", str(wanted)], _variables(approved))
            except InvalidInput as refused:
                raise _told(refused, approved) from None
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


def _variables(approved: Approved | None) -> dict[str, str] | None:
    """For pip: nothing of this machine's configuration, where only approved packages may come in. None: as it is configured."""
    if approved is None:
        return None
    # As a variable: the address holds a token, and an argv is there for all to read.
    return {
        "PATH": os.defpath, "LANG": "C.UTF-8", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PIP_INDEX_URL": approved.address,
    }  # fmt: skip


def _told(refused: InvalidInput, approved: Approved | None) -> InvalidInput:
    """What pip did not find on the index of approved packages, and how to ask for it."""
    found = NOT_FOUND.search(refused.detail)
    if approved is None or found is None:
        return refused
    wanted, needed_by = found["wanted"], found["by"] or ""
    command = ask_for(wanted)
    needed = "" if needed_by.startswith("-r ") or not needed_by else f", and {needed_by} needs it"
    package = command.rpartition(" ")[2]
    return InvalidInput(
        f"{wanted} is not approved for this project{needed}: {command}, or {approved.page}?ask={quote(package)}",
        fix=command,
    )


def _run(argv: list[str], variables: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=BUILD_SECONDS_MAX, check=False, stdin=subprocess.DEVNULL,
            env=variables,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InvalidInput("the environment took too long to build", fix="name fewer or smaller packages") from None
    if done.returncode:
        last = " / ".join((done.stderr or done.stdout).strip().splitlines()[-LAST_LINES:])
        raise InvalidInput(f"the environment could not be built: {last}", fix=FIX)
    return done.stdout

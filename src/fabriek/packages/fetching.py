"""A package and all that it needs, as wheels, from where the operator allows: their upstream index, or a folder that they fill.

pip chooses, for the interpreter that jobs use. It takes wheels alone, so that nothing of a package runs, and it reads no setting, no
variable and no proxy of this machine: what is fetched from where is said here.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fabriek.kernel.errors import Unavailable
from fabriek.packages.names import Pinned, normalised

FETCH_SECONDS_MAX = 1_800
LOOKS_A_SECOND = 5
LAST_LINES = 4
YANKED = re.compile(r"yanked version: '([^']+)' candidate \(version ([^ )]+)")
SECRET_IN_ADDRESS = re.compile(r"(//)[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Fetched:
    """`yanked`: names of packages that their index took back."""

    files: tuple[Path, ...]
    yanked: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fetcher:
    """`upstream`: the address of an index, empty for none. `folder`: a folder of wheels, None for none. `python`: the jobs' interpreter."""

    upstream: str = ""
    folder: Path | None = None
    python: str = ""

    @property
    def can(self) -> bool:
        """Whether there is anywhere to look."""
        return bool(self.upstream or self.folder)

    @contextmanager
    def fetch(self, package: Pinned, stop: threading.Event) -> Iterator[Fetched]:
        """The wheels in a folder of its own, gone afterwards. Raises Unavailable with pip's last words, or once `stop` is set."""
        with tempfile.TemporaryDirectory(prefix="fabriek-packages-") as home:
            target = Path(home, "wheels")
            words = ["download", "--only-binary", ":all:", "--no-input", "--quiet", "--dest", str(target), str(package)]
            argv = [self.python or sys.executable, "-I", "-m", "pip", *words]
            process = subprocess.Popen(
                argv, env=self._variables(home), cwd=home, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )  # fmt: skip
            said = _heard(process, package, stop)
            if process.returncode:
                last = [line for line in said.strip().splitlines() if "notice" not in line][-LAST_LINES:]
                raise Unavailable(
                    f"{package} could not be fetched: {_plain(' / '.join(last))}", fix="carry the wheels in"
                )
            yanked = frozenset(normalised(name) for name, _ in YANKED.findall(" ".join(said.split())))
            yield Fetched(tuple(sorted(target.iterdir())), yanked)

    def _variables(self, home: str) -> dict[str, str]:
        variables = {
            "PATH": os.defpath, "HOME": home, "LANG": "C.UTF-8", "TMPDIR": home, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }  # fmt: skip
        # As variables: an address may hold a password, and an argv is there for all to read.
        variables |= {"PIP_INDEX_URL": self.upstream} if self.upstream else {"PIP_NO_INDEX": "1"}
        return variables | ({"PIP_FIND_LINKS": self.folder.as_uri()} if self.folder else {})


def _heard(process: "subprocess.Popen[str]", package: Pinned, stop: threading.Event) -> str:
    """What pip said by its end. Raises Unavailable where it takes too long or is stopped; then it has ended too."""
    for _ in range(FETCH_SECONDS_MAX * LOOKS_A_SECOND):
        try:
            return process.communicate(timeout=1 / LOOKS_A_SECOND)[1]
        except subprocess.TimeoutExpired:
            if stop.is_set():
                break
    process.kill()
    process.communicate()
    raise Unavailable(f"{package} could not be fetched in time", fix="ask again, or carry the wheels in")


def _plain(text: str) -> str:
    return SECRET_IN_ADDRESS.sub(r"\1", text)

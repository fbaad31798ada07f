"""The program that runs first within the walls, `forward.py`, in the form in which a job's interpreter starts it soonest."""

import marshal
import os
import sys
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path

FORWARD = Path(__file__).with_name("forward.py")
INSIDE_FORWARD = "/run/forward.py"
INSIDE_COMPILED = "/run/forward.pyc"


def inside_forward(python: str) -> str:
    """Where a job with this interpreter finds it. Compiled for one like ours; another reads the source, as it may not know our form."""
    return INSIDE_COMPILED if os.path.realpath(python) == os.path.realpath(sys.executable) else INSIDE_FORWARD


def copy_forward(python: str, folder: Path) -> Path:
    """A copy in the folder. Under a uid of its own, the job may not be able to read where we are installed."""
    copy = folder / Path(inside_forward(python)).name
    copy.write_bytes(compiled() if copy.suffix == ".pyc" else FORWARD.read_bytes())
    copy.chmod(0o644)
    return copy


@cache
def compiled() -> bytes:
    """As Python writes it beside a module: a magic number, twelve bytes that nobody asks for, and the code."""
    code = compile(FORWARD.read_bytes(), INSIDE_FORWARD, "exec", dont_inherit=True)
    return MAGIC_NUMBER + bytes(12) + marshal.dumps(code)

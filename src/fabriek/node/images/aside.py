"""Our own interpreter beside the files of an image: what runs first within the walls needs one, and an image need not have any.

The machine's programs are bound below another folder, and the interpreter is started by its own loader, which is told where the machine's
libraries are: by their usual names it would find those of the image.
"""

import os
import re
import struct
import subprocess
from functools import cache
from pathlib import Path

from fabriek.kernel.errors import Unavailable

ASIDE = "/run/host"
"""Within the walls, the folder that holds the machine's programs, each at its own path."""

TRY_SECONDS = 10
INTERPRETER = 3
"""The kind of a segment of an ELF file that names its loader."""

FOUND = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)


def aside(path: str) -> str:
    """Where a path of the machine is found within the walls."""
    return ASIDE + path


@cache
def words_of(python: str) -> tuple[str, ...]:
    """What starts this interpreter of the machine within an image. Raises Unavailable where its libraries cannot be found."""
    program = os.path.realpath(python)
    named = loader_of(Path(program))
    if not named:
        return (aside(program),)
    loader = os.path.realpath(named)
    folders = ":".join(dict.fromkeys(aside(one) for one in _library_folders(loader, program)))
    without_cache = () if "musl" in loader else ("--inhibit-cache",)  # it would be the image's
    return (aside(loader), *without_cache, "--library-path", folders, aside(program))


def loader_of(program: Path) -> str:
    """The loader that an ELF file of 64 bits names; empty for a program that needs none."""
    with program.open("rb") as file:
        header = file.read(64)
        if header[:5] != b"\x7fELF\x02":
            return ""
        begins, size, count = *struct.unpack_from("<Q", header, 32), *struct.unpack_from("<HH", header, 54)
        for number in range(count):
            file.seek(begins + number * size)
            segment = file.read(size)
            if struct.unpack_from("<I", segment)[0] == INTERPRETER:
                offset, length = struct.unpack_from("<Q", segment, 8)[0], struct.unpack_from("<Q", segment, 32)[0]
                file.seek(offset)
                return file.read(length).rstrip(b"\0").decode()
    return ""


def _library_folders(loader: str, program: str) -> list[str]:
    try:
        said = subprocess.run(
            [loader, "--list", program], capture_output=True, text=True, timeout=TRY_SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(
            f"the libraries of {program} cannot be found: {error}", fix="run jobs without --image"
        ) from None
    return [os.path.dirname(os.path.realpath(one)) for one in FOUND.findall(said)]  # noqa: PTH120

"""A folder that is whole or not there: written aside, then renamed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fabriek.compute.simulator.reporting.page import MARK
from fabriek.kernel.errors import AlreadyExists, InvalidInput

PAGE = "report.html"
FILES = frozenset(
    {PAGE, *(f"{name}.{kind}" for name in ("jobs", "power", "shares") for kind in ("csv", "parquet")), "figures.csv"}
)
HEAD_BYTES = 4_096


def check_folder(folder: Path, *, force: bool) -> None:
    """Before anything is reckoned. Raises AlreadyExists where others' files lie there, unless it is to be `force`d."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file", fix="name a folder that does not exist yet: --out report")
    if not force and not _may_go(folder):
        raise AlreadyExists(
            f"{folder} holds something else than a report",
            fix="name a folder that does not exist yet, or put the report beside it: --force",
        )


@contextmanager
def whole(folder: Path, *, force: bool) -> Iterator[Path]:
    """A folder beside it to write into; when the body has ended well it takes the other's place. Where others' files lie there and that was forced,
    ours are put among them, one by one, and theirs stay.
    """
    target = folder.resolve()
    check_folder(target, force=force)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        written, old = aside / "new", aside / "old"
        written.mkdir()
        yield written
        if not _may_go(target):
            for name in sorted(FILES):
                if (written / name).exists():
                    (written / name).replace(target / name)
            return
        if target.exists():
            target.rename(old)
        try:
            written.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _may_go(folder: Path) -> bool:
    """Whether nothing is lost with it but a report of ours."""
    if not folder.exists():
        return True
    there = {one.name for one in os.scandir(folder)}
    if not there:
        return True
    page = folder / PAGE
    if not there <= FILES or not page.is_file():
        return False
    with page.open("rb") as lines:
        return MARK.encode() in lines.read(HEAD_BYTES)

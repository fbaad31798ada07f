"""A ledger that was exported: whether the file is whole."""

import csv
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any, BinaryIO

from fabriek.kernel.errors import Damaged, InvalidInput


def check_export(file: str | Path) -> dict[str, Any]:
    """The manifest of an exported ledger, when all that it says of the file holds. Raises Damaged, InvalidInput.

    Checked: the SHA-256 of all lines before it, how many entries there are, the sums of each resource, and that each posting sums to zero.
    """
    try:
        with Path(file).open("rb") as lines:
            return _checked(lines)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read ({error.strerror})", fix="name a file of funding export") from None


def _checked(lines: BinaryIO) -> dict[str, Any]:
    digest, last = hashlib.sha256(), b""
    sums: dict[str, int] = defaultdict(int)
    open_postings: dict[tuple[str, str], int] = defaultdict(int)
    count, first = 0, True
    for line in lines:
        if last:
            digest.update(last)
            if not (first and last.startswith(b"id,")):
                count += 1
                transaction, resource, amount = _read(last)
                sums[resource] += amount
                open_postings[transaction, resource] += amount
                if not open_postings[transaction, resource]:
                    del open_postings[transaction, resource]
            first = False
        last = line
    try:
        manifest: dict[str, Any] = json.loads(last.removeprefix(b"# "))
        said = manifest["sha256"], manifest["entries"], manifest["sum_micro"]
    except (ValueError, KeyError, TypeError):
        raise _damaged("it ends without its manifest") from None
    if said[0] != digest.hexdigest():
        raise _damaged("its lines are not those that its manifest signs")
    if said[1] != count or said[2] != dict(sums):
        raise _damaged("its entries are not those that its manifest counts")
    if open_postings:
        raise _damaged(f"the posting {next(iter(open_postings))[0]} does not sum to zero")
    return manifest


def _read(line: bytes) -> tuple[str, str, int]:
    """Transaction, resource, amount of one line of either form."""
    text = line.decode()
    try:
        if text.startswith("{"):
            row = json.loads(text)
            return row["transaction"], row["resource"], int(row["amount_micro"])
        cells = next(iter(csv.reader([text])))
        return cells[1], cells[4], int(cells[5])
    except (ValueError, KeyError, IndexError, StopIteration):
        raise _damaged("a line is no entry") from None


def _damaged(why: str) -> Damaged:
    return Damaged(f"this file is not whole: {why}", fix="export it again")

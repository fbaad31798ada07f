"""Entries as lines of a file, and the manifest that ends it: how many there are, what they sum to, and the SHA-256 of all before it."""

import csv
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from fabriek.funding.ledger import Entry
from fabriek.funding.resources import Resource
from fabriek.kernel.spreadsheets import shown_cell

COLUMNS = ("id", "transaction", "at", "account", "resource", "amount_micro", "memo", "job")
"""`at`: UTC, ISO 8601. `amount_micro`: millionths of the resource's unit, above zero where credit came to the account."""

MANIFEST = "# "
"""What the manifest's line begins with in a CSV, so that readers can leave it out as a comment."""


class Form(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


def file_of(pages: Iterable[Sequence[Entry]], form: Form, about: Mapping[str, str]) -> Iterator[str]:
    """The file, a piece for each page of entries. about: what the manifest says beside the figures, such as the quarter."""
    digest, count = hashlib.sha256(), 0
    sums: dict[Resource, int] = defaultdict(int)
    came: dict[Resource, int] = defaultdict(int)
    head, write = (_row(COLUMNS), _csv) if form is Form.CSV else ("", _jsonl)
    digest.update(head.encode())
    yield head
    for page in pages:
        count += len(page)
        for one in page:
            sums[one.resource] += one.amount_micro
            came[one.resource] += max(0, one.amount_micro)
        piece = write(page)
        digest.update(piece.encode())
        yield piece
    manifest = {
        "manifest": "fabriek ledger", **about, "entries": count, "sum_micro": _named(sums), "moved_micro": _named(came),
        "sha256": digest.hexdigest(),
    }  # fmt: skip
    yield f"{MANIFEST if form is Form.CSV else ''}{json.dumps(manifest)}\n"


def _named(sums: Mapping[Resource, int]) -> dict[str, int]:
    return {str(resource): sums[resource] for resource in sorted(sums)}


def _csv(page: Sequence[Entry]) -> str:
    written = io.StringIO()
    sheet = csv.writer(written, lineterminator="\n")
    sheet.writerows([_cell(one) for one in _values(entry)] for entry in page)
    return written.getvalue()


def _jsonl(page: Sequence[Entry]) -> str:
    return "".join(json.dumps(dict(zip(COLUMNS, _values(one), strict=True))) + "\n" for one in page)


def _row(cells: Sequence[str]) -> str:
    return ",".join(cells) + "\n"


def _values(one: Entry) -> tuple[str | int, ...]:
    at = one.at.isoformat().replace("+00:00", "Z")
    return one.id, one.transaction, at, one.account, str(one.resource), one.amount_micro, one.memo, one.job


def _cell(value: str | int) -> str | int:
    """No text becomes a formula in a spreadsheet, nor a line of its own; a number below zero stays a number."""
    if isinstance(value, int):
        return value
    flat = shown_cell(value.replace("\r", " ").replace("\n", " "))
    return f"'{flat}" if flat.startswith("#") else flat  # it is how the manifest begins

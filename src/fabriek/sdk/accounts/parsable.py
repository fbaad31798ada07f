"""`sacct --parsable2` with its header: a line for each job, fields between bars."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import BinaryIO

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.foreign import RefusedLine
from fabriek.sdk.accounts.fields import (
    OVER,
    WAITING,
    Read,
    Skipped,
    checked,
    gpus_of,
    is_step,
    name_of,
    seconds_of,
    state_of,
    tres_of,
)

COLUMNS = "JobID,Cluster,Account,State,Start,ElapsedRaw,AllocTRES"
LINE_BYTES_MAX = 64 * 1024
"""A longer line is not one of sacct's: it is passed over, and never in memory as a whole."""


def read(source: BinaryIO, zone: tzinfo, cluster: str = "") -> Iterator[Read]:
    """Every line behind the header. zone: of the site's times; cluster: where there is no such column. Raises InvalidInput on the header."""
    header = source.readline(LINE_BYTES_MAX).decode("utf-8", "replace").rstrip("\r\n").split("|")
    missing = {"JobID", "Account", "State", "Start", "AllocTRES"} - set(header)
    if "ElapsedRaw" not in header and "Elapsed" not in header:
        missing.add("ElapsedRaw")
    if "Cluster" not in header and not cluster:
        missing.add("Cluster")
    if missing:
        raise InvalidInput(
            f"the dump has no column {', '.join(sorted(missing))}",
            fix=f"TZ=UTC sacct --allusers -X --parsable2 --format {COLUMNS} > dump.txt",
        )
    for number, raw in _lines(source):
        yield _line(number, raw, header, zone, cluster)


def _lines(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Numbers as an editor shows them. Of a line that is too long, its first part."""
    number = 1
    while raw := source.readline(LINE_BYTES_MAX):
        number += 1
        rest = raw
        while not rest.endswith(b"\n") and (rest := source.readline(LINE_BYTES_MAX)):
            pass
        yield number, raw


def _line(number: int, raw: bytes, header: list[str], zone: tzinfo, cluster: str) -> Read:
    try:
        if len(raw) >= LINE_BYTES_MAX:
            raise ValueError("the line is longer than any of sacct's")  # noqa: TRY301  # one way out for all that is wrong with a line
        fields = raw.decode("utf-8").rstrip("\r\n").split("|")
        if len(fields) != len(header):
            raise ValueError(f"it has {len(fields)} fields, and the header {len(header)}")  # noqa: TRY301
        return _job(number, dict(zip(header, fields, strict=True)), zone, cluster)
    except UnicodeDecodeError:
        return RefusedLine(line=number, reason="it is not UTF-8")
    except ValueError as error:
        return RefusedLine(line=number, reason=str(error))


def _job(number: int, said: Mapping[str, str], zone: tzinfo, cluster: str) -> Read:
    if is_step(said["JobID"]):
        return Skipped()
    state = state_of(said["State"])
    elapsed = seconds_of(said["ElapsedRaw"] if "ElapsedRaw" in said else said["Elapsed"])
    if state in WAITING or elapsed == 0 or said["Start"] in {"Unknown", "None", ""}:
        return Skipped()
    job, task = name_of(said["JobID"])
    counts = tres_of(said["AllocTRES"])
    return checked(
        number, cluster=said.get("Cluster") or cluster, job=job, task=task, started_at=_instant(said["Start"], zone),
        account=said["Account"], state=state, elapsed_seconds=elapsed, gpus=gpus_of(counts.items()), cpus=counts.get("cpu", 0),
        is_over=state in OVER,
    )  # fmt: skip


def _instant(text: str, zone: tzinfo) -> datetime:
    """Sacct writes the site's own time without its zone, or seconds since 1970 under SLURM_TIME_FORMAT=%s."""
    if text.isascii() and text.isdigit() and len(text) <= 11:
        return datetime.fromtimestamp(int(text), UTC)
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not an instant such as 2026-11-27T12:00:00") from None

"""The accounts of other sites, for the client: a dump is read here, a batch at a time, and booked there."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, BinaryIO

from fabriek.kernel.errors import InvalidInput, Stale
from fabriek.schemas.base import PageOut
from fabriek.schemas.foreign import (
    LINES_MAX,
    BatchIn,
    DumpIn,
    DumpOut,
    ForeignJobIn,
    ForeignTotalOut,
    PreviewIn,
    PreviewOut,
    RefusedLine,
)
from fabriek.sdk.accounts import parsable, slurm_json
from fabriek.sdk.accounts.fields import Read
from fabriek.sdk.accounts.mapping import Mapping, read_mapping
from fabriek.sdk.client import Client

HASH_BYTES = 2**20


@dataclass(slots=True)
class Preview:
    """What an import would come to. Lines of one job that stand in different batches are counted as if each stood alone."""

    lines_in: int = 0
    booked: int = 0
    known: int = 0
    skipped: int = 0
    refused: list[RefusedLine] = field(default_factory=list)
    refused_more: int = 0
    used: dict[tuple[str, str], Decimal] = field(default_factory=dict)


REFUSED_SHOWN = 100


class Foreign:
    """Import, preview, look."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def import_sacct(self, path: str | Path, site: str, mapping: str | Path) -> DumpOut:
        """Books every job of a dump; what is booked already changes nothing. Raises InvalidInput, Stale when the file changes meanwhile."""
        whose, file = read_mapping(Path(mapping)), Path(path)
        sha256 = _sha256(file)
        wanted = DumpIn(site=site, file=file.name[:500], sha256=sha256, accounts=list(whose.accounts))
        dump = DumpOut.model_validate(self._client.post("/api/v1/foreign/dumps", json=wanted.model_dump(mode="json")))
        with _opened(file) as source:
            for batch in _batches(_reads(source, whose)):
                self._client.post(f"/api/v1/foreign/dumps/{dump.id}/lines", json=batch.model_dump(mode="json"))
            if source.sha256 != sha256:
                raise Stale(f"{file} changed while it was read", fix="import it again: what is known changes nothing")
        return DumpOut.model_validate(self._client.post(f"/api/v1/foreign/dumps/{dump.id}/close"))

    def preview_sacct(self, path: str | Path, site: str, mapping: str | Path) -> Preview:
        """What `import_sacct` would come to, per project; nothing of it stays."""
        whose, told = read_mapping(Path(mapping)), Preview()
        with _opened(Path(path)) as source:
            for batch in _batches(_reads(source, whose)):
                wanted = PreviewIn(site=site, accounts=list(whose.accounts), jobs=batch.jobs)
                answer = self._client.post("/api/v1/foreign/previews", json=wanted.model_dump(mode="json"))
                _add(told, batch, PreviewOut.model_validate(answer))
        return told

    def one_job(self, path: str | Path, *, zone: str = "UTC", cluster: str = "", job: str = "") -> ForeignJobIn:
        """The one job of a small dump; `job` says which, where there are several. Raises InvalidInput."""
        from zoneinfo import ZoneInfo  # noqa: PLC0415  # rarely asked

        whose = Mapping(ZoneInfo(zone), cluster, ())
        with _opened(Path(path)) as source:
            found = [one for one in _reads(source, whose) if isinstance(one, ForeignJobIn) and job in {"", one.job}]
        if len(found) != 1:
            raise InvalidInput(
                f"{path} tells of {len(found)} jobs that ran", fix="sacct -X --parsable2 -j JOB > job.txt"
            )
        return found[0]

    def imports(self) -> Sequence[DumpOut]:
        return PageOut[DumpOut].model_validate(self._client.get("/api/v1/foreign/dumps")).items

    def quarantine(self, dump: str) -> Iterator[RefusedLine]:
        """Every line that an import could not book."""
        after = -1
        while True:
            answer = self._client.get(f"/api/v1/foreign/dumps/{dump}/quarantine", params={"after": after, "limit": 500})
            found = PageOut[RefusedLine].model_validate(answer).items
            yield from found
            if not found:
                return
            after = found[-1].line

    def usage(self, *, project: str = "", everybody: bool = False) -> Sequence[ForeignTotalOut]:
        """What a project used at other sites; `everybody`: what each project did, for those who may see that."""
        named = "" if everybody else self._client.the_project(project)
        path = f"/api/v1/projects/{named}/foreign-usage" if named else "/api/v1/foreign/usage"
        return PageOut[ForeignTotalOut].model_validate(self._client.get(path)).items


class _Hashing(FileIO):
    """A file that hashes what is read of it: what was booked is what the log names."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._digest = hashlib.sha256()

    def readinto(self, buffer: Any, /) -> int:
        count = super().readinto(buffer) or 0
        self._digest.update(memoryview(buffer)[:count])
        return count

    def readall(self) -> bytes:
        raise AssertionError("a dump is never in memory as a whole")

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class _Source(BufferedReader):
    def __init__(self, path: Path) -> None:
        self._hashing = _Hashing(path)
        super().__init__(self._hashing, HASH_BYTES)

    @property
    def sha256(self) -> str:
        return self._hashing.sha256


@contextmanager
def _opened(path: Path) -> Iterator[_Source]:
    try:
        source = _Source(path)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror})", fix="name the file that sacct wrote") from None
    with source:
        yield source


def _sha256(path: Path) -> str:
    with _opened(path) as source:
        while source.read(HASH_BYTES):
            pass
        return source.sha256


def _reads(source: BinaryIO, whose: Mapping) -> Iterator[Read]:
    """By its first character: a document is JSON, a table is not."""
    assert isinstance(source, BufferedReader)
    if source.peek(1).lstrip().startswith(b"{"):
        return slurm_json.read(source)
    return parsable.read(source, whose.zone, whose.cluster)


def _batches(reads: Iterator[Read]) -> Iterator[BatchIn]:
    jobs, refused, skipped = list[ForeignJobIn](), list[RefusedLine](), 0
    for one in reads:
        if isinstance(one, ForeignJobIn):
            jobs.append(one)
        elif isinstance(one, RefusedLine):
            refused.append(one)
        else:
            skipped += 1
        if max(len(jobs), len(refused)) == LINES_MAX:
            yield BatchIn(jobs=jobs, refused=refused, skipped=skipped)
            jobs, refused, skipped = [], [], 0
    if jobs or refused or skipped:
        yield BatchIn(jobs=jobs, refused=refused, skipped=skipped)


def _add(told: Preview, batch: BatchIn, answer: PreviewOut) -> None:
    told.lines_in += len(batch.jobs) + len(batch.refused) + batch.skipped
    told.booked += answer.booked
    told.known += answer.known
    told.skipped += batch.skipped
    for line in (*batch.refused, *answer.refused):
        if len(told.refused) < REFUSED_SHOWN:
            told.refused.append(line)
        else:
            told.refused_more += 1
    for one in answer.totals:
        where = (one.project, one.resource)
        told.used[where] = told.used.get(where, Decimal(0)) + Decimal(one.used.replace(",", ""))

"""From the spool to the server: in batches, as often as it takes, once in the end. A point that arrives twice is kept once there."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabriek.kernel.errors import AlreadyExists, FabriekError, InvalidInput, NotFound, WrongState
from fabriek.sdk.client import Client
from fabriek.sdk.spool.segments import Head, Record, Segment
from fabriek.sdk.tracking.dialect import Dialect, pairs

POINTS_A_BATCH = 1_000
PAIRS_A_BATCH = 100
SYNC_AGAIN_SECONDS = (0.1, 0.5)
"""A round over the spool tries again where an answer is lost, and does not wait for a server that is away."""


@dataclass(slots=True)
class Batch:
    """What goes in one call."""

    metrics: list[dict[str, Any]] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    end: int = 0

    def takes(self, record: Record) -> bool:
        kind, values = record[0], record[-1]
        if kind == "m":
            return len(self.metrics) + len(values) <= POINTS_A_BATCH
        held = self.params if kind == "p" else self.tags
        # One name twice in a call would be one value lost: the second goes in a call of its own.
        return len(held) + len(values) <= PAIRS_A_BATCH and not held.keys() & values.keys()

    def add(self, record: Record, end: int) -> None:
        kind, values = record[0], record[-1]
        if kind == "m":
            at_ms, step = record[1:3]
            self.metrics += [
                {"key": key, "value": value, "timestamp": at_ms, "step": step} for key, value in values.items()
            ]
        else:
            (self.params if kind == "p" else self.tags).update(values)
        self.records.append(record)
        self.end = end


class Delivering:
    """One line to one run's server. `refused`: how many records it would not take, which are kept beside the spool with its reason."""

    def __init__(self, client: Client, head: Head, *, patience: tuple[float, ...] = ()) -> None:
        self._client, self._head = client, head
        self._dialect = Dialect(f"{head.url}/lab/{head.project}", client.token, patience=patience)
        self._run = "" if head.is_new else head.run
        self.delivered = 0
        self.refused = 0
        self.has_ended = False

    def close(self) -> None:
        self._dialect.close()

    def deliver(self, segment: Segment, offset: int, *, up_to: int) -> int:
        """Sends what lies between; where it is by then. Raises Away where the server is, and whatever it says against all of it."""
        batch = Batch()
        for record, end in segment.records(offset):
            if end > up_to:
                break
            if record[0] == "e":
                self._send(batch, segment)
                self._end(record)
                segment.mark_sent(end)
                offset, batch = end, Batch()
                continue
            if batch.records and not batch.takes(record):
                self._send(batch, segment)
                segment.mark_sent(batch.end)
                offset, batch = batch.end, Batch()
            batch.add(record, end)
        if batch.records:
            self._send(batch, segment)
            segment.mark_sent(batch.end)
            offset = batch.end
        return offset

    def mark_killed(self) -> None:
        """Its process is gone and did not say how it ended."""
        run = self._begun()
        if self._dialect.get("/runs/get", run_id=run)["run"]["info"]["status"] == "RUNNING":
            self._dialect.post("/runs/update", run_id=run, status="KILLED")

    def _end(self, record: Record) -> None:
        _, status, at_ms = record
        self._dialect.post("/runs/update", run_id=self._begun(), status=status, end_time=at_ms)
        self.has_ended = True

    def _begun(self) -> str:
        """The run's id at the server, which takes it in when it first hears of it."""
        if not self._run:
            head = self._head
            asked = {
                "id": head.run, "experiment": self._experiment(head.experiment), "name": head.name, "started_ms": head.started_ms,
                "tags": dict(head.tags),
            }  # fmt: skip
            self._run = str(self._client.post(f"/api/v1/projects/{head.project}/runs", json=asked)["id"])
        return self._run

    def _experiment(self, name: str) -> str:
        for _ in range(2):  # somebody may make it between our asking and our making
            with suppress(NotFound):
                return str(
                    self._dialect.get("/experiments/get-by-name", experiment_name=name)["experiment"]["experiment_id"]
                )
            with suppress(AlreadyExists):
                return str(self._dialect.post("/experiments/create", name=name)["experiment_id"])
        raise NotFound(f"the experiment {name} comes and goes")

    def _send(self, batch: Batch, segment: Segment) -> None:
        if not batch.records:
            return
        run = self._begun()
        try:
            self._post(run, batch)
        except InvalidInput as error:
            self._check_takes(run)
            if len(batch.records) == 1:
                self._put_aside(batch.records[0], error, segment)
                return
            for record in batch.records:  # the call is taken whole or not at all: find the one
                alone = Batch()
                alone.add(record, batch.end)
                self._send(alone, segment)
        else:
            self.delivered += len(batch.records)

    def _post(self, run: str, batch: Batch) -> None:
        given: Mapping[str, list[Any]] = {
            "metrics": batch.metrics, "params": pairs(batch.params), "tags": pairs(batch.tags),
        }  # fmt: skip
        self._dialect.post("/runs/log-batch", run_id=run, **{name: some for name, some in given.items() if some})

    def _check_takes(self, run: str) -> None:
        """Raises WrongState for a run that was deleted: that is not the fault of what is sent, and may be undone."""
        if self._dialect.get("/runs/get", run_id=run)["run"]["info"].get("lifecycle_stage") == "deleted":
            raise WrongState(f"the run {run} is deleted there", fix="restore it, then: fabriek runs sync")

    def _put_aside(self, record: Record, error: FabriekError, segment: Segment) -> None:
        """On the disk before it counts as delivered."""
        kept = segment.file.with_name(f"{self._head.session}.refused")
        with kept.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"record": record, "reason": error.detail}, ensure_ascii=False) + "\n")
        self.refused += 1


@dataclass(frozen=True, slots=True)
class Left:
    """A session that stays in the spool, and why."""

    run: str
    reason: str


@dataclass(slots=True)
class Synced:
    """What a round over the spool came to. `runs`: those of which everything arrived."""

    runs: list[str] = field(default_factory=list)
    records: int = 0
    refused: int = 0
    left: list[Left] = field(default_factory=list)


def deliver_session(client: Client, files: Iterable[Path], synced: Synced) -> None:
    """Sends what one process left behind, unless it lives or belongs to another factory."""
    held: list[Segment] = []
    run = ""
    try:
        for file in files:
            run = file.stem[:32]
            segment = Segment.found(file)
            if segment is None and not file.exists():
                continue  # another round was faster
            if segment is None:
                synced.left.append(Left(run, "its process is still logging"))
                return
            held.append(segment)
            if segment.head.url != client.url:
                synced.left.append(Left(run, f"it is for {segment.head.url}"))
                return
        if held:
            _deliver_all(client, held, synced)
    except FabriekError as error:
        synced.left.append(Left(run, error.detail))
    finally:
        for segment in held:
            segment.close()


def _deliver_all(client: Client, held: list[Segment], synced: Synced) -> None:
    line = Delivering(client, held[0].head, patience=SYNC_AGAIN_SECONDS)
    try:
        for segment in held:
            line.deliver(segment, segment.sent(), up_to=segment.size)
        if held[0].head.is_new and not line.has_ended:
            line.mark_killed()
        for segment in held:  # only now: what of it is gone cannot be sent again
            segment.remove()
        synced.runs.append(held[0].head.run)
    finally:
        synced.records += line.delivered
        synced.refused += line.refused
        line.close()

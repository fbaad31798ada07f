"""A log of one run that answers when a point is on this machine's disk, and sends it behind the caller's back.

The server may be away for as long as it likes, from the first line on: the run gets its id here. What did not go out when the process ends
stays in the spool, for `fabriek runs sync` or `factory.lab.sync()`.
"""

import logging
import os
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import FabriekError, InvalidInput, StorageFull, Unavailable, WrongState
from fabriek.sdk.spool.delivering import Delivering
from fabriek.sdk.spool.segments import Head, Record, Segment
from fabriek.sdk.tracking.dialect import words_of

log = logging.getLogger("fabriek.spool")

BYTES_MAX = 2**30
"""How much may wait for a server before logging is refused."""
SEGMENT_BYTES = 2**24
GATHER_SECONDS = 0.2
"""How long points are gathered before they are sent."""
AGAIN_SECONDS = 0.5
AGAIN_SECONDS_MAX = 30.0
PAIRS_MAX = 100
POINTS_MAX = 1_000

_KEY = re.compile(r"[/\w.\- :]{1,250}")


class RunLog:
    """Made by `factory.lab.log(…)`; closed as a context manager, which says how the run ended. Threads may share it, processes not."""

    def __init__(
        self,
        folder: Path,
        head: Head,
        connect: Callable[[Head], Delivering],
        *,
        clock: Clock,
        sync_seconds: float = 0,
        bytes_max: int = BYTES_MAX,
        wait_seconds: float = 10,
    ) -> None:
        self.run = head.run
        self._folder, self._connect, self._clock, self._bytes_max = folder, connect, clock, bytes_max
        self._sync_seconds, self._wait_seconds = sync_seconds, wait_seconds
        self._synced_at = clock.monotonic()
        self._process = os.getpid()
        self._turn = threading.Condition()
        self._segments = [Segment.create(folder, head)]
        self._offset = self._segments[0].begins  # up to where a server has the first of them
        self._is_closed = self._has_ended = self._is_hurried = False
        self.trouble: FabriekError | None = None
        """Why nothing more is sent, where the server refused all of it; what is logged stays in the spool."""
        self.refused = 0
        self._thread = threading.Thread(target=self._sending, name=f"spool {head.run}", daemon=True)
        self._thread.start()

    def metric(self, key: str, value: float, *, step: int = 0, at_ms: int | None = None) -> None:
        self.metrics({key: value}, step=step, at_ms=at_ms)

    def metrics(self, values: Mapping[str, float], *, step: int = 0, at_ms: int | None = None) -> None:
        """Points of one step. On the disk when it returns. Raises InvalidInput, StorageFull."""
        at = int(self._clock.now().timestamp() * 1000) if at_ms is None else at_ms
        if not (0 <= at < 2**63 and -(2**63) <= step < 2**63):
            raise InvalidInput("an instant or a step does not fit 64 bits")
        if len(values) > POINTS_MAX:
            raise InvalidInput(f"at most {POINTS_MAX} metrics at a time")
        said = {_checked(key): words_of(_number(key, value)) for key, value in values.items()}
        self._append(["m", at, int(step), said])

    def param(self, key: str, value: object) -> None:
        self.params({key: value})

    def params(self, values: Mapping[str, object]) -> None:
        """Each is written once: a server refuses another value, which then lies beside the spool."""
        self._append_pairs("p", values)

    def tag(self, key: str, value: object) -> None:
        self.tags({key: value})

    def tags(self, values: Mapping[str, object]) -> None:
        self._append_pairs("t", values)

    def end(self, status: str = "FINISHED") -> None:
        """Says how the run ended, with the instant of now."""
        if status not in {"FINISHED", "FAILED", "KILLED"}:
            raise InvalidInput(f"a run does not end as {status}", fix="FINISHED, FAILED or KILLED")
        self._append(["e", status, int(self._clock.now().timestamp() * 1000)])
        self._has_ended = True

    @property
    def pending_bytes(self) -> int:
        """What no server has yet."""
        with self._turn:
            return sum(one.size for one in self._segments) - self._offset

    def flush(self, seconds: float) -> bool:
        """Waits until a server has everything that was logged; False when it has not by then, and nothing is lost by that."""
        with self._turn:
            self._is_hurried = True
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._is_delivered or self.trouble is not None, seconds)
            self._is_hurried = False
            return self._is_delivered

    def close(self) -> None:
        """Gives the server its time, then lets go: what is left stays in the spool."""
        if self._is_closed or os.getpid() != self._process:
            return
        self.flush(self._wait_seconds)
        with self._turn:
            self._is_closed = True
            self._turn.notify_all()
        self._thread.join()
        if self._is_delivered:
            for segment in self._segments:
                segment.remove()
        else:
            why = f": {self.trouble.detail}" if self.trouble else ""
            log.warning("run %s is not all with its server%s; later: fabriek runs sync", self.run, why)
            for segment in self._segments:
                segment.close()

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        try:
            if not self._has_ended:
                failed = "FAILED" if kind is not None and issubclass(kind, Exception) else "KILLED"
                self.end("FINISHED" if kind is None else failed)
        finally:
            self.close()

    @property
    def _is_delivered(self) -> bool:
        return len(self._segments) == 1 and self._offset == self._segments[0].size

    def _append_pairs(self, kind: str, values: Mapping[str, object]) -> None:
        if len(values) > PAIRS_MAX:
            raise InvalidInput(f"at most {PAIRS_MAX} at a time")
        if values:
            self._append([kind, {_checked(key): str(value) for key, value in values.items()}])

    def _append(self, record: Record) -> None:
        if os.getpid() != self._process:
            raise WrongState(
                "a log belongs to the process that opened it", fix="open one in each: factory.lab.log(run=…)"
            )
        with self._turn:
            if self._is_closed:
                raise WrongState("this log is closed", fix="log inside its with block")
            if sum(one.size for one in self._segments) - self._offset > self._bytes_max:
                raise StorageFull(
                    f"{self._bytes_max} bytes wait for the server already: this was not logged", fix="fabriek runs sync, or a larger bytes_max"
                )  # fmt: skip
            last = self._segments[-1]
            if last.size > SEGMENT_BYTES:
                last.sync()
                last = Segment.create(self._folder, replace(last.head, number=last.head.number + 1))
                self._segments.append(last)
            last.append(record)
            if self._clock.monotonic() - self._synced_at >= self._sync_seconds:
                last.sync()
                self._synced_at = self._clock.monotonic()
            self._turn.notify_all()

    # What the thread does.

    def _sending(self) -> None:
        line: Delivering | None = None
        wait = AGAIN_SECONDS
        try:
            while self._has_more():
                try:
                    line = line or self._connect(self._segments[0].head)
                    self._send(line)
                    wait = AGAIN_SECONDS
                except Unavailable as error:
                    log.info("run %s waits for its server: %s", self.run, error.detail)
                    # Whoever waits for the end of it is not kept waiting for the whole of a long pause.
                    if self._rests(AGAIN_SECONDS) or self._rests(wait, hurry=True):
                        return
                    wait = min(2 * wait, AGAIN_SECONDS_MAX)
                except FabriekError as error:
                    self._give_up(error)
                    return
        finally:
            if line is not None:
                line.close()

    def _has_more(self) -> bool:
        """Waits for something to send, and a little for more of it; False when there will be none."""
        with self._turn:
            self._turn.wait_for(lambda: self._is_closed or not self._is_delivered)
            return not self._is_closed

    def _rests(self, seconds: float, *, hurry: bool = False) -> bool:
        """Whether the log was closed meanwhile. Somebody who waits for the end of it is not kept waiting."""
        with self._turn:
            self._turn.wait_for(lambda: self._is_closed or (hurry and self._is_hurried), seconds)
            return self._is_closed

    def _send(self, line: Delivering) -> None:
        self._rests(GATHER_SECONDS if line.delivered else 0, hurry=True)
        with self._turn:
            segment, offset, up_to = self._segments[0], self._offset, self._segments[0].size
        offset = line.deliver(segment, offset, up_to=up_to)
        with self._turn:
            self.refused = line.refused
            self._offset = offset
            if len(self._segments) > 1 and offset == segment.size:
                self._segments.pop(0)
                self._offset = self._segments[0].begins
                segment.remove()
            self._turn.notify_all()

    def _give_up(self, error: FabriekError) -> None:
        log.warning("run %s is no longer sent: %s", self.run, error.detail)
        with self._turn:
            self.trouble = error
            self._turn.notify_all()


def fresh_head(**known: Any) -> Head:
    """A head for a session of this process."""
    run = known.pop("run", "") or secrets.token_hex(16)
    return Head(run=run, session=f"{run}-{secrets.token_hex(4)}", **known)


def _checked(key: object) -> str:
    """What the server refuses for its name is refused here, while its caller looks on."""
    if not isinstance(key, str) or not _KEY.fullmatch(key) or key.startswith(("/", "..")) or key.endswith("/"):
        raise InvalidInput(
            f"{str(key)[:100]!r} is no name of a metric, parameter or tag",
            fix="letters, digits, _, -, ., spaces, : and /, 250 at most",
        )
    return key


def _number(key: str, value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # whatever has a number: also numpy's, and tensors of one
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"{value!r} is no value of metric {key}") from None

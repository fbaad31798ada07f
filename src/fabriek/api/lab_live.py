"""A run as it happens, as server-sent events: one channel for each run that somebody looks at, and none that outlives their right to."""

import asyncio
import codecs
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from fabriek.compute.jobs import Job
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import NotAuthenticated, NotFound, NotPermitted, RateLimited
from fabriek.lab.comparing import written
from fabriek.lab.live import Live, New, Seen, told_of
from fabriek.lab.runs import Run
from fabriek.web.callers import caller_of_request
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["lab"])

LOOK_SECONDS = 1.0
"""Between two looks at a run. Every look asks for the right again, so that this is how long a lost one lasts."""

IDLE_AFTER_SECONDS, IDLE_LOOK_SECONDS = 30.0, 3.0
"""Where nothing came for a while, looks are fewer: a night's training that says something now and then has its page open all night."""

HEARTBEAT_SECONDS = 15.0
"""Proxies close lines on which nothing is said."""

CHANNELS_OF_PERSON = 8
CHANNELS_IN_ALL = 400
LOG_PART_BYTES = 64 * 1024
RETRY_MILLISECONDS = 2_000


class Since(StrEnum):
    """Where a channel begins that goes on from no event: with what comes, or with everything there is."""

    NOW = "now"
    START = "start"


class Channels:
    """How many each person holds open on this server. All of it happens in the server's one loop, so that nothing need be locked."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()

    def check(self, person: str) -> None:
        """Raises RateLimited."""
        if self._held[person] >= CHANNELS_OF_PERSON or self._held.total() >= CHANNELS_IN_ALL:
            raise RateLimited(f"you follow {self._held[person]} runs at once", fix="close one of them")

    def count(self, person: str) -> int:
        return self._held[person]

    @contextmanager
    def held(self, person: str) -> Iterator[None]:
        """Raises RateLimited."""
        self.check(person)
        self._held[person] += 1
        try:
            yield
        finally:
            self._held[person] -= 1
            if not self._held[person]:
                del self._held[person]


channels = Channels()


@router.get("/projects/{project}/runs/{run}/events", access=Right("lab.view"), response_class=StreamingResponse)
async def events(
    request: Request, project: str, run: str, caller: CallerDep, factory: FactoryDep, since: Since = Since.NOW,
    key: Sequence[str] = Query((), max_length=64),
    offset: int = Query(0, ge=0), *, log: bool = True,
) -> StreamingResponse:  # fmt: skip
    """A run as it happens: `run` when its state changes, `points` as they come, `log` of its job, and `end` with a reason when the run, the
    session or the right to look has ended. `again`: points came in between those that were told, read the metric anew. Goes on after
    `Last-Event-ID` without a loss or a double.
    """
    channels.check(caller.person)
    home = (await run_in_threadpool(factory.access.project, project)).id
    mark = request.headers.get("last-event-id", "")
    channel = _Channel(request, factory, home, project, run, tuple(key), log, offset)
    first = await run_in_threadpool(channel.begin, mark, since, caller)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(channel.parts(caller.person, first), media_type="text/event-stream", headers=headers)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What one look came to: what to say, what is said then, and whether there is more at once, or nothing ever again."""

    said: Sequence[bytes]
    seen: Seen
    run: Run
    more: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class _Channel:
    """One follower of one run."""

    request: Request
    services: Services
    home: str
    project: str
    run: str
    keys: Sequence[str]
    log: bool
    offset: int

    @property
    def _live(self) -> Live:
        return self.services.live

    def begin(self, mark: str, since: Since, by: Caller) -> _Looked:
        """The first words. Raises NotFound, NotPermitted, InvalidInput, all of which the follower gets as an answer and not as an event."""
        run = self._live.run(self.home, self.run, by=by)
        series, now = self._live.now(self.home, self.run, self.keys, by=by)
        from_here = replace(now if since is Since.NOW else Seen(), log=self.offset)
        seen = Seen.of(mark) if mark else from_here
        known = {
            one.key: {"count": one.count, "last": _number(one.last.value), "step": one.last.step} for one in series
        }
        said = [f"retry: {RETRY_MILLISECONDS}\n\n".encode(), _event("run", told_of(run) | {"metrics": known}, seen)]
        return _Looked(said, seen, run)

    async def parts(self, person: str, looked: _Looked) -> AsyncIterator[bytes]:
        clock = self.services.clock
        spoke = came = clock.monotonic()
        try:
            with channels.held(person):
                while True:
                    for one in looked.said:
                        spoke = came = clock.monotonic()
                        yield one
                    if looked.over:
                        return
                    if not looked.more:
                        idle = clock.monotonic() - came > IDLE_AFTER_SECONDS
                        await asyncio.sleep(IDLE_LOOK_SECONDS if idle else LOOK_SECONDS)
                    if clock.monotonic() - spoke >= HEARTBEAT_SECONDS:
                        spoke = clock.monotonic()
                        yield b":\n\n"
                    looked = await run_in_threadpool(self._look, looked)
        except RateLimited:
            yield _event("end", {"reason": "too many channels"}, looked.seen)

    def _look(self, before: _Looked) -> _Looked:
        """With the right that the caller has now."""
        try:
            by = caller_of_request(self.request, self.services.identity)
            require(by, "lab.view", project=self.home)
            return self._new(before, by)
        except NotAuthenticated:
            return self._over(before, "session")
        except (NotPermitted, NotFound):
            return self._over(before, "right")

    def _new(self, before: _Looked, by: Caller) -> _Looked:
        run = self._live.run(self.home, self.run, by=by)  # before its points: none comes behind the end that we saw
        seen, said = before.seen, list[bytes]()
        if (run.status, run.ended_at) != (before.run.status, before.run.ended_at):
            said.append(_event("run", told_of(run), seen))
        grown = list(self._live.news(self.home, self.run, seen, self.keys, by=by))
        for new in grown:
            seen = new.seen
            said += _points(new)
        written_too, seen, silent = self._log(run, seen, by)
        said += written_too
        more = bool(grown or written_too)
        if not more and run.ended_at is not None and silent:
            return self._over(replace(before, run=run, seen=seen), "run", said)
        return _Looked(said, seen, run, more=more)

    def _log(self, run: Run, seen: Seen, by: Caller) -> tuple[list[bytes], Seen, bool]:
        """What the job wrote since, and whether that is all there will be."""
        if not run.job or not self.log:
            return [], seen, True
        try:
            job: Job = self.services.compute.readable_log(self.project, run.job, by=by)
        except (NotPermitted, NotFound):  # who may see a run need not be one who may read what its job wrote
            return [], seen, True
        ended = job.has_ended()
        part = self.services.logs.part(job, seen.log, LOG_PART_BYTES)
        whole = _whole(part) if not ended or len(part) == LOG_PART_BYTES else part
        if not whole:
            return [], seen, ended
        after = replace(seen, log=seen.log + len(whole))
        words = {"offset": seen.log, "end": after.log, "text": whole.decode("utf-8", "replace")}
        return [_event("log", words, after)], after, False

    def _over(self, before: _Looked, reason: str, said: Sequence[bytes] = ()) -> _Looked:
        return replace(before, said=[*said, _event("end", {"reason": reason}, before.seen)], over=True, more=False)


def _points(new: New) -> list[bytes]:
    rows = [[one.step, one.at_ms, _number(one.value)] for one in new.points]
    said = [_event("points", {"key": new.key, "points": rows}, new.seen)] if rows else []
    return [*said, _event("again", {"key": new.key, "count": new.count}, new.seen)] if new.again else said


def _whole(part: bytes) -> bytes:
    """Without the beginning of a character at its end: the rest of it comes with the next part."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(part)
    rest = decoder.getstate()[0]
    return part[: len(part) - len(rest)]


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else written(value)


def _event(name: str, data: dict[str, Any], seen: Seen) -> bytes:
    """JSON has no line breaks outside of its strings, and escapes those within: one line of data."""
    return f"id: {seen.mark()}\nevent: {name}\ndata: {json.dumps(data, default=str)}\n\n".encode()

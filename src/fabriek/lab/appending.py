"""Appending points: what many training loops send at once is written as one batch with one commit, and each waits for that commit.

One thread writes while others gather: it begins with the first point and ends when nobody sent any for a while.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import FabriekError, NotFound
from fabriek.lab.metrics import Metric, check_metrics
from fabriek.lab.ports import Points, Runs
from fabriek.lab.recording import check_active
from fabriek.lab.runs import Run, check_run_id

CALLS_MAX = 512
POINTS_MAX = 20_000
IDLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Call:
    """What one request wants to have kept, and who waits for it."""

    project: str
    job: str
    run: str
    points: Sequence[Metric]
    loop: asyncio.AbstractEventLoop
    kept: "asyncio.Future[None]"


class Appending:
    """The way in for points. Nothing is acknowledged before it is durable."""

    def __init__(self, runs: Runs, points: Points, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._runs, self._points, self._transaction = runs, points, transaction
        self._waiting: list[_Call] = []
        self._changed = threading.Condition()
        self._is_writing = False

    async def append(self, project: str, run_id: object, points: Sequence[Metric], *, by: Caller) -> None:
        """Returns when the points are durable. Raises what `Lab.log` raises; of a batch, everything is kept or nothing."""
        require(by, "lab.write", project=project)
        run = check_run_id(run_id)
        check_metrics(points)
        loop = asyncio.get_running_loop()
        call = _Call(project, by.job, run, points, loop, loop.create_future())
        with self._changed:
            self._waiting.append(call)
            if self._is_writing:
                self._changed.notify()
            else:
                self._is_writing = True
                threading.Thread(target=self._write, name="appending", daemon=True).start()
        await call.kept

    def _write(self) -> None:
        while batch := self._next():
            outcomes: dict[int, BaseException | None] = {}
            try:
                self._keep(batch, outcomes)
            except BaseException as error:  # noqa: BLE001  # whoever waits gets it
                outcomes = {id(call): error for call in batch}
            _answer(batch, outcomes)

    def _next(self) -> list[_Call]:
        """What waits, as much as one transaction should hold; nothing after a while without any, and then this thread is over."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(IDLE_SECONDS)
            taken, points = 0, 0
            while taken < min(len(self._waiting), CALLS_MAX) and points < POINTS_MAX:
                points += len(self._waiting[taken].points)
                taken += 1
            batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
            self._is_writing = bool(batch)
            return batch

    def _keep(self, batch: Sequence[_Call], outcomes: dict[int, BaseException | None]) -> None:
        with self._transaction():
            runs = self._runs.some({call.run for call in batch})
            given: dict[str, list[Metric]] = defaultdict(list)
            for call in batch:
                try:
                    _check(call, runs.get(call.run))
                except FabriekError as refusal:
                    outcomes[id(call)] = refusal
                else:
                    given[call.run].extend(call.points)
            if given:
                self._points.add(given)


def _check(call: _Call, run: Run | None) -> None:
    if run is None or run.project != call.project or (call.job and run.job != call.job):
        raise NotFound(f"Run with id={call.run} not found")
    check_active(run)


def _answer(batch: Sequence[_Call], outcomes: dict[int, BaseException | None]) -> None:
    """Wakes each loop once for all that it waits for."""
    loops: dict[asyncio.AbstractEventLoop, list[_Call]] = defaultdict(list)
    for call in batch:
        loops[call.loop].append(call)
    for loop, calls in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, calls, outcomes)
        except RuntimeError:  # the server closed while we wrote: nobody waits any more
            continue


def _settle(calls: Sequence[_Call], outcomes: dict[int, BaseException | None]) -> None:
    for call in calls:
        if call.kept.done():  # whoever asked went away
            continue
        error = outcomes.get(id(call))
        if error is None:
            call.kept.set_result(None)
        else:
            call.kept.set_exception(error)

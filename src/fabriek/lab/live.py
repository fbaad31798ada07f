"""What is new of a run since somebody last looked: points, in order, each once, however often the line between them broke."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.lab.comparing import drawn_first
from fabriek.lab.finding import one_of
from fabriek.lab.metrics import Metric, Place, Series
from fabriek.lab.runs import Run
from fabriek.lab.service import Lab

SERIES_MAX = 64
"""Metrics that one channel follows: what it has seen of each stands in the id of every event, which goes as a header."""

POINTS_MAX = 500
"""Of one event."""

EVENTS_MAX = 40
"""Of one look: a long history goes in several, and others get their turn between them."""

MARK_CHARACTERS_MAX = 16_000


@dataclass(frozen=True, slots=True)
class Seen:
    """Of each series, by its id: how many points were told, and the place of the last of them. `log`: bytes of the job's output. It
    goes to the follower and comes back, so that no server need remember anybody.
    """

    series: Mapping[int, tuple[int, Place]] = field(default_factory=dict)
    log: int = 0

    def mark(self) -> str:
        """As the id of an event."""
        told = [self.log, [[number, count, *place] for number, (count, place) in self.series.items()]]
        return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode().rstrip("=")

    @classmethod
    def of(cls, mark: str) -> "Seen":
        """Raises InvalidInput on what is none of our marks. It opens nothing: it says where to go on, in what one may see anyway."""
        try:
            log, series = json.loads(_opened(mark))
            rows = [tuple(_whole(one) for one in row) for row in series[:SERIES_MAX]]
            return cls({number: (count, (at_ms, step, rank)) for number, count, at_ms, step, rank in rows}, _whole(log))
        except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
            raise InvalidInput("this is no id of an event", fix="leave Last-Event-ID out") from None


def _opened(mark: str) -> bytes:
    if len(mark) > MARK_CHARACTERS_MAX:
        raise ValueError(mark[:20])
    return base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4))


def _whole(number: object) -> int:
    if not isinstance(number, int) or not -(2**63) <= number < 2**63:
        raise ValueError(number)
    return number


@dataclass(frozen=True, slots=True)
class New:
    """Points of one metric that came behind those that were told. `again`: some came in between, so that the metric is to be read anew.
    `seen`: what is told once this is.
    """

    key: str
    points: Sequence[Metric]
    again: bool
    count: int
    seen: Seen


class Live:
    """The verb. It is asked again and again, and checks the caller's right each time. What is withheld of a run is so from everybody here: a look
    of who decides about it is recorded, and once a second would be no look.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def run(self, project: str, run: str, *, by: Caller) -> Run:
        """Raises NotFound, and NotPermitted where the label withholds metrics."""
        found = one_of(self._lab, project, run, by=by)
        if found.withheld:
            raise NotPermitted(
                f"the metrics of this run carry the label {found.run.label}", rule="label.logs_withheld", fix="ask for a release"
            )  # fmt: skip
        return found.run

    def now(self, project: str, run: str, keys: Sequence[str] = (), *, by: Caller) -> tuple[Sequence[Series], Seen]:
        """What there is, and how it is said that all of that is known. Whoever calls has asked for the run before."""
        series = self._followed(project, run, keys, Seen(), by)
        return series, Seen({one.id: (one.count, one.end) for one in series})

    def news(self, project: str, run: str, seen: Seen, keys: Sequence[str] = (), *, by: Caller) -> Iterator[New]:
        """At most some, of those metrics that have grown; asked again, the next. Whoever calls has asked for the run before."""
        left = EVENTS_MAX
        for one in self._followed(project, run, keys, seen, by):
            while left and (new := self._grown(project, run, one, seen, by)) is not None:
                yield new
                seen, left = new.seen, left - 1

    def _grown(self, project: str, run: str, series: Series, seen: Seen, by: Caller) -> New | None:
        told, place = seen.series.get(series.id, (0, None))
        if series.count <= told:
            return None
        rows = self._lab.history(project, run, series.key, limit=POINTS_MAX, after=place, by=by)
        rows = [
            (at, point) for at, point in rows if at <= series.end
        ]  # what came since we looked comes at the next look
        end = rows[-1][0] if rows else place
        assert end is not None, "a series that has points has a first one"
        # All that lie behind are told, and there are more: those came in between, by a clock that went back or a worker that was late.
        again = end >= series.end and told + len(rows) < series.count
        count = series.count if again else told + len(rows)
        after = replace(seen, series={**seen.series, series.id: (count, end)})
        return New(series.key, [point for _, point in rows], again, series.count, after)

    def _followed(self, project: str, run: str, keys: Sequence[str], seen: Seen, by: Caller) -> Sequence[Series]:
        """Those that were followed so far remain so, however many come to be."""
        found = self._lab.series(project, run, by=by)
        wanted = [one for one in found if one.key in keys] if keys else found
        chosen = sorted(wanted, key=lambda one: (one.id not in seen.series, *drawn_first(one.key)))
        return chosen[:SERIES_MAX]


def told_of(run: Run) -> dict[str, Any]:
    """What a follower hears of the run itself."""
    return {"status": run.status, "ended_at": run.ended_at.isoformat() if run.ended_at else None}

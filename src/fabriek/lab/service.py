"""Tracking: what one may do with experiments and runs. Making experiments, recording, and here: reading."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import NotPermitted
from fabriek.lab.curves import CURVE_POINTS, thinned
from fabriek.lab.filters import RUNS
from fabriek.lab.metrics import Metric, Place, Series, values_of
from fabriek.lab.outlines import POINTS_OF_OUTLINE
from fabriek.lab.recording import Recording
from fabriek.lab.runs import Links, Run, View
from fabriek.lab.wanted import Wanted

RAW_POINTS_MAX = 16 * POINTS_OF_OUTLINE
"""Up to here a curve is drawn from its points; above, from their outlines."""

SEARCHED_RUNS_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Logged:
    """A run with everything that it logged last. `withheld`: its metrics are kept back from whoever asked."""

    run: Run
    metrics: Sequence[Metric]
    params: Mapping[str, str]
    tags: Mapping[str, str]
    withheld: bool = False
    links: Links = field(default_factory=Links)


class Lab(Recording):
    """Tracking."""

    def create_run(
        self, project: str, experiment_id: str, *, name: str, person: str, started_ms: int, tags: Mapping[str, str], by: Caller
    ) -> Logged:  # fmt: skip
        """Begins a run. Raises NotFound for an unknown experiment."""
        run, all_tags = self.begin(
            project, experiment_id, name=name, person=person, started_ms=started_ms, tags=tags, by=by
        )
        return Logged(run, [], {}, dict(sorted(all_tags.items())))

    def run(self, project: str, run_id: object, *, by: Caller) -> Logged:
        """Raises NotFound, also for a run that is not the caller's to know. Who decides about a release sees what it is about."""
        run = self._seen(project, run_id, by)
        withheld = self._withholds(run) and not self._may_look(run, by)
        return self._logged([run], withheld={run.id} if withheld else set())[0]

    def search(
        self, project: str, experiments: Sequence[str] = (), *, filter_text: str = "", order_by: Sequence[str] = (),
        view: View = View.ACTIVE, limit: int = SEARCHED_RUNS_MAX, offset: int = 0, by: Caller,
    ) -> Sequence[Logged]:  # fmt: skip
        """Runs that match, in order, the latest first where none is asked for. Metrics that are withheld are so from everybody here, and
        answer no question either: who may look does so at one run, knowingly.

        Raises InvalidInput on a filter or an order that is none.
        """
        require(by, "lab.view", project=project)
        conditions, orders = RUNS.conditions(filter_text), RUNS.orders(order_by)
        hidden = {one for one in self._parts.search.labels_of(project) if self._parts.labels.withholds_logs(one)}
        under = self._parts.search.jobs_under(project, hidden) if hidden else []
        released = set(under) & set(self._parts.released_in(project)) if under else set()
        wanted = Wanted(
            project,
            experiments,
            conditions,
            orders,
            view,
            job=by.job,
            hidden=hidden,
            released=released,
        )
        found = self._parts.search.runs(wanted, limit=limit, offset=offset)
        return self._logged(
            found, withheld={run.id for run in found if run.label in hidden and run.job not in released}
        )

    def history(
        self, project: str, run_id: object, key: str, *, limit: int, after: Place | None = None, by: Caller
    ) -> Sequence[tuple[Place, Metric]]:
        """(place, point) in the order of their instants, then steps; from the one behind `after` on.

        Raises NotPermitted where the label withholds metrics.
        """
        return self.histories(project, run_id, [key], limit=limit, after=after, by=by).get(key, [])

    def histories(
        self, project: str, run_id: object, keys: Sequence[str], *, limit: int, after: Place | None = None, by: Caller
    ) -> Mapping[str, Sequence[tuple[Place, Metric]]]:
        """The same of several metrics, which is one look."""
        run = self._open(project, run_id, by)
        found: dict[str, Sequence[tuple[Place, Metric]]] = {}
        for key in keys:
            known = self._parts.points.one(run.id, key)
            places = self._places(known, limit, after) if known else []
            found[key] = list(zip(places, _metrics(key, places), strict=True))
        return found

    def series(self, project: str, run_id: object, *, by: Caller) -> Sequence[Series]:
        """Every metric of a run with its count, its newest value and its end: cheap, for those who ask again and again.

        Raises NotPermitted where the label withholds metrics.
        """
        run = self._open(project, run_id, by)
        return self._parts.points.series([run.id]).get(run.id, [])

    def curve(
        self, project: str, run_id: object, key: str, *, points: int = CURVE_POINTS, by: Caller
    ) -> Sequence[Metric]:
        """The points that a screen shows of a metric, at most about `points`, in order of time: no peak is left out, however long it is.

        Raises NotPermitted where the label withholds metrics.
        """
        return self.curves(project, run_id, [key], points=points, by=by)[key]

    def curves(
        self, project: str, run_id: object, keys: Sequence[str], *, points: int = CURVE_POINTS, by: Caller
    ) -> Mapping[str, Sequence[Metric]]:
        """The same of several metrics, which is one look."""
        run = self._open(project, run_id, by)
        found: dict[str, Sequence[Metric]] = {}
        for key in keys:
            known = self._parts.points.one(run.id, key)
            places = self._shown_places(known) if known else []
            found[key] = _metrics(key, thinned(places, points))
        return found

    def between(
        self, project: str, run_id: object, key: str, *, steps: tuple[int, int] | None = None, by: Caller
    ) -> Sequence[Metric]:
        """The points of a metric from one step to another, both included; of a long series those that outline it."""
        run = self._open(project, run_id, by)
        known = self._parts.points.one(run.id, key)
        places = self._shown_places(known) if known else []
        return _metrics(key, [place for place in places if steps is None or steps[0] <= place[1] <= steps[1]])

    def _places(self, known: Series, limit: int, after: Place | None) -> Sequence[Place]:
        if after is None:
            return self._parts.points.history(known.id, limit=limit)
        return self._parts.points.history(known.id, limit=limit, after=after)

    def _shown_places(self, known: Series) -> Sequence[Place]:
        """All points of a short series; of a long one the edges of its outlines, and what has no outline yet."""
        if known.count <= RAW_POINTS_MAX:
            return self._parts.points.history(known.id, limit=RAW_POINTS_MAX)
        outlines = self._parts.points.outlines(known.id)
        edges = [place for one in outlines for place in one.edges]
        return [*edges, *self._places(known, RAW_POINTS_MAX, outlines[-1].last if outlines else None)]

    def _withholds(self, run: Run) -> bool:
        """Whether the run's label keeps its metrics back, and nobody released them."""
        return self._parts.labels.withholds_logs(run.label) and not (run.job and self._parts.is_released(run.job))

    def _may_look(self, run: Run, by: Caller) -> bool:
        return bool(run.job) and not by.job and self._parts.looks(run.job, by)

    def _open(self, project: str, run_id: object, by: Caller) -> Run:
        """The run, if its metrics are open to the caller."""
        run = self._seen(project, run_id, by)
        if not by.job and self._withholds(run) and not self._may_look(run, by):
            raise NotPermitted(
                f"the metrics of this run carry the label {run.label}",
                rule="label.logs_withheld",
                fix="ask for a release",
            )
        return run

    def _logged(self, runs: Sequence[Run], *, withheld: Collection[str]) -> list[Logged]:
        """withheld: ids of those without their metrics."""
        ids = [run.id for run in runs]
        tracks = self._parts.tracks
        series, params, tags, links = (
            self._parts.points.series(ids), tracks.params(ids), tracks.tags(ids), tracks.links(ids)
        )  # fmt: skip
        return [
            Logged(
                run,
                [] if run.id in withheld else [one.last for one in series.get(run.id, [])],
                params.get(run.id, {}),
                tags.get(run.id, {}),
                withheld=run.id in withheld,
                links=links[run.id],
            )
            for run in runs
        ]


def _metrics(key: str, places: Sequence[Place]) -> list[Metric]:
    values = values_of([ranked for _, _, ranked in places])
    return [Metric(key, value, at_ms, step) for (at_ms, step, _), value in zip(places, values, strict=True)]

"""Runs and models over HTTP, in our own words, for the portal and the SDK; scripts speak the MLflow dialect."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import Query
from starlette.responses import StreamingResponse

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.kernel.pages import LIMIT_DEFAULT, LIMIT_MAX
from fabriek.lab.metrics import Metric, Place
from fabriek.lab.runs import View
from fabriek.lab.service import Logged
from fabriek.schemas.base import PageOut
from fabriek.schemas.lab import ModelVersionOut, PointOut, RunIn, RunOut, SeriesOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["lab"])

HISTORY_MAX = 25_000
KEYS_MAX = 1_000

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Many = Annotated[list[str], Query(max_length=100, default_factory=list)]


def run_out(logged: Logged, experiment_name: str = "") -> RunOut:
    run = logged.run
    return RunOut(
        id=run.id, name=run.name, experiment=run.experiment, status=str(run.status), label=run.label, job=run.job, person=run.person,
        started_at=run.started_at, ended_at=run.ended_at, is_deleted=run.is_deleted, metrics={one.key: one.value for one in logged.metrics},
        metrics_withheld=logged.withheld, params=dict(logged.params), tags=dict(logged.tags), experiment_name=experiment_name,
    )  # fmt: skip


@router.get("/projects/{project}/runs", access=Right("lab.view"))
def list_runs(
    project: str, caller: CallerDep, factory: FactoryDep, order: Many, experiment: Many,
    filter_text: Annotated[str, Query(alias="filter", max_length=8_000)] = "", view: View = View.ACTIVE, limit: Limit = LIMIT_DEFAULT,
    cursor: str = "",
) -> PageOut[RunOut]:  # fmt: skip
    """The project's runs, newest first. `filter` and `order` as in MLflow's search; `experiment` by name or id, repeatable."""
    home = factory.access.project(project).id
    names = {one.id: one.name for one in factory.lab.experiments(home, view=View.ALL, by=caller)}
    scope = f"runs:{home}"
    start = int(factory.cursors.read(scope, cursor) or 0)
    found = factory.lab.search(
        home,
        _ids(experiment, names),
        filter_text=filter_text,
        order_by=order,
        view=view,
        limit=limit + 1,
        offset=start,
        by=caller,
    )
    more = factory.cursors.write(scope, str(start + limit)) if len(found) > limit else ""
    items = [run_out(one, names.get(one.run.experiment, "")) for one in found[:limit]]
    return PageOut[RunOut](items=items, next_cursor=more)


def _ids(wanted: Sequence[str], names: dict[str, str]) -> list[str]:
    """A name goes before an id: an experiment may be called 7. Raises NotFound."""
    known = {name: one for one, name in names.items()}
    found = []
    for one in wanted:
        if one not in known and one not in names:
            raise NotFound(f"there is no experiment {one[:100]!r} here")
        found.append(known.get(one, one))
    return found


@router.post("/projects/{project}/runs", access=Right("lab.write"), status_code=201)
def adopt_run(project: str, run: RunIn, caller: CallerDep, factory: FactoryDep) -> RunOut:
    """Take in a run that began elsewhere, under its own id where that is free. Asking again gives the run as it stands."""
    home = factory.access.project(project).id
    return run_out(
        factory.adopting.adopt(
            home, run.id, run.experiment, name=run.name, person=run.person, started_ms=run.started_ms, label=run.label, tags=run.tags, by=caller,
        )
    )  # fmt: skip


@router.get("/projects/{project}/runs/{run}", access=Right("lab.view"))
def show_run(project: str, run: str, caller: CallerDep, factory: FactoryDep) -> RunOut:
    """One run with everything that it logged last."""
    home = factory.access.project(project).id
    logged = factory.lab.run(home, run, by=caller)
    return run_out(logged, factory.lab.experiment(home, logged.run.experiment, by=caller).name)


@router.get("/projects/{project}/runs/{run}/metrics", access=Right("lab.view"))
def list_metrics(project: str, run: str, caller: CallerDep, factory: FactoryDep) -> PageOut[SeriesOut]:
    """The metrics of a run, each with the number of its points and the newest."""
    found = factory.lab.series(factory.access.project(project).id, run, by=caller)
    return PageOut[SeriesOut](items=[SeriesOut(key=one.key, count=one.count, last=_point(one.last)) for one in found])


@router.get("/projects/{project}/runs/{run}/metrics/{key:path}", access=Right("lab.view"))
def show_metric(
    project: str, run: str, key: str, caller: CallerDep, factory: FactoryDep,
    limit: Annotated[int, Query(ge=1, le=HISTORY_MAX)] = HISTORY_MAX, cursor: str = "",
) -> PageOut[PointOut]:  # fmt: skip
    """Every point of one metric, by instant, then step, to the bit."""
    home = factory.access.project(project).id
    scope = f"points:{home}:{run}:{key}"
    after = _place(factory.cursors.read(scope, cursor))
    rows = factory.lab.history(home, run, key, limit=limit, after=after, by=caller)
    more = factory.cursors.write(scope, ",".join(map(str, rows[-1][0]))) if len(rows) == limit else ""
    return PageOut[PointOut](items=[_point(one) for _, one in rows], next_cursor=more)


def _place(written: str) -> Place | None:
    if not written:
        return None
    at_ms, step, ranked = map(int, written.split(","))
    return at_ms, step, ranked


def _point(one: Metric) -> PointOut:
    return PointOut(step=one.step, at_ms=one.at_ms, value=one.value)


@router.get("/projects/{project}/runs/{run}/history", access=Right("lab.view"), response_class=StreamingResponse)
def export_history(
    project: str, run: str, caller: CallerDep, factory: FactoryDep, key: Annotated[list[str], Query(max_length=KEYS_MAX, default_factory=list)]
) -> StreamingResponse:  # fmt: skip
    """Every point of the metrics named, or of all, as CSV: key, at_ms, step, value. As long as it is, and exact: values read back to the bit."""
    home = factory.access.project(project).id
    known = [one.key for one in factory.lab.series(home, run, by=caller)]
    if absent := sorted(set(key) - set(known)):
        raise InvalidInput(f"the run has no metric {absent[0][:100]!r}", fix="fabriek runs show")
    return StreamingResponse(_lines(factory, home, run, key or known, caller), media_type="text/csv; charset=utf-8")


def _lines(factory: Services, home: str, run: str, keys: Sequence[str], caller: Caller) -> Iterator[str]:
    yield "key,at_ms,step,value\n"
    for key in keys:
        after: Place | None = None
        while rows := factory.lab.history(home, run, key, limit=HISTORY_MAX, after=after, by=caller):
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows(
                (key, one.at_ms, one.step, repr(one.value)) for _, one in rows
            )
            yield out.getvalue()
            if len(rows) < HISTORY_MAX:
                break
            after = rows[-1][0]


@router.get("/projects/{project}/models", access=Right("lab.view"))
def list_models(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[ModelVersionOut]:
    """Every model version of the project."""
    found = factory.registry.versions(factory.access.project(project).id, by=caller)
    return PageOut[ModelVersionOut](
        items=[
            ModelVersionOut(
                name=one.name,
                version=one.number,
                run=one.run,
                label=one.label,
                sha256=one.sha256,
                created_at=one.created_at,
            )
            for one in found
        ]
    )

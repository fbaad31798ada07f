"""Runs and models over HTTP, in our own words, for the portal and the SDK; scripts speak the MLflow dialect."""

from fabriek.lab.metrics import Metric
from fabriek.lab.service import Logged
from fabriek.schemas.base import PageOut
from fabriek.schemas.lab import ModelVersionOut, PointOut, RunIn, RunOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router

router = Router(prefix="/api/v1", tags=["lab"])

HISTORY_MAX = 25_000


def run_out(logged: Logged) -> RunOut:
    run = logged.run
    return RunOut(
        id=run.id, name=run.name, experiment=run.experiment, status=str(run.status), label=run.label, job=run.job, started_at=run.started_at,
        ended_at=run.ended_at, metrics={one.key: _finite(one) for one in logged.metrics}, params=dict(logged.params), tags=dict(logged.tags),
    )  # fmt: skip


def _finite(metric: Metric) -> float | None:
    """JSON has no NaN and no infinity."""
    return metric.value if abs(metric.value) < float("inf") else None


@router.get("/projects/{project}/runs", access=Right("lab.view"))
def list_runs(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[RunOut]:
    """The project's runs, newest first."""
    found = factory.lab.search(factory.access.project(project).id, [], filter_text="", order_by=[], by=caller)
    return PageOut[RunOut](items=[run_out(one) for one in found[:1000]])


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
    return run_out(factory.lab.run(factory.access.project(project).id, run, by=caller))


@router.get("/projects/{project}/runs/{run}/metrics/{key:path}", access=Right("lab.view"))
def show_metric(project: str, run: str, key: str, caller: CallerDep, factory: FactoryDep) -> PageOut[PointOut]:
    """Every point of one metric, in the order in which they came."""
    rows = factory.lab.history(factory.access.project(project).id, run, key, limit=HISTORY_MAX, by=caller)
    return PageOut[PointOut](items=[PointOut(step=one.step, at_ms=one.at_ms, value=_finite(one)) for _, one in rows])


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

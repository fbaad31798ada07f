"""Forecasts of starts over HTTP."""

from fabriek.compute.forecasting import sentences
from fabriek.compute.forecasting.forecasts import Forecast
from fabriek.compute.forecasting.scores import MEANT
from fabriek.compute.gpus import gpus_of
from fabriek.compute.requests import JobAsked
from fabriek.schemas.forecasts import ForecastIn, ForecastOut, ForecastScoreOut, SoonerOut, StartOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["compute"])

COMMAND = ("true",)
"""In place of the one that would be run: it changes nothing about when."""


def start_out(one: Forecast, services: Services, language: str = "en") -> StartOut:
    """A forecast as the wire shows it."""
    says = services.forecasting.says(one, language)
    return StartOut(
        basis=one.basis, earliest=one.earliest, median=one.median, latest=one.latest, made_at=one.made_at, says=says
    )


@router.post("/projects/{project}/forecast", access=Right("job.submit"), once=False)
def forecast(project: str, wanted: ForecastIn, caller: CallerDep, factory: FactoryDep) -> ForecastOut:
    """When a job would probably start that was submitted now, and what would start sooner. Times alone; what would stop it is the answer's error."""
    asked = JobAsked(
        COMMAND, gpus=gpus_of(wanted.gpus), **wanted.model_dump(include={"cpus", "nodes", "memory_bytes", "wall_seconds_max", "priority", "purpose"})
    )  # fmt: skip
    found, language = factory.forecasting.ask(project, asked, by=caller), wanted.language
    return ForecastOut(
        asks=sentences.asked(found.shape, language=language), start=start_out(found.forecast, factory, language),
        sooner=[
            SoonerOut(
                gpus=str(one.shape.gpus), cpus=one.shape.cpus, nodes=one.shape.nodes, wall_seconds_max=one.shape.wall_seconds_max,
                asks=sentences.asked(one.shape, found.shape, language), start=start_out(one.forecast, factory, language),
            )
            for one in found.sooner
        ],
    )  # fmt: skip


@router.get("/forecasts/score", access=SIGNED_IN)
def score(caller: CallerDep, factory: FactoryDep) -> ForecastScoreOut:  # noqa: ARG001  # whoever is signed in
    """How often the intervals of this installation held so far: counts, and nobody's jobs."""
    found = factory.forecasting.score()
    return ForecastScoreOut(
        forecasts=found.forecasts, held=found.held, early=found.early, late=found.late, held_part=found.part, meant_part=round(MEANT, 6),
        hours_wide=round(found.hours_wide, 3), since=found.since,
    )  # fmt: skip

"""When a job would start, before it is submitted: a small form with its answer on one page, in both languages and without any script."""

from dataclasses import dataclass, fields
from typing import Any

from fastapi import Request
from starlette.responses import Response

from fabriek.compute.forecasting import sentences
from fabriek.compute.forecasting.service import Answer
from fabriek.compute.gpus import gpus_of
from fabriek.compute.requests import JobAsked
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, InvalidInput
from fabriek.kernel.units import parse_bytes, parse_seconds
from fabriek.portal.form_words import language_of
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.problems import problem_of, request_id
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

COMMAND = ("true",)

WORDS = {
    "en": {
        "title": "When would it start?", "other": "nl", "language": "In het Nederlands", "jobs": "Jobs", "gpus": "GPUs", "cpus": "CPUs",
        "nodes": "Nodes", "memory": "Memory", "time": "Longest time", "ask": "When would it start?", "sooner": "Sooner",
        "submit": "Submit such a job",
        "note": "Four times out of five a job that has to wait starts within the interval, once enough forecasts have been checked here.",
        "score": "So far {held} of {forecasts} starts lay in their interval: {part}.", "none": "No forecast has been checked here yet.",
    },
    "nl": {
        "title": "Wanneer zou het beginnen?", "other": "en", "language": "In English", "jobs": "Taken", "gpus": "GPU's", "cpus": "CPU's",
        "nodes": "Nodes", "memory": "Geheugen", "time": "Langste tijd", "ask": "Wanneer zou het beginnen?", "sooner": "Eerder",
        "submit": "Dien zo'n taak in",
        "note": "Vier van de vijf keer begint een taak die moet wachten binnen het interval, zodra hier genoeg voorspellingen zijn getoetst.",
        "score": "Tot nu toe vielen {held} van {forecasts} starts in hun interval: {part}.", "none": "Hier is nog geen voorspelling getoetst.",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What stands in the form, as it was written."""

    gpus: str = "0"
    cpus: str = "1"
    nodes: str = "1"
    memory: str = "2GiB"
    time: str = "1h"

    def asked(self) -> JobAsked:
        """Raises InvalidInput, naming the field."""
        return JobAsked(
            COMMAND, gpus=gpus_of(self.gpus), cpus=_count(self.cpus, "CPUs"), nodes=_count(self.nodes, "nodes"),
            memory_bytes=parse_bytes(self.memory), wall_seconds_max=parse_seconds(self.time),
        )  # fmt: skip


NAMES = frozenset(one.name for one in fields(Wanted))


def _count(text: str, what: str) -> int:
    if not text.strip().isascii() or not text.strip().isdigit():
        raise InvalidInput(f"{text[:20]!r} is no number of {what}", fix="write a whole number")
    return int(text)


def _shown(services: Services, found: Answer, language: str) -> dict[str, Any]:
    says = services.forecasting.says
    return {
        "asks": sentences.asked(found.shape, language=language), "says": says(found.forecast, language),
        "sooner": [
            (sentences.asked(one.shape, found.shape, language), says(one.forecast, language)) for one in found.sooner
        ],
    }  # fmt: skip


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/projects/{project}/forecast", access=Right("job.submit"))
    def show(request: Request, project: str, caller: CallerDep) -> Response:
        """The form and, once something is asked, its answer; what is refused comes back with the reason above it."""
        said, language = dict(request.query_params), language_of(request)
        wanted, answer, problem = Wanted(**{name: said[name] for name in NAMES & set(said)}), None, None
        try:
            if NAMES & set(said):
                answer = _shown(services, _asked(services, project, wanted, caller), language)
        except FabriekError as error:
            problem = {"rule": "", **problem_of(error, request_id(request))}
        score = services.forecasting.score()
        return pages.render(
            request, "forecast.html", status=problem["status"] if problem else 200, project=services.access.project(project), wanted=wanted,
            answer=answer, problem=problem, w=WORDS[language], lang=language, score=score, part=f"{score.part:.0%}",
        )  # fmt: skip

    return made


def _asked(services: Services, project: str, wanted: Wanted, caller: Caller) -> Answer:
    return services.forecasting.ask(project, wanted.asked(), by=caller)

"""A run's page: its curves as they grow, what it was given, what came of it, and what people say of it."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotFound, NotPermitted
from fabriek.lab.comparing import ITS_OWN, drawn_first
from fabriek.lab.finding import one_of
from fabriek.lab.metrics import Metric
from fabriek.lab.notes import OWN_NOTE_TAG
from fabriek.lab.service import Logged
from fabriek.portal.curves import Curve, curve
from fabriek.portal.forms import read_form
from fabriek.portal.named import names_of
from fabriek.portal.pages.models import page_of
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

CURVES_MAX = 24
CURVE_POINTS = 600
LOG_SHOWN_BYTES = 256 * 1024
SYSTEM = "system/"
TAG_CHARACTERS_SHOWN = 300


def _curves(services: Services, logged: Logged, by: Caller, *, looks: bool) -> tuple[list[Curve], list[Curve]]:
    """What the script logged, and what the machine did for it."""
    keys = sorted((metric.key for metric in logged.metrics), key=drawn_first)
    ours = [key for key in keys if not key.startswith(SYSTEM)][:CURVES_MAX]
    shown = [*ours, *[key for key in keys if key.startswith(SYSTEM)][:CURVES_MAX]]
    if not shown:
        return [], []
    run = logged.run
    # Of who decides about a release every look is recorded: the fewer, the better they can be read.
    counts = {} if looks else {one.key: one.count for one in services.lab.series(run.project, run.id, by=by)}
    found = services.lab.curves(run.project, run.id, shown, points=CURVE_POINTS, by=by)
    drawn = {key: curve(key.removeprefix(SYSTEM), _by_step(points), counts.get(key)) for key, points in found.items()}
    return [drawn[key] for key in ours], [drawn[key] for key in shown[len(ours) :]]


def _by_step(points: Sequence[Metric]) -> list[tuple[float, float]]:
    return sorted(((float(one.step), one.value) for one in points), key=lambda point: point[0])


def _shown(services: Services, project: str, run: str, by: Caller) -> tuple[Logged, dict[str, Any]]:
    home = services.access.project(project)
    logged = services.lab.run(home.id, run, by=by)
    looks = not logged.withheld and one_of(services.lab, home.id, run, by=by).withheld
    curves, machine = _curves(services, logged, by, looks=looks)
    live = logged.run.ended_at is None and not looks
    left_out = max(len(logged.metrics) - len(curves) - len(machine), 0)
    return logged, {
        "project": home, "run": logged.run, "curves": curves, "machine": machine, "withheld": logged.withheld, "live": live, "left_out": left_out,
    }  # fmt: skip


def _hangs_on(services: Services, home: str, logged: Logged, by: Caller) -> dict[str, Any]:
    """Its job, data, code, models and groups."""
    found = services.linking.of_run(home, logged.run.id, by=by)
    return {
        "origin": found.origin, "models": found.models, "model_page": page_of, "said": logged.links.data,
        "groups": services.grouping.of_run(home, logged.run.id, by=by),
    }  # fmt: skip


def _log(services: Services, project: str, job: str, by: Caller) -> dict[str, Any]:
    """What its job wrote so far, and where to go on from; None where there is no job, or it is not the caller's to read."""
    try:
        readable = services.compute.readable_log(project, job, by=by) if job else None
    except (NotPermitted, NotFound):
        readable = None
    raw = services.logs.part(readable, 0, LOG_SHOWN_BYTES) if readable else b""
    return {"log": raw.decode("utf-8", "replace") if readable else None, "log_offset": len(raw)}


def _notes(services: Services, home: str, run: str, by: Caller) -> list[dict[str, Any]]:
    notes = services.notes.of_run(home, run, by=by)
    names = names_of(services, {one.person for one in notes})
    return [{"note": one, "name": names.get(one.person, one.person), "mine": one.person == by.person} for one in notes]


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/projects/{project}/runs/{run}", access=Right("lab.view"))
    def show(request: Request, project: str, run: str, caller: CallerDep) -> Response:
        """Curves, parameters, notes, files, and what the run hangs on."""
        logged, shown = _shown(services, project, run, caller)
        home = logged.run.project
        files = services.keeping.files(home, f"{logged.run.experiment}/{logged.run.id}")
        tags = sorted(
            (name, value[:TAG_CHARACTERS_SHOWN]) for name, value in logged.tags.items() if name not in ITS_OWN
        )
        return pages.render(
            request, "run.html", job=logged.run.job, params=sorted(logged.params.items()), tags=tags,
            artifacts=[(one.path, one.size) for one in files], own_note=logged.tags.get(OWN_NOTE_TAG, ""),
            notes=_notes(services, home, logged.run.id, caller), writes=caller.may("lab.write", project=home),
            person=names_of(services, [logged.run.person]).get(logged.run.person, logged.run.person),
            experiment=services.lab.experiment(home, logged.run.experiment, by=caller),
            **_log(services, project, logged.run.job, caller), **_hangs_on(services, home, logged, caller), **shown,
        )  # fmt: skip

    @made.get("/projects/{project}/runs/{run}/curves", access=Right("lab.view"))
    def curves(request: Request, project: str, run: str, caller: CallerDep) -> Response:
        """The part of the page that changes."""
        return pages.render(request, "run_live.html", **_shown(services, project, run, caller)[1])

    @made.post("/projects/{project}/runs/{run}/notes", access=Right("lab.write"), once=False)
    async def write(request: Request, project: str, run: str, caller: CallerDep) -> Response:
        """A new note, and the page again."""
        text = (await read_form(request)).get("text", "")
        home = (await run_in_threadpool(services.access.project, project)).id
        await run_in_threadpool(services.notes.write, home, run, text, by=caller)
        return _again(project, run)

    @made.post("/projects/{project}/runs/{run}/notes/{note}", access=Right("lab.write"), once=False)
    async def change(request: Request, project: str, run: str, note: str, caller: CallerDep) -> Response:
        """One's own note in other words, or no more."""
        fields = await read_form(request)
        home = (await run_in_threadpool(services.access.project, project)).id
        if fields.get("do") == "remove":
            await run_in_threadpool(services.notes.remove, home, run, note, by=caller)
        else:
            await run_in_threadpool(services.notes.change, home, run, note, fields.get("text", ""), by=caller)
        return _again(project, run)

    return made


def _again(project: str, run: str) -> Response:
    return RedirectResponse(f"/projects/{project}/runs/{run}#notes", status_code=303)

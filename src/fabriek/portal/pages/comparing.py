"""Runs beside each other, and groups of them. The address carries the choice, so that it can be sent to somebody."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.lab.comparing import About, Align, Comparison, Fact, drawn_first, written
from fabriek.lab.groups import Goal, best_of, goal_of, last_values
from fabriek.portal.curves import Drawn, overlay, swatch
from fabriek.portal.forms import read_form
from fabriek.portal.parallel import Across, parallel
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

UNITS = {Align.STEP: "step", Align.TIME: "seconds since the start"}
KINDS = {About.PARAM: "Parameters", About.METRIC: "Last values", About.RUN: "Runs", About.TAG: "Tags"}
ALL, DIFFERING = "all", "differing"
ROWS_MAX = 1_000


def _curves(found: Comparison) -> list[dict[str, Any]]:
    """Each metric's drawing, and its rows in words."""
    numbers = {one.run.id: number for number, one in enumerate(found.runs)}
    names = {one.run.id: one.run.name for one in found.runs}
    shown = []
    for one in found.overlays:
        lines = [Drawn(names[line.run], numbers[line.run], line.points, line.count) for line in one.lines]
        shown.append({"key": one.key, "svg": overlay(one.key, lines, UNITS[found.align]), "lines": lines})
    return shown


def _tables(facts: Sequence[Fact], show: str) -> list[tuple[str, list[Fact]]]:
    wanted = [one for one in facts if one.differs or show == ALL][:ROWS_MAX]
    tables = [(title, [one for one in wanted if one.about is about]) for about, title in KINDS.items()]
    return [(title, rows) for title, rows in tables if rows]


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/projects/{project}/compare", access=Right("lab.view"))
    def compare(
        request: Request, project: str, caller: CallerDep, run: Sequence[str] = Query(()), align: str = Align.STEP, show: str = DIFFERING
    ) -> Response:  # fmt: skip
        """What differs, and the curves over each other."""
        home = services.access.project(project)
        found = services.comparing.compare(home.id, run, align=align, by=caller)
        chosen = [one.run.id for one in found.runs]

        def address(**said: str) -> str:
            words = {"align": found.align, "show": show} | said
            return "?" + urlencode([*(("run", one) for one in chosen), *words.items()])

        return pages.render(
            request, "runs_compare.html", project=home, runs=found.runs, align=found.align, show=show, address=address,
            tables=_tables(found.facts, show), curves=_curves(found), left_out=found.left_out, swatch=swatch, chosen=chosen,
            same=sum(not one.differs for one in found.facts), writes=caller.may("lab.write", project=home.id),
        )  # fmt: skip

    @made.get("/projects/{project}/groups/{group}", access=Right("lab.view"))
    def show_group(
        request: Request, project: str, group: str, caller: CallerDep, metric: str = "", goal: str = Goal.MIN
    ) -> Response:
        """Its runs by what tells them apart and one metric, with the best of them."""
        home = services.access.project(project)
        found, asked = services.grouping.group(home.id, group, by=caller), goal_of(goal)
        metrics = sorted(found.metrics, key=drawn_first)
        key = metric or next(iter(metrics), "")
        best = best_of(found.runs, key, asked)
        rated = sorted(found.runs, key=lambda one: _order(last_values(one).get(key), asked))
        across = [
            Across(one.params, last_values(one).get(key, float("nan")), best is not None and one.run.id == best.run.id)
            for one in found.runs
        ]
        return pages.render(
            request, "run_group.html", project=home, group=found.group, runs=rated, params=found.params, metrics=metrics, metric=key,
            goal=asked, best=best.run.id if best else "", svg=parallel(found.params, key, across), written=written,
            values={one.run.id: last_values(one) for one in rated}, writes=caller.may("lab.write", project=home.id),
        )  # fmt: skip

    @made.post("/projects/{project}/groups", access=Right("lab.write"), once=False)
    async def make_group(request: Request, project: str, caller: CallerDep) -> Response:
        """Puts the runs of a comparison together under a name, and shows the group."""
        fields = await read_form(request)
        home = await run_in_threadpool(services.access.project, project)
        runs, name = fields.get("runs", "").split(","), fields.get("name", "")
        group = await run_in_threadpool(services.grouping.make, home.id, name, runs, by=caller)
        return RedirectResponse(f"/projects/{project}/groups/{group.id}", status_code=303)

    @made.post("/projects/{project}/groups/{group}/remove", access=Right("lab.write"), once=False)
    async def remove_group(request: Request, project: str, group: str, caller: CallerDep) -> Response:
        """Removes the group, and none of its runs."""
        await read_form(request)
        home = await run_in_threadpool(services.access.project, project)
        await run_in_threadpool(services.grouping.remove, home.id, group, by=caller)
        return RedirectResponse(f"/projects/{project}/runs", status_code=303)

    return made


def _order(value: float | None, goal: Goal) -> tuple[bool, float]:
    """The best first, then what is no number, then those without a value."""
    if value is None or value != value:  # noqa: PLR0124  # NaN
        return (True, 1.0 if value is None else 0.0)
    return (False, value if goal is Goal.MIN else -value)

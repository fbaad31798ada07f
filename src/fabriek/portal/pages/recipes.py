"""Recipes: what there is, and one with its card, its form and how to run it from elsewhere."""

import shlex
from typing import Any

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, InvalidInput
from fabriek.kernel.units import written_bytes, written_seconds
from fabriek.portal.forms import read_form
from fabriek.portal.recipe_words import WORDS
from fabriek.portal.rendering import Pages
from fabriek.schemas.recipes import RecipeCardOut, RecipeCostOut
from fabriek.web.dependencies import CallerDep
from fabriek.web.problems import problem_of, request_id
from fabriek.web.recipes import card_out, recipe_out, recipe_plan_out
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

FIELD = "set_"
"""What the names of parameters begin with in the form: a parameter may be called as one of its own fields."""


def _words(lang: str) -> dict[str, str]:
    """Raises InvalidInput."""
    if lang not in WORDS:
        raise InvalidInput(f"{lang[:20]!r} is no language of the recipes", fix=" or ".join(WORDS))
    return WORDS[lang]


def _cost(cost: RecipeCostOut, words: dict[str, str]) -> dict[str, str]:
    likely = words["jobs" if cost.jobs > 1 else "likely"]
    gpus = f"{cost.gpus:g} GPU · " if cost.gpus else ""
    return {
        "likely": likely.format(jobs=cost.jobs, likely=cost.likely, minutes=f"{cost.minutes:g}"),
        "most": words["most"].format(most=cost.most, time=written_seconds(cost.wall_seconds_max)),
        "takes": f"{gpus}{cost.cpus} CPU · {written_bytes(cost.memory_bytes)}",
    }


def _snippets(found: RecipeCardOut, said: dict[str, str], project: str) -> dict[str, str]:
    """The same run from a terminal and from Python, with what differs from the defaults."""
    usual = {one.name: one.default for one in found.parameters}
    other = {name: value for name, value in said.items() if value != usual[name]}
    other |= {one.name: "…" for one in found.parameters if one.required and one.name not in other}
    home = f" --project {project}" if project else ""
    sets = "".join(f" --set {shlex.quote(f'{name}={value}')}" for name, value in other.items())
    named = f", {other!r}" if other else ""
    return {
        "terminal": f"fabriek recipe run {found.name}{home}{sets} --wait",
        "python": f'job = factory.recipes.run("{found.name}"{named})\nfactory.recipes.wait("{found.name}", job.id).says',
    }


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    def page(
        request: Request, name: str, lang: str, caller: Caller, said: dict[str, str] | None = None, *, project: str = "", plan: Any = None,
        problem: Any = None, status: int = 200,
    ) -> Response:  # fmt: skip
        words, found = _words(lang), card_out(services.recipes.show(name, by=caller), lang)
        projects = [one for one in services.access.projects_of(caller) if caller.may("job.submit", project=one.id)]
        chosen = project or (projects[0].slug if projects else "")
        values = {one.name: (said or {}).get(one.name, one.default) for one in found.parameters}
        return pages.render(
            request, "recipe.html", recipe=found, w=words, lang=lang, cost=_cost(plan.cost if plan else found.cost, words), projects=projects,
            chosen=chosen, values=values, field=FIELD, plan=plan.plan if plan else None, problem=problem, status=status,
            snippets=_snippets(found, values, chosen),
        )  # fmt: skip

    @made.get("/recipes", access=Right("knowledge.view"))
    def listed(request: Request, caller: CallerDep, lang: str = Query("en", max_length=5)) -> Response:
        """Each with what it does, what it costs, what it is expected to reach and what it needs."""
        words = _words(lang)
        rows = [recipe_out(one, lang) for one in services.recipes.list(by=caller)]
        costs = {one.name: _cost(one.cost, words) for one in rows}
        return pages.render(request, "recipes.html", recipes=rows, costs=costs, w=words, lang=lang)

    @made.get("/recipes/{name}", access=Right("knowledge.view"))
    def one(request: Request, name: str, caller: CallerDep, lang: str = Query("en", max_length=5)) -> Response:
        """Its card, its form, and the same run from a terminal and from Python."""
        return page(request, name, lang, caller)

    @made.post("/recipes/{name}", access=Right("knowledge.view"), once=False)
    async def run(request: Request, name: str, caller: CallerDep, lang: str = Query("en", max_length=5)) -> Response:
        """Says what would become of it, or runs it in the chosen project; what is refused comes back with the reason above it."""
        fields = await read_form(request)
        said = {key.removeprefix(FIELD): value for key, value in fields.items() if key.startswith(FIELD)}
        project = fields.get("project", "")

        def act() -> Response:
            if fields.get("do") == "plan":
                planned = recipe_plan_out(services.recipes.plan(project, name, said, by=caller), services)
                return page(request, name, lang, caller, said, project=project, plan=planned)
            services.recipes.bring(project, name, by=caller)
            job = services.recipes.run(project, name, said, by=caller)[0]
            place = f"arrays/{job.array}" if job.array else f"jobs/{job.id}"
            return RedirectResponse(f"/projects/{services.access.project(project).slug}/{place}", status_code=303)

        try:
            return await run_in_threadpool(act)
        except FabriekError as error:
            problem = problem_of(error, request_id(request))
            return await run_in_threadpool(
                page, request, name, lang, caller, said, project=project, problem=problem, status=error.meaning.http
            )

    return made

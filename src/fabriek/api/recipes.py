"""Recipes over HTTP: what there is, what one would cost, a run of it, and how that went."""

from fastapi import Query

from fabriek.api.compute import job_out
from fabriek.schemas.base import PageOut
from fabriek.schemas.compute import JobOut
from fabriek.schemas.recipes import (
    RecipeCardOut,
    RecipeCodeOut,
    RecipeOut,
    RecipeOutcomeOut,
    RecipePlanOut,
    RecipeRunIn,
)
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.recipes import card_out, outcome_out, recipe_out, recipe_plan_out
from fabriek.web.router import Right, Router

router = Router(prefix="/api/v1", tags=["knowledge"])


@router.get("/recipes", access=Right("knowledge.view"))
def list_recipes(caller: CallerDep, factory: FactoryDep, lang: str = Query("en", max_length=5)) -> PageOut[RecipeOut]:
    """Every recipe, with what it costs by its defaults, what it is expected to reach and which packages it needs."""
    return PageOut[RecipeOut](items=[recipe_out(one, lang) for one in factory.recipes.list(by=caller)])


@router.get("/recipes/{name}", access=Right("knowledge.view"))
def show_recipe(
    name: str, caller: CallerDep, factory: FactoryDep, lang: str = Query("en", max_length=5)
) -> RecipeCardOut:
    """One recipe, with its card and its files."""
    return card_out(factory.recipes.show(name, by=caller), lang)


@router.post("/projects/{project}/recipes/{name}/plans", access=Right("job.submit"), once=False)
def plan_recipe(project: str, name: str, wanted: RecipeRunIn, caller: CallerDep, factory: FactoryDep) -> RecipePlanOut:
    """What would become of it, by the code that submits and admits, and nothing of it stays. What would stop it is the answer's error."""
    return recipe_plan_out(factory.recipes.plan(project, name, wanted.parameters, by=caller), factory)


@router.post("/projects/{project}/recipes/{name}/code", access=Right("job.submit"), once=False)
def bring_code(project: str, name: str, caller: CallerDep, factory: FactoryDep) -> RecipeCodeOut:
    """Seal its files into the project, for its jobs. The same files once more are the same version."""
    return RecipeCodeOut(version=factory.recipes.bring(project, name, by=caller))


@router.post("/projects/{project}/recipes/{name}/jobs", access=Right("job.submit"), status_code=201)
def run_recipe(project: str, name: str, wanted: RecipeRunIn, caller: CallerDep, factory: FactoryDep) -> JobOut:
    """Submit it, once its files are there. Of an array the answer is the first element."""
    new = factory.recipes.run(project, name, wanted.parameters, by=caller)
    return job_out(new[0], factory, len(new))


@router.get("/projects/{project}/recipes/{name}/outcomes/{job}", access=Right("job.view"))
def show_outcome(project: str, name: str, job: str, caller: CallerDep, factory: FactoryDep) -> RecipeOutcomeOut:
    """Whether a run of it reached what was expected. `job`: any job of it, by id or number, or the id of its array."""
    return outcome_out(name, factory.recipes.outcome(project, name, job, by=caller))

"""Recipes as both edges show them, in one language."""

from fabriek.compute.gpus import MILLI
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.languages import LANGUAGES
from fabriek.knowledge.recipes.outcomes import Outcome
from fabriek.knowledge.recipes.recipes import Recipe
from fabriek.knowledge.recipes.service import Cost, Offered, Planned
from fabriek.schemas.recipes import (
    RecipeCardOut,
    RecipeCostOut,
    RecipeOut,
    RecipeOutcomeOut,
    RecipeParameterOut,
    RecipePlanOut,
)
from fabriek.web.plans import plan_out
from fabriek.web.services import Services


def recipe_out(offered: Offered, lang: str) -> RecipeOut:
    """Raises InvalidInput on a language that is none."""
    recipe = offered.recipe
    if lang not in LANGUAGES:
        raise InvalidInput(f"{lang[:20]!r} is no language of the recipes", fix=" or ".join(LANGUAGES))
    face = recipe.faces[lang]
    return RecipeOut(
        name=recipe.name, title=face.title, summary=face.summary, language=lang, keywords=list(face.keywords), expects=recipe.expected.words,
        metric=recipe.expected.metric, cost=_cost_out(offered.cost, recipe), packages=list(recipe.packages), lacking=list(offered.lacking),
        lacking_fix=_fix(offered), session=recipe.session,
        parameters=[
            RecipeParameterOut(
                name=one.name, kind=str(one.kind), default=one.default, says=one.says[lang], bounds=one.bounds, choices=list(one.choices),
                each=one.each, required=one.required,
            )
            for one in recipe.parameters
        ],
    )  # fmt: skip


def card_out(offered: Offered, lang: str) -> RecipeCardOut:
    """With its card and its files."""
    files = {path: content.decode() for path, content in offered.recipe.files.items()}
    return RecipeCardOut(**dict(recipe_out(offered, lang)), card=offered.recipe.faces[lang].text, files=files)


def recipe_plan_out(planned: Planned, services: Services) -> RecipePlanOut:
    offered = planned.offered
    return RecipePlanOut(
        expects=offered.recipe.expected.words, cost=_cost_out(offered.cost, offered.recipe), lacking=list(offered.lacking), lacking_fix=_fix(offered),
        plan=plan_out(planned.plan, services),
    )  # fmt: skip


def outcome_out(recipe: str, found: Outcome) -> RecipeOutcomeOut:
    return RecipeOutcomeOut(
        recipe=recipe, expects=found.expected.words, metric=found.expected.metric, value=found.value, reached=found.reached, ended=found.ended,
        failed=found.failed, jobs=found.jobs, best=found.best.short if found.best else "",
        parameters=dict(found.best.terms.parameters) if found.best else {}, withheld=found.withheld, says=found.sentence,
    )  # fmt: skip


def _fix(offered: Offered) -> str:
    """For an operator: pip writes into the interpreter that jobs without requirements use."""
    return "pip install " + " ".join(f"'{one}'" for one in offered.lacking) if offered.lacking else ""


def _cost_out(cost: Cost, recipe: Recipe) -> RecipeCostOut:
    takes = recipe.takes
    milli = takes.gpus.milli
    return RecipeCostOut(
        likely=cost.resource.counted(cost.likely_micro), most=cost.resource.counted(cost.most_micro), jobs=cost.jobs, cpus=cost.cpus,
        gpus=milli / MILLI if milli % MILLI else milli // MILLI, memory_bytes=takes.memory_bytes, minutes=takes.minutes,
        wall_seconds_max=takes.seconds_max,
    )  # fmt: skip

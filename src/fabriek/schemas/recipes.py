"""Recipes on the wire."""

from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire, written
from fabriek.schemas.compute import PlanOut


class RecipeParameterOut(Wire):
    """`default` as one would type it. `each`: values between commas, and a job for each. `bounds`: what it may be, in short."""

    name: str
    kind: str
    default: str
    says: str
    bounds: str
    choices: list[str]
    each: bool
    required: bool


class RecipeCostOut(Wire):
    """By the rates that are in force: `likely` for its usual minutes, `most` for as long as it may run, of all `jobs` together."""

    likely: str
    most: str
    jobs: int
    cpus: int
    gpus: int | float
    memory_bytes: int
    minutes: float
    wall_seconds_max: int


class RecipeOut(Wire):
    """`expects` in words, such as `test_accuracy ≥ 0.95`. `lacking`: packages that jobs here do not find, and that are installed for each of
    its jobs; `lacking_fix`: the command by which an operator has them there for all. `session`: the kind of session that it starts, if any.
    """

    name: str
    title: str
    summary: str
    language: str
    keywords: list[str]
    expects: str
    metric: str
    cost: RecipeCostOut
    packages: list[str]
    lacking: list[str]
    lacking_fix: str = ""
    parameters: list[RecipeParameterOut]
    session: str = ""


class RecipeCardOut(RecipeOut):
    """With its card, as Markdown, and its files, path → text."""

    card: str
    files: dict[str, str]


class RecipeRunIn(Wire):
    """`parameters`: name → value, as one would type it; what is not named keeps its default."""

    parameters: Annotated[
        dict[Annotated[str, written(r"^[a-z][a-z0-9_]{0,31}$", "the name of a parameter")], Annotated[str, Field(max_length=4_000)]],
        Field(max_length=50),
    ] = Field(default_factory=dict)  # fmt: skip


class RecipePlanOut(Wire):
    """What would become of it now, and what it would cost with these parameters."""

    expects: str
    cost: RecipeCostOut
    lacking: list[str]
    lacking_fix: str
    plan: PlanOut


class RecipeCodeOut(Wire):
    """The version in the vault that holds its files in this project; the same each time it is asked for."""

    version: str


class RecipeOutcomeOut(Wire):
    """How a run of it went. `value`: the best that its jobs logged, `best` the job that logged it, with the `parameters` of its sweep.
    `ended`: no more will come. `says`: the same in one sentence.
    """

    recipe: str
    expects: str
    metric: str
    value: float | None
    reached: bool
    ended: bool
    failed: int
    jobs: int
    best: str
    parameters: dict[str, str]
    withheld: bool
    says: str

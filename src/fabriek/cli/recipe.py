"""`fabriek recipe`: jobs that are ready to run, with what they are expected to reach and what they cost."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, project_option, say, table, warn
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import written_bytes, written_seconds
from fabriek.schemas.codes import EXIT_JOB_FAILED

if TYPE_CHECKING:
    from fabriek.schemas.compute import JobOut
    from fabriek.schemas.recipes import RecipeCostOut, RecipeOut, RecipePlanOut
    from fabriek.sdk import Fabriek


@click.group(cls=Group)
def recipe() -> None:
    """Jobs that are ready to run, each with a card, a metric that it is expected to reach, and a cost."""


@recipe.command("ls")
@click.option("--lang", type=click.Choice(["en", "nl"]), default=None, help="The language of the texts.")
@json_option
def ls(lang: str | None, *, as_json: bool) -> None:
    """What there is, what each costs, and what it is expected to reach."""
    found = connect().recipes.list(lang=lang or "en")
    if as_json:
        print_json(list(found))
        return
    rows = [
        {"name": one.name, "title": one.title, "expected": one.expects, "cost": f"about {one.cost.likely}",
         "minutes": f"{one.cost.minutes:g}", "lacking": ", ".join(one.lacking)}
        for one in found
    ]  # fmt: skip
    table(rows, ["name", "title", "expected", "cost", "minutes", "lacking"], as_json=False)


@recipe.command("show")
@click.argument("name")
@click.option("--lang", type=click.Choice(["en", "nl"]), default=None, help="The language of the texts.")
@json_option
def show(name: str, lang: str | None, *, as_json: bool) -> None:
    """One recipe: its card, its parameters, what it takes and which packages it needs."""
    found = connect().recipes.show(name, lang=lang or "en")
    if as_json:
        print_json(found)
        return
    say(f"{found.title}: {found.summary}\n")
    say(found.card + "\n")
    _tell_cost(found.expects, found.cost)
    say(f"Files: {', '.join(found.files)}; packages: {', '.join(found.packages)}")
    _tell_lacking(found.lacking, found.lacking_fix)
    if found.parameters:
        say("")
        rows = [
            {"parameter": one.name, "default": "must be said" if one.required else one.default, "may be": one.bounds or one.kind,
             "what": one.says}
            for one in found.parameters
        ]  # fmt: skip
        table(rows, ["parameter", "default", "may be", "what"], as_json=False)
    say(f"\nfabriek recipe run {found.name}{_example(found)} --wait")


@recipe.command("run")
@click.argument("name")
@click.option(
    "--set",
    "said",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter; repeatable. Several values of a sweep stand between commas.",
)
@click.option("--plan", "plan_only", is_flag=True, help="Say what would become of it, and submit nothing.")
@click.option(
    "--wait",
    is_flag=True,
    help="Follow it, and tell whether it reached what was expected; leave with 9 where it did not.",
)
@project_option
@json_option
def run(name: str, said: tuple[str, ...], project: str, *, plan_only: bool, wait: bool, as_json: bool) -> int:
    """Run a recipe in a project. It says first what is expected and what it costs.

    \b
    fabriek recipe run tabular --wait
    fabriek recipe run sweep --set learning_rate=0.01,0.1 --set leaves=15
    """  # noqa: D301  # the sign that click keeps lines by
    factory, parameters = connect(project), dict(_parameter(one) for one in said)
    planned = factory.recipes.plan(name, parameters)
    if plan_only and as_json:
        print_json(planned)
        return 0
    if not as_json:
        _tell_plan(planned)
    if plan_only:
        return 0
    job = factory.recipes.run(name, parameters)
    if not wait:
        _submitted(name, job, as_json=as_json)
        return 0
    return _followed(factory, name, job, as_json=as_json)


@recipe.command("outcome")
@click.argument("name")
@click.argument("job")
@project_option
@json_option
def outcome(name: str, job: str, project: str, *, as_json: bool) -> int:
    """Whether a run of a recipe reached what was expected. JOB is any job of it, or the id of its array."""
    found = connect(project).recipes.outcome(name, job)
    if as_json:
        print_json(found)
    else:
        say(found.says)
    return EXIT_JOB_FAILED if found.ended and not found.reached else 0


@recipe.command("copy")
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
def copy(name: str, folder: Path) -> None:
    """Write its files into a new FOLDER, to make your own of it."""
    written = connect().recipes.copy(name, folder)
    say(f"{written} holds the recipe; go on with: cd {written} && fabriek run -- python main.py")


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidInput(f"--set {text!r} has no value", fix=f"--set {text or 'name'}=VALUE")
    return name, value


def _tell_cost(expects: str, cost: "RecipeCostOut") -> None:
    jobs = f"{cost.jobs} jobs, each with " if cost.jobs > 1 else ""
    gpus = f"{cost.gpus:g} GPU, " if cost.gpus else ""
    say(f"Expected: {expects}")
    say(
        f"Cost: {jobs}{gpus}{cost.cpus} CPU and {written_bytes(cost.memory_bytes)} for about {cost.minutes:g} min, {cost.likely}; "
        f"at most {cost.most}, for {written_seconds(cost.wall_seconds_max)}"
    )


def _tell_lacking(lacking: list[str], fix: str) -> None:
    if lacking:
        say(
            f"Jobs here do not find {', '.join(lacking)}: all that it needs is installed when it starts, from what may be installed here."
        )
        say(f"To have it there for all, the operator runs, with the Python of jobs: {fix}")


def _tell_plan(planned: "RecipePlanOut") -> None:
    _tell_cost(planned.expects, planned.cost)
    _tell_lacking(planned.lacking, planned.lacking_fix)
    plan = planned.plan
    say(f"{plan.why} It holds {plan.held} of the share {plan.share}, and leaves {plan.left}.")


def _submitted(name: str, job: "JobOut", *, as_json: bool) -> None:
    if as_json:
        print_json(job)
        return
    which = job.array or job.id
    say(which)
    warn(f"how it went: fabriek recipe outcome {name} {which}")


def _followed(factory: "Fabriek", name: str, job: "JobOut", *, as_json: bool) -> int:
    if job.port or job.array:
        if not as_json:
            say(job.array or job.id)
        found = factory.recipes.wait(name, job.id, served=bool(job.port))
    else:
        from fabriek.cli.following import follow  # noqa: PLC0415  # only a followed job needs it

        follow(factory, job.id, quiet=as_json)
        found = factory.recipes.wait(name, job.id)
    if as_json:
        print_json(found)
    else:
        say(found.says)
        if job.port and found.reached:
            say(f"open it: fabriek session open {job.id}")
    return 0 if found.reached else EXIT_JOB_FAILED


def _example(found: "RecipeOut") -> str:
    return "".join(f" --set {one.name}=…" for one in found.parameters if one.required)

"""Recipes as services see them, on both databases: rights, cost, code that is brought once, and what counts as reached."""

from dataclasses import replace
from pathlib import Path

import pytest

from fabriek.access.login.tokens import Wanted
from fabriek.adapters.database import Database
from fabriek.compute.jobs import Job, State
from fabriek.compute.requests import JobAsked
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.knowledge.recipes.outcomes import Logged, outcome_of
from fabriek.knowledge.recipes.recipes import Expected, Recipe
from fabriek.knowledge.recipes.service import Recipes
from fabriek.knowledge.recipes.shelf import shipped_recipes
from fabriek.lab.metrics import Metric
from tests.factories.services import Town, a_town, with_project
from tests.factories.threads import at_once

EVERYTHING = {"jupyterlab": "4.5", "lightgbm": "4.6", "mlflow-skinny": "3.1", "numpy": "2.1", "pandas": "2.2", "scikit-learn": "1.7",
              "skops": "0.12", "torch": "2.13"}  # fmt: skip


class Kitchen:
    """Somebody with a project, and jobs that find every package."""

    def __init__(self, town: Town) -> None:
        self.town, self.services = town, town.services
        person = town.person("weefsel")
        self.project = town.project(person)
        self.person = town.again(person)
        self.has(EVERYTHING)

    def has(self, installed: dict[str, str]) -> None:
        self.services.recipes._installed = lambda: installed

    @property
    def recipes(self) -> Recipes:
        return self.services.recipes

    def run(self, name: str, by: Caller | None = None, **said: str) -> list[Job]:
        self.recipes.bring(self.project, name, by=by or self.person)
        return list(self.recipes.run(self.project, name, said, by=by or self.person))

    def log(self, job: Job, value: float, metric: str) -> Job:
        """As its script would have, in a run of its own."""
        lab = self.services.lab
        run = lab.open_run(
            job.project, "Default", job=job.id, label=job.label, person=job.person, name=job.name, parameters={}
        )
        by = replace(self.person, job=job.id)
        lab.log(job.project, run, metrics=[Metric(metric, value, 1, 0)], by=by)
        changed = replace(self.services.compute.get(self.project, job.id, by=self.person), run=run)
        with self.services.database.transaction():
            self.services.compute._jobs.save(changed)
        return changed


@pytest.fixture
def kitchen(database: Database, tmp_path: Path) -> Kitchen:
    return Kitchen(a_town(database, tmp_path / "home"))


def test_each_runs_as_a_job_with_its_code_its_parameters_and_what_it_takes(kitchen: Kitchen) -> None:
    (job,) = kitchen.run("images", epochs="3")
    recipe = shipped_recipes()["images"]
    assert job.argv == (
        "python", "main.py", "--epochs=3", "--learning_rate=0.005", "--batch=64", "--seed=7"
    )  # fmt: skip
    assert (job.name, job.experiment, job.requirements) == ("recipe images", "recipe images", "")
    assert (job.memory_bytes, job.wall_seconds_max) == (recipe.takes.memory_bytes, recipe.takes.seconds_max)
    assert kitchen.recipes.made_by(job) == "images"
    (pair,) = kitchen.run("distributed", processes="3")
    assert pair.cpus == 3
    (session,) = kitchen.run("notebook")
    assert session.terms.port == 8888
    assert session.argv[:4] == ("python", "main.py", "jupyter", "lab")


def test_what_jobs_do_not_find_is_told_and_installed(kitchen: Kitchen) -> None:
    kitchen.has({"numpy": "2.1", "mlflow-skinny": "3.1"})
    planned = kitchen.recipes.plan(kitchen.project, "text", {}, by=kitchen.person)
    assert planned.offered.lacking == ("torch>=2.2",)
    (job,) = kitchen.run("text")
    assert job.requirements.split() == ["mlflow-skinny>=3", "numpy>=1.26", "torch>=2.2"]


def test_what_is_not_approved_is_refused_with_the_command_that_asks_for_it(database: Database, tmp_path: Path) -> None:
    kitchen = Kitchen(a_town(database, tmp_path / "home", packages="approved"))
    kitchen.has({})
    with pytest.raises(NotPermitted) as refused:
        kitchen.recipes.plan(kitchen.project, "text", {}, by=kitchen.person)
    assert refused.value.fields["rule"] == "package.approved"
    assert "fabriek package request torch" in refused.value.fix


def test_a_plan_leaves_nothing_and_costs_what_the_run_holds(kitchen: Kitchen) -> None:
    planned = kitchen.recipes.plan(kitchen.project, "sweep", {"leaves": "7"}, by=kitchen.person)
    assert (planned.plan.elements, planned.offered.cost.jobs) == (3, 3)
    assert planned.plan.held_micro == planned.offered.cost.most_micro
    assert planned.offered.cost.likely_micro < planned.offered.cost.most_micro
    assert list(kitchen.services.compute.list(kitchen.project, limit=10, cursor="", by=kitchen.person).items) == []
    jobs = kitchen.run("sweep", leaves="7")
    assert sum(one.held_micro for one in jobs) == planned.offered.cost.most_micro
    assert [one.argv[-2:] for one in jobs] == [
        (f"--learning_rate={rate}", "--leaves=7") for rate in ("0.003", "0.03", "0.3")
    ]


def test_code_is_brought_once_however_often_it_is_asked_and_by_whom_at_once(kitchen: Kitchen) -> None:
    with pytest.raises(WrongState, match="not in this project yet"):
        kitchen.recipes.run(kitchen.project, "text", {}, by=kitchen.person)
    first = kitchen.recipes.bring(kitchen.project, "text", by=kitchen.person)
    again = at_once(lambda _: kitchen.recipes.bring(kitchen.project, "text", by=kitchen.person), times=4)
    assert set(again) == {first}
    assert kitchen.recipes.bring(kitchen.project, "images", by=kitchen.person) != first
    dataset, version = kitchen.services.vault.resolve(first, project=kitchen.project, by=kitchen.person)
    assert (version.facts.files, dataset.label) == (1, "open")


def test_who_may_only_submit_jobs_brings_code_too(kitchen: Kitchen) -> None:
    wanted = Wanted("programs", scopes=("jobs",), project=kitchen.project)
    _, secret = kitchen.services.tokens.create(wanted, by=kitchen.person)
    narrowed = kitchen.services.identity.caller_of(secret)
    assert not narrowed.may("data.manage", project=kitchen.services.access.project(kitchen.project).id)
    (job,) = kitchen.run("tabular", by=narrowed)
    assert job.state is State.QUEUED


def test_strangers_learn_of_recipes_and_run_none_in_a_project_of_others(kitchen: Kitchen) -> None:
    stranger, _ = with_project(kitchen.town, "elders")
    assert len(kitchen.recipes.list(by=stranger)) == 7
    (job,) = kitchen.run("tabular")
    acts = (
        lambda: kitchen.recipes.plan(kitchen.project, "tabular", {}, by=stranger),
        lambda: kitchen.recipes.bring(kitchen.project, "tabular", by=stranger),
        lambda: kitchen.recipes.run(kitchen.project, "tabular", {}, by=stranger),
        lambda: kitchen.recipes.outcome(kitchen.project, "tabular", job.id, by=stranger),
    )
    for act in acts:
        with pytest.raises(NotPermitted):
            act()
    with pytest.raises(NotPermitted):
        kitchen.recipes.list(by=Caller("nobody"))


def test_what_is_not_there_is_not_found(kitchen: Kitchen) -> None:
    for act in (
        lambda: kitchen.recipes.show("nothing", by=kitchen.person),
        lambda: kitchen.recipes.bring(kitchen.project, "../text", by=kitchen.person),
        lambda: kitchen.recipes.plan("nowhere", "text", {}, by=kitchen.person),
        lambda: kitchen.recipes.plan(kitchen.project, "text", {"data": "nothing"}, by=kitchen.person),
        lambda: kitchen.recipes.plan(kitchen.project, "batch", {"model": "nothing@1"}, by=kitchen.person),
        lambda: kitchen.recipes.plan(kitchen.project, "batch", {"model": "ver_1"}, by=kitchen.person),
        lambda: kitchen.recipes.plan(kitchen.project, "batch", {"model": "job:99"}, by=kitchen.person),
    ):
        with pytest.raises(NotFound):
            act()
    for model in ("", "a/b/c", "a\tb"):
        with pytest.raises(InvalidInput):
            kitchen.recipes.plan(kitchen.project, "batch", {"model": model}, by=kitchen.person)


def test_a_model_is_looked_for_by_what_its_job_left(kitchen: Kitchen) -> None:
    (job,) = kitchen.run("tabular")
    with pytest.raises(NotFound, match="left nothing"):
        kitchen.recipes.plan(kitchen.project, "batch", {"model": f"job:{job.short}"}, by=kitchen.person)


def test_a_sweep_of_more_jobs_than_an_array_has_is_refused(kitchen: Kitchen) -> None:
    said = {
        "leaves": ",".join(str(n) for n in range(2, 102)),
        "learning_rate": ",".join(f"{n / 1000}" for n in range(1, 52)),
    }
    with pytest.raises(InvalidInput, match="at most 5000"):
        kitchen.recipes.plan(kitchen.project, "sweep", said, by=kitchen.person)


def test_the_outcome_is_the_best_of_what_was_logged(kitchen: Kitchen) -> None:
    jobs = kitchen.run("sweep", leaves="7", learning_rate="0.1,0.2")
    asked = kitchen.recipes.outcome(kitchen.project, "sweep", jobs[0].id, by=kitchen.person)
    assert (asked.value, asked.ended, asked.reached) == (None, False, False)
    kitchen.log(jobs[0], 0.5, "test_accuracy")
    kitchen.log(jobs[1], 0.97, "test_accuracy")
    for said in (jobs[0].id, jobs[1].short, jobs[0].array):
        found = kitchen.recipes.outcome(kitchen.project, "sweep", said, by=kitchen.person)
        assert (found.reached, found.value) == (True, 0.97)
        assert "learning_rate=0.2" in found.sentence


def test_a_job_of_something_else_is_compared_with_nothing(kitchen: Kitchen) -> None:
    (job,) = kitchen.run("tabular")
    plain = kitchen.services.compute.submit(kitchen.project, JobAsked(("true",)), by=kitchen.person)
    for other in (job, plain):
        with pytest.raises(InvalidInput, match="none of the recipe images"):
            kitchen.recipes.outcome(kitchen.project, "images", other.id, by=kitchen.person)


BEST: list[tuple[list[float | None], bool, float | None, bool]] = [
    ([1.0, 3.0, None], True, 3.0, True), ([1.0, float("nan")], True, 1.0, False), ([5.0, 1.0], False, 1.0, True),
    ([float("nan")], False, None, False), ([None], True, None, False), ([float("inf"), 2.5], False, 2.5, False),
]  # fmt: skip
"""(what jobs logged, whether more is better, the best of it, whether 2 is reached)."""


def test_the_best_is_by_the_way_in_which_more_or_less_is_better(kitchen: Kitchen) -> None:
    (job,) = kitchen.run("tabular")
    for values, more, value, reached in BEST:
        found = outcome_of(Expected("m", 2.0, more_is_better=more), [Logged(job, one) for one in values])
        assert (found.value, found.reached) == (value, reached)


def test_the_cards_are_for_the_catalogue(kitchen: Kitchen) -> None:
    assert {name: face.title for name, face in kitchen.recipes.cards()}["text"] == "Fine-tune a small text model"
    assert all(isinstance(one, Recipe) for one in shipped_recipes().values())

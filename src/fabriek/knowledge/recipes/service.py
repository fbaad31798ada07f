"""What one may do with recipes: look, plan, bring their code into a project, run, and ask how it went."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fabriek.access.service import Access
from fabriek.compute.gpus import may_be
from fabriek.compute.jobs import Job
from fabriek.compute.machine import Machine
from fabriek.compute.planning import Plan, Planner
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.service import Compute
from fabriek.compute.terms import Terms
from fabriek.funding.policy.rates import worst_case
from fabriek.funding.policy.tariffs import Taken
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, WrongState
from fabriek.knowledge.catalogue.entries import Face
from fabriek.knowledge.recipes.models import Models
from fabriek.knowledge.recipes.outcomes import Logged, Outcome, check_made_by, outcome_of
from fabriek.knowledge.recipes.parameters import MOUNTS, ParameterKind, Said, read_values
from fabriek.knowledge.recipes.recipes import MARK, Recipe
from fabriek.lab.service import Lab
from fabriek.vault.service import Vault

MODEL_MOUNT = MOUNTS[ParameterKind.MODEL]


@dataclass(frozen=True, slots=True)
class Cost:
    """By the rates that are in force. `likely_micro` for its usual minutes, `most_micro` for the longest it may run; of all its jobs together."""

    resource: Resource
    likely_micro: int
    most_micro: int
    jobs: int
    cpus: int


@dataclass(frozen=True, slots=True)
class Offered:
    """A recipe as it stands here. `lacking`: packages that jobs do not find here unless they are installed for them."""

    recipe: Recipe
    cost: Cost
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """What would become of it."""

    offered: Offered
    plan: Plan


class Recipes:
    """Over the recipes that come with Fabriek. A run of one is a job like any other: the same rights, labels, credits and queue."""

    def __init__(
        self, shelf: Mapping[str, Recipe], *, compute: Compute, planner: Planner, lab: Lab, models: Models, vault: Vault, access: Access,
        machine: Machine, clock: Clock, installed: Callable[[], Mapping[str, str]],
    ) -> None:  # fmt: skip
        """installed: what jobs find that name no packages, normalised name → version."""
        self._shelf, self._compute, self._planner, self._lab, self._models = shelf, compute, planner, lab, models
        self._vault, self._access, self._machine, self._clock, self._installed = (
            vault,
            access,
            machine,
            clock,
            installed,
        )

    def cards(self) -> Iterator[tuple[str, Face]]:
        """(name, card) of each, for the catalogue."""
        for name, recipe in self._shelf.items():
            yield name, recipe.face

    def list(self, *, by: Caller) -> Sequence[Offered]:
        """By name, each with its defaults' cost."""
        require(by, "knowledge.view")
        return [self._offered(one, _usual(one)) for one in self._shelf.values()]

    def show(self, name: str, *, by: Caller) -> Offered:
        """Raises NotFound."""
        require(by, "knowledge.view")
        found = self._found(name)
        return self._offered(found, _usual(found))

    def plan(self, project_ref: str, name: str, said: Mapping[str, str], *, by: Caller) -> Planned:
        """What would become of it now; nothing of it stays. Raises what would stop it."""
        recipe, project = self._found(name), self._access.project(project_ref).id
        require(by, "job.submit", project=project)
        values = read_values(recipe.parameters, said)
        asked = self._asked(recipe, values, project, "", by)
        return Planned(self._offered(recipe, values), self._planner.plan(project, asked, by=by))

    def bring(self, project_ref: str, name: str, *, by: Caller) -> str:
        """Seals its files into the project, for `run`; the id of that version, the same however often it is asked. Not inside a transaction."""
        recipe = self._found(name)
        return self._vault.bringing.bring(project_ref, _code(recipe), recipe.files, by=by)

    def run(self, project_ref: str, name: str, said: Mapping[str, str], *, by: Caller) -> Sequence[Job]:
        """The waiting job, or every element where there is one for each value. Raises WrongState before `bring`, and what a submission raises."""
        recipe, project = self._found(name), self._access.project(project_ref).id
        require(by, "job.submit", project=project)
        values = read_values(recipe.parameters, said)
        code = self._vault.bringing.brought(project_ref, _code(recipe), recipe.files, by=by)
        if not code:
            raise WrongState(
                f"the files of the recipe {name} are not in this project yet",
                fix=f"POST …/recipes/{name}/code, then run it",
            )
        return self._compute.submit_each(project, self._asked(recipe, values, project, code, by), by=by)

    def outcome(self, project_ref: str, name: str, job_id: str, *, by: Caller) -> Outcome:
        """How a run of it went: of the job, or of its whole array. Raises NotFound, and InvalidInput on a job of something else."""
        recipe, project = self._found(name), self._access.project(project_ref).id
        if job_id.startswith("arr_"):
            jobs = self._compute.array(project, job_id, by=by)
        else:
            job = self._compute.get(project, job_id, by=by)
            jobs = self._compute.array(project, job.array, by=by) if job.array else [job]
        check_made_by(recipe, jobs)
        return outcome_of(recipe.expected, [self._logged(recipe, one, by) for one in jobs])

    def made_by(self, job: Job) -> str:
        """The recipe that a job says it is of; empty for others."""
        name = dict(job.environment).get(MARK, "")
        return name if name in self._shelf else ""

    def _found(self, name: str) -> Recipe:
        found = self._shelf.get(name)
        if found is None:
            raise NotFound(f"there is no recipe {name[:40]!r}", fix="fabriek recipe ls")
        return found

    def _offered(self, recipe: Recipe, values: Said) -> Offered:
        return Offered(recipe, self._cost(recipe, values), recipe.lacking(self._installed()))

    def _cost(self, recipe: Recipe, values: Said) -> Cost:
        takes, today = recipe.takes, self._clock.today()
        taken = Taken(cpus=takes.cpus_for(values.fixed), gpus_milli=takes.gpus.milli, memory_bytes=takes.memory_bytes)
        kinds = [one.name for one in may_be(takes.gpus, self._machine.capacity.gpu_kinds)] or [takes.gpus.kind]
        likely, most = (
            worst_case(self._machine.rates, today, taken, wall_seconds_max=seconds, kinds=kinds)
            for seconds in (round(takes.minutes * 60), takes.seconds_max)
        )
        return Cost(
            likely.resource, likely.amount_micro * values.jobs, most.amount_micro * values.jobs, values.jobs, taken.cpus
        )

    def _asked(self, recipe: Recipe, values: Said, project: str, code: str, by: Caller) -> JobAsked:
        takes = recipe.takes
        words = [f"--{name}={value}" for name, value in values.fixed.items() if value]
        words += [f"--{name}={{{name}}}" for name in values.swept]
        mounted = {
            mount: self._models.version(project, named, by=by) if mount == MODEL_MOUNT else named
            for mount, named in values.mounted.items()
        }
        lacking = recipe.lacking(self._installed())
        return JobAsked(
            (*recipe.command, *words), name=f"recipe {recipe.name}", code=code, environment={MARK: recipe.name},
            inputs=tuple(InputAsked(named, mount) for mount, named in mounted.items()),
            requirements="\n".join(recipe.packages) + "\n" if lacking else "", experiment=f"recipe {recipe.name}",
            gpus=takes.gpus, cpus=takes.cpus_for(values.fixed), memory_bytes=takes.memory_bytes, wall_seconds_max=takes.seconds_max,
            sweep=values.swept, terms=Terms(port=recipe.port),
        )  # fmt: skip

    def _logged(self, recipe: Recipe, job: Job, by: Caller) -> Logged:
        if not job.run:
            return Logged(job, None)
        run = self._lab.run(job.project, job.run, by=by)
        return Logged(
            job, next((one.value for one in run.metrics if one.key == recipe.expected.metric), None), run.withheld
        )


def _usual(recipe: Recipe) -> Said:
    """As it stands without a word; what must be said still has no place here."""
    return read_values([one for one in recipe.parameters if not one.required], {})


def _code(recipe: Recipe) -> str:
    if not recipe.files:
        raise InvalidInput(f"the recipe {recipe.name} has no files to send along", fix="add its script")
    return f"recipe-{recipe.name}"

"""What one may do with experiments and runs. A job's caller sees its own run and what it began itself, and nothing else."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted
from fabriek.kernel.ids import Ids
from fabriek.lab import runs as rules
from fabriek.lab.experiments import DEFAULT_ID, DEFAULT_NAME, Experiment, check_name
from fabriek.lab.filters import Found, matches, ordered
from fabriek.lab.ports import Experiments, Runs, Tracks
from fabriek.lab.runs import Metric, Run, RunStatus
from fabriek.vault.labelling.labels import Labels

JOB_TAG = "fabriek.job"
OUTSIDE_LABEL = "internal"
"""What a run that no job made carries: it comes from a person's own machine, on data we know nothing of."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A run with everything that it logged last. `withheld`: its metrics are kept back from whoever asked."""

    run: Run
    metrics: Sequence[Metric]
    params: Mapping[str, str]
    tags: Mapping[str, str]
    withheld: bool = False


class Lab:
    """Tracking."""

    def __init__(
        self,
        experiments: Experiments,
        runs: Runs,
        tracks: Tracks,
        *,
        audit: Audit,
        labels: Labels,
        clock: Clock,
        ids: Ids,
        is_released: Callable[[str], bool],
        looks: Callable[[str, Caller], bool],
    ) -> None:
        """is_released: whether two people let go of what a job emitted. looks: whether the caller decides about that, and so may look."""
        self._is_released, self._looks = is_released, looks
        self._experiments, self._runs, self._tracks = experiments, runs, tracks
        self._audit, self._labels, self._clock, self._ids = audit, labels, clock, ids

    # The factory's own verbs, for the worker.

    def open_run(
        self, project: str, experiment: str, *, job: str, label: str, person: str, name: str,
        parameters: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        """The run of a job, made as it starts; the same one when asked again. `parameters`: what a sweep gave it."""
        with self._experiments.transaction(alone=f"lab:{project}"):
            known = self._runs.of_job(job)
            if known:
                return known[0].id
            home = self._named_or_made(project, experiment or DEFAULT_NAME)
            run = Run(
                self._new_run_id(),
                project,
                home.id,
                name,
                person,
                RunStatus.SCHEDULED,
                self._clock.now(),
                label,
                job=job,
            )
            self._runs.add(run)
            self._tracks.put_tags(run.id, {"mlflow.runName": name, "mlflow.user": person, JOB_TAG: job})
            if parameters:
                self._tracks.put_params(run.id, parameters)
        return run.id

    def close_run(self, run_id: str, status: str) -> None:
        """Ends a job's run, and those that its script began beside it, unless the script said how they ended."""
        with self._experiments.transaction():
            opened = self._runs.anywhere(run_id)
            for run in self._runs.of_job(opened.job) if opened.job else [opened]:
                if run.ended_at is None:
                    self._runs.save(replace(run, status=RunStatus(status), ended_at=self._clock.now()))

    def params_of_run(self, run_id: str) -> Sequence[tuple[str, str]]:
        return sorted(self._tracks.params([run_id]).get(run_id, {}).items())

    # Experiments.

    def create_experiment(self, project: str, name: object, tags: Mapping[str, str], *, by: Caller) -> Experiment:
        """Raises AlreadyExists. A job that names an experiment moves its run there, as the script means it."""
        require(by, "lab.write", project=project)
        chosen = check_name(name)
        with self._experiments.transaction(alone=f"lab:{project}"):
            if self._experiments.named(project, chosen) is not None:
                raise AlreadyExists(f"Experiment(name={chosen}) already exists.")
            made = self._make(project, chosen, tags)
            self._audit.record("experiment.created", made.id, by, project=project)
            self._move_job_run(project, made, by)
        return made

    def experiment_named(self, project: str, name: object, *, by: Caller) -> Experiment:
        """Raises NotFound."""
        require(by, "lab.view", project=project)
        chosen = check_name(name)
        with self._experiments.transaction(alone=f"lab:{project}"):
            found = self._default(project) if chosen == DEFAULT_NAME else self._experiments.named(project, chosen)
            if found is None:
                raise NotFound(f"Could not find experiment with name '{chosen}'")
            if by.job and chosen != DEFAULT_NAME:
                self._move_job_run(project, found, by)
        return found

    def experiment(self, project: str, experiment_id: str, *, by: Caller) -> Experiment:
        require(by, "lab.view", project=project)
        if experiment_id == DEFAULT_ID:
            with self._experiments.transaction(alone=f"lab:{project}"):
                return self._default(project)
        found = self._experiments.get(project, experiment_id)
        if by.job and not any(run.experiment == experiment_id for run in self._visible(project, [], by)):
            raise NotFound(f"No Experiment with id={experiment_id} exists")
        return found

    def experiments(self, project: str, *, by: Caller) -> Sequence[Experiment]:
        """By id."""
        require(by, "lab.view", project=project)
        if by.job:
            return [
                self._experiments.get(project, one)
                for one in sorted({run.experiment for run in self._visible(project, [], by)})
            ]
        return self._experiments.of_project(project)

    # Runs.

    def create_run(
        self,
        project: str,
        experiment_id: str,
        *,
        name: str,
        person: str,
        started_ms: int,
        tags: Mapping[str, str],
        by: Caller,
    ) -> Logged:
        """Raises NotFound for an unknown experiment. One that a job begins carries the job's label."""
        require(by, "lab.write", project=project)
        label, job = OUTSIDE_LABEL, by.job
        if job:
            own = self._runs.of_job(job)
            label = self._labels.highest([run.label for run in own] or [self._labels.lowest])
        started = _instant(started_ms) if started_ms else self._clock.now()
        with self._experiments.transaction(alone=f"lab:{project}"):
            home = (
                self._default(project) if experiment_id == DEFAULT_ID else self._experiments.get(project, experiment_id)
            )
            run_id = self._new_run_id()
            run = Run(
                run_id,
                project,
                home.id,
                name or f"run-{run_id[:8]}",
                person or by.person,
                RunStatus.RUNNING,
                started,
                label,
                job=job,
            )
            self._runs.add(run)
            self._tracks.put_tags(
                run.id, self._checked_tags(tags) | {"mlflow.runName": run.name} | ({JOB_TAG: job} if job else {})
            )
        return self.run(project, run.id, by=by)

    def run(self, project: str, run_id: object, *, by: Caller) -> Logged:
        """Raises NotFound, also for a run that is not the caller's to know. Who decides about a release sees what it is about."""
        run = self._seen(project, run_id, by)
        withheld = self._withholds(run) and not self._may_look(run, by)
        return self._logged([run], withheld={run.id} if withheld else set())[0]

    def update_run(self, project: str, run_id: object, *, status: str, ended_ms: int, name: str, by: Caller) -> Run:
        require(by, "lab.write", project=project)
        with self._experiments.transaction():
            run = self._seen(project, run_id, by)
            changed = replace(run, name=name or run.name)
            if status:
                if status not in RunStatus.__members__:
                    raise InvalidInput(f"Invalid value {status} for parameter 'status' supplied")
                changed = replace(changed, status=RunStatus(status))
            if ended_ms:
                changed = replace(changed, ended_at=_instant(ended_ms))
            self._runs.save(changed)
            if name:
                self._tracks.put_tags(run.id, {"mlflow.runName": name})
        return changed

    def log(
        self, project: str, run_id: object, *, metrics: Sequence[Metric] = (), params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None, by: Caller,
    ) -> None:  # fmt: skip
        """Everything of a batch, or nothing. Durable when it returns. The same point sent twice is kept once."""
        require(by, "lab.write", project=project)
        for metric in metrics:
            rules.check_key(metric.key, "metric")
        checked = {
            rules.check_key(key, "param"): rules.check_value(value, "Param", rules.PARAM_CHARACTERS_MAX)
            for key, value in (params or {}).items()
        }
        with self._experiments.transaction(alone=f"run:{run_id}"):
            run = self._seen(project, run_id, by)
            if run.is_deleted:
                raise InvalidInput(f"The run {run.id} must be in the 'active' state. Current state is deleted.")
            if metrics:
                self._tracks.add_metrics(run.id, metrics)
            if checked:
                self._tracks.put_params(run.id, checked)
            if tags:
                self._tracks.put_tags(run.id, self._checked_tags(tags))

    def history(
        self, project: str, run_id: object, key: str, *, limit: int, after: int = 0, by: Caller
    ) -> Sequence[tuple[int, Metric]]:
        """(row, point) in the order in which they came. Raises NotPermitted where the label withholds metrics."""
        run = self._seen(project, run_id, by)
        self._check_open(run, by)
        return self._tracks.history(run.id, key, limit=limit, after=after)

    def histories(
        self, project: str, run_id: object, keys: Sequence[str], *, limit: int, by: Caller
    ) -> Mapping[str, Sequence[tuple[int, Metric]]]:
        """The same of several metrics, which is one look."""
        run = self._seen(project, run_id, by)
        self._check_open(run, by)
        return {key: self._tracks.history(run.id, key, limit=limit, after=0) for key in keys}

    def search(
        self, project: str, experiments: Sequence[str], *, filter_text: str, order_by: Sequence[str], by: Caller
    ) -> Sequence[Logged]:
        """Runs that match, in order; metrics that are withheld are so from everybody here: who may look does so at one run, knowingly.

        Raises InvalidInput on a filter that is not one.
        """
        require(by, "lab.view", project=project)
        test = matches(filter_text)
        shown = [run for run in self._visible(project, experiments, by) if not run.is_deleted]
        listed = self._logged(shown, withheld={run.id for run in shown if self._withholds(run)})
        found = {one.run.id: one for one in listed}
        asked = [
            Found(one.run, {metric.key: metric.value for metric in one.metrics}, one.params, one.tags) for one in listed
        ]
        return [found[one.run.id] for one in ordered([one for one in asked if test(one)], order_by)]

    def _withholds(self, run: Run) -> bool:
        """Whether the run's label keeps its metrics back, and nobody released them."""
        return self._labels.withholds_logs(run.label) and not (run.job and self._is_released(run.job))

    def _may_look(self, run: Run, by: Caller) -> bool:
        return bool(run.job) and not by.job and self._looks(run.job, by)

    def _check_open(self, run: Run, by: Caller) -> None:
        if not by.job and self._withholds(run) and not self._may_look(run, by):
            raise NotPermitted(
                f"the metrics of this run carry the label {run.label}",
                rule="label.logs_withheld",
                fix="ask for a release",
            )

    def _logged(self, runs: Sequence[Run], *, withheld: Collection[str]) -> list[Logged]:
        """withheld: ids of those without their metrics."""
        ids = [run.id for run in runs]
        metrics, params, tags = self._tracks.latest(ids), self._tracks.params(ids), self._tracks.tags(ids)
        return [
            Logged(
                run,
                [] if run.id in withheld else metrics.get(run.id, []),
                params.get(run.id, {}),
                tags.get(run.id, {}),
                withheld=run.id in withheld,
            )
            for run in runs
        ]

    def _seen(self, project: str, run_id: object, by: Caller) -> Run:
        require(by, "lab.view", project=project)
        run = self._runs.get(project, rules.check_run_id(run_id))
        if by.job and run.job != by.job:
            raise NotFound(f"Run with id={run_id} not found")
        return run

    def _visible(self, project: str, experiments: Sequence[str], by: Caller) -> Sequence[Run]:
        found = self._runs.of_experiments(project, experiments)
        return [run for run in found if run.job == by.job] if by.job else found

    def _default(self, project: str) -> Experiment:
        """The experiment that every project has, made when it is first asked for."""
        found = self._experiments.named(project, DEFAULT_NAME)
        if found is None:
            now = self._clock.now()
            found = Experiment(project, DEFAULT_ID, DEFAULT_NAME, now, now)
            self._experiments.add(found)
        return found

    def _named_or_made(self, project: str, name: str) -> Experiment:
        if name == DEFAULT_NAME:
            return self._default(project)
        return self._experiments.named(project, name) or self._make(project, check_name(name), {})

    def _make(self, project: str, name: str, tags: Mapping[str, str]) -> Experiment:
        self._default(project)
        number = max(int(one.id) for one in self._experiments.of_project(project)) + 1
        now = self._clock.now()
        made = Experiment(project, str(number), name, now, now, dict(tags))
        self._experiments.add(made)
        return made

    def _move_job_run(self, project: str, home: Experiment, by: Caller) -> None:
        """A script that says `set_experiment` means its own run; in a job that run exists before the script does."""
        for run in self._visible(project, [], by) if by.job else []:
            if run.status is RunStatus.SCHEDULED:
                self._runs.save(replace(run, experiment=home.id))

    def _checked_tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        return {
            rules.check_key(key, "tag"): rules.check_value(value, "Tag", rules.TAG_CHARACTERS_MAX)
            for key, value in tags.items()
            if key != JOB_TAG
        }

    def _new_run_id(self) -> str:
        return self._ids.random(16).hex()


def _instant(milliseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise InvalidInput(f"Invalid value {milliseconds} for parameter 'time' supplied") from None

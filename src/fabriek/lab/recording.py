"""Verbs of writing: begin a run, log to it, end it, delete and restore it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.lab.experimenting import Experimenting
from fabriek.lab.experiments import DEFAULT_ID, DEFAULT_NAME
from fabriek.lab.metrics import Metric, ModelMetric, check_metrics
from fabriek.lab.names import check_key, check_value, invalid
from fabriek.lab.runs import ENTITIES_MAX, DataInput, ModelLink, Run, RunStatus, check_run_id

JOB_TAG = "fabriek.job"
NAME_TAG = "mlflow.runName"
USER_TAG = "mlflow.user"
USER_CHARACTERS_MAX = 256
OUTSIDE_LABEL = "internal"
"""What a run that no job made carries: it comes from a person's own machine, on data we know nothing of."""


class Recording(Experimenting):
    """Runs and what they log."""

    # The factory's own verbs, for the worker.

    def open_run(
        self, project: str, experiment: str, *, job: str, label: str, person: str, name: str,
        parameters: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        """The run of a job, made as it starts; the same one when asked again. `parameters`: what a sweep gave it."""
        with self._parts.experiments.transaction(alone=f"lab:{project}"):
            known = self._parts.runs.of_job(job)
            if known:
                return known[0].id
            home = self._named_or_made(project, experiment or DEFAULT_NAME)
            now = self._parts.clock.now()
            run = Run(self._new_run_id(), project, home.id, name, person, RunStatus.SCHEDULED, now, label, job=job)
            self._parts.runs.add(run)
            self._parts.tracks.put_tags(run.id, {NAME_TAG: name, USER_TAG: person, JOB_TAG: job})
            if parameters:
                self._parts.tracks.put_params(run.id, parameters)
        return run.id

    def close_run(self, run_id: str, status: str) -> None:
        """Ends a job's run, and those that its script began beside it, unless the script said how they ended."""
        with self._parts.experiments.transaction():
            opened = self._parts.runs.anywhere(run_id)
            for run in self._parts.runs.of_job(opened.job) if opened.job else [opened]:
                if run.ended_at is None:
                    self._parts.runs.save(replace(run, status=RunStatus(status), ended_at=self._parts.clock.now()))

    def params_of_run(self, run_id: str) -> Sequence[tuple[str, str]]:
        return sorted(self._parts.tracks.params([run_id]).get(run_id, {}).items())

    # Runs.

    def begin(
        self, project: str, experiment_id: str, *, name: str, person: str, started_ms: int, tags: Mapping[str, str], by: Caller
    ) -> tuple[Run, Mapping[str, str]]:  # fmt: skip
        """The run and its tags. Raises NotFound for an unknown experiment. A run that a job begins carries the job's label."""
        require(by, "lab.write", project=project)
        if len(tags) > ENTITIES_MAX:
            raise InvalidInput(f"a run begins with at most {ENTITIES_MAX} tags")
        kept, user = _checked_tags(tags), check_value(person, "user_id", USER_CHARACTERS_MAX)
        if name and kept.get(NAME_TAG, name) != name:
            raise InvalidInput(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
                f"(run_name='{name[:100]}', mlflow.runName='{kept[NAME_TAG][:100]}')."
            )
        label, job = OUTSIDE_LABEL, by.job
        if job:
            labels = self._parts.labels
            label = labels.highest([run.label for run in self._parts.runs.of_job(job)] or [labels.lowest])
        started = instant(started_ms, "start_time") if started_ms else self._parts.clock.now()
        with self._parts.experiments.transaction(alone=f"lab:{project}" if experiment_id == DEFAULT_ID else ""):
            home = (
                self._default(project)
                if experiment_id == DEFAULT_ID
                else self._parts.experiments.get(project, experiment_id)
            )
            if home.is_deleted:
                raise InvalidInput(f"The experiment {home.id} must be in the 'active' state. Current state is deleted.")
            run_id = self._new_run_id()
            called = check_value(name or kept.get(NAME_TAG) or f"run-{run_id[:8]}", "run_name")
            run = Run(run_id, project, home.id, called, user or by.person, RunStatus.RUNNING, started, label, job=job)
            all_tags = kept | {NAME_TAG: called} | ({JOB_TAG: job} if job else {})
            self._parts.runs.add(run)
            self._parts.tracks.first_tags(run.id, all_tags)
        return run, all_tags

    def update_run(
        self, project: str, run_id: object, *, status: str = "", ended_ms: int = 0, name: str = "", by: Caller
    ) -> Run:
        require(by, "lab.write", project=project)
        if status and status not in RunStatus.__members__:
            raise invalid("status", status)
        with self._parts.experiments.transaction():
            run = self._active(project, run_id, by)
            changed = replace(run, name=check_value(name, "run_name") or run.name)
            if status:
                changed = replace(changed, status=RunStatus(status))
            if ended_ms:
                changed = replace(changed, ended_at=instant(ended_ms, "end_time"))
            self._parts.runs.save(changed)
            if name:
                self._parts.tracks.put_tags(run.id, {NAME_TAG: name})
        return changed

    def delete_run(self, project: str, run_id: object, *, by: Caller) -> None:
        """Out of sight until it is restored. Again does nothing."""
        self._mark_run(project, run_id, by, is_deleted=True)

    def restore_run(self, project: str, run_id: object, *, by: Caller) -> None:
        self._mark_run(project, run_id, by, is_deleted=False)

    def log(
        self, project: str, run_id: object, *, metrics: Sequence[Metric] = (), params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None, of_models: Sequence[ModelMetric] = (), by: Caller,
    ) -> None:  # fmt: skip
        """Everything of a batch, or nothing. Durable when it returns. The same point sent twice is kept once.

        of_models: which of the metrics were measured of a logged model.
        """
        require(by, "lab.write", project=project)
        check_metrics(metrics)
        checked = {
            check_key(key, f"params[{number}].key"): check_value(value, f"params[{number}].value")
            for number, (key, value) in enumerate((params or {}).items())
        }
        kept = _checked_tags(tags or {})
        with self._parts.experiments.transaction(alone=f"run:{run_id}"):
            run = self._active(project, run_id, by)
            if metrics:
                self._parts.points.add({run.id: metrics})
            if of_models:
                self._parts.tracks.put_model_metrics(of_models)
            if checked:
                self._parts.tracks.put_params(run.id, checked)
            if kept:
                self._parts.tracks.put_tags(run.id, kept)
                if kept.get(NAME_TAG):
                    self._parts.runs.save(replace(run, name=kept[NAME_TAG]))

    def untag(self, project: str, run_id: object, key: str, *, by: Caller) -> None:
        """Raises NotFound."""
        require(by, "lab.write", project=project)
        with self._parts.experiments.transaction():
            run = self._active(project, run_id, by)
            if key == JOB_TAG or not self._parts.tracks.remove_tag(run.id, key):
                raise NotFound(f"No tag with name: {key[:250]} in run with id {run.id}")

    def link(
        self, project: str, run_id: object, *, data: Sequence[DataInput] = (), models_in: Sequence[ModelLink] = (),
        models_out: Sequence[ModelLink] = (), by: Caller,
    ) -> None:  # fmt: skip
        """What the run says that it took in and gave out: its own word, beside what the job's statement proves."""
        require(by, "lab.write", project=project)
        with self._parts.experiments.transaction(alone=f"run:{run_id}"):
            run = self._active(project, run_id, by)
            self._parts.tracks.put_inputs(run.id, data)
            self._parts.tracks.put_models(run.id, models_in, out=False)
            self._parts.tracks.put_models(run.id, models_out, out=True)

    def _mark_run(self, project: str, run_id: object, by: Caller, *, is_deleted: bool) -> None:
        require(by, "lab.write", project=project)
        with self._parts.experiments.transaction():
            run = self._seen(project, run_id, by)
            if run.is_deleted != is_deleted:
                self._parts.runs.save(replace(run, is_deleted=is_deleted))
                self._parts.audit.record("run.deleted" if is_deleted else "run.restored", run.id, by, project=project)

    def _active(self, project: str, run_id: object, by: Caller) -> Run:
        run = self._seen(project, run_id, by)
        check_active(run)
        return run

    def _seen(self, project: str, run_id: object, by: Caller) -> Run:
        """Raises NotFound, also for a run that is not the caller's to know."""
        require(by, "lab.view", project=project)
        run = self._parts.runs.get(project, check_run_id(run_id))
        if by.job and run.job != by.job:
            raise NotFound(f"Run with id={run_id} not found")
        return run

    def _new_run_id(self) -> str:
        return self._parts.ids.random(16).hex()


def check_active(run: Run) -> None:
    """Raises InvalidInput for one that is deleted: what is out of sight does not grow."""
    if run.is_deleted:
        raise InvalidInput(f"The run {run.id} must be in the 'active' state. Current state is deleted.")


def instant(milliseconds: int, parameter: str) -> datetime:
    """Raises InvalidInput beyond what a calendar holds."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise invalid(parameter, milliseconds) from None


def _checked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Whoever logs does not say of which job a run is."""
    return {
        check_key(key, f"tags[{number}].key"): check_value(value, f"tags[{number}].value")
        for number, (key, value) in enumerate(tags.items())
        if key != JOB_TAG
    }

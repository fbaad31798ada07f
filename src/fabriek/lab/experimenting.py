"""Verbs on experiments: make, find, rename, tag, delete and restore."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound
from fabriek.lab.desk import Parts
from fabriek.lab.experiments import (
    DEFAULT_ID,
    DEFAULT_NAME,
    TAG_CHARACTERS_MAX,
    TAGS_MAX,
    Experiment,
    check_name,
    unknown,
)
from fabriek.lab.filters import EXPERIMENTS, Condition, Order
from fabriek.lab.names import check_key, check_value
from fabriek.lab.patterns import Asked, holds
from fabriek.lab.runs import RunStatus, View

LATEST_FIRST = (Order("attribute", "creation_time", descending=True),)


class Experimenting:
    """Experiments of projects."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def create_experiment(self, project: str, name: object, tags: Mapping[str, str], *, by: Caller) -> Experiment:
        """Raises AlreadyExists. A job that names an experiment moves its run there, as the script means it."""
        require(by, "lab.write", project=project)
        chosen, kept = check_name(name), _checked_tags(tags)
        with self._parts.experiments.transaction(alone=f"lab:{project}"):
            if self._parts.experiments.named(project, chosen) is not None or chosen == DEFAULT_NAME:
                raise AlreadyExists(f"Experiment(name={chosen}) already exists.")
            made = self._make(project, chosen, kept)
            self._parts.audit.record("experiment.created", made.id, by, project=project)
            self._move_job_run(project, made, by)
        return made

    def experiment_named(self, project: str, name: object, *, by: Caller) -> Experiment:
        """Raises NotFound. One that was deleted is found too, so that nobody makes another of its name."""
        require(by, "lab.view", project=project)
        chosen = check_name(name)
        with self._parts.experiments.transaction(alone=f"lab:{project}"):
            found = self._default(project) if chosen == DEFAULT_NAME else self._parts.experiments.named(project, chosen)
            if found is None:
                raise NotFound(f"Could not find experiment with name '{chosen}'")
            if by.job and chosen != DEFAULT_NAME:
                self._move_job_run(project, found, by)
        return found

    def experiment(self, project: str, experiment_id: str, *, by: Caller) -> Experiment:
        """Raises NotFound."""
        require(by, "lab.view", project=project)
        if experiment_id == DEFAULT_ID:
            with self._parts.experiments.transaction(alone=f"lab:{project}"):
                return self._default(project)
        found = self._parts.experiments.get(project, experiment_id)
        if by.job and experiment_id not in self._of_job(project, by.job):
            raise unknown(experiment_id)
        return found

    def experiments(
        self, project: str, *, view: View = View.ACTIVE, filter_text: str = "", order_by: Sequence[str] = (), by: Caller
    ) -> Sequence[Experiment]:
        """The latest first, unless an order is asked for. Raises InvalidInput on a filter or an order that is none."""
        require(by, "lab.view", project=project)
        conditions, orders = EXPERIMENTS.conditions(filter_text), EXPERIMENTS.orders(order_by)
        if not by.job:
            with self._parts.experiments.transaction(alone=f"lab:{project}"):
                self._default(project)
        known = self._parts.experiments.of_project(project)
        if by.job:
            own = self._of_job(project, by.job)
            known = [one for one in known if one.id in own]
        shown = [
            one
            for one in known
            if (view is View.ALL or one.is_deleted == (view is View.DELETED)) and _meets(one, conditions)
        ]
        return _ordered(shown, orders)

    def rename_experiment(self, project: str, experiment_id: str, name: object, *, by: Caller) -> Experiment:
        """Raises AlreadyExists, and InvalidInput for one that is deleted."""
        chosen = check_name(name)

        def renamed(known: Experiment) -> Experiment:
            if known.is_deleted:
                raise InvalidInput("Cannot rename a non-active experiment.")
            return replace(known, name=chosen)

        return self._change(project, experiment_id, "experiment.renamed", renamed, by)

    def tag_experiment(self, project: str, experiment_id: str, key: object, value: object, *, by: Caller) -> Experiment:
        kept = _checked_tags({check_key(key, "key"): value})

        def tagged(known: Experiment) -> Experiment:
            _check_active(known)
            if len(known.tags | kept) > TAGS_MAX:
                raise InvalidInput(f"an experiment has at most {TAGS_MAX} tags")
            return replace(known, tags=known.tags | kept)

        return self._change(project, experiment_id, "", tagged, by)

    def untag_experiment(self, project: str, experiment_id: str, key: str, *, by: Caller) -> Experiment:
        """Raises NotFound."""

        def untagged(known: Experiment) -> Experiment:
            _check_active(known)
            if key not in known.tags:
                raise NotFound(f"No tag with name: {key} in experiment with id {known.id}")
            return replace(known, tags={name: value for name, value in known.tags.items() if name != key})

        return self._change(project, experiment_id, "", untagged, by)

    def delete_experiment(self, project: str, experiment_id: str, *, by: Caller) -> None:
        """It and its runs are out of sight until they are restored. Raises NotFound, also when it is deleted already."""
        self._change(project, experiment_id, "experiment.deleted", partial(_marked, is_deleted=True), by)

    def restore_experiment(self, project: str, experiment_id: str, *, by: Caller) -> None:
        """Raises NotFound unless it is deleted."""
        self._change(project, experiment_id, "experiment.restored", partial(_marked, is_deleted=False), by)

    def _change(
        self, project: str, experiment_id: str, act: str, change: Callable[[Experiment], Experiment], by: Caller
    ) -> Experiment:
        require(by, "lab.write", project=project)
        with self._parts.experiments.transaction(alone=f"lab:{project}"):
            known = self.experiment(project, experiment_id, by=by)
            changed = replace(change(known), changed_at=self._parts.clock.now())
            self._parts.experiments.save(changed)
            if changed.is_deleted != known.is_deleted:
                self._parts.runs.save_all(project, known.id, is_deleted=changed.is_deleted)
            if act:
                self._parts.audit.record(act, known.id, by, project=project)
        return changed

    def _default(self, project: str) -> Experiment:
        """The experiment that every project has, made when it is first asked for."""
        found = self._parts.experiments.named(project, DEFAULT_NAME)
        if found is not None and found.id == DEFAULT_ID:
            return found
        try:  # somebody may have renamed it
            return self._parts.experiments.get(project, DEFAULT_ID)
        except NotFound:
            now = self._parts.clock.now()
            made = Experiment(project, DEFAULT_ID, DEFAULT_NAME, now, now)
            self._parts.experiments.add(made)
            return made

    def _named_or_made(self, project: str, name: str) -> Experiment:
        if name == DEFAULT_NAME:
            return self._default(project)
        return self._parts.experiments.named(project, name) or self._make(project, check_name(name), {})

    def _make(self, project: str, name: str, tags: Mapping[str, str]) -> Experiment:
        self._default(project)
        number = max(int(one.id) for one in self._parts.experiments.of_project(project)) + 1
        now = self._parts.clock.now()
        made = Experiment(project, str(number), name, now, now, dict(tags))
        self._parts.experiments.add(made)
        return made

    def _of_job(self, project: str, job: str) -> set[str]:
        """Ids of the experiments in which a job has runs: the only ones that it knows."""
        return {run.experiment for run in self._parts.runs.of_job(job) if run.project == project}

    def _move_job_run(self, project: str, home: Experiment, by: Caller) -> None:
        """A script that says `set_experiment` means its own run; in a job that run exists before the script does."""
        for run in self._parts.runs.of_job(by.job) if by.job else []:
            if run.project == project and run.status is RunStatus.SCHEDULED:
                self._parts.runs.save(replace(run, experiment=home.id))


def _marked(known: Experiment, *, is_deleted: bool) -> Experiment:
    if known.is_deleted == is_deleted:
        raise unknown(known.id)
    return replace(known, is_deleted=is_deleted)


def _check_active(known: Experiment) -> None:
    if known.is_deleted:
        raise InvalidInput(f"The experiment {known.id} must be in the 'active' state. Current state is deleted.")


def _checked_tags(tags: Mapping[str, object]) -> dict[str, str]:
    if len(tags) > TAGS_MAX:
        raise InvalidInput(f"an experiment has at most {TAGS_MAX} tags")
    return {check_key(key, "key"): check_value(value, "value", TAG_CHARACTERS_MAX) for key, value in tags.items()}


def _meets(one: Experiment, conditions: Sequence[Condition]) -> bool:
    return all(holds(each, one.tags.get(each.key) if each.kind == "tag" else _of(one, each.key)) for each in conditions)


def _of(one: Experiment, attribute: str) -> Asked:
    match attribute:
        case "creation_time":
            return round(one.created_at.timestamp() * 1000)
        case "last_update_time":
            return round(one.changed_at.timestamp() * 1000)
        case "experiment_id":
            return one.id
        case _:
            return one.name


def _ordered(shown: Sequence[Experiment], orders: Sequence[Order]) -> list[Experiment]:
    listed = sorted(shown, key=lambda one: int(one.id), reverse=bool(orders))
    for order in reversed(orders or LATEST_FIRST):
        listed.sort(key=lambda one: _sortable(_of(one, order.key)), reverse=order.descending)  # used at once
    return listed


def _sortable(value: Asked) -> tuple[float, str]:
    if isinstance(value, str):
        return (float(value), "") if value.isdecimal() else (0.0, value)
    return (float(value or 0), "")

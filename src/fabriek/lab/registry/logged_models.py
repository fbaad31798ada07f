"""Verbs on the models that runs logged: make one, fill in what is known of it, find it. Its label is its run's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.lab.artifacts import checked
from fabriek.lab.experiments import DEFAULT_ID
from fabriek.lab.filters import Order
from fabriek.lab.metrics import ModelMetric, newest_first
from fabriek.lab.names import VALUE_CHARACTERS_MAX
from fabriek.lab.registry.models import LOGGED_STATUSES, LoggedModel, check_length, check_logged_name, check_tags
from fabriek.lab.registry.parts import Page, Parts, paged
from fabriek.lab.registry.search import (
    LOGGED,
    Found,
    Scalar,
    matches,
    milliseconds,
    narrowed,
    only,
    ordered,
)

PARAMS_MAX = 2_000
PARAM_KEY_CHARACTERS_MAX = 250
MODEL_TYPE_CHARACTERS_MAX = 500
EXPERIMENTS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Dataset:
    """On which data a model was measured: any of that name where the digest is empty, any at all where the name is."""

    name: str = ""
    digest: str = ""

    def holds(self, metric: ModelMetric) -> bool:
        return self.name in ("", metric.dataset_name) and self.digest in ("", metric.dataset_digest)


@dataclass(frozen=True, slots=True)
class LoggedOrder:
    """An order by an attribute, or by a metric as measured on one dataset."""

    order: Order
    dataset: Dataset = Dataset()


Measured = Mapping[str, Sequence[ModelMetric]]


class LoggedModels:
    """What runs logged as models."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._rows = parts, parts.models

    def create(
        self, project: str, experiment: str, run_id: str, *, name: str, model_type: str, tags: Mapping[str, str],
        params: Mapping[str, str], by: Caller,
    ) -> LoggedModel:  # fmt: skip
        """A model that is about to be filled with files. One that a job makes is its run's, whether the script says so or not."""
        require(by, "lab.write", project=project)
        parts = self._parts
        own = parts.runs.of_job(by.job) if by.job else ()
        run_id = run_id or (own[0].id if own else "")
        if run_id and not parts.sees(project, run_id, by):
            raise NotFound(f"Run with id={run_id} not found")
        run = parts.runs.get(project, run_id) if run_id else None
        if experiment not in {"", DEFAULT_ID}:
            experiment = parts.experiments.get(project, experiment).id
        now = parts.clock.now()
        made = LoggedModel(
            f"m-{parts.ids.random(16).hex()}", project, experiment or (run.experiment if run else DEFAULT_ID), run_id,
            check_logged_name(name or "model"), check_length("model_type", model_type, MODEL_TYPE_CHARACTERS_MAX), LOGGED_STATUSES[0],
            run.label if run else parts.label_of(by), now, now, check_tags(tags), _checked_params(params),
        )  # fmt: skip
        with parts.experiments.transaction():
            self._rows.put_logged(made)
        return made

    def get(self, project: str, model_id: str, *, with_deleted: bool = False, by: Caller) -> LoggedModel:
        """Raises NotFound, also for one that is not the caller's to know."""
        require(by, "lab.view", project=project)
        found = self._rows.logged(project, model_id)
        if (found.is_deleted and not with_deleted) or not self._parts.sees(project, found.run, by):
            raise NotFound(f"Logged model with ID '{model_id}' not found.")
        return found

    def change(
        self, project: str, model_id: str, *, status: str = "", tags: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None, by: Caller,
    ) -> LoggedModel:  # fmt: skip
        """Tags are replaced key by key; a parameter is written once. Raises InvalidInput."""
        require(by, "lab.write", project=project)
        if status and status not in LOGGED_STATUSES:
            raise InvalidInput(f"Invalid value {status[:100]} for parameter 'status' supplied")
        with self._parts.experiments.transaction(alone=f"logged:{model_id}"):
            found = self.get(project, model_id, with_deleted=True, by=by)
            for key, value in (params or {}).items():
                if found.params.get(key, value) != value:
                    raise InvalidInput(
                        f"Changing param values is not allowed. Param with key='{key}' was already logged with "
                        f"value='{found.params[key]}' for model ID='{model_id}'. Attempted logging new value '{value[:300]}'."
                    )
            changed = replace(
                found, status=status or found.status, tags=check_tags({**found.tags, **(tags or {})}),
                params=_checked_params({**found.params, **(params or {})}), changed_at=self._parts.clock.now(),
            )  # fmt: skip
            self._rows.put_logged(changed)
        return changed

    def drop_tag(self, project: str, model_id: str, key: str, *, by: Caller) -> None:
        """Raises NotFound when there is no such tag."""
        require(by, "lab.write", project=project)
        with self._parts.experiments.transaction(alone=f"logged:{model_id}"):
            found = self.get(project, model_id, with_deleted=True, by=by)
            if key not in found.tags:
                raise NotFound(f"No tag with key {key[:300]!r} found for model with ID {model_id!r}.")
            left = {name: value for name, value in found.tags.items() if name != key}
            self._rows.put_logged(replace(found, tags=left))

    def delete(self, project: str, model_id: str, *, by: Caller) -> None:
        """It is no longer found. Its files stay, since versions may stand on them."""
        require(by, "lab.write", project=project)
        with self._parts.experiments.transaction(alone=f"logged:{model_id}"):
            found = self.get(project, model_id, with_deleted=True, by=by)
            self._rows.put_logged(replace(found, is_deleted=True, changed_at=self._parts.clock.now()))
            if not found.is_deleted:
                self._parts.audit.record("model.logged_deleted", found.id, by, project=project, label=found.label)

    def files(
        self, project: str, model_id: str, folder: str, *, by: Caller
    ) -> tuple[LoggedModel, Sequence[tuple[str, int | None]]]:
        """The model, and (path below its root, size) of what lies directly below a folder; the size of a folder is None."""
        found = self.get(project, model_id, by=by)
        below = checked(folder)
        place = f"{found.root}/artifacts/{below}".rstrip("/")
        listed = self._parts.keeping.listed(project, place, by=by)
        return found, [(f"{below}/{name}" if below else name, size) for name, size in listed]

    def of(self, project: str, experiments: Sequence[str], *, by: Caller) -> Sequence[LoggedModel]:
        """Newest first, without those that were deleted."""
        return self._visible(project, experiments, [], by)

    def search(
        self, project: str, experiments: Sequence[str], *, filter_text: str = "", order_by: Sequence[LoggedOrder] = (),
        datasets: Sequence[Dataset] = (), limit: int = 100, offset: int = 0, by: Caller,
    ) -> Page[LoggedModel]:  # fmt: skip
        """datasets: metrics count only as measured on one of these, and there must be one. Raises InvalidInput."""
        if len(experiments) > EXPERIMENTS_MAX:
            raise InvalidInput(f"at most {EXPERIMENTS_MAX} experiments are searched at once")
        conditions = LOGGED.conditions(filter_text)
        if not order_by and not datasets and (narrow := narrowed(conditions, ("name", "source_run_id"))) is not None:
            return self._newest(project, experiments, narrow, limit, offset, by)
        found = self._visible(project, experiments, only(conditions, "source_run_id"), by)
        kinds = {one.kind for one in conditions} | {each.order.kind for each in order_by}
        asks_metrics = bool(datasets) or "metric" in kinds
        measured = self.measured(project, found, by=by) if asks_metrics else {}
        kept = []
        for model in found:
            metrics = measured.get(model.id, ())
            if datasets:
                metrics = [one for one in metrics if any(data.holds(one) for data in datasets)]
            asked = Found(_attributes(model), model.tags, model.params, metrics)
            if (metrics or not datasets) and matches(asked, conditions):
                kept.append(model)
        kept.sort(key=lambda one: (-milliseconds(one.created_at), one.id))
        for each in reversed(order_by):
            kept = ordered(kept, [each.order], lambda one, _, each=each: _sort_value(one, each, measured))  # type: ignore[misc]
        return paged(kept, limit, offset)

    def _newest(
        self, project: str, experiments: Sequence[str], narrow: Mapping[str, Sequence[str]], limit: int, offset: int, by: Caller
    ) -> Page[LoggedModel]:  # fmt: skip
        """What MLflow's client asks for, page after page, to find one run's model of a name: read as pages and not as all of them."""
        require(by, "lab.view", project=project)
        runs, own = narrow.get("source_run_id"), self._parts.own_runs(by)
        if own is not None:
            runs = sorted(own if runs is None else own & set(runs))
        found = self._rows.newest_logged(
            project, experiments, runs=runs, names=narrow.get("name"), limit=limit + 1, offset=offset
        )
        return Page(found[:limit], offset + limit if len(found) > limit else 0)

    def measured(self, project: str, models: Sequence[LoggedModel], *, by: Caller) -> Measured:
        """Model → what runs of this project measured of it, as far as the caller may know. What a label withholds nobody sees here: who
        decides about a release looks at the run.
        """
        require(by, "lab.view", project=project)
        found = self._parts.tracks.model_metrics([one.id for one in models])
        may_see: dict[str, bool] = {}
        for run in {metric.run for metrics in found.values() for metric in metrics}:
            may_see[run] = self._sees_metrics(project, run, by)
        return {one.id: [metric for metric in found.get(one.id, ()) if may_see[metric.run]] for one in models}

    def _sees_metrics(self, project: str, run_id: str, by: Caller) -> bool:
        """Whoever writes a metric names the model that it is of: one of another project's run is none of this project's business."""
        try:
            run = self._parts.runs.get(project, run_id)
        except NotFound:
            return False
        if by.job:
            return run.job == by.job
        return not self._parts.labels.withholds_logs(run.label) or bool(run.job and self._parts.is_released(run.job))

    def _visible(
        self, project: str, experiments: Sequence[str], runs: Sequence[str], by: Caller
    ) -> Sequence[LoggedModel]:
        require(by, "lab.view", project=project)
        own = self._parts.own_runs(by)
        found = self._rows.logged_of(project, experiments, runs=runs)
        return [one for one in found if not one.is_deleted and (own is None or one.run in own)]


def _attributes(model: LoggedModel) -> dict[str, Scalar]:
    return {
        "name": model.name, "model_id": model.id, "model_type": model.model_type, "source_run_id": model.run,
        "experiment_id": model.experiment, "status": model.status.removeprefix("LOGGED_MODEL_"),
        "creation_timestamp": milliseconds(model.created_at), "last_updated_timestamp": milliseconds(model.changed_at),
    }  # fmt: skip


def _sort_value(model: LoggedModel, each: LoggedOrder, measured: Measured) -> Scalar | None:
    if each.order.kind == "attribute":
        return _attributes(model)[each.order.key]
    of_key = [one for one in measured.get(model.id, ()) if one.metric.key == each.order.key and each.dataset.holds(one)]
    newest = max(of_key, key=lambda one: (one.metric.at_ms, *newest_first(one.metric.place)), default=None)
    return None if newest is None or math.isnan(newest.metric.value) else newest.metric.value


def order_of(field: str, *, is_ascending: bool = True, dataset: Dataset | None = None) -> LoggedOrder:
    """`field`: an attribute, or `metrics.NAME`. Raises InvalidInput in MLflow's words."""
    prefix, dot, key = field.partition(".")
    if dot and prefix != "metrics":
        raise InvalidInput(f"Invalid order by field name: {field[:100]}. Only metrics are supported.")
    if not dot and field not in LOGGED.attributes:
        raise InvalidInput(f"Invalid order by field name: {field[:100]}")
    kind, name = ("metric", key) if dot else ("attribute", LOGGED.attributes[field])
    return LoggedOrder(Order(kind, name, descending=not is_ascending), dataset or Dataset())


def _checked_params(params: Mapping[str, str]) -> dict[str, str]:
    if len(params) > PARAMS_MAX:
        raise InvalidInput(f"a model has at most {PARAMS_MAX} parameters, and this has {len(params)}")
    return {
        check_length("Param key", key, PARAM_KEY_CHARACTERS_MAX): check_length(
            "Param value", value, VALUE_CHARACTERS_MAX
        )
        for key, value in params.items()
    }

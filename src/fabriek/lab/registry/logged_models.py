"""Verbs on the models that runs logged: make one, fill in what is known of it, find it. Its label is its run's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.lab.artifacts import checked
from fabriek.lab.experiments import DEFAULT_ID
from fabriek.lab.registry.models import LOGGED_STATUSES, LoggedModel, check_length, check_logged_name, check_tags
from fabriek.lab.registry.parts import Page, Parts, paged
from fabriek.lab.registry.search import LOGGED, Asked, Condition, Scalar, matches, only, ordered, read_filter

PARAMS_MAX = 2_000
PARAM_KEY_CHARACTERS_MAX = 250
PARAM_CHARACTERS_MAX = 6_000
MODEL_TYPE_CHARACTERS_MAX = 500
EXPERIMENTS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Order:
    """`field` is an attribute, or `metrics.NAME`, then perhaps only as measured on one dataset."""

    field: str
    is_ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


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
        self, project: str, experiments: Sequence[str], *, filter_text: str = "", order_by: Sequence[Order] = (),
        datasets: Sequence[tuple[str, str]] = (), limit: int = 100, offset: int = 0, by: Caller,
    ) -> Page[LoggedModel]:  # fmt: skip
        """datasets: (name, digest) on one of which a model was measured; the digest may be empty. Raises InvalidInput."""
        if len(experiments) > EXPERIMENTS_MAX:
            raise InvalidInput(f"at most {EXPERIMENTS_MAX} experiments are searched at once")
        conditions = read_filter(filter_text, LOGGED)
        for one in order_by:
            _check_order(one)
        found = [
            model
            for model in self._visible(project, experiments, only(conditions, "source_run_id") or (), by)
            if _found(model, conditions, datasets)
        ]
        orders = [(LOGGED.aliases.get(one.field, one.field), one.is_ascending) for one in order_by]
        tail = [("creation_timestamp", False), ("model_id", True)]
        known = {key for key, _ in orders}
        return paged(ordered(found, orders + [one for one in tail if one[0] not in known], _sort_value), limit, offset)

    def _visible(
        self, project: str, experiments: Sequence[str], runs: Sequence[str], by: Caller
    ) -> Sequence[LoggedModel]:
        require(by, "lab.view", project=project)
        own = self._parts.own_runs(by)
        found = self._rows.logged_of(project, experiments, runs=runs)
        return [one for one in found if not one.is_deleted and (own is None or one.run in own)]


def _found(model: LoggedModel, conditions: Sequence[Condition], datasets: Sequence[tuple[str, str]]) -> bool:
    """Which metrics were measured on which dataset is not kept, so that a search by dataset finds none."""
    return not datasets and matches(Asked(_attributes(model), model.tags, model.params), conditions)


def _attributes(model: LoggedModel) -> dict[str, Scalar]:
    return {
        "name": model.name, "model_id": model.id, "model_type": model.model_type, "source_run_id": model.run,
        "experiment_id": model.experiment, "status": model.status.removeprefix("LOGGED_MODEL_"),
        "creation_timestamp": int(model.created_at.timestamp() * 1000),
        "last_updated_timestamp": int(model.changed_at.timestamp() * 1000),
    }  # fmt: skip


def _sort_value(model: LoggedModel, key: str) -> Scalar | None:
    return _attributes(model).get(key)


def _check_order(order: Order) -> None:
    prefix, dot, _ = order.field.partition(".")
    if dot and prefix != "metrics":
        raise InvalidInput(f"Invalid order by field name: {order.field[:100]}. Only metrics are supported.")
    if not dot and LOGGED.aliases.get(order.field, order.field) not in LOGGED.attributes:
        raise InvalidInput(f"Invalid order by field name: {order.field[:100]}")


def _checked_params(params: Mapping[str, str]) -> dict[str, str]:
    if len(params) > PARAMS_MAX:
        raise InvalidInput(f"a model has at most {PARAMS_MAX} parameters, and this has {len(params)}")
    return {
        check_length("Param key", key, PARAM_KEY_CHARACTERS_MAX): check_length(
            "Param value", value, PARAM_CHARACTERS_MAX
        )
        for key, value in params.items()
    }

"""A live tracking server as a source: MLflow's own of any release that speaks REST 2.0, or a factory's."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from typing import Any

from fabriek.kernel.errors import FabriekError, NotFound
from fabriek.sdk.tracking.dialect import FILES, Dialect, number_of
from fabriek.sdk.tracking.records import (
    Dataset,
    Experiment,
    Model,
    Owner,
    Point,
    Registered,
    Run,
    Source,
    Unreadable,
    Version,
    model_in,
)

RUNS_A_PAGE = 200
"""Runs carry everything that they logged last: pages stay small where runs are not."""

POINTS_A_PAGE = 25_000
PROXIED = "mlflow-artifacts:"
LABEL = "fabriek.label"
"""Tag of a run that left a factory: the label that it carried there."""


class Live(Source):
    """Reads through a connection of its own."""

    def __init__(self, dialect: Dialect, where: str = "") -> None:
        self._dialect = dialect
        self.where = where or dialect.url

    def experiments(self) -> Iterator[Experiment]:
        found = self._dialect.pages("/experiments/search", "experiments", max_results=1000, view_type="ALL")
        for raw in found:
            yield Experiment(
                str(raw["experiment_id"]), raw["name"], _mapping(raw.get("tags")), int(raw.get("creation_time") or 0),
                int(raw.get("last_update_time") or 0), raw.get("lifecycle_stage") == "deleted",
            )  # fmt: skip

    def runs(self, experiment: Experiment) -> Iterator[Run | Unreadable]:
        asked: dict[str, Any] = {"experiment_ids": [experiment.id], "run_view_type": "ALL", "max_results": RUNS_A_PAGE}
        # The oldest first: runs that begin while we read come last, and move no page.
        for raw in self._dialect.pages("/runs/search", "runs", order_by=["attributes.start_time ASC"], **asked):
            yield _run(raw)

    def points(self, run: Run, key: str) -> Iterator[Point]:
        found = self._dialect.pages(
            "/metrics/get-history", "metrics", method="GET", run_id=run.id, metric_key=key, max_results=POINTS_A_PAGE
        )
        for raw in found:
            yield _point(raw)

    def models(self, experiment: Experiment) -> Iterator[Model]:
        try:
            found = list(
                self._dialect.pages("/logged-models/search", "models", experiment_ids=[experiment.id], max_results=50)
            )
        except NotFound:  # a server from before logged models
            return
        for raw in found:
            yield _model(raw)

    def registered(self) -> Iterator[Registered]:
        for raw in self._dialect.pages("/registered-models/search", "registered_models", method="GET", max_results=100):
            name = str(raw["name"])
            quoted = name.replace("'", "\\'")
            versions = self._dialect.pages(
                "/model-versions/search", "model_versions", method="GET", filter=f"name='{quoted}'", max_results=1000
            )
            known = sorted((_version(one) for one in versions), key=lambda one: one.number)
            aliases = {one["alias"]: int(one["version"]) for one in raw.get("aliases", ())}
            yield Registered(
                name, raw.get("description", ""), _mapping(raw.get("tags")), aliases, known,
                int(raw.get("creation_timestamp") or 0), int(raw.get("last_updated_timestamp") or 0),
            )  # fmt: skip

    def files(self, owner: Owner) -> Iterator[tuple[str, int]]:
        if owner.artifacts.startswith(PROXIED):
            yield from self._dialect.listed(_place(owner))
        elif owner.artifacts:
            yield from self._listed(owner, "")

    def _listed(self, owner: Owner, folder: str) -> Iterator[tuple[str, int]]:
        """Where artifacts do not pass through the proxy, the server looks for itself, for its own pages."""
        if isinstance(owner, Run):
            found = self._dialect.pages("/artifacts/list", "files", method="GET", run_id=owner.id, path=folder)
        else:
            path = f"/logged-models/{owner.id}/artifacts/directories"
            found = self._dialect.pages(path, "files", method="GET", artifact_directory_path=folder)
        for one in found:
            if one.get("is_dir"):
                yield from self._listed(owner, one["path"])
            else:
                yield str(one["path"]), int(one.get("file_size") or 0)

    def open(self, owner: Owner, path: str) -> AbstractContextManager[Iterator[bytes]]:
        if owner.artifacts.startswith(PROXIED):
            return self._dialect.opened(f"{FILES}/{_place(owner)}/{path}")
        if isinstance(owner, Run):
            return self._dialect.opened("/get-artifact", run_uuid=owner.id, path=path)
        return self._dialect.opened(
            f"/ajax-api/2.0/mlflow/logged-models/{owner.id}/artifacts/files", artifact_file_path=path
        )


class OfFactory(Live):
    """A project of a factory: each run says which label it carries, in a tag, and is imported below no other."""

    def __init__(self, dialect: Dialect, native: Dialect, project: str) -> None:
        super().__init__(dialect)
        self._native, self._project = native, project

    def runs(self, experiment: Experiment) -> Iterator[Run | Unreadable]:
        for one in super().runs(experiment):
            if isinstance(one, Run):
                label = str(self._native.fetched(f"/api/v1/projects/{self._project}/runs/{one.id}")["label"])
                yield replace(one, tags=dict(one.tags) | {LABEL: label})
            else:
                yield one


@contextmanager
def tracking_at(url: str, auth: str | tuple[str, str]) -> Iterator[Live]:
    """The source at an address: a factory's where it reads like one."""
    with closing(Dialect(url, auth)) as dialect:
        found = re.fullmatch(r"(https?://.+)/lab/([a-z0-9-]+)/?", url)
        if found is None:
            yield Live(dialect)
            return
        with closing(Dialect(found[1], auth)) as native:
            yield OfFactory(dialect, native, found[2])


def _place(owner: Owner) -> str:
    """mlflow-artifacts:/1/RUN/artifacts, or with a host before the path."""
    rest = owner.artifacts.removeprefix(PROXIED)
    if rest.startswith("//"):
        rest = rest[2:].partition("/")[2]
    return rest.strip("/")


def _run(raw: Mapping[str, Any]) -> Run | Unreadable:
    info, data = raw.get("info", {}), raw.get("data", {})
    run_id = str(info.get("run_id") or info.get("run_uuid") or "")
    try:
        inputs, outputs = raw.get("inputs") or {}, raw.get("outputs") or {}
        tags = _mapping(data.get("tags"))
        return Run(
            run_id, str(info["experiment_id"]), info.get("run_name") or tags.get("mlflow.runName", ""), info.get("user_id", ""),
            info.get("status", "RUNNING"), int(info.get("start_time") or 0), int(info.get("end_time") or 0),
            info.get("lifecycle_stage") == "deleted", info.get("artifact_uri", ""), _mapping(data.get("params")), tags,
            sorted({str(one["key"]) for one in data.get("metrics", ())}),
            [_dataset(one) for one in inputs.get("dataset_inputs", ())],
            [str(one["model_id"]) for one in inputs.get("model_inputs", ())],
            [(str(one["model_id"]), int(one.get("step") or 0)) for one in outputs.get("model_outputs", ())],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError, FabriekError) as error:
        return Unreadable(run_id, f"the server's answer is not one of a run: {error!r}")


def _dataset(raw: Mapping[str, Any]) -> Dataset:
    data = raw["dataset"]
    return Dataset(
        data["name"], data.get("digest", ""), data.get("source_type", ""), data.get("source", ""), data.get("schema", ""),
        data.get("profile", ""), _mapping(raw.get("tags")),
    )  # fmt: skip


def _point(raw: Mapping[str, Any]) -> Point:
    return Point(
        number_of(raw["value"]), int(raw.get("timestamp") or 0), int(raw.get("step") or 0), raw.get("model_id") or "",
        raw.get("dataset_name") or "", raw.get("dataset_digest") or "",
    )  # fmt: skip


def _model(raw: Mapping[str, Any]) -> Model:
    info, data = raw["info"], raw.get("data") or {}
    measured = [
        (str(one.get("run_id") or info.get("source_run_id") or ""), str(one["key"]), _point(one))
        for one in data.get("metrics", ())
    ]
    return Model(
        info["model_id"], str(info["experiment_id"]), info.get("name", ""), info.get("model_type") or "", info.get("source_run_id") or "",
        info.get("status", "LOGGED_MODEL_READY"), info.get("artifact_uri", ""), int(info.get("creation_timestamp_ms") or 0),
        int(info.get("last_updated_timestamp_ms") or 0), _mapping(data.get("params")), _mapping(info.get("tags")), measured,
    )  # fmt: skip


def _version(raw: Mapping[str, Any]) -> Version:
    return Version(
        raw["name"], int(raw["version"]), raw.get("source", ""), raw.get("run_id") or "", raw.get("model_id") or model_in(raw.get("source", "")),
        raw.get("description", ""), _mapping(raw.get("tags")), int(raw.get("creation_timestamp") or 0), int(raw.get("last_updated_timestamp") or 0),
    )  # fmt: skip


def _mapping(pairs: Any) -> dict[str, str]:
    return {str(one["key"]): str(one.get("value", "")) for one in pairs or ()}

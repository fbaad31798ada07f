"""Brings a source into a project, through the dialect that scripts speak: what it takes is what any client may do there.

A run keeps its id where it is free. Everything is sent in an order in which being killed costs only the work since: what stands is marked
when it is whole, what is not whole is sent again, and what arrives twice is kept once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabriek.kernel.errors import FabriekError, NotAuthenticated, NotFound, WrongState
from fabriek.kernel.streams import Counted
from fabriek.sdk.client import Client
from fabriek.sdk.tracking.dialect import Away, Dialect, in_batches, pairs, words_of
from fabriek.sdk.tracking.live import LABEL
from fabriek.sdk.tracking.records import Dataset, Experiment, Model, Owner, Point, Registered, Run, Source, Unreadable
from fabriek.sdk.tracking.report import Report

FROM = "fabriek.imported_from"
"""Tag of everything imported: the address or folder it came from."""
GIVEN = "fabriek.given_id"
"""Tag of a run: the id under which it was asked for, which is its own unless another run had it."""
WHOLE = "fabriek.imported"
"""Tag of a run of which everything arrived: `whole`, or `running` for one that had not ended where it came from."""
OLD_MODEL = "fabriek.imported_model"
OLD_VERSION = "fabriek.imported_version"
OLD_EXPERIMENT = "fabriek.imported_experiment"

POINTS_A_BATCH = 1_000
PAIRS_A_BATCH = 100
ENDED = {"FINISHED", "FAILED", "KILLED"}

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Begun:
    """A run that has its id here, in whichever experiment somebody has put it since. `mark`: how far an earlier import came."""

    source: Run
    here: str
    experiment: str
    mark: str
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class _Opened:
    """An experiment with the runs that were begun here."""

    source: Experiment
    name: str
    home: str
    is_new: bool
    runs: Sequence[_Begun]


class Importing:
    """One import into one project. `told` hears a line for each experiment."""

    def __init__(self, client: Client, project: str, source: Source, *, told: Told = lambda _: None) -> None:
        self._project, self._source, self._told = project, source, told
        self._native = Dialect(client.url, client.token)
        self._dialect = Dialect(f"{client.url}/lab/{project}", client.token)
        self._report = Report(source.where)
        self._runs: dict[str, str] = {}
        self._models: dict[str, str] = {}
        self._measured: dict[tuple[str, str, int, int], list[Point]] = {}

    def run(self, *, experiments: Sequence[str] = (), into: str = "", registered: bool = False) -> Report:
        """experiments: names of those that are wanted, all without one. into: another name for the one that is named.

        Raises NotFound where the source has none of a name, Unavailable where a server stays away: the same import again goes on.
        """
        try:
            self._all(experiments, into)
            if registered:
                for one in self._source.registered():
                    self._try_register(one)
        finally:
            self._dialect.close()
            self._native.close()
        return self._report

    def _all(self, wanted: Sequence[str], into: str) -> None:
        found: list[tuple[Experiment, str]] = []
        for one in list(self._source.experiments()):
            if isinstance(one, Unreadable):
                self._report.failed("experiments", one.name, one.reason)
            elif not wanted or one.name in wanted:
                found.append((one, into or one.name))
        if absent := sorted(set(wanted) - {one.name for one, _ in found}):
            raise NotFound(f"{self._source.where} has no experiment {absent[0]}", fix="leave --experiment out for all")
        # All runs are there before any model, and all models before any point: models name runs, and points the models they were measured on.
        begun = [opened for one, name in found if (opened := self._open(one, name)) is not None]
        for opened in begun:
            self._models_of(opened)
        for opened in begun:
            self._told(f"experiment {opened.name}, runs: {len(opened.runs)}")
            for run in opened.runs:
                self._fill(run)
            self._close(opened)

    def _open(self, one: Experiment, name: str) -> _Opened | None:
        """Its place here, with all of its runs begun."""
        try:
            home, is_new = self._home(one, name)
        except FabriekError as error:
            _pass_on(error)
            self._report.failed("experiments", name, error.detail)
            return None
        runs = [run for run in self._source.runs(one) if self._is_readable("runs", run)]
        begun = [self._begun(run, home) for run in runs if isinstance(run, Run)]
        return _Opened(one, name, home, is_new, [run for run in begun if run is not None])

    def _close(self, opened: _Opened) -> None:
        try:
            if opened.source.is_deleted:
                self._dialect.post("/experiments/delete", experiment_id=opened.home)
        except FabriekError as error:
            _pass_on(error)
            self._report.failed("experiments", opened.name, error.detail)
        else:
            (self._report.done if opened.is_new else self._report.skipped)("experiments")

    def _is_readable(self, kind: str, one: object) -> bool:
        if isinstance(one, Unreadable):
            self._report.failed(kind, one.name, one.reason)
            return False
        return True

    def _home(self, one: Experiment, name: str) -> tuple[str, bool]:
        """(its id here, whether it was made now)."""
        tags = dict(one.tags) | {FROM: self._source.where, OLD_EXPERIMENT: one.id}
        try:
            found = self._dialect.get("/experiments/get-by-name", experiment_name=name)["experiment"]
        except NotFound:
            made = self._dialect.create("/experiments/create", name=name, tags=pairs(tags))
            return str(made["experiment_id"]), True
        here = str(found["experiment_id"])
        if found.get("lifecycle_stage") == "deleted":
            self._dialect.post("/experiments/restore", experiment_id=here)
        known = {tag["key"] for tag in found.get("tags", ())}
        for key, value in one.tags.items():
            if key not in known:  # what people here wrote stands
                self._dialect.post("/experiments/set-experiment-tag", experiment_id=here, key=key, value=value)
        return here, False

    def _begun(self, run: Run, home: str) -> _Begun | None:
        """The run as it stands here; None where it is refused."""
        asked = {
            "id": run.id, "experiment": home, "name": run.name, "person": run.user, "started_ms": run.started_ms, "label": run.tags.get(LABEL, ""),
            "tags": {FROM: self._source.where},
        }  # fmt: skip
        try:
            answer = self._native.sent(f"/api/v1/projects/{self._project}/runs", asked)
        except FabriekError as error:
            _pass_on(error)
            self._report.failed("runs", run.id, error.detail)
            return None
        here = str(answer["id"])
        self._runs[run.id] = here
        return _Begun(run, here, str(answer["experiment"]), answer["tags"].get(WHOLE, ""), bool(answer["is_deleted"]))

    def _fill(self, begun: _Begun) -> None:
        """Everything of one run; what fails is told, and leaves it unmarked."""
        before = self._report.failures_count
        try:
            if begun.mark != "whole":
                self._send(begun)
                if self._report.failures_count > before:
                    self._report.failed("runs", begun.source.id, "a part of it did not arrive: see above")
                    return
                mark = "whole" if begun.source.status in ENDED else "running"
                self._dialect.post("/runs/set-tag", run_id=begun.here, key=WHOLE, value=mark)
            if begun.source.is_deleted:  # last of all: a run that is deleted takes nothing more
                self._dialect.post("/runs/delete", run_id=begun.here)
        except FabriekError as error:
            _pass_on(error)
            self._report.failed("runs", begun.source.id, error.detail)
        else:
            (self._report.skipped if begun.mark == "whole" else self._report.done)("runs")

    def _send(self, begun: _Begun) -> None:
        run, here = begun.source, begun.here
        if begun.is_deleted:
            self._dialect.post("/runs/restore", run_id=here)
        tags = {key: value for key, value in run.tags.items() if key not in {FROM, GIVEN, WHOLE, LABEL}}
        self._each(run, "params", "params", lambda: self._pairs(here, "params", run.params))
        self._each(run, "tags", "tags", lambda: self._pairs(here, "tags", tags))
        self._points(run, here)
        self._inputs(run, here)
        self._files(run, f"{begun.experiment}/{here}/artifacts")
        ended = {"end_time": run.ended_ms} if run.ended_ms else {}
        if run.status != "RUNNING" or ended:
            self._dialect.post("/runs/update", run_id=here, status=run.status, **ended)

    def _each(self, run: Run, kind: str, name: str, send: Callable[[], int]) -> None:
        try:
            count = send()
        except FabriekError as error:
            _pass_on(error)
            self._report.failed(kind, f"{run.id} {name}", error.detail)
        else:
            self._report.done(kind, count)

    def _pairs(self, here: str, field: str, values: Mapping[str, str]) -> int:
        for some in in_batches(values.items(), PAIRS_A_BATCH):
            self._dialect.post("/runs/log-batch", run_id=here, **{field: pairs(dict(some))})
        return len(values)

    def _points(self, run: Run, here: str) -> None:
        """All metrics in one stream of full batches; each by itself where that is refused, to find the one."""
        try:
            self._report.done("points", self._sent(run, here, run.keys))
        except FabriekError as error:
            _pass_on(error)
            for key in run.keys:
                self._each(run, "points", key, lambda key=key: self._sent(run, here, [key]))  # type: ignore[misc]

    def _sent(self, run: Run, here: str, keys: Sequence[str]) -> int:
        count = 0
        points = ((key, one) for key in keys for one in self._source.points(run, key))
        for some in in_batches(points, POINTS_A_BATCH):
            sent = [said for key, one in some for said in self._point(run.id, key, one)]
            for batch in in_batches(sent, POINTS_A_BATCH):
                self._dialect.post("/runs/log-batch", run_id=here, metrics=batch)
            count += len(some)
        return count

    def _point(self, run: str, key: str, one: Point) -> list[dict[str, Any]]:
        """Once, or once for each model that it was measured on: it stands once in the run's history all the same."""
        also = [
            two for two in self._measured.get((run, key, one.at_ms, one.step), ()) if repr(two.value) == repr(one.value)
        ]
        point = {"key": key, "value": words_of(one.value), "timestamp": one.at_ms, "step": one.step}
        return [point | self._about(two) for two in also or [one]]

    def _about(self, one: Point) -> dict[str, str]:
        said = {"model_id": self._models.get(one.model, ""), "dataset_name": one.dataset, "dataset_digest": one.digest}
        return {name: value for name, value in said.items() if value}

    def _inputs(self, run: Run, here: str) -> None:
        models = [self._models.get(one, one) for one in run.models]
        outputs = [(self._models.get(one, one), step) for one, step in run.outputs]

        def inputs() -> int:
            if run.datasets or models:
                told = [_dataset(one) for one in run.datasets]
                self._dialect.post(
                    "/runs/log-inputs", run_id=here, datasets=told, models=[{"model_id": one} for one in models]
                )
            if outputs:
                listed = [{"model_id": one, "step": step} for one, step in outputs]
                self._dialect.post("/runs/outputs", run_id=here, models=listed)
            return len(run.datasets) + len(models) + len(outputs)

        self._each(run, "inputs", "inputs and outputs", inputs)

    def _files(self, owner: Owner, place: str) -> None:
        try:
            wanted = list(self._source.files(owner))
            known = dict(self._dialect.listed(place)) if wanted else {}
        except FabriekError as error:
            _pass_on(error)
            self._report.failed("files", owner.id, error.detail)
            return
        for path, size in wanted:
            if known.get(path) == size and size > 0:
                # It was put there whole by an earlier try: a file appears here when all of it has arrived.
                self._report.skipped("files")
                continue
            try:
                with self._source.open(owner, path) as pieces:
                    counted = Counted(pieces)
                    self._dialect.put_file(f"{place}/{path}", iter(counted))
                if size and counted.size != size:
                    raise WrongState(f"it had {size} bytes when it was listed and {counted.size} when it was read")
            except FabriekError as error:
                _pass_on(error)
                self._report.failed("files", f"{owner.id} {path}", error.detail)
            else:
                self._report.done("files")

    def _models_of(self, opened: _Opened) -> None:
        """Brings the logged models, and keeps what was measured on them for when the points go out."""
        found = [model for model in self._source.models(opened.source) if self._is_readable("models", model)]
        if not found:
            return
        here = self._dialect.pages("/logged-models/search", "models", experiment_ids=[opened.home], max_results=50)
        known = {_tag(raw["info"], OLD_MODEL): raw["info"] for raw in here}
        for model in found:
            assert isinstance(model, Model), "what is not readable was left out"
            for run, key, point in model.measured:
                self._measured.setdefault((run, key, point.at_ms, point.step), []).append(point)
            try:
                self._model(model, opened.home, known.get(model.id))
            except FabriekError as error:
                _pass_on(error)
                self._report.failed("models", model.id, error.detail)

    def _model(self, model: Model, home: str, known: Mapping[str, Any] | None) -> None:
        if known is None:
            tags = dict(model.tags) | {FROM: self._source.where, OLD_MODEL: model.id}
            known = self._dialect.create(
                "/logged-models", experiment_id=home, name=model.name, model_type=model.kind, source_run_id=self._runs.get(model.run, model.run),
                tags=pairs(tags), params=pairs(model.params),
            )["model"]["info"]  # fmt: skip
        here = str(known["model_id"])
        self._models[model.id] = here
        if known.get("status") == model.status != "LOGGED_MODEL_PENDING":
            self._report.skipped("models")
            return
        failed = self._report.counts["files"].failed
        self._files(model, f"{home}/models/{here}/artifacts")
        if self._report.counts["files"].failed > failed:
            self._report.failed("models", model.id, "a file of it did not arrive: see above")
            return
        if model.status != "LOGGED_MODEL_PENDING":
            self._dialect.patch(f"/logged-models/{here}", status=model.status)
        self._report.done("models")

    def _try_register(self, one: Registered | Unreadable) -> None:
        if isinstance(one, Unreadable):
            self._report.failed("versions", one.name, one.reason)
            return
        try:
            self._register(one)
        except FabriekError as error:
            _pass_on(error)
            self._report.failed("versions", one.name, error.detail)

    def _register(self, one: Registered) -> None:
        try:
            found = self._dialect.get("/registered-models/get", name=one.name)["registered_model"]
        except NotFound:
            tags = pairs(dict(one.tags) | {FROM: self._source.where})
            made = self._dialect.create(
                "/registered-models/create", name=one.name, description=one.description, tags=tags
            )
            found = made["registered_model"]
        listed = self._dialect.pages(
            "/model-versions/search", "model_versions", method="GET", filter=f"name='{one.name}'"
        )
        numbers = {_tag(raw, OLD_VERSION): int(raw["version"]) for raw in listed}
        for version in one.versions:
            if str(version.number) in numbers:
                self._report.skipped("versions")
                continue
            tags = pairs(dict(version.tags) | {FROM: self._source.where, OLD_VERSION: str(version.number)})
            model = self._models.get(version.model, "")
            try:
                made = self._dialect.create(
                    "/model-versions/create", name=one.name, source=f"models:/{model}" if model else version.source,
                    run_id=self._runs.get(version.run, version.run), description=version.description, tags=tags,
                    **({"model_id": model} if model else {}),
                )  # fmt: skip
            except FabriekError as error:
                _pass_on(error)
                self._report.failed("versions", f"{one.name} {version.number}", error.detail)
                continue
            numbers[str(version.number)] = int(made["model_version"]["version"])
            self._report.done("versions")
        here = {said["alias"] for said in found.get("aliases", ())}
        for alias, number in one.aliases.items():
            if alias not in here and str(number) in numbers:
                self._dialect.post(
                    "/registered-models/alias", name=one.name, alias=alias, version=str(numbers[str(number)])
                )


def _dataset(one: Dataset) -> dict[str, Any]:
    told = {
        "name": one.name, "digest": one.digest, "source_type": one.source_type, "source": one.source, "schema": one.schema, "profile": one.profile,
    }  # fmt: skip
    return {"dataset": {name: value for name, value in told.items() if value}, "tags": pairs(one.tags)}


def _tag(raw: Mapping[str, Any], key: str) -> str:
    return next((str(one["value"]) for one in raw.get("tags", ()) if one["key"] == key), "")


def _pass_on(error: FabriekError) -> None:
    """A server that is away, or does not know us, ends the import: that is no fault of the one thing that was being sent."""
    if isinstance(error, Away | NotAuthenticated):
        raise error

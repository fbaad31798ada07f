"""An `mlruns` folder as a source: MLflow's file store, of any release that wrote one, and what `fabriek runs export` writes.

Only what lies in the folder is read: its records name places of their own for artifacts, and a folder from elsewhere must not have the
reader's other files sent away. `outside` says that it may.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from fabriek.kernel.errors import InvalidInput, NotFound, Unavailable
from fabriek.sdk.tracking.dialect import PIECE_BYTES
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

META = "meta.yaml"
TRASH = ".trash"
MODELS = "models"
APART = "fabriek.jsonl"
"""Beside `meta.yaml` of a run: what it logged under names that no file can have, a line each. MLflow passes it over."""

NOT_RUNS = frozenset({"tags", "datasets", "traces", MODELS})
STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
MODEL_STATUSES = {1: "LOGGED_MODEL_PENDING", 2: "LOGGED_MODEL_READY", 3: "LOGGED_MODEL_UPLOAD_FAILED"}

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Mlruns(Source):
    """Raises NotFound on a folder that is none."""

    def __init__(self, root: Path, *, outside: bool = False) -> None:
        self._root = root.absolute()
        self._outside = outside
        self.where = self._root.as_uri()
        if not self._root.is_dir():
            raise NotFound(f"{root} is not a folder", fix="give the address of a server, or an mlruns folder")
        if not any(self._experiment_folders()):
            raise NotFound(f"{root} holds no experiments of MLflow", fix="give the folder that holds 0/meta.yaml")

    def _experiment_folders(self) -> Iterator[Path]:
        for parent in (self._root, self._root / TRASH):
            for folder in sorted(parent.iterdir()) if parent.is_dir() else ():
                if (folder / META).is_file() and folder.name != MODELS:
                    yield folder

    def experiments(self) -> Iterator[Experiment | Unreadable]:
        for folder in self._experiment_folders():
            try:
                meta = _read(folder / META)
                yield Experiment(
                    folder.name, str(meta["name"]), _texts(folder / "tags"), int(meta.get("creation_time") or 0),
                    int(meta.get("last_update_time") or 0), folder.parent.name == TRASH or meta.get("lifecycle_stage") == "deleted",
                )  # fmt: skip
            except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
                yield Unreadable(folder.name, _why(error))

    def runs(self, experiment: Experiment) -> Iterator[Run | Unreadable]:
        home = self._home(experiment.id)
        for folder in sorted(one for one in home.iterdir() if one.is_dir() and one.name not in NOT_RUNS):
            try:
                yield self._run(home, folder, experiment.id)
            except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
                yield Unreadable(folder.name, _why(error))

    def _run(self, home: Path, folder: Path, experiment: str) -> Run:
        meta = _read(folder / META)
        run_id = str(meta.get("run_id") or meta.get("run_uuid") or folder.name)
        if run_id != folder.name:
            raise ValueError(f"{folder / META} is of another run: {run_id[:64]}")
        apart = list(_apart(folder))
        tags = _texts(folder / "tags") | {one["key"]: one["value"] for one in apart if one["kind"] == "tag"}
        params = _texts(folder / "params") | {one["key"]: one["value"] for one in apart if one["kind"] == "param"}
        keys = {name for name, _ in _named(folder / "metrics")} | {
            one["key"] for one in apart if one["kind"] == "metric"
        }
        datasets, models = _inputs(home, folder)
        status = meta.get("status", 1)
        return Run(
            run_id, experiment, str(meta.get("run_name") or meta.get("name") or "") or
            tags.get("mlflow.runName", ""), str(meta.get("user_id") or ""), STATUSES[status] if isinstance(status, int) else str(status),
            int(meta.get("start_time") or 0), int(meta.get("end_time") or 0), meta.get("lifecycle_stage") == "deleted",
            str(meta.get("artifact_uri") or ""), params, tags, sorted(keys), datasets, models, _outputs(folder),
        )  # fmt: skip

    def points(self, run: Run, key: str) -> Iterator[Point]:
        folder = self._home(run.experiment) / run.id
        file = folder / "metrics" / key
        if file.is_file():
            try:
                with file.open(encoding="utf-8") as lines:
                    for number, line in enumerate(lines, 1):
                        yield _point(line, f"line {number} of metric {key} of run {run.id}")
            except (OSError, UnicodeDecodeError) as error:
                raise Unavailable(f"{file} cannot be read: {_why(error)}") from error
        for one in _apart(folder):
            if one["kind"] == "metric" and one["key"] == key:
                yield Point(float(one["value"]), int(one["at_ms"]), int(one["step"]))

    def models(self, experiment: Experiment) -> Iterator[Model | Unreadable]:
        home = self._home(experiment.id) / MODELS
        for folder in sorted(home.iterdir()) if home.is_dir() else ():
            if not (folder / META).exists() and self._is_elsewhere(folder.name):
                continue
            try:
                meta = _read(folder / META)
                if meta.get("lifecycle_stage") == "deleted":
                    continue
                yield Model(
                    folder.name, experiment.id, str(meta.get("name") or ""), str(meta.get("model_type") or ""), str(meta.get("source_run_id") or ""),
                    MODEL_STATUSES[int(meta.get("status") or 2)], str(meta.get("artifact_location") or ""), int(meta.get("creation_timestamp") or 0),
                    int(meta.get("last_updated_timestamp") or 0), _texts(folder / "params"), _texts(folder / "tags"), self._measured(folder.name),
                )  # fmt: skip
            except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
                yield Unreadable(folder.name, _why(error))

    def _is_elsewhere(self, model: str) -> bool:
        """MLflow keeps what a run measured on a model of another experiment in a folder of that model in the run's own."""
        return any((home / MODELS / model / META).is_file() for home in self._experiment_folders())

    def _measured(self, model: str) -> list[tuple[str, str, Point]]:
        return [one for home in self._experiment_folders() for one in _measured(home / MODELS / model)]

    def registered(self) -> Iterator[Registered | Unreadable]:
        home = self._root / MODELS
        for folder in sorted(one for one in home.iterdir() if one.is_dir()) if home.is_dir() else ():
            try:
                meta = _read(folder / META)
                aliases = {name: int(text) for name, text in _texts(folder / "aliases").items()}
                yield Registered(
                    str(meta["name"]), str(meta.get("description") or ""), _texts(folder / "tags"), aliases, _versions(folder),
                    int(meta.get("creation_timestamp") or 0), int(meta.get("last_updated_timestamp") or 0),
                )  # fmt: skip
            except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
                yield Unreadable(folder.name, _why(error))

    def files(self, owner: Owner) -> Iterator[tuple[str, int]]:
        root = self._artifacts(owner)
        if root is None:
            return
        found: list[tuple[str, int]] = []
        for at, folders, names in os.walk(root):
            for name in (*folders, *names):
                path = Path(at, name)
                if path.is_symlink():
                    self._check_inside(path)
            found += [
                (path.relative_to(root).as_posix(), path.stat().st_size) for path in (Path(at, name) for name in names)
            ]
        yield from sorted(found)

    @contextmanager
    def open(self, owner: Owner, path: str) -> Iterator[Iterator[bytes]]:
        root = self._artifacts(owner)
        if root is None:
            raise NotFound(f"{owner.id} has no file {path}")
        self._check_inside(root / path)
        try:
            with (root / path).open("rb") as file:
                yield iter(lambda: file.read(PIECE_BYTES), b"")
        except OSError as error:
            raise Unavailable(f"{root / path} cannot be read: {error.strerror}") from error

    def _artifacts(self, owner: Owner) -> Path | None:
        """The folder of its artifacts: beside its record, wherever the folder was moved to; else where its record says."""
        home = self._home(owner.experiment)
        beside = (home / owner.id if isinstance(owner, Run) else home / MODELS / owner.id) / "artifacts"
        if beside.is_dir() and any(beside.iterdir()):
            return beside
        at = urlsplit(owner.artifacts)
        if at.scheme in {"", "file"} and owner.artifacts:
            said = Path(unquote(at.path))
            if said.is_dir():
                self._check_inside(said)
                return said
            return None
        if owner.artifacts and at.scheme != "mlflow-artifacts":
            raise Unavailable(
                f"its files are at {owner.artifacts}, and a folder alone does not say how to reach them",
                fix="import from a running server that hands them out",
            )
        return None

    def _check_inside(self, path: Path) -> None:
        if not self._outside and not path.resolve().is_relative_to(self._root.resolve()):
            raise InvalidInput(f"{path} leads out of {self._root}", fix="give --outside if it may be read")

    def _home(self, experiment: str) -> Path:
        here = self._root / experiment
        return here if here.is_dir() else self._root / TRASH / experiment


def _read(file: Path) -> dict[str, Any]:
    found = yaml.load(file.read_text("utf-8"), Loader=_Loader)  # noqa: S506  # a safe one, in C where there is one
    if not isinstance(found, dict):
        raise ValueError(f"{file} is empty or cut off")  # noqa: TRY004  # the file is wrong, not a type
    return found


def _named(folder: Path) -> Iterator[tuple[str, Path]]:
    """(name, file) of what is kept a file each; names with a slash are files in folders."""
    for at, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(at, name)
            yield path.relative_to(folder).as_posix(), path


def _texts(folder: Path) -> dict[str, str]:
    return {name: file.read_bytes().decode() for name, file in _named(folder)}


def _apart(folder: Path) -> Iterator[Mapping[str, Any]]:
    file = folder / APART
    if file.is_file():
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def _point(line: str, place: str) -> Point:
    """`timestamp value [step [dataset digest]]`. Raises InvalidInput."""
    try:
        at_ms, value, *rest = line.split()
        step, dataset, digest = {0: ("0", "", ""), 1: (*rest, "", ""), 3: rest}[len(rest)]
        return Point(float(value), int(at_ms), int(step), dataset=dataset, digest=digest)
    except (ValueError, KeyError):
        raise InvalidInput(f"{place} is not one of a metric: {line.strip()[:80]!r}") from None


def _measured(folder: Path) -> Iterator[tuple[str, str, Point]]:
    """`timestamp value step run [dataset digest]`, a line each."""
    for key, file in _named(folder / "metrics"):
        for line in file.read_text("utf-8").splitlines():
            at_ms, value, step, run, *rest = line.split()
            dataset, digest = rest if len(rest) == 2 else ("", "")
            yield run, key, Point(float(value), int(at_ms), int(step), folder.name, dataset, digest)


def _inputs(home: Path, folder: Path) -> tuple[list[Dataset], list[str]]:
    datasets: list[Dataset] = []
    models: list[str] = []
    for one in sorted((folder / "inputs").iterdir()) if (folder / "inputs").is_dir() else ():
        said = _read(one / META)
        if said.get("source_type") == "MODEL":
            models.append(str(said["source_id"]))
            continue
        about = _read(home / "datasets" / Path(str(said["source_id"])).name / META)
        datasets.append(
            Dataset(
                str(about["name"]), str(about.get("digest") or ""), str(about.get("source_type") or ""), str(about.get("source") or ""),
                str(about.get("schema") or ""), str(about.get("profile") or ""), {str(k): str(v) for k, v in (said.get("tags") or {}).items()},
            )
        )  # fmt: skip
    return datasets, models


def _outputs(folder: Path) -> list[tuple[str, int]]:
    home = folder / "outputs"
    found = [(one.name, _read(one / META)) for one in (sorted(home.iterdir()) if home.is_dir() else ())]
    return [(name, int(said.get("step") or 0)) for name, said in found]


def _versions(folder: Path) -> list[Version]:
    found = []
    for one in folder.glob("version-*"):
        meta = _read(one / META)
        source = str(meta.get("source") or "")
        model = str(meta.get("model_id") or "") or model_in(source)
        found.append(
            Version(
                str(meta["name"]), int(meta["version"]), source, str(meta.get("run_id") or ""), model, str(meta.get("description") or ""),
                _texts(one / "tags"), int(meta.get("creation_timestamp") or 0), int(meta.get("last_updated_timestamp") or 0),
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: one.number)


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{error.filename} is missing"
    return str(error).splitlines()[0] if str(error) else repr(error)

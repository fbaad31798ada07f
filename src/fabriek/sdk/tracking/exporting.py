"""Lays a source out as an `mlruns` folder: MLflow's file store as the unmodified MLflow reads it, and `import` reads back.

What MLflow's layout cannot hold is kept beside it, in `fabriek.jsonl` of the run: names that cannot be files' names together (`loss` and
`loss/train`), or are too long for one. A run appears in one step, when all of it is there; one that is there already is left as it is.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from fabriek.kernel.errors import AlreadyExists, FabriekError, InvalidInput, NotAuthenticated, NotFound, StorageFull
from fabriek.sdk.tracking.dialect import Away
from fabriek.sdk.tracking.mlruns import APART, META, MODEL_STATUSES, MODELS, STATUSES, TRASH
from fabriek.sdk.tracking.records import Dataset, Experiment, Model, Owner, Point, Registered, Run, Source, Unreadable
from fabriek.sdk.tracking.report import Report

PARTS = ".fabriek-parts"
"""Where a run is laid out until it is whole. Gone at the end."""

NAME_BYTES_MAX = 255
NUMBERS = {name: number for number, name in STATUSES.items()}
STATES = {name: state for state, name in MODEL_STATUSES.items()}

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Exporting:
    """One export into one folder. `told` hears a line for each experiment."""

    def __init__(self, source: Source, root: Path, *, told: Callable[[str], None] = lambda _: None) -> None:
        self._source, self._root, self._told = source, root.absolute(), told
        self._report = Report(source.where)

    def run(self, *, experiments: Sequence[str] = (), registered: bool = False) -> Report:
        """Raises NotFound where the source has none of a name, InvalidInput on a folder that holds something else, StorageFull."""
        try:
            return self._run_all(experiments, registered=registered)
        except OSError as error:
            raise StorageFull(
                f"{self._root} cannot be written: {error.strerror}", fix="make room, and export again: it goes on"
            ) from error

    def _run_all(self, experiments: Sequence[str], *, registered: bool) -> Report:
        self._root.mkdir(parents=True, exist_ok=True)
        if any(self._root.iterdir()) and not any(self._root.glob(f"*/{META}")) and not (self._root / TRASH).is_dir():
            raise InvalidInput(f"{self._root} holds something else", fix="name an empty or a new folder")
        (self._root / TRASH).mkdir(exist_ok=True)
        shutil.rmtree(self._root / PARTS, ignore_errors=True)
        seen: set[str] = set()
        for one in list(self._source.experiments()):
            if isinstance(one, Unreadable):
                self._report.failed("experiments", one.name, one.reason)
            elif not experiments or one.name in experiments:
                seen.add(one.name)
                self._experiment(one)
        for model in self._source.registered() if registered else ():
            self._registered(model)
        shutil.rmtree(self._root / PARTS, ignore_errors=True)
        if absent := sorted(set(experiments) - seen):
            raise NotFound(f"{self._source.where} has no experiment {absent[0]}", fix="leave --experiment out for all")
        return self._report

    def _experiment(self, one: Experiment) -> None:
        self._told(f"experiment {one.name}")
        _check_id(one.id)
        home = (self._root / TRASH if one.is_deleted else self._root) / one.id
        if (home / META).is_file():
            known = yaml.load((home / META).read_text("utf-8"), Loader=yaml.SafeLoader)
            if known["name"] != one.name:
                raise AlreadyExists(f"{home} is experiment {known['name']}", fix="export into a folder of its own")
            self._report.skipped("experiments")
        else:
            home.mkdir(parents=True, exist_ok=True)
            _texts(home / "tags", one.tags)
            meta = {
                "artifact_location": home.as_uri(), "creation_time": one.created_ms, "experiment_id": one.id, "last_update_time": one.changed_ms,
                "lifecycle_stage": "deleted" if one.is_deleted else "active", "name": one.name,
            }  # fmt: skip
            _write(home, meta)
            self._report.done("experiments")
        for run in self._source.runs(one):
            self._whole("runs", run, home, lambda run=run: self._run(run, home))  # type: ignore[misc]
        for model in self._source.models(one):
            at = home / MODELS
            self._whole("models", model, at, lambda model=model: self._model(model, home))  # type: ignore[misc]

    def _whole(self, kind: str, one: Run | Model | Unreadable, home: Path, lay: Callable[[], Path]) -> None:
        """Lays it out apart and moves it where it belongs in one step."""
        if isinstance(one, Unreadable):
            self._report.failed(kind, one.name, one.reason)
            return
        try:
            _check_id(one.id)
            place = home / one.id
            if (place / META).is_file():
                self._report.skipped(kind)
                return
            laid = lay()
            home.mkdir(parents=True, exist_ok=True)
            laid.rename(place)
        except NotAuthenticated:
            raise
        except FabriekError as error:
            if isinstance(error, Away):
                raise
            self._report.failed(kind, one.id, error.detail)
        else:
            self._report.done(kind)

    def _part(self, owner: Owner) -> Path:
        _check_id(owner.id)
        part = self._root / PARTS / owner.id
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        return part

    def _run(self, run: Run, home: Path) -> Path:
        part = self._part(run)
        for name in ("metrics", "params", "artifacts", "tags"):
            (part / name).mkdir()
        apart: list[dict[str, Any]] = []
        plain = _fileable(run.keys)
        for key in run.keys:
            points = self._counted(self._source.points(run, key))
            if key in plain:
                _lines(part / "metrics" / key, (_line(one) for one in points))
            else:
                apart += [
                    {"kind": "metric", "key": key, "value": repr(one.value), "at_ms": one.at_ms, "step": one.step}
                    for one in points
                ]
        apart += _texts(part / "params", run.params, "param") + _texts(part / "tags", run.tags, "tag")
        if apart:
            _lines(part / APART, (json.dumps(one) + "\n" for one in apart))
        self._report.done("params", len(run.params))
        self._report.done("tags", len(run.tags))
        self._inputs(run, part, home)
        self._files(run, part / "artifacts")
        place = home / run.id
        meta: dict[str, Any] = {
            "artifact_uri": (place / "artifacts").as_uri(), "deleted_time": None, "end_time": run.ended_ms or None, "entry_point_name": "",
            "experiment_id": run.experiment, "lifecycle_stage": "deleted" if run.is_deleted else "active", "run_id": run.id,
            "run_name": run.name, "run_uuid": run.id, "source_name": "", "source_type": 4, "source_version": "", "start_time": run.started_ms,
            "status": NUMBERS.get(run.status, 1), "tags": [], "user_id": run.user,
        }  # fmt: skip
        _write(part, meta)
        return part

    def _counted(self, points: Iterable[Point]) -> Iterator[Point]:
        for one in points:
            self._report.done("points")
            yield one

    def _inputs(self, run: Run, part: Path, home: Path) -> None:
        for one in run.datasets:
            data = _digest(one.name, one.digest)
            about = home / "datasets" / data
            if not (about / META).is_file():
                about.mkdir(parents=True, exist_ok=True)
                _write(about, _about(one))
            self._input(part / "inputs" / _digest(data, run.id), "DATASET", data, dict(one.tags))
        for model in run.models:
            self._input(part / "inputs" / _digest(model, run.id), "MODEL", model, {})
        for model, step in run.outputs:
            place = part / "outputs" / PurePosixPath(model).name
            place.mkdir(parents=True, exist_ok=True)
            said = {
                "source_type": "RUN_OUTPUT",
                "source_id": model,
                "destination_type": "MODEL_OUTPUT",
                "destination_id": model,
            }
            _write(place, said | {"tags": {}, "step": step})
            self._report.done("inputs")

    def _input(self, place: Path, kind: str, source: str, tags: Mapping[str, str]) -> None:
        place.mkdir(parents=True, exist_ok=True)
        said = {
            "source_type": kind,
            "source_id": source,
            "destination_type": "RUN",
            "destination_id": source,
            "tags": tags,
        }
        _write(place, said)
        self._report.done("inputs")

    def _model(self, model: Model, home: Path) -> Path:
        part = self._part(model)
        for name in ("metrics", "params", "tags"):
            (part / name).mkdir()
        if _texts(part / "params", model.params) or _texts(part / "tags", model.tags):
            raise InvalidInput(f"a name of model {model.id} cannot be a file's")
        if len(_fileable(key for _, key, _ in model.measured)) < len({key for _, key, _ in model.measured}):
            raise InvalidInput(f"a metric of model {model.id} cannot be a file's name")
        for run, key, one in model.measured:
            with _new(part / "metrics" / key, "a") as out:
                about = f" {one.dataset} {one.digest}" if one.dataset and one.digest else ""
                out.write(f"{one.at_ms} {one.value!r} {one.step} {run}{about}\n")
        self._files(model, part / "artifacts")
        meta: dict[str, Any] = {
            "artifact_location": (home / MODELS / model.id / "artifacts").as_uri(), "creation_timestamp": model.created_ms,
            "experiment_id": model.experiment, "last_updated_timestamp": model.changed_ms, "lifecycle_stage": "active", "model_id": model.id,
            "model_type": model.kind or None, "name": model.name, "source_run_id": model.run or None,
            "status": STATES.get(model.status, 2), "status_message": None,
        }  # fmt: skip
        _write(part, meta)
        return part

    def _files(self, owner: Owner, root: Path) -> None:
        for path, _ in self._source.files(owner):
            place = _below(root, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            with self._source.open(owner, path) as pieces, place.open("xb") as out:
                for piece in pieces:
                    out.write(piece)
            self._report.done("files")

    def _registered(self, one: Registered | Unreadable) -> None:
        if isinstance(one, Unreadable):
            self._report.failed("versions", one.name, one.reason)
            return
        try:
            home = _below(self._root / MODELS, one.name)
        except InvalidInput as error:
            self._report.failed("versions", one.name, error.detail, max(1, len(one.versions)))
            return
        if (home / META).is_file():
            self._report.skipped("versions", len(one.versions))
            return
        shutil.rmtree(home, ignore_errors=True)  # one that was cut off has no record of itself yet
        home.mkdir(parents=True)
        aliases = {name: str(number) for name, number in one.aliases.items()}
        apart = _texts(home / "tags", one.tags, "tag") + _texts(home / "aliases", aliases, "alias")
        for left in apart:
            self._report.failed("versions", f"{one.name} {left['kind']} {left['key']}", "it cannot be a file's name")
        for version in one.versions:
            place = home / f"version-{version.number}"
            place.mkdir()
            _texts(place / "tags", version.tags)
            told = {
                "creation_timestamp": version.created_ms, "current_stage": "None", "description": version.description,
                "last_updated_timestamp": version.changed_ms, "model_id": version.model or None, "name": version.name, "run_id": version.run,
                "run_link": None, "source": version.source, "status": "READY", "status_message": None, "storage_location": version.source,
                "user_id": None, "version": version.number,
            }  # fmt: skip
            _write(place, told)
            self._report.done("versions")
        meta = {
            "creation_timestamp": one.created_ms, "description": one.description, "last_updated_timestamp": one.changed_ms, "latest_versions": [],
            "name": one.name,
        }  # fmt: skip
        _write(home, meta)


def _check_id(text: str) -> None:
    """Ids become names of folders, and come from a server that we need not believe. Raises InvalidInput."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", text):
        raise InvalidInput(f"{text[:80]!r} is no id")


def _line(one: Point) -> str:
    """Python's own digits of a number are exact: what reads them has the same bits."""
    about = f" {one.dataset} {one.digest}" if one.dataset and one.digest and " " not in one.dataset + one.digest else ""
    return f"{one.at_ms} {one.value!r} {one.step}{about}\n"


def _fileable(names: Iterable[str]) -> set[str]:
    """Those that can be files together."""
    known = set(names)
    folders = {str(parent) for name in known for parent in PurePosixPath(name).parents}
    return {
        name
        for name in known
        if name not in folders
        and not name.startswith("/")
        and all(part not in {"", ".", ".."} and len(part.encode()) <= NAME_BYTES_MAX for part in name.split("/"))
    }


def _texts(folder: Path, values: Mapping[str, str], kind: str = "") -> list[dict[str, str]]:
    """Writes a file each; what cannot be one is handed back."""
    plain = _fileable(values)
    for name in plain:
        with _new(folder / name, "x") as out:
            out.write(values[name])
    return [{"kind": kind, "key": name, "value": value} for name, value in values.items() if name not in plain]


def _new(file: Path, mode: str) -> Any:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file.open(mode, encoding="utf-8", newline="")


def _lines(file: Path, lines: Iterable[str]) -> None:
    with _new(file, "x") as out:
        out.writelines(lines)


def _write(folder: Path, meta: Mapping[str, Any]) -> None:
    """In one step: a record that is there is whole."""
    draft = folder / f".{META}.{os.getpid()}"
    draft.write_text(yaml.dump(dict(meta), Dumper=_Dumper, allow_unicode=True, default_flow_style=False), "utf-8")
    draft.replace(folder / META)


def _about(one: Dataset) -> dict[str, Any]:
    return {
        "name": one.name, "digest": one.digest, "source_type": one.source_type, "source": one.source, "schema": one.schema or None,
        "profile": one.profile or None,
    }  # fmt: skip


def _below(root: Path, path: str) -> Path:
    """Where a path of theirs is in our folder. Raises InvalidInput on one that leads out of it."""
    parts = path.split("/")
    if any(part in {"", ".", ".."} or "\\" in part or "\0" in part for part in parts):
        raise InvalidInput(f"{path[:200]!r} leads out of its folder")
    return root.joinpath(*parts)


def _digest(one: str, other: str) -> str:
    """The name that MLflow's file store gives what belongs together; nothing is protected by it."""
    return hashlib.md5((one + other).encode(), usedforsecurity=False).hexdigest()

"""A session as data: named steps by MLflow's client or by bare HTTP, and what a server answered to each, made comparable.

A text `$name` stands for an id that an earlier step was given, so that one script serves servers that name things differently.
"""

import json
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from mlflow import MlflowClient
from mlflow.entities._mlflow_object import _MlflowObject
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList

API = "/api/2.0/mlflow/"
DAY_MS = 86_400_000
SETS = {"tags", "params", "aliases", "model_inputs", "model_outputs", "dataset_inputs"}
"""Lists whose order means nothing."""
EXPERIMENT_IN = re.compile(r"(mlflow-artifacts:/|id=|ID |[Ee]xperiment )(\d+)\b")
ID = re.compile(r"\b(m-)?[0-9a-f]{32}\b")
"""Of what no step kept by a name."""
SAID_BESIDE = re.compile(
    r"(:  Hint: Value was of type '\w+')?\.?( See the API docs for more information about request parameters\.)?$"
)
"""How MLflow ends its refusals; what comes before is compared."""


@dataclass
class World:
    """One server, and the ids that it gave so far."""

    uri: str
    token: str
    folder: Path
    known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = MlflowClient(self.uri, self.uri)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        self.web = httpx.Client(base_url=self.uri, headers=headers, trust_env=False, timeout=60)

    def filled(self, said: Any) -> Any:
        """With ids in the place of their names."""
        if isinstance(said, str):
            return re.sub(r"\$(\w+)", lambda found: self.known.get(found[1], found[0]), said)
        if isinstance(said, Mapping):
            return {self.filled(key): self.filled(value) for key, value in said.items()}
        if type(said) in {list, tuple}:
            return type(said)(self.filled(one) for one in said)
        return said


@dataclass(frozen=True)
class Step:
    """name: what it does, as a sentence. keep: the name of the id that it is given."""

    name: str
    act: Callable[[World], Any]
    keep: str = ""
    show: Callable[[Any], Any] = lambda said: said


def client(
    title: str, call: str, /, *arguments: Any, keep: str = "", show: Callable[[Any], Any] | None = None, **named: Any
) -> Step:
    """A call of `MlflowClient`."""

    def act(world: World) -> Any:
        return getattr(world.client, call)(*world.filled(arguments), **world.filled(named))

    return Step(title, act, keep, show or (lambda said: said))


def raw(name: str, method: str, path: str, body: Any = None, *, keep: str = "", **how: Any) -> Step:
    """A call by bare HTTP. body: what becomes JSON; `content=` sends bytes as they are, `params=` a query. path: below `/api/2.0/mlflow/`
    unless it begins with a slash.
    """

    def act(world: World) -> Any:
        where = world.filled(path if path.startswith("/") else API + path)
        sent = {"json": world.filled(body)} if body is not None else {}
        answer = world.web.request(method, where, **sent, **world.filled(how))
        return {"status": answer.status_code, "body": _read(answer)}

    return Step(name, act, keep)


def act(name: str, does: Callable[[World], Any], keep: str = "") -> Step:
    """Whatever needs more than one call."""
    return Step(name, does, keep)


def take(world: World, steps: Iterable[Step]) -> dict[str, Any]:
    """Has the session with this server: step → what it answered, with nothing in it that only this server would say."""
    answers: dict[str, Any] = {}
    for step in steps:
        assert step.name not in answers, f"two steps are called {step.name!r}"
        try:
            said = step.act(world)
            if step.keep:
                world.known[step.keep] = _id_of(said)
            said = step.show(said)
        except MlflowException as refused:
            said = {"refused": refused.error_code, "status": refused.get_http_status_code(), "message": refused.message}
        except (Warning, AssertionError):
            raise
        except Exception as refused:  # the client's own, before anything was sent
            said = {"raised": type(refused).__name__, "message": str(refused)}
        answers[step.name] = (
            f"<{step.keep}>" if step.keep and said == world.known.get(step.keep) else comparable(said, world)
        )
    return answers


def comparable(said: Any, world: World) -> Any:
    """Entities as mappings, ids as their names, the time of the test as a word, tags and params in order."""
    names = {value: f"<{name}>" for name, value in world.known.items()}
    return _Naming(names, int(time.time() * 1000), world.uri).of(_plain(said))  # noqa: TID251  # beside what real servers say


def _plain(said: Any) -> Any:
    if isinstance(said, PagedList):
        return {"items": [_plain(one) for one in said], "goes on": bool(said.token)}
    if isinstance(said, _MlflowObject):
        return {key: _plain(value) for key, value in said}
    if isinstance(said, Mapping):
        return {str(key): _plain(value) for key, value in said.items()}
    if isinstance(said, list | tuple | set):
        return [_plain(one) for one in said]
    if isinstance(said, float) and not math.isfinite(said):
        return str(said)
    return said if said is None or isinstance(said, str | int | float | bool) else str(said)


@dataclass(frozen=True)
class _Naming:
    names: Mapping[str, str]
    now_ms: int
    uri: str

    def of(self, said: Any, key: str = "") -> Any:
        if isinstance(said, Mapping):
            made = {one: self.of(value, one) for one, value in said.items()}
            if isinstance(made.get("message"), str):
                made["message"] = SAID_BESIDE.sub("", made["message"])
            return made | ({"next_page_token": bool(made["next_page_token"])} if "next_page_token" in made else {})
        if isinstance(said, list):
            made = [self.of(one, key) for one in said]
            return sorted(made, key=json.dumps) if key in SETS else made
        if isinstance(said, str):
            return self._experiment(said) if key == "experiment_id" else self._text(said)
        return "<now>" if type(said) in {int, float} and self._is_now(said) else said

    def _is_now(self, number: float) -> bool:
        return abs(number - self.now_ms) < DAY_MS

    def _experiment(self, number: str) -> str:
        """Numbers of experiments are short: they are taken for ids only where one must stand."""
        return self.names.get(number, number if number in {"0", ""} else "<an experiment>")

    def _text(self, said: str) -> str:
        if said.isdecimal() and self._is_now(int(said)):
            return "<now>"
        said = EXPERIMENT_IN.sub(lambda found: found[1] + self._experiment(found[2]), said)
        for one, name in self.names.items():
            if len(one) > 8:
                said = said.replace(one, name)
        return ID.sub("<an id>", said.replace(self.uri, "<server>"))


def _id_of(said: Any) -> str:
    if isinstance(said, str):
        return said
    if isinstance(said, Mapping):
        body = said.get("body", said)
        for path in (
            ("experiment_id",),
            ("run", "info", "run_id"),
            ("model", "info", "model_id"),
            ("next_page_token",),
        ):
            found: Any = body
            for part in path:
                found = found.get(part, {}) if isinstance(found, Mapping) else {}
            if isinstance(found, str):
                return found
    if hasattr(said, "info"):
        return str(said.info.run_id)
    if isinstance(said, PagedList):
        return str(said.token)
    if hasattr(said, "model_id"):
        return str(said.model_id)
    raise AssertionError(f"no id in {said!r}")


def _read(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return (
            answer.text
            if answer.headers.get("content-type", "").startswith("text/plain")
            else f"{len(answer.content)} bytes"
        )


def differences(ours: Any, theirs: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """Path of a field → (ours, theirs), for every field in which two answers differ."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        found: dict[str, tuple[Any, Any]] = {}
        for key in {**ours, **theirs}:
            found |= differences(
                ours.get(key, "<absent>"), theirs.get(key, "<absent>"), f"{path}.{key}" if path else str(key)
            )
        return found
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return {
            at: both
            for number, one in enumerate(ours)
            for at, both in differences(one, theirs[number], f"{path}[{number}]").items()
        }
    return {} if ours == theirs and type(ours) is type(theirs) else {path: (ours, theirs)}

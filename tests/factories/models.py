"""Files as models are kept in, made by hand or by the libraries that write them; and pickles that would show that they ran."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fabriek.compute.jobs import Job, State
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.store import SqlJobs
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists
from fabriek.lab.metrics import Metric
from fabriek.lab.registry.models import ModelVersion
from fabriek.worker.settling import settle
from tests.factories.services import Town
from tests.factories.vault import fill


@dataclass(frozen=True)
class Held:
    """Bytes as the registry looks at them."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def at(self, start: int, stop: int) -> bytes:
        return self.data[start:stop]


class Trap:
    """Whoever unpickles it makes this file."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.sprung), "w")


def trapped(sprung: Path, protocol: int = 4) -> bytes:
    return pickle.dumps(Trap(sprung), protocol)


def safetensors(values: bytes = b"\0" * 8, **metadata: str) -> bytes:
    header = json.dumps(
        {"__metadata__": metadata, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, len(values)]}}
    )
    return struct.pack("<Q", len(header)) + header.encode() + values


def onnx() -> bytes:
    """A ModelProto: IR version 8, a producer, an empty graph with a name, and an operator set."""
    graph = b"\x12\x05graph"
    return b"\x08\x08" + b"\x12\x04mine" + b"\x3a" + bytes([len(graph)]) + graph + b"\x42\x02\x10\x11"


def zipped(**members: bytes) -> bytes:
    """`a__b` is `a.b`, `a___b` is `a/b`."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("___", "/").replace("__", "."), content)
    return held.getvalue()


class House:
    """A start-up's project with `lena` its lead, and `max` and `nina` beside her; what one of them logs and registers is a model version."""

    def __init__(self, town: Town) -> None:
        self.town, self.services = town, town.services
        lena = town.person("startup")
        self.slug = town.project(lena)
        self.project = self.services.access.project(self.slug).id
        self.lena = town.again(lena)
        self.max, self.nina = (self.joins(name) for name in ("max", "nina"))

    def joins(self, name: str) -> Caller:
        body = self.lena.organisation
        email = f"{name}-{self.slug}@startup.example"
        person = self.services.access.invite(body, name.title(), email, [], by=self.town.operator)
        self.services.access.add_member(self.slug, person.id, "member", by=self.lena)
        return self.services.identity.caller_for(person.id)

    def job(self, by: Caller, *argv: str, name: str = "train", reads: str = "", label: str = "", succeeds: bool = True) -> Job:  # fmt: skip
        """One that was submitted, has its run, and ended as a real one would, without a machine. label: of its run, instead of its inputs'."""
        inputs = (InputAsked(reads, "/data"),) if reads else ()
        asked = JobAsked(argv or ("true",), name=name, inputs=inputs)
        made = self.services.compute.submit(self.slug, asked, by=by)
        run = self.services.lab.open_run(self.project, "", job=made.id, label=label or made.label, person=by.person, name=name)  # fmt: skip
        jobs, now = SqlJobs(self.services.database), self.services.clock.now()
        ended = replace(
            made, run=run, state=State.SUCCEEDED if succeeds else State.FAILED, exit_code=0 if succeeds else 1, started_at=now,
            ended_at=now, ran_seconds=360.0, environment_hash="e" * 64,
        )  # fmt: skip
        with self.services.database.transaction():
            jobs.save(ended)
        return ended

    def inside(self, job: Job) -> Caller:
        """The job's own token, as its script has it."""
        rights = frozenset({"lab.view", "lab.write"})
        return Caller(f"job:{job.id}", job=job.id, project_rights={self.project: rights})

    def version(
        self, by: Caller, files: Mapping[str, bytes], *, name: str = "tree", metrics: Mapping[str, float] | None = None, job: Job | None = None,
    ) -> ModelVersion:  # fmt: skip
        """Files and metrics logged and registered: by a job's script where one is given, else by a person from outside."""
        lab, registry = self.services.lab, self.services.registry
        who = self.inside(job) if job else by
        run = job.run if job else lab.create_run(self.project, "0", name="", person="", started_ms=0, tags={}, by=who).run.id  # fmt: skip
        lab.log(self.project, run, metrics=[Metric(key, value, 1, 1) for key, value in (metrics or {}).items()], by=who)
        model = registry.log_model(self.project, "0", run, name="m", model_type="", tags={}, params={}, by=who)
        for path, content in files.items():
            self.put(model.id, path, content, by=who)
        with suppress(AlreadyExists):
            registry.register(self.project, name, by=who)
        told = {"source": "", "run_id": run, "model_id": model.id, "description": "", "tags": {}}
        return registry.add_version(self.project, name, by=who, **told)  # type: ignore[arg-type]

    def put(self, model: str, path: str, content: bytes, *, by: Caller) -> None:
        self.services.keeping.put(self.project, f"0/models/{model}/artifacts/{path}", [content], by=by)

    def left(self, job: Job, files: Mapping[str, bytes]) -> str:
        """What the job's node sealed as its result; the id of the version."""
        node = Caller(f"job:{job.id}", job=job.id, project_rights={self.project: frozenset({"data.write"})})
        upload = self.services.vault.output_for_job(job.project, job.id, job.label)
        return fill(self.services, upload, dict(files), by=node).id

    def settle(self, job: Job) -> None:
        settle(self.services, SqlJobs(self.services.database).get(job.id))

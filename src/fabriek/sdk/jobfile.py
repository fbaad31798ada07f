"""Reading `job.yaml`, and saying what it says in the words of `Compute.run`."""

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.invalid import field_of, refused
from fabriek.kernel.units import parse_bytes, parse_seconds
from fabriek.schemas.jobfile import JobFile, Plain

BYTES_MAX = 1 << 20


def read(path: str | Path) -> dict[str, Any]:
    """What stands in the file, not yet checked. Raises InvalidInput where it cannot be read or is no YAML mapping."""
    try:
        text = Path(path).read_bytes()[: BYTES_MAX + 1]
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror})", fix="check the name of the file") from None
    if len(text) > BYTES_MAX:
        raise InvalidInput(f"{path} is larger than a job file may be", fix="name data as a dataset instead")
    try:
        said = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise InvalidInput(f"{path} is not YAML{where}", fix="see docs/howto/jobs.md") from None
    if not isinstance(said, dict):
        raise InvalidInput(f"{path} is no list of fields", fix="begin with command: [python, train.py]")
    return said


def job_file(said: Mapping[str, Any]) -> JobFile:
    """Raises InvalidInput naming the first field that is not right, and the names there are when it is unknown."""
    try:
        return JobFile.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "extra_forbidden":
            raise InvalidInput(
                f"a job has no field {field_of(first)!r}", fix=f"one of {', '.join(sorted(JobFile.model_fields))}"
            ) from None
        raise refused(error, fix="see docs/howto/jobs.md") from None


def words_of(job: JobFile) -> list[str]:
    """The command. Raises InvalidInput where there is none."""
    try:
        words = shlex.split(job.command) if isinstance(job.command, str) else list(job.command)
    except ValueError as error:
        raise InvalidInput(f"the command cannot be cut into words: {error}", fix="write it as a list") from None
    if not words:
        raise InvalidInput("there is no command", fix="fabriek run -- python train.py")
    return words


def asked_of(job: JobFile) -> dict[str, Any]:
    """Everything but the command and the code, in the words of `Compute.run`. Raises InvalidInput."""
    return {
        "data": job.data, "requirements": Path(job.requirements) if job.requirements else None, "name": job.name,
        "environment": {name: _text(value) for name, value in job.env.items()}, "experiment": job.experiment,
        "purpose": job.purpose, "gpus": job.gpus, "cpus": job.cpus, "memory_bytes": parse_bytes(job.memory),
        "wall_seconds_max": parse_seconds(job.time), "priority": job.priority, "array": job.array,
        "sweep": {name: [_text(value) for value in values] for name, values in job.sweep.items()}, "after": job.after,
        "not_before": _instant(job.begin), "deadline": _instant(job.deadline), "requeues_max": job.requeue, "signal": job.signal,
        "grace_seconds": None if job.grace is None else parse_seconds(job.grace), "preemptible": job.preemptible,
        "network": job.network, "folder": job.folder, "port": job.port, "tasks": job.tasks,
        "secrets": job.secrets, "notify": job.notify,
        "nodes": job.nodes, "batch": job.batch, "image": job.image, "work": job.work,
    }  # fmt: skip


def _text(value: Plain) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _instant(at: datetime | None) -> datetime | None:
    """A time without a zone is the reader's own."""
    return None if at is None else at.astimezone(UTC)

"""A served model: one exact version of the registry behind an address, which stays while the jobs behind it come and go."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath

from fabriek.kernel.errors import InvalidInput

PORT = 8000
"""Where the job serves, within its own walls."""

RUNNER = "fabriek-serve"
"""What the job's command is: it fetches the model and starts what answers."""


class Kind(StrEnum):
    """What is spoken at the address: OpenAI's interface, or the one that MLflow's scoring server has."""

    OPENAI = "openai"
    SCORING = "scoring"


@dataclass(frozen=True, slots=True)
class Served:
    """`name` is its part of the address, one in a project. `sha256` is over the version's files, `label` the version's; `job` is the newest that
    serves or served it, for `person`.
    """

    id: str
    project: str
    name: str
    model: str
    version: int
    model_id: str
    sha256: str
    label: str
    kind: Kind
    job: str
    person: str
    changed_at: datetime

    def is_called(self, said: str) -> bool:
        """Whether a call that names this model means us: by the name of the address or of the model, with the version or without."""
        name, _, version = said.partition("@")
        return name in {self.name, self.model} and version in {"", str(self.version)}


_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def name_of(said: str, model: str) -> str:
    """The name in the address: the one that was asked for, or made of the model's. Raises InvalidInput."""
    made = said or re.sub(r"[^a-z0-9._-]+", "-", model.lower()).strip("-._")[:63]
    if not _NAME.fullmatch(made):
        raise InvalidInput(
            f"{made!r} cannot stand in an address", fix="name it with --name: lower-case letters, digits, . _ and -"
        )
    return made


def version_of(reference: str) -> tuple[str, str]:
    """`NAME@alias` or `NAME@3` → (name, alias or number). Raises InvalidInput without either: what is served is exact."""
    name, at, which = reference.rpartition("@")
    if not at or not name or not which:
        raise InvalidInput(
            f"{reference!r} names no version of a model", fix="fabriek model serve NAME@alias, or NAME@3"
        )
    return name, which


def kind_of(paths: Iterable[str]) -> Kind | None:
    """What these files ask for by themselves; None where a command of one's own must say."""
    names = [PurePosixPath(one) for one in paths]
    if any(one.suffix == ".gguf" for one in names):
        return Kind.OPENAI
    if any(one.name == "MLmodel" or one.suffix == ".skops" for one in names):
        return Kind.SCORING
    return None

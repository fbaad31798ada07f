"""Models: those a run logged, and those registered under a name with versions and aliases."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from fabriek.kernel.errors import InvalidInput

NAME_CHARACTERS_MAX = 256


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """A model that a run logged: where its files are, and how far it is (PENDING, READY, FAILED)."""

    id: str
    project: str
    experiment: str
    run: str
    name: str
    model_type: str
    status: str
    label: str
    created_at: datetime
    changed_at: datetime
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A name in the registry of a project; `aliases`: alias → version."""

    project: str
    name: str
    created_at: datetime
    changed_at: datetime
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """`label` is its run's, and nothing lowers it. `sha256` is over the paths and contents of its files."""

    project: str
    name: str
    number: int
    run: str
    model_id: str
    source: str
    label: str
    sha256: str
    created_at: datetime
    changed_at: datetime
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)


def check_model_name(name: object) -> str:
    """Raises InvalidInput."""
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput("Registered model name cannot be empty.")
    if len(name) > NAME_CHARACTERS_MAX or not re.fullmatch(r"[^/:\x00-\x1f]+", name):
        raise InvalidInput(
            f"Invalid model name: '{name}'. Names cannot contain '/' or ':' and have at most {NAME_CHARACTERS_MAX} characters."
        )
    return name


def check_alias(alias: object) -> str:
    if (
        not isinstance(alias, str)
        or not re.fullmatch(r"[\w\-]{1,255}", alias)
        or re.fullmatch(r"(?i)latest|v\d+", alias)
    ):
        raise InvalidInput(f"Invalid alias name: '{alias}'.")
    return alias

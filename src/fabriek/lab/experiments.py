"""An experiment: a name under which a project's runs are kept together. Its id is a number in digits, as MLflow's clients expect."""

from dataclasses import dataclass, field
from datetime import datetime

from fabriek.kernel.errors import InvalidInput, NotFound

DEFAULT_ID = "0"
DEFAULT_NAME = "Default"
NAME_CHARACTERS_MAX = 500
TAG_CHARACTERS_MAX = 20_000
TAGS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Experiment:
    """`id` is unique in its project; `0` is the default one. A deleted one keeps its name, and its runs are deleted with it."""

    project: str
    id: str
    name: str
    created_at: datetime
    changed_at: datetime
    tags: dict[str, str] = field(default_factory=dict)
    is_deleted: bool = False


def check_name(name: object) -> str:
    """Raises InvalidInput."""
    if name is None or name == "":
        raise InvalidInput(f"Invalid experiment name: '{name or ''}'")
    if not isinstance(name, str):
        raise InvalidInput(f"Invalid experiment name: {str(name)[:100]}. Expects a string.")
    if len(name) > NAME_CHARACTERS_MAX:
        raise InvalidInput(f"'name' exceeds the maximum length of {NAME_CHARACTERS_MAX} characters")
    return name


def unknown(experiment: str) -> NotFound:
    return NotFound(f"No Experiment with id={experiment[:100]} exists")

"""An experiment: a name under which a project's runs are kept together. Its id is a number in digits, as MLflow's clients expect."""

from dataclasses import dataclass, field
from datetime import datetime

from fabriek.kernel.errors import InvalidInput

DEFAULT_ID = "0"
DEFAULT_NAME = "Default"
NAME_CHARACTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class Experiment:
    """`id` is unique in its project; `0` is the default one."""

    project: str
    id: str
    name: str
    created_at: datetime
    changed_at: datetime
    tags: dict[str, str] = field(default_factory=dict)


def check_name(name: object) -> str:
    """Raises InvalidInput."""
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput("Invalid experiment name. Name must be a non-empty string.")
    if len(name) > NAME_CHARACTERS_MAX:
        raise InvalidInput(f"'name' exceeds the maximum length of {NAME_CHARACTERS_MAX} characters")
    return name

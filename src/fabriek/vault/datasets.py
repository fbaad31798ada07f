"""A dataset: a named holding in the vault, with a home project and an owner."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput
from fabriek.vault.keeping.holds import Retention
from fabriek.vault.keeping.homes import KeyHome

NAME_PATTERN = r"[a-z0-9][a-z0-9-]{0,62}"


class Kind(StrEnum):
    """What it holds. Only data stands in lists; the others are found through the job or run that made them."""

    DATA = "data"
    CODE = "code"
    OUTPUT = "output"
    ARTIFACTS = "artifacts"


@dataclass(frozen=True, slots=True)
class Dataset:
    """`project` is its home and `organisation` its owner: the pusher's, and for what a job made the project's lead organisation.

    `label` is the highest that any of its versions ever had. `sources` are the datasets that a job read to make it: whoever takes
    it away must be allowed to take those away. `sequence` counts its version records, `epoch` its wrapping keys; 0 before the first.
    `is_published`: its card stands in the catalogue, so everybody signed in may know of it. `erased_at`: its keys are destroyed; what it
    was, and its records, stay.
    """

    id: str
    project: str
    name: str
    organisation: str
    label: str
    kind: Kind
    created_at: datetime
    created_by: str
    sources: tuple[str, ...] = ()
    job: str = ""
    sequence: int = 0
    epoch: int = 1
    is_published: bool = False
    key_home: KeyHome = KeyHome.INSTALLATION
    keep_until: date | None = None
    erase_after: date | None = None
    erased_at: datetime | None = None

    @property
    def home(self) -> str:
        """The organisation whose own key wraps the epochs; empty for the installation's."""
        return self.organisation if self.key_home is KeyHome.ORGANISATION else ""

    @property
    def retention(self) -> Retention:
        return Retention(self.keep_until, self.erase_after)


def check_name(name: str) -> str:
    """The name, if it can stand in addresses and commands. Raises InvalidInput."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise InvalidInput(
            f"{name[:80]!r} is not a name for a dataset", fix="use lower-case letters, digits and hyphens, at most 63"
        )
    return name

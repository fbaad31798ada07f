"""A project's secrets on the wire. A value goes in, and comes out to the node of a job that names it, nowhere else."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, SecretStr

from fabriek.schemas.base import NAME, NAME_WORDS, Wire, written

VALUE_CHARACTERS_MAX = 32 * 1024

SecretName = Annotated[str, written(NAME, NAME_WORDS)]
SecretUsed = Annotated[
    str,
    written(
        r"^[A-Za-z_][A-Za-z0-9_]{0,63}(=([A-Za-z_][A-Za-z0-9_]{0,63}|file:[A-Za-z0-9][A-Za-z0-9._-]{0,63}))?$",
        "NAME, NAME=VARIABLE or NAME=file:FILE",
    ),
]
"""`NAME` is the job's variable of that name, `NAME=VARIABLE` another, `NAME=file:FILE` the file /run/secrets/FILE."""


class SecretIn(Wire):
    """A secret as it is set. Whoever looks at this object in a log or an error sees no value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: SecretName
    value: Annotated[SecretStr, Field(min_length=1, max_length=VALUE_CHARACTERS_MAX)]


class SecretOut(Wire):
    """What is known of a secret: never its value. `used_at`: when a job last got it."""

    name: str
    set_by: str
    set_at: datetime
    used_at: datetime | None = None


class GivenOut(Wire):
    """All secrets of one job, in plain: for its node."""

    items: dict[str, str] = Field(repr=False)

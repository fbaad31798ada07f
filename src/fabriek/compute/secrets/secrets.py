"""A project's secret: a name that jobs may call, and a value that nobody reads back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.secrets import VALUE_CHARACTERS_MAX

SECRETS_MAX = 100
"""In one project."""

USED_MAX = 32
"""By one job."""

SIGNING_KEY = "NOTIFY_KEY"
"""The secret with which a project's notices are signed, where it has one."""

SIGNING_KEY_CHARACTERS_MIN = 16


@dataclass(frozen=True, slots=True)
class Secret:
    """`sealed` is the value under a key of its own, `wrapped` that key under the master key; both open for this project and name alone."""

    id: str
    project: str
    name: str
    sealed: bytes
    wrapped: bytes
    set_by: str
    set_at: datetime
    used_at: datetime | None = None


def secret_context(project: str, name: str) -> bytes:
    """What a secret and its key are bound to."""
    return f"fabriek/secret\n{project}\n{name}".encode()


@dataclass(frozen=True, slots=True)
class SecretUse:
    """A secret that a job names, and where it finds it: in a variable, or in a file of that name below /run/secrets."""

    name: str
    variable: str = ""
    file: str = ""

    @property
    def asked(self) -> str:
        """As it is written down."""
        if self.file:
            return f"{self.name}=file:{self.file}"
        return self.name if self.variable == self.name else f"{self.name}={self.variable}"


_NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_USE = re.compile(r"([A-Za-z_]\w{0,63})(?:=(?:file:([A-Za-z0-9][\w.-]{0,63})|([A-Za-z_]\w{0,63})))?", re.ASCII)


def use_of(text: str) -> SecretUse:
    """`NAME`, `NAME=VARIABLE` or `NAME=file:FILE`. Raises InvalidInput."""
    found = _USE.fullmatch(text)
    if found is None:
        raise InvalidInput("this names no secret", fix="--secret NAME, NAME=VARIABLE or NAME=file:FILE")
    name, file, variable = found.groups()
    return SecretUse(name, file=file) if file else SecretUse(name, variable or name)


def check_uses(uses: Sequence[SecretUse], environment: Mapping[str, str]) -> None:
    """Raises InvalidInput on too many, or two things in one place."""
    if len(uses) > USED_MAX:
        raise InvalidInput(f"a job names at most {USED_MAX} secrets", fix="put what belongs together into one secret")
    places = [one.variable or f"file:{one.file}" for one in uses]
    for place in places:
        if places.count(place) > 1 or place in environment:
            raise InvalidInput(f"{place} would hold two things", fix="--secret NAME=ANOTHER")


def check(name: str, value: str) -> None:
    """Raises InvalidInput on a name or value that no variable has, or a key that is too short to sign with. Never says the value."""
    if not _NAME.fullmatch(name):
        raise InvalidInput("a secret is named with letters, digits and _, 64 at most", fix="choose another name")
    if len(value) > VALUE_CHARACTERS_MAX:
        raise InvalidInput(
            f"the value of {name} has more than {VALUE_CHARACTERS_MAX} characters",
            fix="push it as a dataset, and send its key",
        )
    if not value or "\0" in value:
        raise InvalidInput(f"the value of {name} is empty or holds a NUL byte", fix=f"fabriek secret set {name} < FILE")
    if name == SIGNING_KEY and len(value) < SIGNING_KEY_CHARACTERS_MIN:
        raise InvalidInput(
            f"{name} signs notices and needs {SIGNING_KEY_CHARACTERS_MIN} characters at least",
            fix=f"openssl rand -hex 32 | fabriek secret set {name}",
        )

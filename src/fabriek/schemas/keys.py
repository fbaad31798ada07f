"""Keys on the wire: the master key's name and rotation, the seal, and how an organisation's own key is asked. No key is ever in here."""

from datetime import datetime
from typing import Annotated

from pydantic import SecretStr, StringConstraints

from fabriek.schemas.base import Wire, written

Reason = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Place = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Name = Annotated[str, written(r"^[A-Za-z0-9_.-]{1,64}$", "letters, digits, dots, _ and -, 64 at most")]


class RotationOut(Wire):
    """A rotation. `target`: the new master key, or the number of the dataset's new epoch."""

    id: str
    what: str
    target: str
    begun_at: datetime
    rewrapped_at: datetime | None = None
    destroyed_at: datetime | None = None


class KeysOut(Wire):
    """The master key that wraps now, and the newest rotation of it."""

    current: str
    rotation: RotationOut | None = None


class SealOut(Wire):
    """Whether the vault is sealed, and since when."""

    sealed: bool
    since: datetime | None = None


class SealIn(Wire):
    """Why the vault is sealed; it stays on record."""

    reason: Reason


class UnsealIn(Wire):
    """`passphrase`: of the keyring, where it has one."""

    passphrase: SecretStr = SecretStr("")


class OwnKeysIn(Wire):
    """`kind`: openbao or pkcs11. `place`: https://… or the label of a token; `credential`: the token that may use the key, or the PIN."""

    kind: Name
    place: Place
    credential: SecretStr
    name: Name = "fabriek"
    mount: Name = "transit"
    ca: Annotated[str, StringConstraints(max_length=20_000)] = ""


class OwnKeysOut(Wire):
    """What an organisation told of its own key; the credential is never shown."""

    organisation: str
    kind: str
    place: str
    name: str
    set_by: str
    set_at: datetime
    withdrawn_at: datetime | None = None

"""A login: one person showed once who they are. What they showed is kept with it, for as long as anything that came of it opens a door."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Method(StrEnum):
    """How somebody showed who they are. `link`: by a one-time link that was sent; `password`: always with a code beside it."""

    LINK = "link"
    PASSWORD = "password"  # noqa: S105  # a word, not a secret
    PASSKEY = "passkey"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True)
class Login:
    """`issuer` and `acr` are the identity provider's words, `assurance` what it says of how the person was identified.

    `strong`: two factors were shown, or one that cannot be passed on (a passkey that asked for its owner).
    """

    id: str
    person: str
    method: Method
    at: datetime
    strong: bool
    issuer: str = ""
    acr: str = ""
    assurance: tuple[str, ...] = ()

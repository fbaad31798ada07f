"""What opens the door: tokens, one-time links, sessions. Only a hash of each is kept."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

TOKEN_FOR = timedelta(days=90)
LINK_FOR = timedelta(hours=1)
SESSION_FOR = timedelta(hours=12)
KNOCK_FOR = timedelta(minutes=1)


class CredentialKind(StrEnum):
    """`api`: a person's programs. `link`: signs in once. `session`: a browser. `node`, `lab`: one job's own. `bootstrap`: the first of all.
    `knock`: opens the door of one job's session once. `door`: a browser at that door. `packages`: reads the index for one job's environment.
    """

    API = "api"
    LINK = "link"
    SESSION = "session"
    NODE = "node"
    LAB = "lab"
    BOOTSTRAP = "bootstrap"
    KNOCK = "knock"
    DOOR = "door"
    PACKAGES = "packages"


@dataclass(frozen=True, slots=True)
class Credential:
    """One secret's record. `hash` is SHA-256: secrets are 256 random bits, so nothing slower is needed to keep them unguessable."""

    hash: str
    kind: CredentialKind
    person: str
    expires_at: datetime
    job: str = ""
    project: str = ""


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def is_open(credential: Credential, now: datetime) -> bool:
    """Whether it still opens anything. The last instant does not count."""
    return now < credential.expires_at

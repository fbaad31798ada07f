"""What opens the door: tokens, one-time links, sessions. Only a hash of each is kept."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fabriek.kernel.ids import Ids

TOKEN_FOR = timedelta(days=90)
LINK_FOR = timedelta(hours=1)
SESSION_FOR = timedelta(hours=12)
IDLE_FOR = timedelta(hours=2)
KNOCK_FOR = timedelta(minutes=1)
NOTED_EVERY = timedelta(minutes=1)
"""How exactly the last use of a credential is kept."""

PREFIX = "fbk_"
"""What a token of the API begins with, so that programs that look for leaked secrets can find one. Older tokens have none."""

CONFIRMED_FOR = timedelta(minutes=15)
"""How long a high act stays open after its person showed a strong factor again."""


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
    """One secret's record. `hash` is SHA-256: secrets are 256 random bits, so nothing slower is needed to keep them unguessable.

    `id` names it in lists, `name` is what its owner calls it. `scope`: the words of `scopes` that it is narrowed to; empty is all that the
    person has. `project`: the one place that it opens; empty is everywhere. `login`: the login that it came from. `through`: the credential
    with which it was had, and with which it ends. `confirmed_at`: when a strong factor was last shown through it.
    """

    hash: str
    kind: CredentialKind
    person: str
    expires_at: datetime
    job: str = ""
    project: str = ""
    id: str = ""
    name: str = ""
    scope: frozenset[str] = frozenset()
    made_at: datetime | None = None
    used_at: datetime | None = None
    login: str = ""
    confirmed_at: datetime | None = None
    through: str = ""


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def new_token(ids: Ids) -> str:
    """The secret of a token of the API."""
    return PREFIX + ids.secret()


def is_open(credential: Credential, now: datetime) -> bool:
    """Whether it still opens anything. The last instant does not count."""
    return now < credential.expires_at


def is_idle(credential: Credential, now: datetime, used_at: datetime | None, limit: timedelta) -> bool:
    """Whether it was left alone for too long. used_at: its last use, where this server knows of a later one than was kept."""
    seen = [at for at in (credential.made_at, credential.used_at, used_at) if at is not None]
    return bool(seen) and now >= max(seen) + limit


def is_confirmed(credential: Credential, now: datetime) -> bool:
    """Whether a strong factor was shown through it lately enough for a high act."""
    return credential.confirmed_at is not None and now < credential.confirmed_at + CONFIRMED_FOR

"""Where the keys of a dataset live: with the installation, or with the organisation that owns the data."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput

CREDENTIAL_CHARACTERS_MAX = 4_096


class KeyHome(StrEnum):
    """What each promises stands in `PROMISES`."""

    INSTALLATION = "installation"
    ORGANISATION = "organisation"


PROMISES = {
    KeyHome.INSTALLATION: "protected against theft of the store, a disk or a backup; not against the operator of this installation",
    KeyHome.ORGANISATION: "the owner's own key opens it, for each grant anew: once the owner withdraws, no new grant opens; "
    "what jobs have opened is in plain on their node, for its root",
}


class HolderKind(StrEnum):
    """What an organisation may hold its key in."""

    OPENBAO = "openbao"
    PKCS11 = "pkcs11"


@dataclass(frozen=True, slots=True)
class OrganisationKeys:
    """How this installation may ask an organisation's own key. `place`: the address of its OpenBao, or the label of its token.

    `sealed` is the token or PIN under a key of its own, `wrapped` that key under the master key. `ca`: PEM, or empty for the system's.
    """

    id: str
    organisation: str
    kind: HolderKind
    place: str
    mount: str
    name: str
    ca: str
    sealed: bytes
    wrapped: bytes
    set_by: str
    set_at: datetime
    withdrawn_at: datetime | None = None

    @property
    def context(self) -> bytes:
        return credential_context(self.organisation, self.id)


def credential_context(organisation: str, keys_id: str) -> bytes:
    """What a stored credential is bound to."""
    return f"fabriek/organisation-keys\n{organisation}\n{keys_id}".encode()


def read_home(text: str) -> KeyHome:
    """Raises InvalidInput; empty means the installation."""
    try:
        return KeyHome(text or KeyHome.INSTALLATION)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is no key home", fix="installation or organisation") from None

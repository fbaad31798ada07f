"""A subject: what a provider knows a person by, bound to one of ours. The key is the issuer and its word for them, never an address."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Key:
    """`tenant`: for whom they act, where the provider's people act for others: the same subject for another tenant is somebody else."""

    issuer: str
    subject: str
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """`provider`: its name here. `sealed`, `wrapped`: the refresh token under a key of its own, and that key under the master key.

    `asked_at`: when a server last began to ask the provider about them; `answered_at`: when it last said that all is well.
    """

    id: str
    person: str
    provider: str
    key: Key
    bound_at: datetime
    answered_at: datetime
    asked_at: datetime | None = None
    sealed: bytes = b""
    wrapped: bytes = b""


@dataclass(frozen=True, slots=True)
class ProviderLogin:
    """That a login was by this subject; `sid` is the provider's word for its own session."""

    login: str
    subject: str
    sid: str = ""


def refresh_context(subject_id: str) -> bytes:
    """What a refresh token and its key are bound to."""
    return f"fabriek/refresh\n{subject_id}".encode()

"""Ids and random bytes as arguments: `kind_` + ULID, so that an id says what it names and sorts by age."""

import secrets
from typing import Protocol

from ulid import ULID


class Ids(Protocol):
    """Where services get new names and secrets."""

    def new(self, kind: str) -> str:
        """A fresh id such as `job_01J…`; `kind` is a short lower-case word."""

    def secret(self) -> str:
        """A token of 256 random bits, safe in URLs and headers."""

    def random(self, count: int) -> bytes:
        """`count` random bytes fit for keys."""


class RandomIds:
    """Real ids."""

    def new(self, kind: str) -> str:
        return f"{kind}_{ULID()}".lower()

    def secret(self) -> str:
        return secrets.token_urlsafe(32)

    def random(self, count: int) -> bytes:
        return secrets.token_bytes(count)


class CountedIds:
    """Ids that a test can predict: `job_1`, `job_2`, …"""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def new(self, kind: str) -> str:
        return f"{kind}_{self._next(kind)}"

    def secret(self) -> str:
        return f"secret-{self._next('secret')}"

    def random(self, count: int) -> bytes:
        return self._next("random").to_bytes(8, "big").rjust(count, b"\0")[-count:]

    def _next(self, kind: str) -> int:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind]

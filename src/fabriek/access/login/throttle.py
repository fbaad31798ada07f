"""Wrong guesses slow the next one down: by account, and by the network that they come from."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Protocol

from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import RateLimited, Unavailable

ACCOUNT_FREE = 5
NETWORK_FREE = 20
"""Wrong guesses that cost nothing: people mistype, and a whole office may come from one network."""

WAIT_MAX = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=24)
IPV6_PREFIX = 64
"""What one subscriber has: who is counted by single addresses of it has 2⁶⁴ of them."""


@dataclass(frozen=True, slots=True)
class Guesses:
    """Wrong ones in a row under one key, and until when the next is not looked at."""

    key: str
    wrong: int
    until: datetime
    at: datetime


class GuessStore(Protocol):
    """Storage of wrong guesses."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]: ...

    def guesses(self, key: str) -> Guesses | None: ...

    def put_guesses(self, guesses: Guesses) -> None: ...

    def forget_guesses(self, *, key: str = "", before: datetime | None = None) -> int:
        """Those of one key, or all whose last guess was before then."""


def network_of(address: str) -> str:
    """The network that counts as one: an IPv4 address, or 64 bits of an IPv6 one. What is no address counts as itself."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((found, IPV6_PREFIX), strict=False))
    return str(found)


def wait_after(wrong: int, free: int) -> timedelta:
    """How long the next guess waits: not at all, then 2, 4, 8 … seconds, a quarter of an hour at most."""
    if wrong <= free:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(wrong - free, 20)), WAIT_MAX)


class Throttle:
    """Counts each guess before it is looked at, so that many at once are counted too, and takes it back when it was right.

    Keys are hashed under a secret of the installation: the rows tell nobody who tried to sign in from where.
    """

    def __init__(self, store: GuessStore, audit: Audit, clock: Clock, secret: bytes) -> None:
        self._store, self._audit, self._clock, self._secret = store, audit, clock, secret

    @contextmanager
    def guess(self, account: str, address: str) -> Iterator[None]:
        """Around one guess at an account: what raises inside was wrong. account: whatever was typed, known or not. Raises RateLimited."""
        keys = [(self._key("account", account), ACCOUNT_FREE)]
        if address:
            keys.append((self._key("network", network_of(address)), NETWORK_FREE))
        # One after the other and always in this order: two guesses never wait for each other's locks.
        with (
            self._store.transaction(alone=f"guess:{keys[0][0]}"),
            self._store.transaction(alone=f"guess:{keys[-1][0]}"),
        ):
            self._check([key for key, _ in keys])
            for key, free in keys:
                self._count(key, free)
        try:
            yield
        except (RateLimited, Unavailable):  # it was not looked at
            self._right([key for key, _ in keys], forgiven=False)
            raise
        self._right([key for key, _ in keys], forgiven=True)

    def forget_old(self) -> int:
        with self._store.transaction():
            return self._store.forget_guesses(before=self._clock.now() - FORGOTTEN_AFTER)

    def _check(self, keys: list[str]) -> None:
        now = self._clock.now()
        until = max((found.until for key in keys if (found := self._store.guesses(key)) is not None), default=now)
        if until > now:
            seconds = int((until - now).total_seconds()) + 1
            raise RateLimited(
                f"too many wrong guesses: wait {seconds} seconds",
                fix="a passkey or a one-time link opens without waiting", retry_after_seconds=seconds,
            )  # fmt: skip

    def _count(self, key: str, free: int) -> None:
        now, found = self._clock.now(), self._store.guesses(key)
        before = found.wrong if found is not None and found.at > now - FORGOTTEN_AFTER else 0
        wait = wait_after(before + 1, free)
        self._store.put_guesses(Guesses(key, before + 1, now + wait, now))
        if wait:
            self._audit.record("sign_in.slowed", key, SYSTEM, wrong=before + 1, seconds=int(wait.total_seconds()))

    def _right(self, keys: list[str], *, forgiven: bool) -> None:
        """Takes the guess back; forgiven: with all that went before at this account."""
        with self._store.transaction(alone=f"guess:{keys[0]}"), self._store.transaction(alone=f"guess:{keys[-1]}"):
            if forgiven:
                self._store.forget_guesses(key=keys[0])
            for key in keys[1:] if forgiven else keys:
                self._take_back(key)

    def _take_back(self, key: str) -> None:
        """A network where somebody got in is not forgiven the rest: whoever guesses may have an account of their own."""
        found = self._store.guesses(key)
        if found is not None:
            self._store.put_guesses(replace(found, wrong=max(found.wrong - 1, 0), until=self._clock.now()))

    def _key(self, kind: str, what: str) -> str:
        named = hmac.digest(self._secret, f"{kind} {what}".encode(), hashlib.sha256)
        return f"{kind}_{named.hex()[:40]}"

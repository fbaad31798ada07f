"""What shares and owners used lately, kept from round to round and over a restart."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

from fabriek.compute.capacity import Capacity
from fabriek.compute.contenders import Running
from fabriek.compute.sharing.recent import RecentUse
from fabriek.compute.sharing.rules import ShareRules
from fabriek.compute.sharing.use import ShareUse
from fabriek.compute.snapshot import Lately
from fabriek.kernel.units import MICRO

KEPT_EVERY = timedelta(minutes=1)
"""A server that stops has forgotten as much at most, and counts what stands when it begins again as if it had stood throughout."""

FORGOTTEN = 1e-6
"""A mean part of the machine below which nobody is remembered: a second of it in eleven days."""


@dataclass(frozen=True, slots=True)
class Mean:
    """The part of the machine, 0..1, that a share or an owner had in the mean, as it was at that instant."""

    kind: str
    name: str
    part: float
    at: datetime


class Means(Protocol):
    """Storage of them. Every method joins the transaction that is open."""

    def all(self) -> Iterable[Mean]: ...

    def replace(self, means: Iterable[Mean]) -> None:
        """They are all that is kept from now on."""


SHARE, OWNER = "share", "owner"


class Remembering:
    """Told at every round who stands; safe to be asked by several threads."""

    def __init__(self, means: Means, capacity: Capacity, rules: ShareRules) -> None:
        self._means, self._use, self._lock = means, ShareUse(capacity, {}), Lock()
        self._seconds = {SHARE: rules.budget_seconds, OWNER: rules.owner_seconds}
        self._of: dict[str, RecentUse] = {}
        self._kept_at: datetime | None = None

    def lately(self, running: Iterable[Running], now: datetime) -> Lately:
        """What everybody used until now, who stands now among them."""
        parts = {SHARE: Counter[str](), OWNER: Counter[str]()}
        for one in running:
            part = self._use.part(one.shape)
            parts[SHARE][one.share] += part
            parts[OWNER][one.owner] += part
        rates = {kind: {name: part / MICRO for name, part in found.items()} for kind, found in parts.items()}
        with self._lock:
            self._load(now, rates)
            for kind, recent in self._of.items():
                recent.uses(rates[kind], now)
            found = {kind: recent.means(now) for kind, recent in self._of.items()}
        return Lately(found.get(SHARE, {}), found.get(OWNER, {}))

    def keep(self, now: datetime) -> bool:
        """Writes down what is remembered, unless it was a moment ago; whether it did. Within a transaction."""
        with self._lock:
            self._load(now)
            if self._kept_at is not None and timedelta() <= now - self._kept_at < KEPT_EVERY:
                return False
            self._kept_at = now
            self._means.replace(
                [
                    Mean(kind, name, part, now)
                    for kind, recent in self._of.items()
                    for name, part in recent.means(now).items()
                    if part > FORGOTTEN
                ]
            )
        return True

    def _load(self, now: datetime, rates: Mapping[str, Mapping[str, float]] | None = None) -> None:
        """rates: what is used now, by whom, and has been since what is kept was written; None where nobody looked yet."""
        if self._of:
            return
        kept = list(self._means.all())
        at: Mapping[str, datetime] = {one.kind: one.at for one in kept}
        for kind, seconds in self._seconds.items():
            if seconds:
                parts = {one.name: one.part for one in kept if one.kind == kind}
                since = min(now, at.get(kind, now))
                self._of[kind] = RecentUse(seconds, since, parts)
                self._of[kind].uses(rates[kind] if rates else {}, since)

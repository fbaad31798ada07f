"""The wrapping keys of a dataset. The master key wraps them, they wrap the keys of manifests; opened ones are forgotten soon.

An epoch is a generation: ending an agreement or removing a person begins one, so that what is written afterwards is under a key
that nobody had before.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids
from fabriek.kernel.signing import Keys
from fabriek.sealing.keys import NONCE_BYTES, unwrap, wrap

REMEMBERED_SECONDS = 300.0
"""An opened key may stay in memory this long: so long do opens go on when the master key is out of reach."""

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Epoch:
    """`wrapped` is the epoch's key under the master key."""

    dataset: str
    number: int
    wrapped: bytes
    made_at: datetime


class EpochCipher:
    """Wraps and unwraps under the key of one epoch. Asks the master key at most once in five minutes for each."""

    def __init__(self, keys: Keys, clock: Clock, ids: Ids) -> None:
        self._keys, self._clock, self._ids = keys, clock, ids
        self._remembered: dict[tuple[str, int], tuple[float, bytes]] = {}
        self._lock = threading.Lock()

    def make(self, dataset: str, number: int) -> Epoch:
        """A new epoch with a fresh key. Asks the master key: not inside a transaction."""
        key = self._ids.random(KEY_BYTES)
        return Epoch(dataset, number, self._keys.wrap(key, _context(dataset, number)), self._clock.now())

    def wrap(self, epoch: Epoch, key: bytes, what: str) -> bytes:
        """`what` is the id of the thing whose key this is: it opens for nothing else. Raises Unavailable."""
        return wrap(self._key(epoch), key, what.encode(), self._ids.random(NONCE_BYTES))

    def unwrap(self, epoch: Epoch, wrapped: bytes, what: str) -> bytes:
        """Raises Damaged, Unavailable."""
        return unwrap(self._key(epoch), wrapped, what.encode())

    def forget(self) -> None:
        """Drops every opened key whose time is over; for the worker, so that an idle server forgets too."""
        self._drop(lambda until: until <= self._clock.monotonic())

    def _key(self, epoch: Epoch) -> bytes:
        self.forget()
        place = (epoch.dataset, epoch.number)
        with self._lock:
            if known := self._remembered.get(place):
                return known[1]
        key = self._keys.unwrap(epoch.wrapped, _context(epoch.dataset, epoch.number))
        with self._lock:
            self._remembered[place] = (self._clock.monotonic() + REMEMBERED_SECONDS, key)
        return key

    def _drop(self, is_over: Callable[[float], bool]) -> None:
        with self._lock:
            for place in [place for place, (until, _) in self._remembered.items() if is_over(until)]:
                del self._remembered[place]


def _context(dataset: str, number: int) -> bytes:
    return f"fabriek/epoch\n{dataset}\n{number}".encode()

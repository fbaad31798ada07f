"""The wrapping keys of a dataset. A key home wraps them, they wrap the keys of manifests; opened ones are forgotten soon.

An epoch is a generation: ending an agreement or removing a person begins one, so that what is written afterwards is under a key
that nobody had before.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import Unavailable, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.kernel.signing import Keys
from fabriek.sealing.keys import NONCE_BYTES, unwrap, wrap

REMEMBERED_SECONDS = 300.0
"""An opened key may stay in memory this long: so long do opens go on when the master key is out of reach."""

KEY_BYTES = 32

KeysOf = Callable[[str], Keys]
"""The keys of an organisation that holds its own. Raises NotPermitted when it has withdrawn them."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """`wrapped` is the epoch's key under the master key, or under the own key of the organisation that `home` names."""

    dataset: str
    number: int
    wrapped: bytes
    made_at: datetime
    home: str = ""

    @property
    def context(self) -> bytes:
        """What the wrapped key is bound to."""
        return f"fabriek/epoch\n{self.dataset}\n{self.number}".encode()


class EpochCipher:
    """Wraps and unwraps under the key of one epoch. Asks the master key at most once in five minutes for each, and an organisation's own
    key each time, so that a withdrawal holds at once. While the vault is sealed it raises Unavailable, whatever it is asked.
    """

    def __init__(
        self,
        keys: Keys,
        clock: Clock,
        ids: Ids,
        *,
        keys_of: KeysOf | None = None,
        is_sealed: Callable[[], bool] = lambda: False,
    ) -> None:
        self._keys, self._clock, self._ids = keys, clock, ids
        self._keys_of, self._is_sealed = keys_of, is_sealed
        self._remembered: dict[tuple[str, int], tuple[float, bytes]] = {}
        self._lock = threading.Lock()

    def make(self, dataset: str, number: int, home: str = "") -> Epoch:
        """A new epoch with a fresh key. Asks the key home: not inside a transaction."""
        self._refuse_sealed()
        bare = Epoch(dataset, number, b"", self._clock.now(), home)
        wrapped = self._home(home).wrap(self._ids.random(KEY_BYTES), bare.context)
        return Epoch(dataset, number, wrapped, bare.made_at, home)

    def wrap(self, epoch: Epoch, key: bytes, what: str) -> bytes:
        """`what` is the id of the thing whose key this is: it opens for nothing else. Raises Unavailable."""
        return wrap(self._key(epoch), key, what.encode(), self._ids.random(NONCE_BYTES))

    def unwrap(self, epoch: Epoch, wrapped: bytes, what: str) -> bytes:
        """Raises Damaged, Unavailable, NotPermitted when the owner of the key home has withdrawn it."""
        return unwrap(self._key(epoch), wrapped, what.encode())

    def check(self, epoch: Epoch) -> None:
        """Raises what opening would raise."""
        self._key(epoch)

    def check_home(self, home: str) -> None:
        """Whether an organisation's own keys are told of here; asks nothing of them. Raises NotPermitted, WrongState."""
        self._home(home)

    def forget(self) -> None:
        """Drops every opened key whose time is over; for the worker, so that an idle server forgets too. All, once the vault is sealed."""
        sealed, now = self._is_sealed(), self._clock.monotonic()
        self._drop(lambda _, until: sealed or until <= now)

    def forget_dataset(self, dataset: str) -> None:
        self._drop(lambda place, _: place[0] == dataset)

    def forget_all(self) -> None:
        self._drop(lambda _, __: True)

    def _key(self, epoch: Epoch) -> bytes:
        self._refuse_sealed()
        self.forget()
        place = (epoch.dataset, epoch.number)
        with self._lock:
            if known := self._remembered.get(place):
                return known[1]
        key = self._home(epoch.home).unwrap(epoch.wrapped, epoch.context)
        if not epoch.home:
            with self._lock:
                self._remembered[place] = (self._clock.monotonic() + REMEMBERED_SECONDS, key)
        return key

    def _home(self, organisation: str) -> Keys:
        if not organisation:
            return self._keys
        if self._keys_of is None:
            raise nothing_here()
        return self._keys_of(organisation)

    def _refuse_sealed(self) -> None:
        if self._is_sealed():
            raise sealed_now()

    def _drop(self, is_over: Callable[[tuple[str, int], float], bool]) -> None:
        with self._lock:
            for place in [place for place, (until, _) in self._remembered.items() if is_over(place, until)]:
                del self._remembered[place]


def sealed_now() -> Unavailable:
    """What everything says while the vault is sealed."""
    return Unavailable(
        "the vault is sealed",
        fix="an operator or security officer opens it: fabriek admin unseal",
        retry_after_seconds=60,
    )

"""Addresses of the store, each for one object and a few minutes: kept while they are good, and asked for anew in time."""

import threading
from collections.abc import Sequence

from fabriek.kernel.clock import Clock, SystemClock
from fabriek.kernel.errors import AlreadyExists, NotFound
from fabriek.schemas.vault import AddressesIn, AddressesOut
from fabriek.sdk.client import Client

ASKED_AT_ONCE = 32
EXPECTED_MAX, KEPT_MAX = 20_000, 2_000
"""Names and addresses that are held: a version may have millions of objects."""

KEPT_PART = 0.5
"""Of its time, an address is used for half: clocks differ, and a request may wait before it begins."""


class Addresses:
    """Of a grant or an upload, by its path on the server. For many threads."""

    def __init__(self, client: Client, path: str, clock: Clock | None = None) -> None:
        self._client, self._path, self._clock = client, path, clock or SystemClock()
        self._kept: dict[str, tuple[str, float]] = {}
        self._order: list[str] = []
        self._places: dict[str, int] = {}
        self._turn = threading.Lock()

    def expect(self, names: Sequence[str]) -> None:
        """What will be wanted soon, in this order: asked for together."""
        with self._turn:
            for name in names:
                if name not in self._places:
                    self._places[name] = len(self._order)
                    self._order.append(name)
            if len(self._order) > EXPECTED_MAX:
                self._order = self._order[-EXPECTED_MAX // 2 :]
                self._places = {name: place for place, name in enumerate(self._order)}

    def of(self, name: str) -> str:
        """A good address. Raises what the server says: NotPermitted when the grant has ended, NotFound, WrongState."""
        with self._turn:
            if not self._is_good(name):
                self._ask(name)
            return self._kept[name][0]

    def forget(self, name: str) -> None:
        """The store did not believe it, or it is not needed again."""
        with self._turn:
            self._kept.pop(name, None)

    def _is_good(self, name: str) -> bool:
        return name in self._kept and self._clock.monotonic() < self._kept[name][1]

    def _ask(self, name: str) -> None:
        place = self._places.get(name, len(self._order))
        behind = [one for one in self._order[place + 1 : place + ASKED_AT_ONCE] if not self._is_good(one)]
        try:
            self._keep([name, *behind])
        except (AlreadyExists, NotFound):
            # One of the others has arrived meanwhile, or is no more: whoever wants that one will hear so.
            self._keep([name])

    def _keep(self, names: Sequence[str]) -> None:
        asked_at = self._clock.monotonic()
        wanted = AddressesIn.model_construct(objects=list(dict.fromkeys(names))).model_dump()
        given = AddressesOut.model_validate(self._client.post(f"{self._path}/addresses", json=wanted))
        good_until = asked_at + given.lasts_seconds * KEPT_PART
        for name, address in given.addresses.items():
            self._kept.pop(name, None)
            self._kept[name] = (address, good_until)
        while len(self._kept) > KEPT_MAX:
            del self._kept[next(iter(self._kept))]

"""What every store that clients reach themselves must do, run against a real S3 server and the twin that other tests use."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fabriek.adapters.addresses_s3 import S3Addresses
from fabriek.adapters.blobs_s3 import S3Blobs
from fabriek.adapters.turns import OneAtATime
from fabriek.kernel.clock import Clock, SystemClock
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound
from fabriek.kernel.stored import Stored
from fabriek.vault.ports import Addresses, Blobs
from tests.factories.blobs import MemoryAddresses, MemoryBlobs
from tests.factories.threads import at_once

MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.xdist_group("s3")

_numbers = itertools.count()


@dataclass
class Place:
    """A store, its addresses, and what a client does with one: HTTP status, and the body."""

    blobs: Blobs
    addresses: Addresses
    put: Callable[[str, bytes], int]
    get: Callable[[str], tuple[int, bytes]]
    clock: Clock

    def arrive(self, name: str, body: bytes) -> str:
        """The address that it was sent to."""
        (address,) = self.addresses.to_put([name], MINUTE)
        assert self.put(address, body) == 200
        return address

    def read(self, name: str) -> bytes:
        return b"".join(self.blobs.get(name))


@pytest.fixture(params=["memory", "s3"])
def place(request: pytest.FixtureRequest) -> Place:
    clock = SystemClock()
    if request.param == "memory":
        blobs = MemoryBlobs()
        twin = MemoryAddresses(blobs, clock)
        return Place(blobs, twin, twin.put, twin.get, clock)
    bucket, number = request.getfixturevalue("s3_server").bucket(), next(_numbers)
    objects, arriving = f"kept{number}/", f"arriving{number}/"

    def put(address: str, body: bytes) -> int:
        return httpx.put(address, content=body, trust_env=False).status_code

    def get(address: str) -> tuple[int, bytes]:
        answer = httpx.get(address, trust_env=False)
        return answer.status_code, answer.content

    turns = OneAtATime()
    return Place(
        S3Blobs(bucket, objects, turns=turns), S3Addresses(bucket, prefix=objects, arriving=arriving, turns=turns), put, get, clock
    )  # fmt: skip


def test_what_a_client_puts_and_has_taken_is_an_object_and_is_got_again(place: Place) -> None:
    place.arrive("obj_1", b"sealed")
    place.addresses.take("obj_1", 6)
    (address,) = place.addresses.to_get(["obj_1"], MINUTE)
    assert place.get(address) == (200, b"sealed")
    assert place.read("obj_1") == b"sealed"


def test_what_arrived_and_was_not_taken_is_no_object(place: Place) -> None:
    place.arrive("obj_1", b"sealed")
    with pytest.raises(NotFound):
        place.blobs.size("obj_1")
    assert list(place.blobs.names()) == []
    (address,) = place.addresses.to_get(["obj_1"], MINUTE)
    assert place.get(address)[0] == 404


def test_an_address_opens_one_object_for_one_act(place: Place) -> None:
    place.blobs.put("obj_1", [b"mine"])
    to_get, to_put = place.addresses.to_get(["obj_1"], MINUTE)[0], place.addresses.to_put(["obj_1"], MINUTE)[0]
    assert place.put(to_get, b"other") == 403
    assert place.get(to_put)[0] == 403
    assert place.read("obj_1") == b"mine"


def test_an_address_whose_time_is_over_opens_nothing(place: Place) -> None:
    place.blobs.put("obj_1", [b"mine"])
    second = timedelta(seconds=1)
    to_get, to_put = place.addresses.to_get(["obj_1"], second)[0], place.addresses.to_put(["obj_2"], second)[0]
    place.clock.sleep(2.1)
    assert place.get(to_get)[0] == 403
    assert place.put(to_put, b"late") == 403


def test_an_address_that_was_kept_never_changes_an_object_that_was_taken(place: Place) -> None:
    address = place.arrive("obj_1", b"first!")
    place.addresses.take("obj_1", 6)
    assert place.put(address, b"second") == 200
    assert place.read("obj_1") == b"first!"
    place.addresses.take("obj_1", 6)
    assert place.read("obj_1") == b"first!"


def test_taken_again_is_taken_once(place: Place) -> None:
    place.arrive("obj_1", b"sealed")
    place.addresses.take("obj_1", 6)
    place.addresses.take("obj_1", 6)
    with pytest.raises(AlreadyExists):
        place.addresses.take("obj_1", 7)
    assert place.read("obj_1") == b"sealed"


def test_what_did_not_arrive_whole_is_not_taken(place: Place) -> None:
    with pytest.raises(NotFound):
        place.addresses.take("obj_1", 6)
    place.arrive("obj_1", b"seal")
    with pytest.raises(InvalidInput):
        place.addresses.take("obj_1", 6)
    with pytest.raises(NotFound):
        place.blobs.size("obj_1")
    place.arrive("obj_1", b"sealed")
    place.addresses.take("obj_1", 6)
    assert place.read("obj_1") == b"sealed"


def test_of_eight_who_take_at_once_all_see_the_one_object(place: Place) -> None:
    address = place.arrive("obj_1", b"first!")

    def take(number: int) -> None:
        if number % 2:
            place.put(address, b"second")
        place.addresses.take("obj_1", 6)

    at_once(take, times=8)
    kept = place.read("obj_1")
    place.put(address, b"third!")
    place.addresses.take("obj_1", 6)
    assert place.read("obj_1") == kept


def test_what_was_put_and_acknowledged_is_not_replaced_by_what_is_taken_meanwhile(place: Place) -> None:
    """Through the server and at an address at once: the store's copy asks nothing about what stands there."""
    for number in range(20):
        name = f"obj_{number}"
        place.arrive(name, b"second")
        acts = (lambda name=name: place.blobs.put(name, [b"first!"]), lambda name=name: place.addresses.take(name, 6))
        outcomes = at_once(lambda which, acts=acts: acts[which](), times=2)
        assert isinstance(outcomes[0], Stored | AlreadyExists)
        kept = b"first!" if isinstance(outcomes[0], Stored) else b"second"
        assert place.read(name) == kept


def test_what_arrived_long_ago_is_cleared_and_objects_are_not(place: Place) -> None:
    for name in ("obj_1", "obj_2"):
        place.arrive(name, b"sealed")
    place.addresses.take("obj_1", 6)
    assert place.addresses.clear(datetime.now(UTC) - MINUTE) == 0  # noqa: TID251  # the store's own clock is the real one
    assert place.addresses.clear(datetime.now(UTC) + MINUTE) == 1  # noqa: TID251
    with pytest.raises(NotFound):
        place.addresses.take("obj_2", 6)
    assert place.read("obj_1") == b"sealed"

"""Addresses of the store are asked for together, kept for half of their time, and asked for anew; what ends is told."""

import json
from datetime import timedelta

import httpx
import pytest

from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import NotFound
from fabriek.sdk.addresses import ASKED_AT_ONCE, Addresses
from fabriek.sdk.client import Client

NAMES = [f"obj_{number}" for number in range(100)]


class Server:
    """Gives numbered addresses, and refuses a question in which one of `refused` is named."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.refused: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v1/grants/grt_1/addresses"
        names = json.loads(request.content)["objects"]
        self.asked.append(names)
        if self.refused & set(names):
            return httpx.Response(404, json={"code": "not_found", "detail": "there is no such thing", "fix": ""})
        given = {name: f"https://s3.example/{name}?{len(self.asked)}" for name in names}
        return httpx.Response(200, json={"addresses": given, "lasts_seconds": 300})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def addresses(server: Server, clock: FakeClock) -> Addresses:
    client = Client("http://factory.example", "token", transport=httpx.MockTransport(server))
    made = Addresses(client, "/api/v1/grants/grt_1", clock)
    made.expect(NAMES)
    return made


def test_those_that_will_be_wanted_next_are_asked_for_with_the_first(addresses: Addresses, server: Server) -> None:
    for name in NAMES:
        assert addresses.of(name).startswith(f"https://s3.example/{name}?")
    assert [len(names) for names in server.asked] == [
        ASKED_AT_ONCE,
        ASKED_AT_ONCE,
        ASKED_AT_ONCE,
        100 - 3 * ASKED_AT_ONCE,
    ]


def test_one_that_nobody_expected_is_asked_for_alone(addresses: Addresses, server: Server) -> None:
    addresses.of("obj_other")
    assert server.asked == [["obj_other"]]


def test_an_address_is_used_for_half_of_its_time(addresses: Addresses, server: Server, clock: FakeClock) -> None:
    first = addresses.of("obj_5")
    clock.move(timedelta(seconds=149))
    assert addresses.of("obj_5") == first
    clock.move(timedelta(seconds=1))
    assert addresses.of("obj_5") != first
    assert len(server.asked) == 2


def test_one_that_the_store_did_not_believe_is_asked_for_again(addresses: Addresses, server: Server) -> None:
    first = addresses.of("obj_5")
    addresses.forget("obj_5")
    assert addresses.of("obj_5") != first
    assert server.asked[1] == ["obj_5"]


def test_one_that_is_refused_does_not_spoil_its_neighbours(addresses: Addresses, server: Server) -> None:
    server.refused = {"obj_7"}
    assert addresses.of("obj_5")
    assert server.asked[-1] == ["obj_5"]
    with pytest.raises(NotFound):
        addresses.of("obj_7")

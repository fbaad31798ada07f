"""Where a name may lead, judged on the address that is connected to."""

import ipaddress
import socket
from collections.abc import Iterator

import pytest

from fabriek.kernel.errors import NotPermitted, Unavailable
from fabriek.node.addresses import connect, is_open

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",  # noqa: S104
        "255.255.255.255", "240.0.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:db8::1", "64:ff9b:1::1",
        "fec0::1", "feff::1", "::127.0.0.1", "::10.0.0.1", "::ffff:0:127.0.0.1", "5f00::1", "::ffff:8.8.8.8",
    ],
)  # fmt: skip
def test_no_name_leads_inside(address: str) -> None:
    assert not is_open(ipaddress.ip_address(address), [])


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"])
def test_names_lead_to_the_world(address: str) -> None:
    assert is_open(ipaddress.ip_address(address), [])


def test_an_inner_address_is_reached_where_the_operator_lists_it() -> None:
    assert is_open(ipaddress.ip_address("127.0.0.1"), LOOPBACK)
    assert not is_open(ipaddress.ip_address("10.0.0.1"), LOOPBACK)


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_name_that_changes_its_mind_is_held_to_what_was_judged(port: int) -> None:
    answers = iter([["10.9.9.9"], ["127.0.0.1"]])
    with pytest.raises(NotPermitted, match="inside"):
        connect("rebinding.example", port, LOOPBACK, lambda _name, _port: next(answers))
    with connect("rebinding.example", port, LOOPBACK, lambda _name, _port: next(answers)) as line:
        assert line.getpeername() == ("127.0.0.1", port)


def test_of_several_addresses_only_those_that_may_be_reached_are_tried(port: int) -> None:
    with connect("mixed.example", port, LOOPBACK, lambda _name, _port: ["10.0.0.1", "127.0.0.2", "127.0.0.1"]) as line:
        assert line.getpeername()[0] == "127.0.0.1"


def test_what_does_not_answer_and_what_has_no_address_is_said(port: int) -> None:
    def nowhere(_name: str, _port: int) -> list[str]:
        raise OSError(2, "unknown")

    with pytest.raises(Unavailable, match="no address"):
        connect("gone.example", port, [], nowhere)
    with pytest.raises(Unavailable, match="does not answer"):
        connect("shut.example", 1, LOOPBACK, lambda _name, _port: ["127.0.0.1"])

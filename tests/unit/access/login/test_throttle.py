"""What counts as one network, and how long the next guess waits."""

import pytest

from fabriek.access.login.throttle import network_of, wait_after


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::ffff:203.0.113.7", "203.0.113.7"),
     ("fe80::1%eth0", "fe80::/64"), ("", ""), ("not an address", "not an address")],
)  # fmt: skip
def test_a_subscriber_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_waits_double() -> None:
    assert [wait_after(wrong, 5).total_seconds() for wrong in (0, 5, 6, 7, 8, 14, 15, 10**9)] == [
        0,
        0,
        2,
        4,
        8,
        512,
        900,
        900,
    ]

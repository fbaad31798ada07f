"""Which hosts a job may name, and how."""

import pytest

from fabriek.compute.hosts import Listed, hosts_of, listed
from fabriek.kernel.errors import InvalidInput

LIST = listed("pypi.example, *.files.example:8443, 10.1.0.0/16, 2001:db8::1")


@pytest.mark.parametrize(
    ("said", "hosts"),
    [
        ("pypi.example", ("pypi.example:443",)),
        ("PyPI.example., pypi.example:443", ("pypi.example:443",)),
        ("a.example:80,b.example:8443", ("a.example:80", "b.example:8443")),
        ("10.1.2.3:5000", ("10.1.2.3:5000",)),
        ("[2001:db8::1]", ("[2001:db8::1]:443",)),
        ("xn--bcher-kva.example", ("xn--bcher-kva.example:443",)),
    ],
)
def test_hosts_are_named_with_their_port(said: str, hosts: tuple[str, ...]) -> None:
    assert hosts_of(said) == hosts


@pytest.mark.parametrize(
    "said",
    [
        "", ",", "a.example:0", "a.example:65536", "a.example:http", "a b.example", "http://a.example", "a.example/path", "user@a.example",
        "*.example", "-a.example", "a..example", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "10.0.0.256", "bücher.example",
        "[::1", "[::1]443", "fe80::1%eth0",
        "a." * 130 + "example", ",".join(f"h{n}.example" for n in range(33)), "$(id).example", "a.example:443:443",
    ],
)  # fmt: skip
def test_what_is_no_plain_name_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput):
        hosts_of(said)


@pytest.mark.parametrize(
    ("host", "permitted"),
    [
        ("pypi.example:443", True), ("pypi.example:80", False), ("evil-pypi.example:443", False), ("pypi.example.evil.example:443", False),
        ("a.files.example:8443", True), ("a.b.files.example:8443", True), ("files.example:8443", False), ("afiles.example:8443", False),
        ("10.1.2.3:443", True), ("10.1.2.3:22", True), ("10.2.0.1:443", False), ("[2001:db8::1]:443", True), ("[2001:db8::2]:443", False),
        ("8.8.8.8:443", False),
    ],
)  # fmt: skip
def test_the_operators_list_decides(host: str, *, permitted: bool) -> None:
    assert LIST.permits(host) is permitted


def test_without_a_list_nothing_is_reached() -> None:
    assert listed("") == Listed()
    assert not listed("").permits("pypi.example:443")


@pytest.mark.parametrize("text", ["*", "*.", "10.0.0.1/8", "a b", "https://a.example", "**.example", "a.*.example"])
def test_a_list_that_says_something_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        listed(text)

"""What leaves goes to listed hosts alone, and a name leads nowhere that nobody listed."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from fabriek.adapters import outbound
from fabriek.adapters.outbound import Hosts, Outbound
from fabriek.kernel.errors import InvalidInput, NotPermitted, Unavailable
from tests.servers.certificates import certificate
from tests.servers.receiver import receiving


def leading_to(*addresses: str) -> Any:
    """A resolver that knows one answer."""

    def resolve(_host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    return resolve


def no_resolver(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
    raise AssertionError("a name was asked for before it was judged")


@contextmanager
def saying(answer: bytes) -> Iterator[int]:
    """A server of bare bytes, for answers that no HTTP server gives."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_nothing_leaves_where_nothing_is_listed() -> None:
    with pytest.raises(NotPermitted) as refused:
        Outbound(Hosts.read(""), no_resolver).check("https://hooks.example/")
    assert refused.value.fields["rule"] == "outbound.host"


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/", "https://hooks.example:8443/", "https://hooks.example.evil.example/", "https://hooks.example./",
        "https://evil.example/?https://hooks.example/", "https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/",
    ],
)  # fmt: skip
def test_only_the_very_host_and_port_that_are_listed_are_sent_to(url: str) -> None:
    with pytest.raises(NotPermitted):
        Outbound(Hosts.read("hooks.example"), no_resolver).post(url, b"", {})


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/", "ftp://hooks.example/", "file:///etc/passwd", "//hooks.example/", "https://", "https://u@hooks.example/",
        "https://evil.example\\@hooks.example/", "https://hooks.example:99999/", "https://hooks.example/#x", "https://hooks.example/ x",
        "https://hooks.example/\r\nX: y", "https://hooks.example/\N{LATIN SMALL LETTER E WITH ACUTE}", "https://hooks.example/" + "x" * 2000,
        "https://[hooks.example/",
    ],
)  # fmt: skip
def test_what_is_no_plain_https_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        Outbound(Hosts.read("hooks.example"), no_resolver).post(url, b"", {})


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", str(IPv4Address(0)), "224.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1",
        "fe80::1%eth0", "fec0::1", "::127.0.0.1", "::ffff:0:10.0.0.1",
    ],
)  # fmt: skip
def test_a_listed_name_that_leads_to_a_private_address_is_refused(address: str) -> None:
    for answer in ((address,), ("93.184.216.34", address)):
        with pytest.raises(NotPermitted) as refused:
            Outbound(Hosts.read("hooks.example"), leading_to(*answer)).post("https://hooks.example/", b"", {})
        assert refused.value.fields["rule"] == "outbound.address"


def test_a_name_is_asked_once_and_the_connection_goes_to_what_was_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: the second answer would lead elsewhere, and nobody asks for it."""
    trusted = certificate(tmp_path, "hooks.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    answers = [leading_to("127.0.0.1"), leading_to("10.0.0.1")]

    def resolve(*asked: Any, **how: Any) -> list[tuple[Any, ...]]:
        return answers.pop(0)(*asked, **how)

    with receiving(trusted) as receiver:
        hosts = Hosts.read(f"hooks.example:{receiver.port}, 127.0.0.0/8")
        Outbound(hosts, resolve).post(
            f"https://hooks.example:{receiver.port}/a?b=c", b"{}", {"Idempotency-Key": "ntc_1"}
        )
    assert len(answers) == 1
    assert [(one.path, one.body) for one in receiver.came] == [("/a?b=c", b"{}")]
    assert receiver.came[0].headers["host"] == f"hooks.example:{receiver.port}"
    assert receiver.came[0].headers["idempotency-key"] == "ntc_1"


@pytest.mark.parametrize(("host", "trusts"), [("hooks.example", False), ("another.example", True)])
def test_a_certificate_that_does_not_hold_ends_it_before_anything_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, *, trusts: bool
) -> None:
    shown = certificate(tmp_path, host)
    trusted = shown if trusts else certificate(tmp_path, "somebody.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with receiving(shown) as receiver:
        hosts = Hosts.read(f"hooks.example:{receiver.port}, 127.0.0.0/8")
        with pytest.raises(Unavailable, match="certificate"):
            Outbound(hosts, leading_to("127.0.0.1")).post(f"https://hooks.example:{receiver.port}/", b"x", {})
    assert receiver.came == []


def test_a_redirect_is_not_followed() -> None:
    with receiving() as elsewhere, receiving() as receiver:
        receiver.answers, receiver.location = [302], f"http://127.0.0.1:{elsewhere.port}/"
        hosts = Hosts.read(f"http://127.0.0.1:{receiver.port}, http://127.0.0.1:{elsewhere.port}")
        with pytest.raises(Unavailable, match="answered 302, and redirects are not followed"):
            Outbound(hosts).post(f"http://127.0.0.1:{receiver.port}/", b"", {})
        assert elsewhere.came == []


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-x\r\n", b"x" * 100_000, b"HTTP/1.1 20\r\n", b"HTTP/1.1 2000\r\n", b"HTTP/2 200\r\n"]
)
def test_an_answer_that_is_none_is_small_and_a_failure(answer: bytes) -> None:
    with saying(answer) as port, pytest.raises(Unavailable):
        Outbound(Hosts.read(f"http://127.0.0.1:{port}")).post(f"http://127.0.0.1:{port}/", b"", {})


def test_a_receiver_that_says_nothing_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "SECONDS_MAX", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Unavailable, match="timed out"):
            Outbound(Hosts.read(f"http://127.0.0.1:{port}")).post(f"http://127.0.0.1:{port}/", b"", {})


def test_nobody_there_is_said_and_not_a_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unavailable, match="refused"):
        Outbound(Hosts.read(f"http://127.0.0.1:{port}")).post(f"http://127.0.0.1:{port}/", b"", {})

    def unknown(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Unavailable, match="has no address"):
        Outbound(Hosts.read("hooks.example"), unknown).post("https://hooks.example/", b"", {})


@pytest.mark.parametrize(
    "setting",
    [
        "http://hooks.example",
        "http://10.0.0.1:80",
        "hooks.example/path",
        "10.0.0.0/99",
        "ftp://x",
        ":80",
        "a:b",
        "fd00::1",
    ],
)
def test_a_setting_that_lists_what_cannot_be_listed_stops_the_start(setting: str) -> None:
    with pytest.raises(InvalidInput, match="outbound_hosts"):
        Hosts.read(setting)

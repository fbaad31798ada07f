"""What lies on the public web is read at addresses that were looked at, within its limits, and with nothing of ours sent along."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabriek.adapters import public_web
from fabriek.adapters.outbound import Hosts
from fabriek.adapters.public_web import PublicWeb
from fabriek.kernel.errors import NotPermitted, Unavailable
from tests.servers.catalogue import Elsewhere, Page, elsewhere
from tests.servers.certificates import certificate


@pytest.fixture
def there() -> Iterator[Elsewhere]:
    with elsewhere() as made:
        yield made


def web(there: Elsewhere, **how: Any) -> PublicWeb:
    return PublicWeb(Hosts.read(there.url), says="harvest_hosts", **how)


def named(*addresses: str) -> Any:
    """A resolver by which every name has these addresses."""
    return lambda _host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]


def test_nothing_of_ours_goes_along(there: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    there.pages["/a?b=c"] = Page(b"here")
    answered = web(there).read(f"{there.url}/a?b=c", accept="text/turtle", bytes_max=100)
    assert (answered.body, answered.media_type, answered.url) == (b"here", "application/ld+json", f"{there.url}/a?b=c")
    ((_, headers),) = there.asked
    assert headers == {
        "host": there.url.removeprefix("http://"), "accept": "text/turtle", "accept-encoding": "gzip, identity", "user-agent": "fabriek",
        "connection": "close",
    }  # fmt: skip


@pytest.mark.parametrize("addresses", [
    ("127.0.0.1",), ("10.0.0.1",), ("169.254.169.254",), ("0.0.0.1",), ("93.184.216.34", "192.168.1.1"), ("::1",), ("::ffff:10.0.0.1",),
    ("fe80::1%eth0",), ("2002:0a00:0001::1",), ("fd00::1",), ("224.0.0.1",), ("100.64.0.1",),
])  # fmt: skip
def test_a_name_with_any_private_address_is_not_connected_to(
    addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    connected = list[object]()
    monkeypatch.setattr(socket, "create_connection", lambda *said, **_: connected.append(said))
    reader = PublicWeb(Hosts.read(""), named(*addresses), says="harvest_hosts")
    with pytest.raises(NotPermitted, match="private address"):
        reader.read("https://innocent.example/", accept="*/*", bytes_max=100)
    assert connected == []


def test_a_listed_network_is_open_to_listed_hosts_alone(there: Elsewhere) -> None:
    reader = PublicWeb(Hosts.read(f"{there.url}, 127.0.0.0/8"), named("127.0.0.1"), says="harvest_hosts")
    with pytest.raises(NotPermitted, match="private address"):
        reader.read("https://rebound.example/", accept="*/*", bytes_max=100)


def test_the_socket_itself_is_asked_where_it_leads(there: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(there.url.rpartition(":")[2])
    real = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: real(("127.0.0.1", port)))
    reader = PublicWeb(Hosts.read(""), named("93.184.216.34"), says="harvest_hosts")
    with pytest.raises(Unavailable, match="another address"):
        reader.read("https://rebound.example/", accept="*/*", bytes_max=100)
    assert there.asked == []


def test_a_certificate_that_does_not_hold_ends_it(tmp_path: Path) -> None:
    with elsewhere(certificate(tmp_path, "127.0.0.1")) as there:
        with pytest.raises(Unavailable, match="certificate"):
            web(there).read(f"{there.url}/", accept="*/*", bytes_max=100)
        assert there.asked == []


def test_one_that_trickles_is_left_when_time_is_over(there: Elsewhere) -> None:
    there.pages["/"] = Page(b"x" * 1_000, slow_seconds=0.05)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="timed out"):
        web(there, seconds_max=0.6).read(f"{there.url}/", accept="*/*", bytes_max=10_000)
    assert time.monotonic() - begun < 5


def test_one_that_never_answers_or_answers_otherwise_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        reader = PublicWeb(Hosts.read(address), says="harvest_hosts", seconds_max=0.4)
        with pytest.raises(Unavailable, match="timed out"):
            reader.read(address, accept="*/*", bytes_max=100)

        def speak() -> None:
            for _ in range(2):
                held, _where = listener.accept()
                held.sendall(b"SSH-2.0-OpenSSH\r\n")
                held.close()

        speaking = threading.Thread(target=speak)
        speaking.start()
        listened = PublicWeb(Hosts.read(address), says="harvest_hosts", seconds_max=5)
        with pytest.raises(Unavailable, match=r"does not answer in HTTP|reset"):
            for _ in range(2):
                listened.read(address, accept="*/*", bytes_max=100)
        with socket.create_connection(listener.getsockname()):
            pass
        speaking.join(5)


def test_the_limit_holds_to_the_byte(there: Elsewhere) -> None:
    there.pages["/"] = Page(b"x" * 100)
    assert len(web(there).read(there.url, accept="*/*", bytes_max=100).body) == 100
    with pytest.raises(Unavailable, match="more than"):
        web(there).read(there.url, accept="*/*", bytes_max=99)


def test_a_redirect_within_the_limits_is_told_of(there: Elsewhere) -> None:
    there.pages["/"] = Page(b"", {"Location": "b#part"}, status=308)
    there.pages["/b"] = Page(b"here")
    assert web(there).read(there.url, accept="*/*", bytes_max=100).url == f"{there.url}/b"
    assert public_web.REDIRECTS_MAX < 10

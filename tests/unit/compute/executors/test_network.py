"""Hosts that a job named, reached by real programs through the proxy beside its walls, and none besides."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.machine import Machine

pytestmark = pytest.mark.sandbox

NAME = socket.gethostname().lower()
"""A name of this machine, that leads to an address of this machine."""

WHEEL = "small-1.0-py3-none-any.whl"


def why_no_name() -> str:
    try:
        found = {one[4][0] for one in socket.getaddrinfo(NAME, 0, socket.AF_INET)}
    except OSError as error:
        return f"{NAME} has no address: {error}"
    return "" if all(one.startswith("127.") for one in found) else f"{NAME} leads to {found}"


class Site(http.server.BaseHTTPRequestHandler):
    """Says what it was asked; `/away` leads to another host, `/simple/` is an index of one package."""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://elsewhere.example/")
            self.end_headers()
            return
        body = f"{self.command} {self.path} for {self.headers['Host']}\n".encode()
        if self.path == "/simple/small/":
            body = f'<a href="/files/{WHEEL}">{WHEEL}</a>'.encode()
        elif self.path == f"/files/{WHEEL}":
            body = a_wheel()
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.path.startswith("/simple") else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{len(said)} bytes\n".encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


def a_wheel() -> bytes:
    import io  # noqa: PLC0415
    import zipfile  # noqa: PLC0415

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        wheel.writestr("small.py", "said = 'installed'\n")
        wheel.writestr("small-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        wheel.writestr(
            "small-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(
            "small-1.0.dist-info/RECORD",
            "small.py,,\nsmall-1.0.dist-info/METADATA,,\nsmall-1.0.dist-info/WHEEL,,\nsmall-1.0.dist-info/RECORD,,\n",
        )
    return packed.getvalue()


@contextmanager
def a_site() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    if reason := why_no_name():
        pytest.skip(reason)
    with a_site() as at:
        yield at


def reaching(*hosts: str, inner: tuple[str, ...] = ("127.0.0.0/8",)) -> dict[str, object]:
    return {"hosts": hosts, "addresses": inner}


def test_curl_reaches_a_host_that_the_job_named(machine: Machine, port: int) -> None:
    host = f"{NAME}:{port}"
    script = f"curl -sS http://{host}/plain; curl -sS -p http://{host}/tunnel; head -c 300000 /dev/zero | curl -sS --data-binary @- http://{host}/"
    seen = machine.run("sh", "-c", script, **reaching(host))
    assert seen.log.splitlines() == [f"GET /plain for {host}", f"GET /tunnel for {host}", "300000 bytes"]
    assert (seen.state.exit_code, seen.state.reached, seen.state.refused) == (0, {host: 3}, {})


def test_pip_installs_from_an_index_that_the_job_named(machine: Machine, port: int) -> None:
    host = f"{NAME}:{port}"
    words = f"python -m pip install -q --no-cache-dir --target here -i http://{host}/simple/ --trusted-host {NAME}"
    seen = machine.run(
        "sh", "-c", f"{words} small && PYTHONPATH=here python -c 'import small; print(small.said)'", **reaching(host)
    )
    assert seen.log.splitlines()[-1] == "installed"
    assert seen.state.reached[host] >= 2


def test_what_the_job_did_not_name_is_refused_and_counted(machine: Machine, port: int) -> None:
    with a_site() as other:
        hosts = (f"127.0.0.1:{port}", f"{NAME}:{other}", "elsewhere.example:80", f"[::1]:{port}", "169.254.169.254:80")
        asked = "; ".join(f"curl -sS --noproxy '' -o /dev/null -w '%{{http_code}} ' http://{one}/" for one in hosts)
        seen = machine.run("sh", "-c", asked, **reaching(f"{NAME}:{port}"))
    assert seen.log.split() == ["403"] * 5
    assert (seen.state.reached, seen.state.refused) == ({}, dict.fromkeys(hosts, 1))


def test_a_named_host_that_leads_inside_is_refused(machine: Machine, port: int) -> None:
    host = f"{NAME}:{port}"
    seen = machine.run("curl", "-sS", f"http://{host}/", **reaching(host, inner=()))
    assert "leads to an address inside" in seen.log
    assert (seen.state.reached, seen.state.refused) == ({}, {host: 1})


def test_a_redirect_goes_through_the_proxy_again(machine: Machine, port: int) -> None:
    host = f"{NAME}:{port}"
    seen = machine.run("curl", "-sSL", f"http://{host}/away", **reaching(host))
    assert "elsewhere.example:80 is not among the hosts" in seen.log
    assert seen.state.refused == {"elsewhere.example:80": 1}


def test_without_the_proxy_there_is_no_way_out(machine: Machine, port: int) -> None:
    host = f"{NAME}:{port}"
    seen = machine.run("sh", "-c", f"curl -sS --noproxy '*' http://{host}/ || ls /run", **reaching(host))
    assert "GET /" not in seen.log
    assert "proxy" in seen.log.split()


def test_a_job_that_named_nothing_has_no_proxy(machine: Machine) -> None:
    seen = machine.run("sh", "-c", "env | grep -i proxy; ls /run; curl -sS http://127.0.0.1:3128/")
    assert "proxy" not in seen.log.split()
    assert "HTTP_PROXY" not in seen.log


def test_the_proxy_survives_what_a_job_throws_at_it_and_ends_with_it(machine: Machine, port: int) -> None:
    code = f"""
import socket, urllib.request
def throw(said):
    with socket.create_connection(("127.0.0.1", 3128), 30) as line:
        line.sendall(said)
        return line.recv(100)
for said in (b"\\r\\n\\r\\n", b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", b"\\x16\\x03\\x01" * 30000, b"CONNECT x HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"):
    try:
        print(throw(said)[:12])
    except OSError:
        print("closed")
idle = [socket.create_connection(("127.0.0.1", 3128), 30) for _ in range(100)]
print(urllib.request.urlopen("http://{NAME}:{port}/after").read())
"""
    seen = machine.python(code, **reaching(f"{NAME}:{port}"), processes_max=400)
    assert seen.log.splitlines()[-1] == repr(f"GET /after for {NAME}:{port}\n".encode())
    assert "200" not in "".join(seen.log.splitlines()[:4])


def test_a_cancelled_job_leaves_no_proxy(machine: Machine, port: int) -> None:
    handle = machine.start(
        "sh", "-c", f"curl -sS http://{NAME}:{port}/; echo ready; sleep 600", **reaching(f"{NAME}:{port}")
    )
    machine.said(handle, "ready")
    machine.executor.cancel(handle)
    assert machine.ended(handle).state.reached == {f"{NAME}:{port}": 1}
    rooms = [file for file in Path("/proc/net").glob("unix") if f"{handle.job}-1/proxy" in file.read_text()]
    assert rooms == []


def test_what_was_reached_is_in_the_state_as_json(machine: Machine, port: int) -> None:
    host = f"{NAME}:{port}"
    seen = machine.run("curl", "-sS", f"http://{host}/", **reaching(host))
    state = json.loads((machine.jobs / f"{seen.handle.job}-1" / "state.json").read_text())
    assert state["reached"] == {host: 1}

"""The way to hosts that a job may reach: a proxy beside its walls.

It is told the hosts before it starts, connects only to the very address that it judged, and counts. It knows nothing of what goes
through: a tunnel's bytes are the job's own.
"""

import ipaddress
import json
import socket
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from fabriek.kernel.errors import FabriekError, InvalidInput, NotPermitted
from fabriek.node.addresses import Block, Resolve, connect, resolve
from fabriek.node.forward import pipe
from fabriek.node.proxy_requests import HEAD_BYTES_MAX, read_request

HEAD_SECONDS_MAX = 30.0
REFUSED_KEPT_MAX = 100
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass
class Proxy:
    """`hosts`: `name:port` each. `reached` and `refused` count by host."""

    hosts: frozenset[str]
    allowed: Sequence[Block]
    resolve: Resolve = resolve
    reached: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, connection: socket.socket) -> None:
        """One connection from its first byte to its last."""
        connection.settimeout(HEAD_SECONDS_MAX)
        try:
            head, early = _read_head(connection)
            asked = read_request(head)
            with closing(self._connected(asked.host, asked.name, asked.port)) as outside:
                if asked.forward:
                    outside.sendall(asked.forward)
                else:
                    connection.sendall(ESTABLISHED)
                outside.sendall(early)
                _carry(connection, outside)
        except FabriekError as error:
            connection.sendall(_problem(error))

    def _connected(self, host: str, name: str, port: int) -> socket.socket:
        if host not in self.hosts:
            self._count_refused(host)
            raise NotPermitted(f"{host} is not among the hosts that this job named", rule="network.hosts")
        try:
            made = connect(name, port, self.allowed, self.resolve)
        except NotPermitted:
            self._count_refused(host)
            raise
        with self._lock:
            self.reached[host] += 1
        return made

    def counted(self) -> bytes:
        """Both counts, as JSON."""
        with self._lock:
            return json.dumps([self.reached, self.refused]).encode()

    def _count_refused(self, host: str) -> None:
        with self._lock:
            self.refused[host if host in self.refused or len(self.refused) < REFUSED_KEPT_MAX else "others"] += 1


def proxy_for(hosts: Sequence[str], addresses: Sequence[str]) -> Proxy:
    """hosts: `name:port` each. addresses: inner ones to which they may lead, as blocks."""
    return Proxy(frozenset(hosts), [ipaddress.ip_network(one) for one in addresses])


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    said = b""
    while b"\r\n\r\n" not in said:
        piece = connection.recv(HEAD_BYTES_MAX)
        if not piece or len(said) > HEAD_BYTES_MAX:
            raise InvalidInput("this is no request")
        said += piece
    head, end, early = said.partition(b"\r\n\r\n")
    return head + end, early


def _carry(connection: socket.socket, outside: socket.socket) -> None:
    for one in (connection, outside):
        one.settimeout(None)
    back = threading.Thread(target=pipe, args=(outside, connection), daemon=True)
    back.start()
    pipe(connection, outside)
    back.join()


def _problem(error: FabriekError) -> bytes:
    body = f"{error.detail}\n".encode()
    head = f"HTTP/1.1 {error.meaning.http} {error.meaning.title}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode("latin-1", "replace") + body

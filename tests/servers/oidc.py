"""The certified OpenID provider of npm, `oidc-provider`, with accounts that a test makes; and a browser's way through it, without a browser."""

import fcntl
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import httpx

from fabriek.kernel.clock import SystemClock

VERSION = "9.13.3"
FOLDER = Path(tempfile.gettempdir()) / f"fabriek-oidc-provider-{VERSION}"
SCRIPT = Path(__file__).with_name("oidc_provider") / "provider.mjs"
START_SECONDS_MAX = 60
STEPS_MAX = 20


@dataclass(frozen=True)
class Client:
    """What the provider knows us by."""

    id: str
    secret: str


@dataclass(frozen=True)
class OidcProvider:
    issuer: str
    process: "subprocess.Popen[bytes]"

    def fall_silent(self) -> None:
        self.process.kill()
        self.process.wait()

    def account(self, subject: str, **claims: Any) -> None:
        """Makes it, or changes what is said of it."""
        httpx.put(self._account(subject), json=claims, trust_env=False).raise_for_status()

    def remove(self, subject: str) -> None:
        httpx.delete(self._account(subject), trust_env=False).raise_for_status()

    def client(self, *redirects: str, **more: Any) -> Client:
        said = {"redirect_uris": list(redirects), "response_types": ["code"], **more}
        answer = httpx.post(f"{self.issuer}/reg", json=said, trust_env=False)
        assert answer.status_code == 201, answer.text
        return Client(answer.json()["client_id"], answer.json()["client_secret"])

    def _account(self, subject: str) -> str:
        return f"{self.issuer}/test/accounts/{quote(subject, safe='')}"


class Visitor:
    """A browser with cookies of each place and no more: follows what it is sent to, and fills in what the provider asks."""

    def __init__(self) -> None:
        each = httpx.Limits(
            max_keepalive_connections=0
        )  # a line for each call: visitors come and go, and none is left open
        self._http = httpx.Client(trust_env=False, headers={"Accept": "text/html"}, timeout=30, limits=each)

    def close(self) -> None:
        self._http.close()

    def get(self, url: str) -> httpx.Response:
        return self._http.get(url)

    def post(self, url: str, **fields: str) -> httpx.Response:
        return self._http.post(url, data=fields)

    def put_cookie(self, name: str, value: str, url: str) -> None:
        """As somebody else may have put it there before."""
        self._http.cookies.set(name, value, domain=httpx.URL(url).host)

    def cookie(self, name: str, host: str = "") -> str:
        found = [one.value for one in self._http.cookies.jar if one.name == name and (not host or one.domain == host)]
        return found[0] or "" if found else ""

    def through(self, url: str, account: str, *, acr: str = "", stop: str) -> str:
        """Signs in at the provider from this address on; the address below `stop` to which it sends back, not opened."""
        answer = self._http.get(url)
        for _ in range(STEPS_MAX):
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["location"])
                if target.startswith(stop):
                    return target
                answer = self._http.get(target)
                continue
            if 'name="account"' in answer.text:
                answer = self._http.post(str(answer.url), data={"account": account, "acr": acr})
                continue
            if "/session/end/confirm" in answer.text:  # somebody else was signed in there
                answer = self._submitted(answer)
                continue
            raise AssertionError(f"{answer.status_code} {answer.url}: {answer.text[:1000]}")
        raise AssertionError("the provider goes round in circles")

    def approve(self, address: str, account: str, *, acr: str = "") -> str:
        """A device's code at the provider's own page, to its end; the last page's text."""
        answer = self._http.get(address)
        for _ in range(STEPS_MAX):
            if answer.is_redirect:
                answer = self._http.get(urljoin(str(answer.url), answer.headers["location"]))
                continue
            if 'name="account"' in answer.text:
                answer = self._http.post(str(answer.url), data={"account": account, "acr": acr})
                continue
            if "<input" not in answer.text:
                return answer.text
            answer = self._submitted(answer)
        raise AssertionError("the provider goes round in circles")

    def _submitted(self, page: httpx.Response) -> httpx.Response:
        """The form of a page with what it holds already, as a script of it or a person would send it."""
        fields = dict(_field(tag) for tag in re.findall(r"<input[^>]*>", page.text) if "name=" in tag)
        action = re.search(r'action="([^"]*)"', page.text)
        return self._http.post(urljoin(str(page.url), action[1] if action else ""), data=fields)


def _field(tag: str) -> tuple[str, str]:
    name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
    assert name is not None
    return name[1], value[1] if value else ""


def why_absent() -> str:
    """Empty when the provider can be started here, else the reason. Installs it at the first time."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "no identity provider was signed in with: node and npm are not installed"
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (FOLDER / "whole").exists():
            return ""
        (FOLDER / "package.json").write_text("{}")
        done = subprocess.run(
            ["npm", "install", f"oidc-provider@{VERSION}", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=FOLDER, capture_output=True, text=True, check=False, timeout=150,
        )  # fmt: skip
        if done.returncode:
            said = done.stderr.strip().splitlines()
            return f"no identity provider was signed in with: npm installs none ({said[-1] if said else 'no reason given'})"
        (FOLDER / "whole").touch()
    return ""


@contextmanager
def running(port: int = 0) -> Iterator[OidcProvider]:
    """port: for one that was there before and comes back."""
    if not port:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        command = ["node", str(SCRIPT), str(FOLDER), str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        clock = SystemClock()
        give_up = clock.monotonic() + START_SECONDS_MAX
        try:
            while not _serves(port):
                log.seek(0)
                said = log.read().decode(errors="replace")[-2000:]
                assert process.poll() is None, said
                assert clock.monotonic() < give_up, said
                clock.sleep(0.05)
            yield OidcProvider(f"http://127.0.0.1:{port}", process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _serves(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/.well-known/openid-configuration", trust_env=False).is_success
    except httpx.TransportError:
        return False

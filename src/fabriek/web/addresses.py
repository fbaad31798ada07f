"""Where sessions are reached: each job under a host name of its own, never the portal's."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

ENTER = "/.fabriek/enter"


@dataclass(frozen=True, slots=True)
class Addresses:
    """`url`: where a proxy reaches the gate, `https://sessions.example`; empty for this machine itself, at `port`."""

    url: str
    own_port: int

    @property
    def port(self) -> int:
        found = urlsplit(self.url)
        return (found.port or (443 if found.scheme == "https" else 80)) if self.url else self.own_port

    def host(self, job: str) -> str:
        """The name that goes into `Host`."""
        base = urlsplit(self.url).netloc if self.url else f"localhost:{self.own_port}"
        return f"{job.replace('_', '-', 1)}.{base}"

    def entrance(self, job: str, code: str) -> str:
        """The address that opens once."""
        scheme = urlsplit(self.url).scheme if self.url else "http"
        return f"{scheme}://{self.host(job)}{ENTER}?code={quote(code)}"

"""A factory behind a real address that people sign in to by an identity provider, and visitors who do."""

import html
import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fabriek.access.login.signing_in import SigningIn
from fabriek.adapters.database import Database
from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import SystemClock
from fabriek.portal import app as portal
from fabriek.web.callers import SESSION_COOKIE
from tests.factories.services import Town, a_town
from tests.servers.app import serving
from tests.servers.oidc import OidcProvider, Visitor

MFA = "https://refeds.org/profile/mfa"


@dataclass
class Door:
    """One factory with one provider or more, each by its name."""

    town: Town
    url: str
    issuers: dict[str, str]

    @property
    def signing_in(self) -> SigningIn:
        return self.town.services.by_provider.signing_in

    def on_time(self) -> None:
        """Winds our clock to that of the provider, which is the machine's."""
        self.town.clock.move(SystemClock().now() - self.town.clock.now())

    def begun(self, visitor: Visitor, name: str = "home", **fields: str) -> str:
        """Where this visitor is sent when they press the button."""
        self.on_time()
        return going(visitor.post(f"{self.url}/sign-in/providers/{name}", **fields))

    def callback(self, name: str = "home") -> str:
        return f"{self.url}/sign-in/providers/{name}/callback"

    def answer(self, visitor: Visitor, account: str, name: str = "home", *, acr: str = "", **fields: str) -> str:
        """The provider's answer in this visitor's hands, not yet brought to us."""
        return visitor.through(self.begun(visitor, name, **fields), account, acr=acr, stop=self.callback(name))

    def signed_in(self, visitor: Visitor, account: str, name: str = "home", **more: Any) -> Caller:
        """The caller that this visitor's session is, after the whole way."""
        answer = visitor.get(self.answer(visitor, account, name, **more))
        assert answer.status_code == 303, answer.text
        return self.caller(visitor)

    def caller(self, visitor: Visitor) -> Caller:
        return self.town.services.identity.caller_of_session(visitor.cookie(SESSION_COOKIE))

    def sealed_post(self, visitor: Visitor, page: str, path: str, **fields: str) -> httpx.Response:
        """A form of that page, sent to this path."""
        shown = visitor.get(self.url + page).text
        seal = re.search(r'name="seal" value="([^"]+)"', shown)
        assert seal is not None, shown
        return visitor.post(self.url + path, seal=seal[1], **fields)


def going(answer: httpx.Response) -> str:
    """Where a page goes on to."""
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
    assert found is not None, answer.text
    return html.unescape(found[1])


def _said(client: dict[str, Any] | None, url: str, name: str) -> dict[str, Any]:
    """What more the provider is told of us: where it says that a login ended, where the test asks for that."""
    if client is None:
        return {}
    return {"backchannel_logout_uri": f"{url}/sign-in/providers/{name}/logout", **client}


def free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def a_door(
    database: Database, home: Path, provider: OidcProvider | None, *, lines: str = "", client: dict[str, Any] | None = None,
    more: dict[str, tuple[str, str]] | None = None, name: str = "home", **settings: Any,
) -> Iterator[Door]:  # fmt: skip
    """provider: known here as `home`; lines: what the operator writes of it. more: other issuers by name, as (issuer, lines)."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    home.mkdir(exist_ok=True, mode=0o700)
    file, issuers = home / "providers.toml", dict[str, str]()
    text = ""
    if provider is not None:
        known = provider.client(f"{url}/sign-in/providers/{name}/callback", **_said(client, url, name))
        (home / "client.secret").write_text(known.secret)
        text = f'[{name}]\nissuer = "{provider.issuer}"\nclient_id = "{known.id}"\nclient_secret_file = "client.secret"\n{lines}\n'
        issuers[name] = provider.issuer
    for other, (issuer, said) in (more or {}).items():
        text += f'[{other}]\nissuer = "{issuer}"\nclient_id = "us"\n{said}\n'
        issuers[other] = issuer
    file.write_text(text)
    town = a_town(database, home, identity_providers=file, **settings)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app, port=port) as served:
        door = Door(town, served, issuers)
        door.on_time()
        try:
            yield door
        finally:
            town.services.by_provider.close()

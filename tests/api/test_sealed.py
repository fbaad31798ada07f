"""A sealed server: it answers only its status, whatever it is asked, and goes on where it was when it is opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from fabriek.adapters.keys import FileKeyring
from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotPermitted, Unavailable, WrongState
from fabriek.portal import app as portal
from fabriek.sdk import Fabriek
from fabriek.web.router import access_table
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.factories.vault import fill
from tests.servers.app import serving

PASSPHRASE = "correct horse battery"
ANSWERED = {"/healthz", "/api/v1/seal", "/api/v1/seal/open"}


@dataclass(frozen=True)
class Served:
    town: Town
    url: str
    app: object
    officer: Caller
    token: str
    keyring: FileKeyring


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    database = a_database(tmp_path / "fabriek.db")
    (tmp_path / "home").mkdir(mode=0o700)
    keyring = FileKeyring(tmp_path / "home" / "keys")
    keyring.set_passphrase(PASSPHRASE)
    town = a_town(database, tmp_path / "home", file_keys=True, passphrase=PASSPHRASE)
    officer = town.person("factory", "security_officer")
    token = town.services.identity.issue_token(officer.person, by=officer)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app) as url:
        yield Served(town, url, app, officer, token, keyring)
    database.close()


def test_every_route_but_the_status_says_that_the_vault_is_sealed_and_how_to_open_it(served: Served) -> None:
    with Fabriek(served.url, served.token) as factory:
        assert not factory.keys.seal_status().sealed
        factory.keys.seal("a laptop was stolen")
    asked = 0
    with httpx.Client(
        base_url=served.url, trust_env=False, headers={"Authorization": f"Bearer {served.token}"}
    ) as client:
        for method, path, _ in access_table(served.app.router.routes):  # type: ignore[attr-defined]
            if path in ANSWERED or method in {"*", "HEAD"}:
                continue
            answer = client.request(method, path.replace("{", "").replace("}", "").replace(":path", ""))
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "60"), path
            assert answer.json()["fix"].endswith("fabriek admin unseal"), path
            asked += 1
        assert client.get("/healthz").status_code == 200
        assert client.get("/api/v1/seal").json()["sealed"] is True
    assert asked > 120


def test_what_was_open_is_forgotten_at_once_and_only_the_passphrase_brings_it_back(served: Served) -> None:
    town, vault = served.town, served.town.services.vault
    owner = town.person("hospital")
    project = town.project(owner)
    owner = town.again(owner)
    vault.create(project, "biopsies", by=owner)
    fill(town.services, vault.open_upload(project, "biopsies", by=owner), {"a": b"theirs"}, by=owner)
    key = vault.open("biopsies", project=project, by=owner).manifest_key
    with Fabriek(served.url, served.token) as factory:
        factory.keys.seal("a drill")
        assert vault._parts.cipher._remembered == {}
        with pytest.raises(Unavailable, match="sealed"):
            vault.open("biopsies", project=project, by=owner)
        with pytest.raises(NotPermitted, match="passphrase"):
            factory.keys.unseal("wrong")
        assert factory.keys.seal_status().sealed
        factory.keys.unseal(PASSPHRASE)
    assert vault.open("biopsies", project=project, by=owner).manifest_key == key


def test_a_seal_without_the_passphrase_said_opens_no_data(served: Served) -> None:
    with Fabriek(served.url, served.token) as factory:
        factory.keys.seal("a drill")
        with pytest.raises(NotPermitted, match="passphrase"):
            factory.keys.unseal()
        assert factory.keys.seal_status().sealed


def test_sealing_twice_and_opening_what_is_open_are_refused_and_each_act_is_on_record(served: Served) -> None:
    seal, officer = served.town.services.seal, served.officer
    record = seal.close("a drill", by=officer)
    with pytest.raises(WrongState, match="sealed already"):
        seal.close("again", by=officer)
    seal.open(passphrase=PASSPHRASE, by=officer)
    with pytest.raises(WrongState, match="is open"):
        seal.open(by=officer)
    page = served.town.services.audit.events(by=served.town.operator, limit=10, subject=record.id)
    assert [event.action for event in page.items] == ["vault.opened", "vault.sealed"]


def test_only_operators_and_security_officers_seal(served: Served) -> None:
    somebody = served.town.person("hospital")
    for act in (
        lambda: served.town.services.seal.close("mine", by=somebody),
        lambda: served.town.services.seal.open(by=somebody),
    ):
        with pytest.raises(NotPermitted, match=r"vault\.seal"):
            act()

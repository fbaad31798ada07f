"""An auditor's link opens its own pages and nothing else: every route of the server is tried with its secret and with its cookie."""

import csv
import io
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from fabriek.adapters.database import metadata, open_database
from fabriek.api import app as api
from fabriek.audit.store import events
from fabriek.portal import app as portal
from fabriek.portal.pages.auditor import AUDITOR_COOKIE
from fabriek.web.router import access_table
from tests.factories.services import Town, a_town
from tests.servers.app import serving

Enters = Callable[[str, str], httpx.Client]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, str, Any]]:
    """The whole factory, portal and all."""
    folder = tmp_path_factory.mktemp("auditor")
    database = open_database(f"sqlite:///{folder}/fabriek.db")
    metadata.create_all(database.engine)
    town = a_town(database, folder / "home")
    town.project(town.person("weefsel"), gpu_hours=10)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app) as url:
        yield town, url, app
    database.close()


def a_link(town: Town, quarter: str = "") -> tuple[str, str]:
    until = town.clock.today() + timedelta(days=3)
    link, secret = town.services.auditing.make("Ada", "ada@audit.example", until, quarter=quarter, by=town.operator)
    return link.id, secret


@pytest.fixture
def entered() -> Iterator[Callable[[str, str], httpx.Client]]:
    """Opens a secret in a new browser."""
    with ExitStack() as stack:
        yield lambda url, secret: enter(stack.enter_context(httpx.Client(base_url=url, trust_env=False)), secret)


def enter(client: httpx.Client, secret: str) -> httpx.Client:
    answer = client.post("/auditor", data={"secret": f"http://localhost/auditor#{secret}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/auditor")
    said = answer.headers["set-cookie"].lower()
    assert all(word in said for word in ("httponly", "samesite=strict", "path=/auditor"))
    return client


def test_it_shows_ledger_quarters_policy_and_export(place: tuple[Town, str, Any], entered: Enters) -> None:
    town, url, _ = place
    link, secret = a_link(town)
    client = entered(url, secret)
    assert "Contributions" in client.get("/auditor").text
    assert "allocation:" in client.get("/auditor/ledger").text
    assert "2021/1173" in client.get("/auditor/policy").text
    exported = client.get("/auditor/export/csv")
    rows = list(csv.DictReader(io.StringIO(exported.text)))
    assert exported.headers["content-disposition"] == "attachment; filename=ledger-all.csv"
    assert sum(int(row["amount_micro"]) for row in rows[:-1]) == 0
    assert client.get("/auditor/export/jsonl").status_code == 200
    [report] = re.findall(r'/auditor/report/[^"]+', client.get("/auditor").text)
    assert "entitled" in client.get(report).text.lower()
    assert client.get("/auditor/report/shr_nobody/2026Q4").status_code == 404
    assert client.get("/auditor/export/xls").status_code == 404
    looks = [one.action for one in town.services.audit.events(by=town.operator, person=link).items]
    assert looks.count("auditor_link.looked") == 8
    assert looks.count("funding.exported") == 2
    assert client.post("/auditor/leave").status_code == 303
    assert client.get("/auditor/ledger").status_code == 303


def test_one_of_a_quarter_shows_that_quarter_alone(place: tuple[Town, str, Any], entered: Enters) -> None:
    town, url, _ = place
    _, secret = a_link(town, "2025Q1")
    client = entered(url, secret)
    page = client.get("/auditor?quarter=2026Q4").text
    assert "2025Q1" in page
    assert "2026Q4" not in page
    assert "Contributions" not in page
    assert "allocation:" not in client.get("/auditor/ledger").text
    rows = client.get("/auditor/export/csv").text.splitlines()
    assert len(rows) == 2


def filled(path: str, town: Town) -> str:
    known = {
        "organisation": "factory",
        "name": "fabriek.css",
        "project": town.services.access.projects_of(town.operator),
    }
    return re.sub(r"{(\w+)(:path)?}", lambda match: str(known.get(match[1]) or "x"), path)


def test_neither_secret_nor_cookie_opens_any_other_route(place: tuple[Town, str, Any], entered: Enters) -> None:
    """The answer is that of somebody who has nothing, to the status, on every route and in every place where a credential may stand."""
    town, url, app = place
    _, secret = a_link(town)
    cookie = entered(url, secret).cookies[AUDITOR_COOKIE]
    carried = {
        "nothing": {},
        "the secret as a token": {"Authorization": f"Bearer {secret}"},
        "the cookie as a token": {"Authorization": f"Bearer {cookie}"},
        "the cookie as a session and in its place": {"Cookie": f"fabriek_session={cookie}; {AUDITOR_COOKIE}={cookie}"},
    }
    opened, tried = [], 0
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        for method, path, _ in access_table(app.routes):
            if path.startswith("/auditor") or method in {"HEAD", "*"}:
                continue
            tried += 1
            answers = {
                name: client.request(method, filled(path, town), headers=headers).status_code
                for name, headers in carried.items()
            }
            bare = answers.pop("nothing")
            opened += [
                f"{method} {path} with {name}: {got} and not {bare}" for name, got in answers.items() if got != bare
            ]
    assert tried > 200
    assert opened == []


@pytest.mark.parametrize(
    "address", ["/auditor?secret={}", "/auditor?token={}", "/auditor/{}", "/api/v1/whoami?x={}", "/nowhere/{}"]
)
def test_in_an_address_it_is_refused_and_ended_and_not_logged(
    place: tuple[Town, str, Any], entered: Enters, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    town, url, _ = place
    link, secret = a_link(town)
    client = entered(url, secret)
    with caplog.at_level(logging.DEBUG):
        answer = httpx.get(url + address.format(secret), trust_env=False)
    assert (answer.status_code, answer.json()["rule"]) == (401, "token.in_address")
    assert client.get("/auditor/ledger").status_code == 303
    assert not any(secret in record.getMessage() for record in caplog.records if record.name.startswith("fabriek"))
    state = next(one for one in town.services.auditing.list(by=town.operator) if one.id == link)
    assert state.ended_at is not None
    told = [row.action for row in town.services.database.rows(select(events.c.action).where(events.c.subject == link))]
    assert "auditor_link.leaked" in told


def test_guesses_slow_the_next_down_and_another_site_sends_nothing(place: tuple[Town, str, Any]) -> None:
    town, url, _ = place
    _, secret = a_link(town)
    with httpx.Client(base_url=url, trust_env=False) as client:
        refused = client.post("/auditor", data={"secret": secret}, headers={"Sec-Fetch-Site": "cross-site"})
        assert refused.status_code == 403
        statuses = [client.post("/auditor", data={"secret": f"fbk_{number:043}"}).status_code for number in range(24)]
        assert statuses[:20] == [401] * 20
        assert 429 in statuses
        assert client.post("/auditor", data={"secret": secret}).status_code == 429
        town.clock.sleep(3600)
        assert client.post("/auditor", data={"secret": secret}).status_code == 303

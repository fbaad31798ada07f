"""The index over HTTP, read by the real pip in both its languages, and by hand where pip would not ask."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.packages.names import read_pinned
from fabriek.packages.simple import Kind, choose
from fabriek.portal import app as portal
from tests.factories.packages import bring
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.factories.wheels import a_wheel, wheel_name
from tests.servers.app import serving
from tests.servers.pip import install, pip

JSON = "application/vnd.pypi.simple.v1+json"
APP = wheel_name("greeter-app".replace("-", "_"), "2.1")


@dataclass
class Shop:
    """A project with two approved packages, one of which needs the other, and a neighbour with nothing."""

    town: Town
    app: ASGIApp
    url: str
    member: Caller
    project: str
    tokens: dict[str, str]

    def index(self, who: str = "member", path: str = "/packages/simple/") -> str:
        return self.url.replace("://", f"://me:{self.tokens[who]}@") + path

    def get(self, path: str, who: str = "member", **headers: str) -> httpx.Response:
        return httpx.get(self.index(who, path), headers=headers, trust_env=False)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    database = a_database(folder / "fabriek.db")
    town = a_town(database, folder / "home")
    member, stranger = town.person("lab"), town.person("startup")
    project = town.project(member)
    member = town.again(member)
    packages = town.services.packages
    asked = packages.ask(project, "Greeter_App==2.1", "to greet", by=member)
    app_wheel = a_wheel(
        "greeter_app",
        "2.1",
        {"greeter_app.py": "import greeter\n"},
        requires=["greeter>=1"],
        headers=["Requires-Python: >=3.9"],
    )
    bring(town, asked, (APP, app_wheel), (wheel_name(), a_wheel()))
    packages.approve(asked.id, by=town.operator)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    tokens = {
        name: town.services.identity.issue_token(one.person, by=one)
        for name, one in (("member", member), ("stranger", stranger), ("operator", town.operator))
    }
    with serving(app) as url:
        yield Shop(town, app, url, member, project, tokens)
    database.close()


def in_html_only(app: ASGIApp) -> ASGIApp:
    """The same server, to which everybody says that they read nothing but HTML, as installers did before PEP 691."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"accept"] + [
                (b"accept", b"text/html")
            ]
        await app(scope, receive, send)

    return wrapped


def test_pip_installs_what_is_approved_with_all_that_it_needs(shop: Shop, tmp_path: Path) -> None:
    done = install("greeter-app==2.1", home=tmp_path, index=shop.index())
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "greeter_app.py").exists()
    assert (tmp_path / "site" / "greeter.py").exists()


def test_pip_installs_from_the_html_pages_too(shop: Shop, tmp_path: Path) -> None:
    with serving(in_html_only(shop.app)) as url:
        address = shop.index().replace(shop.url.partition("://")[2], url.partition("://")[2])
        done = install("greeter.app", home=tmp_path, index=address)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "greeter.py").exists()


def test_pip_checks_the_hash_that_the_index_gives(shop: Shop, tmp_path: Path) -> None:
    wanted = tmp_path / "requirements.txt"
    wanted.write_text(f"greeter==1.0 --hash=sha256:{hashlib.sha256(a_wheel()).hexdigest()}\n")
    assert install("-r", str(wanted), home=tmp_path, index=shop.index()).returncode == 0
    wanted.write_text(f"greeter==1.0 --hash=sha256:{'0' * 64}\n")
    again = install("--upgrade", "-r", str(wanted), home=tmp_path, index=shop.index())
    assert "DO NOT MATCH" in again.stderr


def test_pip_says_how_to_ask_for_what_is_not_approved(shop: Shop, tmp_path: Path) -> None:
    done = install("nowhere", home=tmp_path, index=shop.index())
    assert done.returncode == 1
    assert "fabriek package request nowhere==VERSION" in done.stdout + done.stderr
    assert "No matching distribution found for nowhere" in done.stderr


def test_another_projects_package_reads_like_one_that_is_not_there(shop: Shop, tmp_path: Path) -> None:
    said = [
        install(name, home=tmp_path, index=shop.index("stranger")).stderr.replace(name, "NAME")
        for name in ("greeter", "nowhere")
    ]
    assert said[0] == said[1]
    for theirs, nobodys in (("simple/greeter/", "simple/nowhere/"), (f"files/{wheel_name()}", f"files/{wheel_name('nowhere')}"),
                            (f"files/{wheel_name()}.metadata", f"files/{wheel_name('nowhere')}.metadata")):  # fmt: skip
        found = [shop.get(f"/packages/{path}", "stranger") for path in (theirs, nobodys)]
        assert [one.status_code for one in found] == [404, 404]
        told = [one.text.replace(one.headers["x-request-id"], "").replace("nowhere", "greeter") for one in found]
        assert told[0] == told[1]
    assert shop.get("/packages/simple/", "stranger", Accept=JSON).json()["projects"] == []


def test_the_json_page_is_what_the_standard_says(shop: Shop) -> None:
    page = shop.get("/packages/simple/Greeter._App/", Accept=JSON)
    assert page.headers["content-type"] == JSON
    told = page.json()
    (file,) = told["files"]
    assert (told["meta"], told["name"], told["versions"]) == ({"api-version": "1.1"}, "greeter-app", ["2.1"])
    assert (file["filename"], file["requires-python"], file["core-metadata"]) == (APP, ">=3.9", True)
    assert "dist-info-metadata" not in file  # pip 23.0 fails on it
    raw = httpx.get(httpx.URL(shop.index(path="/packages/simple/greeter-app/")).join(file["url"]), trust_env=False)
    assert hashlib.sha256(raw.content).hexdigest() == file["hashes"]["sha256"]
    assert len(raw.content) == file["size"]
    beside = shop.get(f"/packages/files/{APP}.metadata").text
    assert "Requires-Dist: greeter>=1" in beside
    names = [one["name"] for one in shop.get("/packages/simple/", Accept=JSON).json()["projects"]]
    assert names == ["greeter", "greeter-app"]


def test_a_file_comes_in_parts_and_not_again_when_it_is_there(shop: Shop) -> None:
    path = f"/packages/files/{wheel_name()}"
    whole = shop.get(path)
    raw = a_wheel()
    assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, raw, "bytes")
    part = shop.get(path, Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, raw[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(raw)}"
    assert shop.get(path, **{"If-None-Match": whole.headers["etag"]}).status_code == 304
    assert shop.get(path, Range="bytes=10-19", **{"If-Range": '"another"'}).content == raw
    assert shop.get(path, Range=f"bytes={len(raw)}-").status_code == 422
    head = httpx.head(shop.index(path=path), trust_env=False)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(raw)), b"")


@pytest.mark.parametrize("path", ["/packages/simple/", "/packages/simple/greeter/", f"/packages/files/{wheel_name()}"])
def test_nobody_reads_it_without_a_token(shop: Shop, path: str) -> None:
    for headers in (
        {},
        {"Authorization": "Basic bWU6Z3Vlc3M="},
        {"Authorization": "Bearer guess"},
        {"Authorization": "Basic %"},
    ):
        answer = httpx.get(shop.url + path, headers=headers | {"Accept": "text/html"}, trust_env=False)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Basic realm="fabriek"'


def test_the_token_of_a_build_reads_its_projects_index_and_nothing_else(shop: Shop) -> None:
    services = shop.town.services
    ends = services.clock.now() + timedelta(hours=1)
    mine = services.access.project(shop.project).id
    for project, status in ((mine, 200), ("prj_other", 404)):
        shop.tokens["build"] = services.job_secrets.issue("job_1", project, "packages", ends)
        assert shop.get("/packages/simple/greeter/", "build").status_code == status
        assert shop.get("/api/v1/packages", "build").status_code == 401
    services.job_secrets.end("job_1")
    assert shop.get("/packages/simple/greeter/", "build").status_code == 401


def test_a_withdrawn_version_cannot_be_installed_any_more(shop: Shop, tmp_path: Path) -> None:
    packages = shop.town.services.packages
    asked = packages.ask(shop.project, "fleeting==1.0", "x", by=shop.member)
    bring(shop.town, asked, (wheel_name("fleeting"), a_wheel("fleeting")))
    packages.approve(asked.id, by=shop.town.operator)
    assert install("fleeting", home=tmp_path, index=shop.index()).returncode == 0
    packages.shelf.withdraw(read_pinned("fleeting==1.0"), "it phones home", by=shop.town.operator)
    again = install("--upgrade", "fleeting", home=tmp_path, index=shop.index())
    assert again.returncode == 1
    assert shop.get(f"/packages/files/{wheel_name('fleeting')}").status_code == 404


ACCEPTS: list[tuple[str, Callable[[], Kind | None]]] = [
    ("", lambda: Kind.HTML), ("*/*", lambda: Kind.HTML), ("text/html", lambda: Kind.HTML), ("image/png", lambda: None),
    (f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01", lambda: Kind.JSON_1),
    ("application/vnd.pypi.simple.latest+json", lambda: Kind.JSON_1), (f"text/html;q=0.5, {JSON};q=0", lambda: Kind.HTML),
    ("text/html;q=nonsense", lambda: None), ("application/vnd.pypi.simple.v1+html", lambda: Kind.HTML_1),
]  # fmt: skip


@pytest.mark.parametrize(("accept", "kind"), ACCEPTS, ids=[one[0] or "nothing" for one in ACCEPTS])
def test_the_kind_is_the_one_that_is_liked_best(accept: str, kind: Callable[[], Kind | None]) -> None:
    assert choose(accept) is kind()


def test_a_kind_that_we_do_not_speak_is_refused(shop: Shop) -> None:
    assert shop.get("/packages/simple/", Accept="image/png").status_code == 406


def test_an_operator_brings_wheels_over_http_and_another_approves(shop: Shop, tmp_path: Path) -> None:
    another = shop.town.person("factory", "operator")
    shop.tokens["another"] = shop.town.services.identity.issue_token(another.person, by=another)

    def api_of(who: str) -> httpx.Client:
        return httpx.Client(base_url=shop.index(who, "/api/v1"), trust_env=False)

    with api_of("operator") as one, api_of("another") as other:
        made = one.post("/package-requests", json={"package": "carried==1.0", "reason": "for all"}).json()
        place = f"/package-requests/{made['id']}"
        refused = one.put(f"{place}/files/{wheel_name('carried')}", content=a_wheel("carried", said={"Name": "other"}))
        assert (refused.status_code, "METADATA says other 1.0" in refused.json()["detail"]) == (422, True)
        kept = one.put(f"{place}/files/{wheel_name('carried')}", content=a_wheel("carried")).json()
        assert "vulnerabilities.unchecked" in [found["rule"] for found in kept["findings"]]
        assert one.post(f"{place}/ready").json()["state"] == "scanned"
        assert one.post(f"{place}/approve", json={}).json()["rule"] == "package.two_people"
        assert other.post(f"{place}/approve", json={}).json()["state"] == "approved"
    done = pip("download", "carried", home=tmp_path, index=shop.index("stranger"))
    assert done.returncode == 0, done.stderr
    assert json.loads(shop.get("/api/v1/packages/carried", "stranger").text)["items"][0]["everybody"] is True

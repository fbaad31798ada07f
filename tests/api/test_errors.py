"""One table of errors, five renderings: each row is raised inside a real app and read back by program, SDK, MLflow, person and shell."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fabriek.api import app as api
from fabriek.api.mlflow.routes import _handled
from fabriek.cli.output import show_error
from fabriek.kernel.errors import BY_CODE, FabriekError, InvalidInput
from fabriek.portal import app as portal
from fabriek.schemas.codes import MEANINGS, Code
from fabriek.sdk.client import error_of
from fabriek.web.router import PUBLIC, declare
from tests.factories.services import a_town
from tests.factories.tables import a_database
from tests.servers.app import serving

DETAIL = "it went <b>wrong</b>\x1b[31m"
FIX = "fabriek doctor"


def error(code: str) -> Exception:
    if code == "unknown":
        return ZeroDivisionError("a secret of the inside")
    return BY_CODE.get(Code(code), FabriekError)(DETAIL, fix=FIX, left=3, retry_after_seconds=7)


async def raising(request: Request) -> Response:
    raise error(request.path_params["code"])


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("errors")
    database = a_database(folder / "fabriek.db")
    services = a_town(database, folder / "home").services
    broken = [declare(Route("/raise/{code}", raising), PUBLIC), declare(Route("/mlflow/{code}", _handled(raising)), PUBLIC)]  # fmt: skip
    app = api.build(services, portal=[*portal.routes(services), *broken], page_of=portal.page_of(services))
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client
    database.close()


CODES = [str(code) for code in Code]


@pytest.mark.parametrize("code", CODES)
def test_a_program_reads_a_problem(web: httpx.Client, code: str) -> None:
    answer = web.get(f"/raise/{code}")
    body, meaning = answer.json(), MEANINGS[Code(code)]
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["code"], body["title"]) == (meaning.http, meaning.http, code, meaning.title)  # fmt: skip
    assert (body["detail"], body["fix"], body["left"]) == (DETAIL, FIX, 3)
    assert body["request_id"] == answer.headers["x-request-id"]
    assert answer.headers.get("retry-after") == "7"


@pytest.mark.parametrize("code", CODES)
def test_the_sdk_raises_what_the_server_raised(web: httpx.Client, code: str) -> None:
    raised = error_of(web.get(f"/raise/{code}"))
    assert type(raised) is BY_CODE.get(Code(code), FabriekError)
    assert (raised.detail, raised.fix, raised.fields["left"]) == (DETAIL, FIX, 3)


@pytest.mark.parametrize("code", CODES)
def test_mlflow_reads_its_own_words(web: httpx.Client, code: str) -> None:
    answer, meaning = web.get(f"/mlflow/{code}"), MEANINGS[Code(code)]
    assert (answer.status_code, answer.json()["error_code"]) == (meaning.mlflow_status, meaning.mlflow)
    assert set(answer.json()) == {"error_code", "message"}
    assert answer.headers.get("retry-after") == "7"


@pytest.mark.parametrize("code", CODES)
def test_a_person_reads_a_page(web: httpx.Client, code: str) -> None:
    answer, meaning = web.get(f"/raise/{code}", headers={"Accept": "text/html"}), MEANINGS[Code(code)]
    assert answer.status_code == meaning.http
    assert answer.headers["content-type"].startswith("text/html")
    assert "<b>wrong</b>" not in answer.text
    if code != "not_authenticated":  # which is the way in
        assert meaning.title in answer.text
        assert FIX in answer.text


@pytest.mark.parametrize("code", CODES)
def test_the_shell_says_it_in_lines_and_leaves_with_its_code(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    raised = error(code)
    assert isinstance(raised, FabriekError)
    assert show_error(raised, as_json=False) == MEANINGS[Code(code)].exit
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{MEANINGS[Code(code)].title}: it went <b>wrong</b>\N{REPLACEMENT CHARACTER}[31m" in said.err
    assert f"fix   {FIX}" in said.err
    assert show_error(raised, as_json=True) == MEANINGS[Code(code)].exit
    assert json.loads(capsys.readouterr().err) | {"code": code, "left": 3, "fix": FIX} == json.loads(
        json.dumps({"code": code, "title": MEANINGS[Code(code)].title, "detail": DETAIL, "fix": FIX, "left": 3, "retry_after_seconds": 7})
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/raise/unknown", "/mlflow/unknown"])
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_a_fault_of_ours_keeps_its_text_inside(web: httpx.Client, path: str, accept: str) -> None:
    answer = web.get(path, headers={"Accept": accept})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] in answer.text or path == "/mlflow/unknown"


def test_every_code_has_a_row_and_every_class_a_code() -> None:
    assert set(MEANINGS) == set(Code)
    assert set(BY_CODE) | {Code.INTERNAL} == set(Code)


def test_field_errors_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    raised = InvalidInput("a: wrong", errors=[{"field": "a", "message": "wrong"}, {"field": "b", "message": "missing"}])
    show_error(raised, as_json=False)
    assert "field b: missing" in capsys.readouterr().err


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_a_path_that_is_none_is_not_found(web: httpx.Client, accept: str) -> None:
    assert web.get("/no/such/path", headers={"Accept": accept}).status_code == 404
    assert web.request("TRACE", "/healthz").status_code in {404, 405}

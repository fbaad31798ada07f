"""The router takes no route without a rule, and an app with one does not start."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from fabriek.web.router import HOLDER, PUBLIC, SIGNED_IN, Right, Router, access_table, declare, refuse_undeclared


def answer() -> dict[str, str]:
    return {}


def an_app(*routes: Any) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.router.routes.extend(routes)
    return app


@pytest.mark.parametrize("access", [None, "public", "data.view", True])
def test_a_route_without_a_rule_is_not_taken(access: Any) -> None:
    with pytest.raises(TypeError, match="declares no access"):
        Router().add_api_route("/x", answer, methods=["GET"], access=access)


@pytest.mark.parametrize("access", [PUBLIC, SIGNED_IN, HOLDER, Right("data.view")])
def test_the_table_says_what_a_route_declared(access: Any) -> None:
    router = Router()
    for add in (router.get, router.post, router.put, router.patch, router.delete):
        add("/x", access=access)(answer)
    table = access_table(an_app(*router.routes).routes)
    assert {method for method, _, _ in table} == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert {rule for _, _, rule in table} == {access}


def test_a_plain_route_without_a_rule_stops_the_start() -> None:
    with pytest.raises(RuntimeError, match="GET /hole"):
        refuse_undeclared(an_app(Route("/hole", lambda _: PlainTextResponse(""), methods=["GET"])))


def test_a_mount_is_opened_and_looked_into() -> None:
    inner = Starlette(routes=[Route("/hole", lambda _: PlainTextResponse(""), methods=["POST"])])
    with pytest.raises(RuntimeError, match="POST /second/hole"):
        refuse_undeclared(an_app(Mount("/second", inner)))


def test_a_mount_that_cannot_be_looked_into_stops_the_start() -> None:
    async def opaque(scope: Any, receive: Any, send: Any) -> None: ...

    with pytest.raises(RuntimeError, match=r"\* /second"):
        refuse_undeclared(an_app(Mount("/second", opaque)))
    refuse_undeclared(an_app(declare(Mount("/second", opaque), PUBLIC)))

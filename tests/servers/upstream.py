"""An index of somebody else, as an operator may name it: pages in HTML and wheels, on a port of this machine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.servers.app import serving


@contextmanager
def an_upstream(wheels: Mapping[str, bytes], yanked: Mapping[str, str] | None = None) -> Iterator[str]:
    """wheels: file name → bytes. yanked: file name → why it was taken back. Yields the address that pip is told."""

    async def page(request: Request) -> Response:
        named = [one for one in wheels if one.partition("-")[0].replace("_", "-") == request.path_params["name"]]
        if not named:
            return Response(status_code=404)
        back = {name: f' data-yanked="{escape(why)}"' for name, why in (yanked or {}).items()}
        return HTMLResponse("".join(f'<a href="/files/{one}"{back.get(one, "")}>{one}</a>' for one in named))

    async def file(request: Request) -> Response:
        return Response(wheels[request.path_params["name"]], media_type="application/octet-stream")

    with serving(Starlette(routes=[Route("/simple/{name}/", page), Route("/files/{name}", file)])) as url:
        yield f"{url}/simple/"

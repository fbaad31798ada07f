"""The index that pip reads: for people and builds on the main server, for a job on its own socket. Approved files and nothing else."""

from collections.abc import Callable, Iterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from fabriek.api.vault_objects import read_range
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotAuthenticated
from fabriek.packages import simple
from fabriek.packages.names import normalised
from fabriek.packages.simple import Kind
from fabriek.web.callers import token_of
from fabriek.web.problems import as_fabriek_error, problem_response, request_id
from fabriek.web.router import HOLDER, SIGNED_IN, Access, declare
from fabriek.web.services import Services

PREFIX = "/packages"
METADATA = ".metadata"
WHEEL = "application/octet-stream"

Who = Callable[[Request], Caller]
Answer = Callable[[Request, Caller], Response]


def routes(services: Services) -> list[BaseRoute]:
    """On the main server, with a person's token, or that of the build of one job's environment."""

    def who(request: Request) -> Caller:
        token = token_of(request)
        if not token:
            raise NotAuthenticated(
                "no token was sent", fix="give it as password: https://me:TOKEN@host/packages/simple/"
            )
        return services.identity.caller_of_index_token(token)

    return _routes(services, who, SIGNED_IN)


def job_routes(services: Services, prefix: str = "") -> list[BaseRoute]:
    """On the jobs' socket, with the job's own token: what is approved for its project."""
    return _routes(services, lambda request: services.identity.caller_of_lab_token(token_of(request)), HOLDER, prefix)


def _routes(services: Services, who: Who, access: Access, prefix: str = "") -> list[BaseRoute]:
    shelf = services.packages.shelf

    def listing(request: Request, caller: Caller) -> Response:
        return _rendered(request, lambda kind: simple.listing(shelf.packages(by=caller), kind))

    def page(request: Request, caller: Caller) -> Response:
        package = normalised(request.path_params["name"])
        files = shelf.on_index(package, by=caller)
        return (
            _rendered(request, lambda kind: simple.page(package, files, kind)) if files else _not_here(request, package)
        )

    def file(request: Request, caller: Caller) -> Response:
        name = request.path_params["filename"]
        if name.endswith(METADATA):
            return Response(shelf.metadata(name.removesuffix(METADATA), by=caller), media_type=WHEEL)
        return _file(services, request, name, caller)

    made = []
    for path, answer in (("/simple/", listing), ("/simple/{name}/", page), ("/files/{filename}", file)):
        made.append(declare(Route(prefix + PREFIX + path, _endpoint(who, answer), methods=["GET"]), access))
    return made


def _endpoint(who: Who, answer: Answer) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        def run() -> Response:
            caller = who(request)
            request.state.caller = caller
            return answer(request, caller)

        try:
            return await run_in_threadpool(run)
        except Exception as raw:  # noqa: BLE001  # installers read a status, never a page of the portal
            error = as_fabriek_error(raw)
            response = problem_response(error, request_id(request))
            if isinstance(error, NotAuthenticated):
                response.headers["WWW-Authenticate"] = 'Basic realm="fabriek"'
            return response

    return endpoint


def _rendered(request: Request, render: Callable[[Kind], dict[str, Any] | str]) -> Response:
    kind = simple.choose(request.headers.get("accept", ""))
    if kind is None:
        return Response(f"this index speaks {', '.join(Kind)}", status_code=406, media_type="text/plain")
    content = render(kind)
    headers = {"Vary": "Accept, Authorization"}
    if isinstance(content, dict):
        return JSONResponse(content, media_type=kind, headers=headers)
    return Response(content, media_type=kind, headers=headers)


def _not_here(request: Request, package: str) -> Response:
    """404, and what to do. pip shows nothing of a 404 and goes on to say that no version is known; of a page in a kind that it cannot read
    it shows the kind. So pip alone is answered in a kind that holds the command, and passes the page over all the same.
    """
    fix = f"fabriek package request {package}==VERSION"
    says = f"{package} is not approved here. Ask for it: {fix}\n"
    if request.headers.get("user-agent", "").startswith("pip/"):
        return Response(says, headers={"Content-Type": f'text/plain; not-approved="ask for it: {fix}"'})
    return Response(says, status_code=404, media_type="text/plain")


def _file(services: Services, request: Request, name: str, caller: Caller) -> Response:
    shelf = services.packages.shelf
    found = shelf.found(name, by=caller)
    tag = f'"{found.sha256}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range", "") if request.headers.get("if-range", tag) == tag else ""
    start, stop, is_part = read_range(asked, found.size_bytes)
    headers["Content-Length"] = str(stop - start)
    if is_part:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size_bytes}"
    pieces: Iterator[bytes] = iter(()) if request.method == "HEAD" else shelf.open(found, start, stop, by=caller)
    return StreamingResponse(pieces, status_code=206 if is_part else 200, headers=headers, media_type=WHEEL)

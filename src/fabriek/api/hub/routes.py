"""The Hub's dialect: for people below /hub/{project}, for jobs below /hub of their own socket. `HF_ENDPOINT` is where it is mounted.

Source: the released client huggingface_hub 2.4.0 and what it asks. Files have their SHA-256 as ETag, so that its cache, its resumed
downloads and its revisions hold. Nothing is written here, and no file of a disk has a name here.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from fabriek.api.hub import said
from fabriek.api.hub.searching import Wanted
from fabriek.api.vault_objects import read_range
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.lab.base_models.models import MAIN, BaseModel, ModelFile, Revision
from fabriek.lab.base_models.service import no_such_model
from fabriek.web.dialects import job_of_token, member_of_path
from fabriek.web.problems import request_id
from fabriek.web.router import HOLDER, Access, Right, declare
from fabriek.web.services import Services

PREFIX = "/hub"
ENTRIES_MAX = 1_000
"""Of one page of a list."""

FORM_BYTES_MAX = 2**20
AT_ONCE_BYTES_MAX = 2**20
REPOS = ("{base_model}", "{org}/{base_model}")
"""Clients name a model with and without whose it was."""

IN_JOBS = "http://127.0.0.1:5000"

Who = Callable[[Request], tuple[Caller, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: who, in which project, and what came with it. `here`: where the clients reach this route."""

    services: Services
    caller: Caller
    project: str
    request: Request
    form: dict[str, list[str]]
    here: str

    @property
    def name(self) -> str:
        path = self.request.path_params
        return f"{path['org']}/{path['base_model']}" if "org" in path else str(path["base_model"])

    def revision(self) -> tuple[BaseModel, Revision]:
        revision = self.request.path_params.get("revision", MAIN)
        return self.services.base_models.revision(self.project, self.name, revision, by=self.caller)

    def files(self, revision: Revision) -> list[ModelFile]:
        return list(self.services.base_models.files(revision, by=self.caller))

    def says(self, name: str) -> bool:
        """A flag of the query, as the client spells it."""
        return self.request.query_params.get(name, "").lower() in {"1", "true", "yes"}


Answer = Callable[[Asked], Response]

JOB_RIGHTS = frozenset({"lab.view"})


def routes(services: Services) -> list[BaseRoute]:
    """For people, with their own token, in a project of theirs."""

    def who(request: Request) -> tuple[Caller, str]:
        return member_of_path(request, services, absent=no_such_model)

    return _routes(services, who, Right("lab.view"), f"{PREFIX}/{{project}}")


def job_routes(services: Services, prefix: str = "") -> list[BaseRoute]:
    """On the jobs' socket, with the job's own token: the base models of its project."""

    def who(request: Request) -> tuple[Caller, str]:
        return job_of_token(request, services, JOB_RIGHTS)

    return _routes(services, who, HOLDER, prefix + PREFIX, relayed=prefix)


def _routes(services: Services, who: Who, access: Access, base: str, *, relayed: str = "") -> list[BaseRoute]:
    named: list[tuple[str, str, Answer]] = [("GET", "/api/whoami-v2", _whoami), ("GET", "/api/models", _search)]
    for repo in REPOS:
        named += [
            ("GET", f"/api/models/{repo}/revision/{{revision}}", _model),
            ("GET", f"/api/models/{repo}/tree/{{revision}}", _tree),
            ("GET", f"/api/models/{repo}/tree/{{revision}}/{{model_folder:path}}", _tree),
            ("POST", f"/api/models/{repo}/paths-info/{{revision}}", _paths),
            ("GET", f"/api/models/{repo}/refs", _refs),
            ("GET", f"/{repo}/resolve/{{revision}}/{{model_file:path}}", _file),
        ]
    named += [("GET", f"/api/models/{repo}", _model) for repo in REPOS]
    made = [
        declare(Route(base + path, _endpoint(services, who, answer, base + path, relayed), methods=[method]), access)
        for method, path, answer in named
    ]
    every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    nothing = Route(
        f"{base}/{{rest:path}}", _endpoint(services, who, _nothing, f"{base}/{{rest}}", relayed), methods=every
    )
    return [*made, declare(nothing, access)]


def _endpoint(services: Services, who: Who, answer: Answer, template: str, relayed: str) -> Callable[[Request], Any]:
    def here(request: Request) -> str:
        path = quote(request.scope["path"].removeprefix(relayed))
        if relayed:
            return IN_JOBS + path
        return f"{services.settings.portal_url or str(request.base_url)}".rstrip("/") + path

    def run(request: Request, form: dict[str, list[str]]) -> Response:
        caller, project = who(request)
        request.state.caller = caller
        try:
            return answer(Asked(services, caller, project, request, form, here(request)))
        except NotPermitted as refused:
            services.audit.refused(
                caller, f"{request.method} {template}", str(refused.code), str(refused.fields.get("rule", ""))
            )
            raise

    async def endpoint(request: Request) -> Response:
        try:
            form = await _form(request) if request.method == "POST" else {}
            return await run_in_threadpool(run, request, form)
        except Exception as raw:  # noqa: BLE001  # clients read headers, never a page of the portal
            return said.refusal(raw, has_token="authorization" in request.headers, request_id=request_id(request))

    return endpoint


async def _form(request: Request) -> dict[str, list[str]]:
    """Fields of a form, or of a JSON object whose values are lists of texts. Raises InvalidInput."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > FORM_BYTES_MAX:
            raise InvalidInput(f"the body is larger than {FORM_BYTES_MAX} bytes", fix="ask for fewer paths at once")
    try:
        if not request.headers.get("content-type", "").startswith("application/json"):
            return parse_qs(body.decode(), max_num_fields=20_000)
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidInput("the body is neither a form nor JSON", fix="send paths=…") from None
    if not isinstance(told, dict):
        raise InvalidInput("the body is not a JSON object", fix='send {"paths": [...]}')
    return {
        str(name): [one for one in value if isinstance(one, str)]
        for name, value in told.items()
        if isinstance(value, list)
    }


def _whoami(asked: Asked) -> Response:
    return JSONResponse(said.whoami(asked.caller))


def _search(asked: Asked) -> Response:
    """Models by name, author and tags."""
    base_models, query = asked.services.base_models, asked.request.query_params
    wanted = Wanted.read(query)
    found = [(one, base_models.newest(one)) for one in base_models.all(asked.project, by=asked.caller)]
    shown = wanted.ordered([one for one in found if wanted.takes(*one)])
    limit = min(wanted.limit, ENTRIES_MAX)
    page = shown[wanted.skip : wanted.skip + limit]
    full = asked.says("full")
    body = [model_with_files(asked, model, revision, full=full) for model, revision in page]
    more = wanted.skip + limit < len(shown) and wanted.limit > limit
    return _page(asked, body, str(wanted.skip + limit) if more else "")


def model_with_files(asked: Asked, model: BaseModel, revision: Revision, *, full: bool) -> dict[str, Any]:
    return said.model_said(model, revision, asked.files(revision) if full else None)


def _model(asked: Asked) -> Response:
    model, revision = asked.revision()
    body = said.model_said(model, revision, asked.files(revision), with_sizes=asked.says("blobs"))
    return JSONResponse(body, headers={said.COMMIT: revision.commit})


def _tree(asked: Asked) -> Response:
    _, revision = asked.revision()
    folder = asked.request.path_params.get("model_folder", "").strip("/")
    entries = said.tree_said(
        asked.files(revision), revision, folder, recursive=asked.says("recursive"), expand=asked.says("expand")
    )
    after = asked.request.query_params.get("cursor", "")
    rest = [one for one in entries if one["path"] > after]
    page = rest[:ENTRIES_MAX]
    return _page(asked, page, page[-1]["path"] if len(rest) > len(page) else "", {said.COMMIT: revision.commit})


def _paths(asked: Asked) -> Response:
    _, revision = asked.revision()
    return JSONResponse(said.paths_said(asked.files(revision), asked.form.get("paths", [])))


def _refs(asked: Asked) -> Response:
    return JSONResponse(said.refs_said(asked.services.base_models.get(asked.project, asked.name, by=asked.caller)))


def _file(asked: Asked) -> Response:
    """A file, or a part of it; HEAD tells what a client needs to know first."""
    path = asked.request.path_params
    base_models, request = asked.services.base_models, asked.request
    revision, file = base_models.file(asked.project, asked.name, path["revision"], path["model_file"], by=asked.caller)
    tag = f'"{file.sha256}"'
    headers = {
        "ETag": tag, "X-Linked-Etag": tag, "X-Linked-Size": str(file.size), said.COMMIT: revision.commit, "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.path.rpartition('/')[2], safe='')}",
    }  # fmt: skip
    wanted = request.headers.get("range", "") if request.headers.get("if-range", tag) == tag else ""
    try:
        start, stop, is_part = read_range(wanted, file.size)
    except InvalidInput:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{file.size}"})
    headers["Content-Length"] = str(stop - start)
    if is_part:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size}"
    status = 206 if is_part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type="application/octet-stream")
    pieces: Iterator[bytes] = base_models.open(revision, file, start, stop, by=asked.caller)
    if stop - start <= AT_ONCE_BYTES_MAX:
        return Response(b"".join(pieces), status, headers, "application/octet-stream")
    return StreamingResponse(pieces, status, headers, "application/octet-stream")


def _nothing(_: Asked) -> Response:
    """Datasets, spaces, and all that writes: not here."""
    raise no_such_model()


def _page(asked: Asked, body: list[dict[str, Any]], cursor: str, headers: dict[str, str] | None = None) -> Response:
    """One page of a list, with where the next one is, as clients of the Hub follow it."""
    more = dict(headers or {})
    if cursor:
        query = [(name, value) for name, value in asked.request.query_params.multi_items() if name != "cursor"]
        more["Link"] = f'<{asked.here}?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'
    return JSONResponse(body, headers=more)

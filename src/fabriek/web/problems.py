"""One error, rendered: from the exception to RFC 9457, for the API; the portal and MLflow's dialect start from the same object."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from fabriek.kernel.errors import (
    BY_CODE,
    FabriekError,
    InvalidInput,
    NotAuthenticated,
    NotPermitted,
    Unavailable,
    nothing_here,
)
from fabriek.kernel.invalid import field_of, in_words
from fabriek.schemas.codes import MEANINGS, Code
from fabriek.web.leaked import hidden

log = logging.getLogger("fabriek.web")

_BY_STATUS = {400: Code.INVALID_INPUT, 401: Code.NOT_AUTHENTICATED, 403: Code.NOT_PERMITTED, 404: Code.NOT_FOUND,
              405: Code.NOT_FOUND, 413: Code.INVALID_INPUT, 422: Code.INVALID_INPUT}  # fmt: skip


def problem_of(error: FabriekError, request_id: str) -> dict[str, Any]:
    """The error as an RFC 9457 object."""
    meaning = error.meaning
    body: dict[str, Any] = {
        "type": f"urn:fabriek:problem:{error.code}",
        "title": meaning.title,
        "status": meaning.http,
        "detail": error.detail,
        "code": str(error.code),
        "fix": error.fix,
        "request_id": request_id,
    }
    return body | {name: value for name, value in error.fields.items() if name not in body}


def problem_response(error: FabriekError, request_id: str) -> Response:
    headers = {}
    if retry := error.fields.get("retry_after_seconds"):
        headers["Retry-After"] = str(retry)
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="fabriek"'
    body = problem_of(error, request_id)
    return JSONResponse(body, status_code=error.meaning.http, headers=headers, media_type="application/problem+json")


def as_fabriek_error(error: Exception) -> FabriekError:
    """The error a person is shown for any exception at all; what we do not know is a fault of ours, and its text stays inside."""
    wrapped = error.__cause__ if isinstance(error, HTTPException) else None  # by FastAPI, while it read the body
    for known in (error, wrapped):
        if isinstance(known, FabriekError):
            return known
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        code = _BY_STATUS.get(error.status_code, Code.INVALID_INPUT if error.status_code < 500 else Code.INTERNAL)
        if code is Code.NOT_FOUND:
            return nothing_here()
        kind = BY_CODE.get(code, FabriekError)
        return kind(MEANINGS[code].title.lower(), fix="see the API reference at /api/docs")
    if isinstance(error, OperationalError):
        return Unavailable("the database is busy or away", fix="try again", retry_after_seconds=2)
    return FabriekError(
        "something broke inside Fabriek; it is logged under the request id", fix="report it with the request id"
    )


def _invalid(error: RequestValidationError) -> InvalidInput:
    errors = [{"field": field_of(one, skip=1), "message": in_words(one)} for one in error.errors()[:50]]
    first = errors[0] if errors else {"field": "body", "message": "is not readable"}
    return InvalidInput(
        f"{first['field']} {first['message']}", fix=f"correct {first['field']} and send it again", errors=errors
    )


Renderer = Callable[[Request, FabriekError], Awaitable[Response] | Response]


def install(app: FastAPI, render: Renderer) -> None:
    """Sends every error of the app through `render`, records refusals, and logs faults with their trace."""

    async def handle(request: Request, raw: Exception) -> Response:
        error = as_fabriek_error(raw)
        if error.code is Code.INTERNAL:
            log.error(
                "fault", exc_info=raw, extra={"request_id": request_id(request), "path": hidden(request.url.path)}
            )
        elif isinstance(error, NotPermitted):
            request.state.refusal = error
        rendered = render(request, error)
        return rendered if isinstance(rendered, Response) else await rendered

    for kind in (FabriekError, RequestValidationError, HTTPException, OperationalError, Exception):
        app.add_exception_handler(kind, handle)


def request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))

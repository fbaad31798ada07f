"""Errors as the callers of served models read them: in OpenAI's shape, or in that of MLflow's scoring server."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fabriek.compute.serving.served import Kind
from fabriek.kernel.errors import FabriekError
from fabriek.schemas.codes import Code
from fabriek.web.problems import as_fabriek_error, request_id

log = logging.getLogger("fabriek.serving")

STATUS = {Code.INVALID_INPUT: 400, Code.QUOTA_EXHAUSTED: 429, Code.CREDITS_EXHAUSTED: 429}
"""Where these clients expect another than ours."""

WORDS = {
    Code.NOT_AUTHENTICATED: ("invalid_request_error", "invalid_api_key"),
    Code.NOT_PERMITTED: ("invalid_request_error", "not_permitted"),
    Code.NOT_FOUND: ("invalid_request_error", "not_found"),
    Code.INVALID_INPUT: ("invalid_request_error", None),
    Code.RATE_LIMITED: ("rate_limit_error", "rate_limit_exceeded"),
    Code.QUOTA_EXHAUSTED: ("insufficient_quota", "insufficient_quota"),
    Code.CREDITS_EXHAUSTED: ("insufficient_quota", "insufficient_quota"),
}


def openai(message: str, kind: str = "server_error", code: str | None = None) -> dict[str, Any]:
    """The object in which OpenAI's clients look for what went wrong."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def refusal(request: Request, raw: Exception, kind: Kind) -> Response:
    """The answer to a call that was not carried out, without a word of what was in it."""
    error: FabriekError = as_fabriek_error(raw)
    if error.code is Code.INTERNAL:
        # Where it happened and not what it says: its text could quote the request.
        frame = raw.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        at = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame is not None else "nowhere"
        log.error("fault: %s at %s", type(raw).__name__, at, extra={"request_id": request_id(request)})
    status = int(str(error.fields.get("status", STATUS.get(error.code, error.meaning.http))))
    message = f"{error.detail}; {error.fix}" if error.fix else error.detail
    return JSONResponse(body_of(error, message, kind), status_code=status, headers=headers_of(error))


def body_of(error: FabriekError, message: str, kind: Kind) -> dict[str, Any]:
    if kind is Kind.SCORING:
        return {"error_code": error.meaning.mlflow, "message": message}
    return openai(message, *WORDS.get(error.code, ("server_error", None)))


def headers_of(error: FabriekError) -> Mapping[str, str]:
    found = {}
    if "retry_after_seconds" in error.fields:
        found["Retry-After"] = str(error.fields["retry_after_seconds"])
    elif error.meaning.http >= 409:
        found["X-Should-Retry"] = "false"  # OpenAI's clients would try again at once, for nothing
    if error.code is Code.NOT_AUTHENTICATED:
        found["WWW-Authenticate"] = 'Bearer realm="fabriek-serve"'
    return found


def event_of(message: str) -> bytes:
    """An error within a stream, which clients raise, and then nothing more."""
    return b"data: " + json.dumps(openai(message)).encode() + b"\n\n"

"""A POST that is sent twice happens once: the key and the answer are kept in the act's own transaction, for 24 hours."""

import functools
import hashlib
import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from fabriek.kernel.errors import InvalidInput, Stale
from fabriek.web.store import Answer

KEPT_FOR = timedelta(hours=24)
KEY_CHARACTERS_MAX = 200


def once(endpoint: Callable[..., Any], *, status: int) -> Callable[..., Any]:
    """Wraps a handler so that a repeated Idempotency-Key gets the stored answer, and a key reused for another request is refused."""
    signature = inspect.signature(endpoint)
    # FastAPI hands the request to one parameter only: the handler's own, where it has one.
    own = next((name for name, one in signature.parameters.items() if one.annotation is Request), "")
    name = own or "idempotent_request"

    @functools.wraps(endpoint)
    def answered_once(**given: Any) -> Any:
        request: Request = given[name] if own else given.pop(name)
        key = request.headers.get("idempotency-key", "")
        if not key:
            return endpoint(**given)
        if len(key) > KEY_CHARACTERS_MAX:
            raise InvalidInput(
                f"Idempotency-Key is longer than {KEY_CHARACTERS_MAX} characters", fix="send a shorter key"
            )
        factory = request.app.state.factory
        scope = f"{request.state.caller.person}:{request.state.caller.job}:{key}"
        fingerprint = _fingerprint(request.url.path, given)
        with factory.database.transaction(alone=f"idempotency:{scope}"):
            known = factory.answers.get(scope, since=factory.clock.now() - KEPT_FOR)
            if known is not None:
                if known.fingerprint != fingerprint:
                    raise Stale("this Idempotency-Key was used for another request", fix="send a fresh key")
                return Response(known.body, status_code=known.status, media_type="application/json")
            result = endpoint(**given)
            if isinstance(result, BaseModel):
                body = result.model_dump_json()
                factory.answers.keep(Answer(scope, fingerprint, status, body, factory.clock.now()))
        return result

    extra = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    parameters = [*signature.parameters.values(), *([] if own else [extra])]
    answered_once.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # FastAPI reads them here
    return answered_once


def _fingerprint(path: str, given: dict[str, Any]) -> str:
    """What was asked: the path, and the parameters and body that came with it, but not who asked or what serves it."""
    said = [path]
    for name, value in sorted(given.items()):
        if isinstance(value, BaseModel):
            said.append(f"{name}={value.model_dump_json()}")
        elif isinstance(value, str | int | float | bool):
            said.append(f"{name}={value}")
    return hashlib.sha256("\0".join(said).encode()).hexdigest()

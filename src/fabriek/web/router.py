"""The router that will not take a route without a rule. The access table of the whole factory is read off it.

Each route declares one of: PUBLIC (anyone), SIGNED_IN (any person; with a narrowed token only to look), ANY_TOKEN (the same, where a narrowed
token may act too), HOLDER (whoever holds the grant or upload that the path names, a job's node among them; the service checks it), or a Right.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.routing import BaseRoute, Mount, Route

from fabriek.kernel.callers import Caller, Right, require_whole
from fabriek.kernel.errors import NotAuthenticated, NotPermitted, nothing_here
from fabriek.web.callers import caller_of_request, project_id_of
from fabriek.web.idempotency import once

__all__ = [
    "ANY_TOKEN",
    "HOLDER",
    "PUBLIC",
    "SIGNED_IN",
    "Access",
    "Right",
    "Router",
    "access_table",
    "declare",
    "refuse_undeclared",
]


LOOKS = frozenset({"GET", "HEAD"})
HELD = frozenset({"data.view", "data.write"})
"""What grants and uploads stand for: a token without any of these has none to hold."""


class Declared(StrEnum):
    """What a route may declare instead of a right."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    ANY_TOKEN = "signed in, by any token"  # noqa: S105  # words for the reference
    HOLDER = "holder"


PUBLIC, SIGNED_IN, ANY_TOKEN, HOLDER = Declared.PUBLIC, Declared.SIGNED_IN, Declared.ANY_TOKEN, Declared.HOLDER
Access = Declared | Right

Endpoint = Callable[..., Any]


class Router(APIRouter):
    """An APIRouter whose every route says who may call it.

    A repeated POST with the same Idempotency-Key gets the first answer; `once=False` leaves that out, for acts that are idempotent
    by themselves and too slow to run inside one transaction.
    """

    def add_api_route(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        access = options.pop("access", None)
        repeats = options.pop("once", True)
        if not isinstance(access, Declared | Right):
            raise TypeError(
                f"{self.prefix}{path} declares no access: add access=PUBLIC, SIGNED_IN, ANY_TOKEN, HOLDER or Right(…)"
            )
        options["dependencies"] = [*(options.get("dependencies") or ()), Depends(guard(access))]
        options["openapi_extra"] = {**(options.get("openapi_extra") or {}), "x-access": str(access)}
        if repeats and "POST" in (options.get("methods") or ()) and access is not PUBLIC:
            endpoint = once(endpoint, status=options.get("status_code") or 200)
        super().add_api_route(path, endpoint, **options)
        declare(self.routes[-1], access)

    def api_route(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:  # type: ignore[override]
        def add(endpoint: Endpoint) -> Endpoint:
            self.add_api_route(path, endpoint, **options)
            return endpoint

        return add

    def get(self, path: str, *, access: Access, **options: Any) -> Callable[[Endpoint], Endpoint]:  # type: ignore[override]
        return self.api_route(path, methods=["GET"], access=access, **options)

    def post(self, path: str, *, access: Access, **options: Any) -> Callable[[Endpoint], Endpoint]:  # type: ignore[override]
        return self.api_route(path, methods=["POST"], access=access, **options)

    def put(self, path: str, *, access: Access, **options: Any) -> Callable[[Endpoint], Endpoint]:  # type: ignore[override]
        return self.api_route(path, methods=["PUT"], access=access, **options)

    def patch(self, path: str, *, access: Access, **options: Any) -> Callable[[Endpoint], Endpoint]:  # type: ignore[override]
        return self.api_route(path, methods=["PATCH"], access=access, **options)

    def delete(self, path: str, *, access: Access, **options: Any) -> Callable[[Endpoint], Endpoint]:  # type: ignore[override]
        return self.api_route(path, methods=["DELETE"], access=access, **options)


def declare(route: BaseRoute, access: Access) -> BaseRoute:
    """Marks a plain Starlette route or mount with its access; `Router` does it for its own."""
    route.fabriek_access = access  # type: ignore[attr-defined]  # Starlette has no place for it, and a side table could be forgotten
    return route


def access_table(routes: Sequence[BaseRoute], prefix: str = "") -> list[tuple[str, str, Access | None]]:
    """Every (method, path, access) that the app answers, mounts opened; access is None where nobody declared it."""
    table: list[tuple[str, str, Access | None]] = []
    for route in routes:
        path = prefix + getattr(route, "path", "")
        access = getattr(route, "fabriek_access", None)
        if isinstance(route, Mount) and access is None:
            table += access_table(route.routes, path) or [("*", path, None)]
        else:
            methods = sorted(route.methods or ()) if isinstance(route, Route) else ["*"]
            table += [(method, path, access) for method in methods]
    return table


def refuse_undeclared(app: FastAPI) -> None:
    """Stops the start when a route has no rule: a forgotten one must not be an open door."""
    missing = [f"{method} {path}" for method, path, access in access_table(app.routes) if access is None]
    if missing:
        raise RuntimeError(f"these routes declare no access: {', '.join(missing)}")


def guard(access: Access) -> Callable[[Request], None]:
    """The check in front of a route. The service still asks for the exact right: this one keeps strangers from reaching it."""

    def check(request: Request) -> None:
        if access is PUBLIC:
            return
        factory = request.app.state.factory
        caller: Caller = caller_of_request(request, factory.identity)
        request.state.caller = caller
        if caller.job and access is not HOLDER:
            raise NotAuthenticated("this token does one job's work and opens nothing else", fix="use your own token")
        if caller.narrowed:
            _check_narrowed(caller, access, request.method)
        project_name = request.path_params.get("project")
        project_id = project_id_of(project_name, caller, factory.access) if project_name else ""
        if isinstance(access, Right):
            _check_right(caller, access.name, project_id)
        elif project_id and access in {SIGNED_IN, ANY_TOKEN} and not caller.is_member_of(project_id):
            raise nothing_here()

    return check


def _check_narrowed(caller: Caller, access: Access, method: str) -> None:
    """What no right stands for is closed to a narrowed token, but for looking: a new route is safe before anybody thought of tokens."""
    if access is SIGNED_IN and method not in LOOKS:
        require_whole(caller)
    if access is HOLDER and not any(rights & HELD for rights in caller.project_rights.values()):
        require_whole(caller)


def _check_right(caller: Caller, right: str, project_id: str) -> None:
    if project_id:
        if right in caller.rights:
            return
        if not caller.is_member_of(project_id):
            raise nothing_here()
        held = caller.may(right, project=project_id)
    else:
        held = right in caller.rights or any(right in rights for rights in caller.project_rights.values())
    if not held:
        raise NotPermitted(f"this needs the right {right}", rule=right, fix="fabriek whoami shows the rights you hold")

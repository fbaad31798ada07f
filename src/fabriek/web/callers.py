"""From credentials to the Caller: bearer or basic tokens for programs, a session cookie for the portal."""

import base64
from typing import Protocol

from fastapi import Request

from fabriek.access.projects import Project
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotAuthenticated

SESSION_COOKIE = "fabriek_session"


class Authenticator(Protocol):
    """What the web needs of access: the Caller behind a token or a session, or NotAuthenticated."""

    def caller_of(self, token: str) -> Caller: ...

    def caller_of_session(self, cookie: str) -> Caller: ...


def caller_of_request(request: Request, access: Authenticator) -> Caller:
    """Raises NotAuthenticated when there are no credentials or they do not hold."""
    if token := token_of(request):
        return access.caller_of(token)
    if cookie := request.cookies.get(SESSION_COOKIE):
        return access.caller_of_session(cookie)
    raise NotAuthenticated("no token was sent", fix="fabriek login")


class Places(Protocol):
    """What the web needs to know a project by its name."""

    def project(self, name: str) -> Project: ...


def project_id_of(name: str, caller: Caller, access: Places) -> str:
    """The id of the project that a path names. Who is in it came with the caller; only of others is asked. Raises NotFound."""
    known = caller.by_slug.get(name) or (name if name in caller.project_rights else "")
    return known or access.project(name).id


def token_of(request: Request) -> str:
    """`Bearer TOKEN`, or Basic with the token as password (MLflow's client sends either); empty when there is none."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
        except ValueError:
            raise NotAuthenticated("the Authorization header is not readable", fix="fabriek login") from None
    return ""

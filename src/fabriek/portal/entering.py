"""Coming in by the portal: the page with the ways in, the cookie of a visit before there is a session, and where one goes afterwards."""

from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match

from fabriek.access.login.passkeys import Site
from fabriek.kernel.errors import InvalidInput
from fabriek.portal.forms import VISIT_COOKIE, visit_seal
from fabriek.portal.rendering import Pages
from fabriek.settings import Settings
from fabriek.web.callers import SESSION_COOKIE
from fabriek.web.services import Services

VISIT_SECONDS = 3600


def site_of(request: Request, settings: Settings) -> Site:
    """As browsers know the portal: by the setting, else as `localhost` at the port that answers. What a request says of itself counts for nothing."""
    if settings.portal_url:
        at = urlsplit(settings.portal_url)
        return Site(at.hostname or "", f"{at.scheme}://{at.netloc.lower()}")
    server = request.scope.get("server") or ("", settings.port)
    return Site("localhost", f"http://localhost:{server[1]}")


def is_private(request: Request, settings: Settings) -> bool:
    """Whether browsers reach us by TLS, here or at a proxy, so that cookies are for that alone."""
    return request.url.scheme == "https" or settings.portal_url.startswith("https:")


def local_path(asked: str) -> str:
    """A page of ours to go to; the first page for anything that could lead elsewhere."""
    at = urlsplit(asked) if asked.isascii() and asked.isprintable() and "\\" not in asked and " " not in asked else None
    if at is None or at.scheme or at.netloc or not at.path.startswith("/") or asked.startswith("//"):
        return "/"
    return asked


def page_before(request: Request) -> str:
    """The page that a refused request came from: the same where it can be looked at, else the nearest above it that can."""
    routes: list[BaseRoute] = request.app.router.routes
    path = request.url.path
    while path != "/":
        looked_at = {"type": "http", "method": "GET", "path": path, "headers": []}
        if any(route.matches(looked_at)[0] is Match.FULL for route in routes if not path.startswith("/api/")):
            return path
        path = path.rpartition("/")[0] or "/"
    return "/"


def sign_in_page(
    request: Request, services: Services, pages: Pages, *, status: int = 200, code: str = "", wrong: str = "", to: str = "/"
) -> Response:  # fmt: skip
    """The ways in. The visit's cookie binds its forms and challenges to this browser."""
    visit = request.cookies.get(VISIT_COOKIE, "") or services.ids.secret()
    shown: dict[str, Any] = {"code": code, "wrong": wrong, "to": local_path(to), "visit_seal": visit_seal(visit)}
    page = pages.render(request, "sign_in.html", status=status, **shown)
    _set(page, request, services.settings, VISIT_COOKIE, visit, VISIT_SECONDS)
    return page


def enter(request: Request, services: Services, cookie: str, answer: Response) -> Response:
    """Puts a fresh session into the answer, and ends what this browser had before: a cookie that was set for somebody is worth nothing."""
    if old := request.cookies.get(SESSION_COOKIE):
        services.identity.end(old)
    _set(answer, request, services.settings, SESSION_COOKIE, cookie, None)
    answer.delete_cookie(VISIT_COOKIE, path="/")
    return answer


def entered(request: Request, services: Services, cookie: str, to: str = "/") -> Response:
    return enter(request, services, cookie, RedirectResponse(local_path(to), status_code=303))


async def answer_of(request: Request) -> dict[str, Any]:
    """What a script of ours sends. Raises InvalidInput."""
    try:
        found = await request.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidInput("this is no answer of a passkey", fix="reload the page")
    return found


def _set(answer: Response, request: Request, settings: Settings, name: str, value: str, seconds: int | None) -> None:
    answer.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="lax", secure=is_private(request, settings), path="/"
    )

"""Signing in at an identity provider, linking an account there, and showing there again that it is you."""

from urllib.parse import urlencode

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from fabriek.access.login.attempts import ATTEMPT_FOR
from fabriek.access.login.signing_in import Begun
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotAuthenticated, NotPermitted
from fabriek.portal.entering import enter, is_private, local_path
from fabriek.portal.forms import check_same_site, read_form
from fabriek.portal.rendering import Pages
from fabriek.settings import LOOPBACK
from fabriek.web.callers import SESSION_COOKIE
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import PUBLIC, SIGNED_IN, Router
from fabriek.web.services import Services

ATTEMPT_COOKIE = "fabriek_login"
ANSWERS = ("state", "code", "iss", "error")
AREA = "/sign-in/providers"


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    signing_in = services.by_provider.signing_in

    @made.post(AREA + "/{name}", access=PUBLIC)
    async def begin(request: Request, name: str) -> Response:
        """Begins a login, with a one-time link where the page was one's."""
        check_same_site(request, origin_too=True)
        fields = await request.form(max_files=0, max_fields=5)
        link, then = str(fields.get("link", "")), str(fields.get("then", "/"))
        callback = callback_of(services, request, name)
        begun = await run_in_threadpool(signing_in.begin, name, callback=callback, then=then, link=link)
        return _sent(services, pages, request, begun, signing_in.provider(name).title)

    @made.get(AREA + "/{name}/callback", access=PUBLIC)
    def end(request: Request, name: str) -> Response:
        """The provider's answer against a session: always a fresh one, and what this browser had before ends."""
        answer = {key: request.query_params[key] for key in ANSWERS if key in request.query_params}
        before = request.cookies.get(SESSION_COOKIE, "")
        ended = signing_in.end(
            name, answer, browser=request.cookies.get(ATTEMPT_COOKIE, ""), by=session_of(services, before)
        )
        gone = RedirectResponse(ended.then, status_code=303)
        gone.delete_cookie(ATTEMPT_COOKIE, path=AREA)
        if ended.cookie:
            enter(request, services, ended.cookie, gone)
        return gone

    @made.post(AREA + "/{name}/logout", access=PUBLIC)
    async def logged_out(request: Request, name: str) -> Response:
        """By the provider itself, no browser: a login ended there, so its sessions end here."""
        fields = await request.form(max_files=0, max_fields=5)
        token = str(fields.get("logout_token", ""))
        try:
            await run_in_threadpool(services.by_provider.affiliations.log_out, name, token)
        except NotPermitted as error:
            return JSONResponse({"error": "invalid_request", "error_description": error.detail}, status_code=400)
        return Response(status_code=200)

    _of_who_is_signed_in(made, services, pages)
    return made


def _of_who_is_signed_in(made: Router, services: Services, pages: Pages) -> None:
    """Linking accounts, and confirming."""
    signing_in = services.by_provider.signing_in

    @made.get("/account/providers", access=SIGNED_IN)
    def accounts(request: Request, caller: CallerDep) -> Response:
        """The accounts elsewhere by which one comes in, and those that could be."""
        titles = {one.name: one.title for one in signing_in.providers}
        linked = [
            {"id": one.id, "title": titles.get(one.provider, one.provider), "subject": one.key.subject, "tenant": one.key.tenant,
             "bound_at": one.bound_at}
            for one in signing_in.linked(by=caller)
        ]  # fmt: skip
        return pages.render(request, "account_providers.html", linked=linked, offered=signing_in.providers)

    @made.post("/account/providers/{name}/link", access=SIGNED_IN, once=False)
    async def link(request: Request, name: str, caller: CallerDep) -> Response:
        """Goes to the provider, and links the account that comes back."""
        await read_form(request)
        callback = callback_of(services, request, name)
        begun = await run_in_threadpool(
            signing_in.begin_link, name, callback=callback, then="/account/providers", by=caller
        )
        return _sent(services, pages, request, begun, signing_in.provider(name).title)

    @made.post("/account/providers/{subject}/unlink", access=SIGNED_IN, once=False)
    async def unlink(request: Request, subject: str, caller: CallerDep) -> Response:
        """That account opens this door no more."""
        await read_form(request)
        await run_in_threadpool(signing_in.unlink, subject, by=caller)
        return RedirectResponse("/account/providers", status_code=303)

    @made.get("/confirm/provider", access=SIGNED_IN)
    def confirm_page(then: str = "/") -> Response:
        """Where this was asked before it stood beside the other ways to confirm."""
        return RedirectResponse(f"/confirm?{urlencode({'to': local_path(then)})}", status_code=303)

    @made.post("/confirm/provider", access=SIGNED_IN, once=False)
    async def confirm(request: Request, caller: CallerDep) -> Response:
        """Goes to the provider for a strong factor, shown now."""
        fields = await read_form(request)
        begun, title = await run_in_threadpool(_confirmation, services, request, caller, fields.get("then", "/"))
        return _sent(services, pages, request, begun, title)


def _sent(services: Services, pages: Pages, request: Request, begun: Begun, title: str) -> Response:
    """A page that goes on by itself: a form may lead to no other site, so that no page of ours sends anything there."""
    page = pages.render(request, "provider_going.html", url=begun.url, title=title)
    page.set_cookie(
        ATTEMPT_COOKIE, begun.browser, httponly=True, samesite="lax", secure=is_private(request, services.settings), path=AREA,
        max_age=int(ATTEMPT_FOR.total_seconds()),
    )  # fmt: skip
    return page


def callback_of(services: Services, request: Request, name: str) -> str:
    """The address that the provider sends back to, one for each provider. Not from what a request says, but on this machine's own port.

    Raises InvalidInput where the operator did not say where people reach the portal.
    """
    base = services.settings.portal_url.rstrip("/")
    if not base:
        if request.url.hostname not in LOOPBACK:
            raise InvalidInput("nobody said where this portal is reached", fix="the operator sets portal_url")
        base = str(request.base_url).rstrip("/")
    return f"{base}{AREA}/{name}/callback"


def session_of(services: Services, cookie: str) -> Caller | None:
    """Who is signed in in this browser, if anybody."""
    try:
        return services.identity.caller_of_session(cookie) if cookie else None
    except NotAuthenticated:
        return None


def _confirmation(services: Services, request: Request, by: Caller, then: str) -> tuple[Begun, str]:
    signing_in = services.by_provider.signing_in
    begun = signing_in.begin_confirm(callback_of=lambda name: callback_of(services, request, name), then=then, by=by)
    subject = signing_in.subject_behind(by)
    return begun, signing_in.provider(subject.provider).title if subject is not None else ""

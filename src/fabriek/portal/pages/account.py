"""A person's own account: coming in by password or passkey, their factors, and showing again that it is them."""

from typing import Any

import segno
from fastapi import Request
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from fabriek.kernel.errors import FabriekError, InvalidInput, NotAuthenticated, NotPermitted, RateLimited
from fabriek.portal.entering import (
    answer_of,
    enter,
    entered,
    local_path,
    sign_in_page,
    site_of,
)
from fabriek.portal.forms import SEAL_HEADER, check_seal, check_visit, read_form
from fabriek.portal.rendering import Pages
from fabriek.web.callers import SESSION_COOKIE
from fabriek.web.clients import address_of
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import PUBLIC, SIGNED_IN, Router
from fabriek.web.services import Services


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    _ways_in(made, services, pages)
    _factors(made, services, pages)
    _passkeys(made, services)
    _confirming(made, services, pages)
    return made


def _ways_in(made: Router, services: Services, pages: Pages) -> None:
    @made.post("/sign-in/by/password", access=PUBLIC)
    async def by_password(request: Request) -> Response:
        """Address, password and code, from the form's body alone: what stands in an address ends up in logs."""
        fields = await _fields(request)
        check_visit(request, fields.get("seal", ""))
        given, to = [fields.get(name, "") for name in ("email", "password", "code")], fields.get("to", "")
        try:
            _, cookie = await run_in_threadpool(
                services.accounts.sign_in, *given, address=address_of(request, services.settings), session=True
            )
        except (NotAuthenticated, RateLimited) as error:
            page = sign_in_page(request, services, pages, status=error.meaning.http, wrong=error.detail, to=to)
            return _with_retry(page, error)
        return await run_in_threadpool(entered, request, services, cookie, to)

    @made.post("/sign-in/by/passkey/challenge", access=PUBLIC)
    def passkey_challenge(request: Request) -> Response:
        """What a passkey is to sign."""
        visit = check_visit(request, request.headers.get(SEAL_HEADER, ""))
        return JSONResponse(services.passkeys.begin_showing(site_of(request, services.settings), browser=visit))

    @made.post("/sign-in/by/passkey", access=PUBLIC)
    async def by_passkey(request: Request) -> Response:
        """A passkey's answer against a session."""
        visit, asked = check_visit(request, request.headers.get(SEAL_HEADER, "")), await answer_of(request)
        _, cookie = await run_in_threadpool(
            services.passkeys.sign_in, site_of(request, services.settings), asked.get("answer", {}), browser=visit
        )
        answer = JSONResponse({"to": local_path(str(asked.get("to", "/")))})
        return await run_in_threadpool(enter, request, services, cookie, answer)


def _factors(made: Router, services: Services, pages: Pages) -> None:
    @made.get("/account", access=SIGNED_IN)
    def account(request: Request, caller: CallerDep) -> Response:
        """Who I am here, and how I come in."""
        person = services.access.person(caller.person)
        return pages.render(
            request, "account.html", person=person, body=services.access.organisation(person.organisation),
            held=services.accounts.held(by=caller), shut=caller.unconfirmed, codes=(),
        )  # fmt: skip

    @made.post("/account/password", access=SIGNED_IN, once=False)
    async def begin(request: Request, caller: CallerDep) -> Response:
        """A new password, typed twice; its app comes next."""
        fields = await read_form(request)
        if fields.get("password", "") != fields.get("again", ""):
            raise InvalidInput("the two passwords are not the same", fix="go back and type both again")
        await run_in_threadpool(services.accounts.begin, fields.get("password", ""), by=caller)
        return RedirectResponse("/account/app", status_code=303)

    @made.get("/account/app", access=SIGNED_IN)
    def app(request: Request, caller: CallerDep) -> Response:
        """The picture for the app, until its first code was shown."""
        begun = services.accounts.beginning(by=caller)
        picture = segno.make(begun.address, error="m").svg_inline(
            scale=4, border=4, omitsize=True, light="#fff", dark="#000"
        )
        return pages.render(request, "account_app.html", picture=Markup(picture), secret=begun.secret)  # noqa: S704  # a picture that we drew

    @made.post("/account/app", access=SIGNED_IN, once=False)
    async def finish(request: Request, caller: CallerDep) -> Response:
        """The app's first code; shows the recovery codes, this once."""
        code, address = (await read_form(request)).get("code", ""), address_of(request, services.settings)
        codes = await run_in_threadpool(services.accounts.finish, code, by=caller, address=address)
        return pages.render(request, "account_codes.html", codes=codes)

    @made.post("/account/codes", access=SIGNED_IN, once=False)
    async def renew_codes(request: Request, caller: CallerDep) -> Response:
        """Ten fresh recovery codes, shown this once."""
        await read_form(request)
        codes = await run_in_threadpool(services.accounts.renew_codes, by=caller)
        return pages.render(request, "account_codes.html", codes=codes)

    @made.post("/account/password/remove", access=SIGNED_IN, once=False)
    async def remove_password(request: Request, caller: CallerDep) -> Response:
        """Removes the password with its app."""
        last_too = (await read_form(request)).get("last") == "yes"
        await run_in_threadpool(services.accounts.remove_password, by=caller, last_too=last_too)
        return RedirectResponse("/account", status_code=303)

    @made.post("/account/passkeys/{passkey}/remove", access=SIGNED_IN, once=False)
    async def remove_passkey(request: Request, passkey: str, caller: CallerDep) -> Response:
        """Removes a passkey."""
        last_too = (await read_form(request)).get("last") == "yes"
        await run_in_threadpool(services.passkeys.remove, passkey, by=caller, last_too=last_too)
        return RedirectResponse("/account", status_code=303)


def _passkeys(made: Router, services: Services) -> None:
    @made.post("/account/passkeys/challenge", access=SIGNED_IN, once=False)
    def enrol_challenge(request: Request, caller: CallerDep) -> Response:
        """What the browser makes a passkey of."""
        site, browser = site_of(request, services.settings), _session(request)
        return JSONResponse(services.passkeys.begin_enrolling(site, browser=browser, by=caller))

    @made.post("/account/passkeys", access=SIGNED_IN, once=False)
    async def enrol(request: Request, caller: CallerDep) -> Response:
        """Keeps a passkey that the browser made."""
        site, browser, asked = site_of(request, services.settings), _session(request), await answer_of(request)
        given = asked.get("answer", {}), str(asked.get("name", ""))
        await run_in_threadpool(services.passkeys.enrol, site, *given, browser=browser, by=caller)
        return JSONResponse({"to": "/account"})

    @made.post("/confirm/passkey/challenge", access=SIGNED_IN, once=False)
    def confirm_challenge(request: Request, caller: CallerDep) -> Response:
        """What a passkey of mine is to sign."""
        site, browser = site_of(request, services.settings), _session(request)
        return JSONResponse(services.passkeys.begin_showing(site, browser=browser, by=caller))

    @made.post("/confirm/passkey", access=SIGNED_IN, once=False)
    async def confirm_by_passkey(request: Request, caller: CallerDep) -> Response:
        """It is me: by a passkey."""
        site, browser, asked = site_of(request, services.settings), _session(request), await answer_of(request)
        await run_in_threadpool(services.passkeys.confirm, site, asked.get("answer", {}), browser=browser, by=caller)
        return JSONResponse({"to": local_path(str(asked.get("to", "/")))})


def _confirming(made: Router, services: Services, pages: Pages) -> None:
    def shown(request: Request, caller: CallerDep, to: str, *, status: int = 200, wrong: str = "") -> Response:
        held = services.accounts.held(by=caller)
        signing_in = services.by_provider.signing_in
        subject = signing_in.subject_behind(caller)
        by_provider = signing_in.provider(subject.provider).title if subject is not None else ""
        return pages.render(
            request, "confirm.html", status=status, held=held, by_provider=by_provider, to=local_path(to), wrong=wrong
        )

    @made.get("/confirm", access=SIGNED_IN)
    def confirm(request: Request, caller: CallerDep, to: str = "/") -> Response:
        """Asks for a passkey or a code; leads back to the page that asked."""
        return shown(request, caller, to)

    @made.post("/confirm", access=SIGNED_IN, once=False)
    async def confirm_by_code(request: Request, caller: CallerDep) -> Response:
        """It is me: by a code."""
        fields, address = await read_form(request), address_of(request, services.settings)
        to = local_path(fields.get("to", "/"))
        try:
            await run_in_threadpool(services.accounts.confirm, fields.get("code", ""), by=caller, address=address)
        except (NotPermitted, RateLimited) as error:
            page = await run_in_threadpool(shown, request, caller, to, status=error.meaning.http, wrong=error.detail)
            return _with_retry(page, error)
        return RedirectResponse(to, status_code=303)


async def _fields(request: Request) -> dict[str, Any]:
    raw = await request.form(max_files=0, max_fields=10)
    return {name: value for name, value in raw.items() if isinstance(value, str)}


def _session(request: Request) -> str:
    """The session's cookie, of a request that a script of this session's page sent. Raises NotPermitted."""
    check_seal(request, request.headers.get(SEAL_HEADER, ""))
    return request.cookies[SESSION_COOKIE]


def _with_retry(page: Response, error: FabriekError) -> Response:
    if seconds := error.fields.get("retry_after_seconds"):
        page.headers["Retry-After"] = str(seconds)
    return page

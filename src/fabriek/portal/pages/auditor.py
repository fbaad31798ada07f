"""What an auditor's link opens: ledger, quarters, policy and export, to look at. No session of a person, and no other page, comes of it."""

from collections.abc import Callable

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse

from fabriek.funding.auditing.links import VISIT_FOR, AuditorLink
from fabriek.funding.exporting.lines import Form
from fabriek.funding.giving.quarters import quarter_named
from fabriek.funding.policy.rows import all_rows, name_of, said
from fabriek.funding.reporting.sheets import as_csv
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotAuthenticated, NotFound, RateLimited
from fabriek.portal.entering import is_private
from fabriek.portal.forms import check_same_site
from fabriek.portal.rendering import Pages
from fabriek.web.clients import address_of
from fabriek.web.router import PUBLIC, Router
from fabriek.web.services import Services

AUDITOR_COOKIE = "fabriek_auditor"
PLACE = "/auditor"
"""Browsers send the cookie below it and nowhere else."""

ENTRIES = 100
KINDS = {Form.CSV: "text/csv; charset=utf-8", Form.JSONL: "application/jsonl"}

Shows = Callable[[AuditorLink, Caller], Response]


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    _door(made, services, pages)
    _views(made, services, pages)
    _files(made, services)
    return made


def _door(made: Router, services: Services, pages: Pages) -> None:
    def door(request: Request, *, status: int = 200, wrong: str = "") -> Response:
        return pages.render(request, "auditor_door.html", status=status, wrong=wrong)

    def opened(secret: str, address: str) -> str:
        with services.throttle.guess(f"auditor:{secret}", address):
            return services.auditing.enter(secret)

    @made.get("/auditor", access=PUBLIC)
    def first(request: Request, quarter: str = "") -> Response:
        """Quarters, shares and caps; the field for the secret where none was shown yet."""
        cookie = request.cookies.get(AUDITOR_COOKIE, "")
        if not cookie:
            return door(request)
        try:
            link, by = services.auditing.look(cookie, "quarters")
        except NotAuthenticated as error:
            return door(request, wrong=error.detail)
        named, rows = services.standings.quarter(link.quarter or quarter[:10], by=by)
        given = [] if link.quarter else services.giving.contributions(by=by)
        contributions = [(one, state, services.access.organisation(one.funder).name) for one, state in given]
        return pages.render(
            request, "auditor.html", link=link, reports=services.reporting.shares(by=by), quarter=named, rows=rows,
            caps=services.standings.caps(by=by), contributions=contributions,
        )  # fmt: skip

    @made.post("/auditor", access=PUBLIC)
    async def enter(request: Request) -> Response:
        """The secret against a cookie of this browser, for these pages alone. Wrong ones slow the next down."""
        check_same_site(request)
        raw = await request.form(max_files=0, max_fields=2)
        field = raw.get("secret", "")
        secret = field.strip().rpartition("#")[2][:200] if isinstance(field, str) else ""
        try:
            cookie = await run_in_threadpool(opened, secret, address_of(request, services.settings))
        except (NotAuthenticated, RateLimited) as error:
            return door(request, status=error.meaning.http, wrong=error.detail)
        answer = RedirectResponse(PLACE, status_code=303)
        answer.set_cookie(
            AUDITOR_COOKIE, cookie, max_age=int(VISIT_FOR.total_seconds()), httponly=True, samesite="strict",
            secure=is_private(request, services.settings), path=PLACE,
        )  # fmt: skip
        return answer

    @made.post("/auditor/leave", access=PUBLIC)
    async def leave(request: Request) -> Response:
        """Ends the visit of the browser."""
        check_same_site(request)
        await run_in_threadpool(services.auditing.leave, request.cookies.get(AUDITOR_COOKIE, ""))
        answer = RedirectResponse(PLACE, status_code=303)
        answer.delete_cookie(AUDITOR_COOKIE, path=PLACE)
        return answer


def _looked(request: Request, services: Services, at: str, show: Shows) -> Response:
    """The page, where the browser's visit holds and the log has the look; else the door."""
    try:
        link, by = services.auditing.look(request.cookies.get(AUDITOR_COOKIE, ""), at)
    except NotAuthenticated:
        return RedirectResponse(PLACE, status_code=303)
    return show(link, by)


def _views(made: Router, services: Services, pages: Pages) -> None:
    @made.get("/auditor/ledger", access=PUBLIC)
    def ledger(request: Request, after: str = "") -> Response:
        """Entries in the order of time, a page at a time."""

        def show(link: AuditorLink, by: Caller) -> Response:
            found = services.exporting.page(link.quarter, after[:200], ENTRIES, by=by)
            more = found[-1].id if len(found) == ENTRIES else ""
            return pages.render(request, "auditor_ledger.html", link=link, entries=found, more=more)

        return _looked(request, services, "ledger", show)

    @made.get("/auditor/policy", access=PUBLIC)
    def policy(request: Request) -> Response:
        """Every dated row that decides on money, with its source."""
        rows = [(name_of(row), said(row), row) for row in all_rows(services.policy.now())]
        rows.sort(key=lambda one: (one[0], one[2].valid_from))
        return _looked(
            request,
            services,
            "policy",
            lambda link, _: pages.render(request, "auditor_policy.html", link=link, rows=rows),
        )


def _files(made: Router, services: Services) -> None:
    @made.get("/auditor/report/{share}/{quarter}", access=PUBLIC)
    def report(request: Request, share: str, quarter: str) -> Response:
        """The report of a share that whoever made the link sees, for a spreadsheet; of the link's quarter where it has one."""

        def show(link: AuditorLink, by: Caller) -> Response:
            named = quarter_named(link.quarter or quarter)
            content = as_csv(services.reporting.of_share(share, named, by=by))
            headers = {"Content-Disposition": f"attachment; filename=report-{named}.csv"}
            return Response(content, media_type=KINDS[Form.CSV], headers=headers)

        return _looked(request, services, "report", show)

    @made.get("/auditor/export/{form}", access=PUBLIC)
    def export(request: Request, form: str) -> Response:
        """The ledger as a file, of the link's quarter where it has one."""
        if form not in set(Form):
            raise NotFound("there is no such file", fix="open /auditor")

        def show(link: AuditorLink, by: Caller) -> Response:
            name = f"ledger-{link.quarter or 'all'}.{form}"
            headers = {"Content-Disposition": f"attachment; filename={name}"}
            pieces = services.exporting.export(form, link.quarter, by=by)
            return StreamingResponse(pieces, media_type=KINDS[Form(form)], headers=headers)

        return _looked(request, services, "export", show)

"""The portal put together: its pages, its assets, and how it shows an error."""

from collections.abc import Callable
from pathlib import Path

from fastapi import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from fabriek.kernel.errors import FabriekError, NotAuthenticated, NotFound
from fabriek.portal.entering import page_before, sign_in_page
from fabriek.portal.pages import (
    access,
    account,
    applying,
    auditor,
    base_models,
    cases,
    catalogue,
    classes,
    comparing,
    compute,
    correcting,
    desk,
    devices,
    doors,
    duties,
    forecasts,
    funding,
    funding_shares,
    guide,
    jobs,
    joining,
    lab,
    machine,
    matching,
    models,
    offers,
    organisations,
    packages,
    policy,
    projects,
    proposals,
    providers,
    queue,
    recipes,
    reviewing,
    runs,
    searches,
    secrets,
    serving,
    sources,
    steering,
    training,
    use_case,
    vault,
)
from fabriek.portal.rendering import Pages
from fabriek.web.problems import problem_of, request_id
from fabriek.web.router import PUBLIC, declare
from fabriek.web.services import Services

ASSETS = Path(__file__).parent / "assets"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}


def routes(services: Services) -> list[BaseRoute]:
    """Every page, each with its access declared."""
    pages = Pages(services.settings.zone, services.by_provider.signing_in.providers)
    made: list[BaseRoute] = []
    for area in (
        access,
        account,
        guide,
        classes,
        funding_shares,
        auditor,
        doors,
        providers,
        devices,
        joining,
        organisations,
        applying,
        reviewing,
        duties,
        policy,
        funding,
        correcting,
        projects,
        steering,
        secrets,
        vault,
        proposals,
        offers,
        packages,
        jobs,
        forecasts,
        compute,
        machine,
        queue,
        runs,
        lab,
        comparing,
        models,
        base_models,
        serving,
        catalogue,
        searches,
        sources,
        recipes,
        desk,
        cases,
        use_case,
        matching,
        training,
    ):
        made += area.router(services, pages).routes
    made.append(declare(Route("/assets/{name}", _asset), PUBLIC))
    return made


def page_of(services: Services) -> Callable[[Request, FabriekError], Response]:
    """How an error looks to a person: a page with what, why and what to do; without a session, the way in."""
    pages = Pages(services.settings.zone, services.by_provider.signing_in.providers)

    def page(request: Request, error: FabriekError) -> Response:
        if isinstance(error, NotAuthenticated):
            to = request.url.path if request.method == "GET" and not request.url.path.startswith("/sign-in") else "/"
            return sign_in_page(
                request, services, pages, status=error.meaning.http, wrong=_words_of(request, error), to=to
            )
        problem = problem_of(error, request_id(request))
        back = page_before(request) if problem.get("rule") == "login.confirm" else ""
        shown = {"rule": "", **problem}
        return pages.render(request, "problem.html", status=error.meaning.http, problem=shown, confirm_for=back)

    return page


def _words_of(request: Request, error: NotAuthenticated) -> str:
    """What is said of a link that did not open; who came without a session needs no word."""
    return error.detail if request.method == "POST" and request.url.path.startswith("/sign-in") else ""


async def _asset(request: Request) -> Response:
    """One of our own files, by its name; nothing else of the disk has a name here."""
    known = {file.name: file for file in ASSETS.iterdir() if file.suffix in KINDS}
    file = known.get(request.path_params["name"])
    if file is None:
        raise NotFound("there is no such file", fix="reload the page")
    return FileResponse(file, media_type=KINDS[file.suffix], headers={"Cache-Control": "max-age=300"})

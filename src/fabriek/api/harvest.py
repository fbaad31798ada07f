"""What the world may know of, for other catalogues to fetch: DCAT-AP, without an account."""

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from fabriek.knowledge.catalogue.service import HARVEST_PAGE
from fabriek.knowledge.exchange.dcat import Page, json_ld, turtle
from fabriek.web.dependencies import FactoryDep
from fabriek.web.router import PUBLIC, Router
from fabriek.web.services import Services

router = Router(tags=["knowledge"])

START_MAX = 10**6


@router.get("/catalog.jsonld", access=PUBLIC)
def as_json_ld(request: Request, factory: FactoryDep, start: int = Query(0, ge=0, le=START_MAX)) -> Response:
    """The catalogue as DCAT-AP 3 in JSON-LD, a hundred entries a page; `hydra:next` leads to the next."""
    return JSONResponse(json_ld(_page(factory, start), *_base(request)), media_type="application/ld+json")


@router.get("/catalog.ttl", access=PUBLIC)
def as_turtle(request: Request, factory: FactoryDep, start: int = Query(0, ge=0, le=START_MAX)) -> Response:
    """The same in Turtle."""
    return Response(turtle(_page(factory, start), *_base(request)), media_type="text/turtle")


def _page(factory: Services, start: int) -> Page:
    found, total = factory.catalogue.world(start=start)
    return Page(found, start, HARVEST_PAGE, total)


def _base(request: Request) -> tuple[str, str]:
    """The address under which the caller knows this installation, and its name there."""
    return str(request.base_url).rstrip("/"), request.url.hostname or "here"

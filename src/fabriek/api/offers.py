"""The services of the factory over HTTP. They are for everybody: who asks what there is has no account yet."""

from fastapi import Query

from fabriek.schemas.offers import OffersOut
from fabriek.web.dependencies import FactoryDep
from fabriek.web.offering import offered
from fabriek.web.router import PUBLIC, Router

router = Router(prefix="/api/v1", tags=["knowledge"])


@router.get("/services", access=PUBLIC)
def list_services(
    factory: FactoryDep, who: str = Query("sme", max_length=40), lang: str = Query("en", max_length=5)
) -> OffersOut:
    """Every service on the terms of one asker: for whom, at what price, and by when there is an answer. Nothing is kept."""
    return offered(factory, who, lang)

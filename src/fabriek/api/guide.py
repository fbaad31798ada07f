"""The guide over HTTP. It is for everybody: who needs it most has no account yet."""

from fabriek.schemas.guide import GuideIn, GuideOut
from fabriek.web.dependencies import FactoryDep
from fabriek.web.guiding import guided
from fabriek.web.router import PUBLIC, Router

router = Router(prefix="/api/v1", tags=["access"])


@router.post("/guide", access=PUBLIC)
def ask_guide(asked: GuideIn, factory: FactoryDep) -> GuideOut:
    """The next question, or the route with its reason and the next step. Nothing is kept."""
    return guided(factory, asked.answers, asked.lang)

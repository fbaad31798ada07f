"""Needs, offers and matches over HTTP."""

from fastapi import Response

from fabriek.knowledge.matching.listings import Listing
from fabriek.knowledge.matching.service import Proposed
from fabriek.schemas.base import PageOut
from fabriek.schemas.matching import ListingIn, ListingOut, MatchAnswerIn, MatchOut, OtherOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["knowledge"])


def _listing(one: Listing, services: Services) -> ListingOut:
    return ListingOut(
        id=one.id, kind=one.kind, by=services.access.person(one.person).name, skills=list(one.skills), words=list(one.words), text=one.text,
        region=one.region, posted_at=one.posted_at, withdrawn=one.withdrawn,
    )  # fmt: skip


def _match(one: Proposed) -> MatchOut:
    other = one.other and OtherOut(
        organisation=one.other.organisation, name=one.other.name, email=one.other.email, text=one.other.text, region=one.other.region
    )  # fmt: skip
    return MatchOut(
        id=one.match.id, listing=one.mine.id, kind=one.mine.kind, shared=list(one.match.shared), state=one.seen,
        proposed_at=one.match.proposed_at, other=other,
    )  # fmt: skip


@router.post("/listings", access=Right("knowledge.ask"), status_code=201)
def post(asked: ListingIn, caller: CallerDep, factory: FactoryDep) -> ListingOut:
    """Say what your organisation needs, or has to offer. Nobody else reads it before you both said yes to a match."""
    made = factory.matching.post(
        asked.kind, asked.text, skills=asked.skills, words=asked.words, region=asked.region, by=caller
    )
    return _listing(made, factory)


@router.get("/listings", access=SIGNED_IN)
def list_listings(caller: CallerDep, factory: FactoryDep) -> PageOut[ListingOut]:
    """Those of your organisation."""
    return PageOut[ListingOut](items=[_listing(one, factory) for one in factory.matching.listings(by=caller)])


@router.delete("/listings/{listing}", access=Right("knowledge.ask"), status_code=204)
def withdraw(listing: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """Take it back: its matches are over."""
    factory.matching.withdraw(listing, by=caller)
    return Response(status_code=204)


@router.get("/matches", access=SIGNED_IN)
def list_matches(caller: CallerDep, factory: FactoryDep) -> PageOut[MatchOut]:
    """Those of your organisation's listings, by the skills that both sides name."""
    return PageOut[MatchOut](items=[_match(one) for one in factory.matching.matches(by=caller)])


@router.post("/matches/{match}/answer", access=Right("knowledge.ask"))
def answer(match: str, asked: MatchAnswerIn, caller: CallerDep, factory: FactoryDep) -> MatchOut:
    """Yes or no for your side. A no ends it, also after a yes."""
    return _match(factory.matching.answer(match, yes=asked.yes, by=caller))

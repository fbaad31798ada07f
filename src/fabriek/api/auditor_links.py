"""Auditors' links over HTTP: made, listed, ended. What they open is a page of the portal."""

from fastapi import Request

from fabriek.funding.auditing.links import AuditorLink, state_at
from fabriek.schemas.auditing import AuditorLinkIn, AuditorLinkOut
from fabriek.schemas.base import PageOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1/funding", tags=["funding"])


def _out(one: AuditorLink, services: Services, link: str = "") -> AuditorLinkOut:
    return AuditorLinkOut(
        id=one.id, name=one.name, email=one.email, quarter=one.quarter, state=state_at(one, services.clock.now()), made_at=one.made_at,
        expires_at=one.expires_at, link=link,
    )  # fmt: skip


@router.post("/auditor-links", access=Right("funding.contribute"), status_code=201, once=False)
def make(asked: AuditorLinkIn, request: Request, caller: CallerDep, factory: FactoryDep) -> AuditorLinkOut:
    """A link that opens ledger, quarters, policy and export to an auditor without an account, until a day. It is shown this once."""
    made, secret = factory.auditing.make(asked.name, asked.email, asked.until, quarter=asked.quarter, by=caller)
    # Behind the #, which browsers keep to themselves: it is in no log, here or on the way.
    base = factory.settings.portal_url or str(request.base_url).replace("127.0.0.1", "localhost")
    return _out(made, factory, f"{base.rstrip('/')}/auditor#{secret}")


@router.get("/auditor-links", access=Right("funding.contribute"))
def list_links(caller: CallerDep, factory: FactoryDep) -> PageOut[AuditorLinkOut]:
    """Auditors' links of your organisation, newest first, those that have ended too."""
    return PageOut[AuditorLinkOut](items=[_out(one, factory) for one in factory.auditing.list(by=caller)])


@router.delete("/auditor-links/{link}", access=Right("funding.contribute"))
def end(link: str, caller: CallerDep, factory: FactoryDep) -> AuditorLinkOut:
    """It opens nothing any more."""
    return _out(factory.auditing.end(link, by=caller), factory)

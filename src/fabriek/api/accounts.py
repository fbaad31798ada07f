"""Built-in accounts over HTTP: showing a code again for the token in use, and an administrator's help for who lost every factor."""

from fastapi import Request

from fabriek.schemas.access import ConfirmIn
from fabriek.schemas.base import DoneOut
from fabriek.web.clients import address_of
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router

router = Router(prefix="/api/v1", tags=["access"])


@router.post("/confirm", access=SIGNED_IN, once=False)
def confirm(asked: ConfirmIn, request: Request, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """It is you: a code of your app, or a recovery code. High acts are open through this token for a quarter of an hour."""
    factory.accounts.confirm(asked.code, by=caller, address=address_of(request, factory.settings))
    return DoneOut()


@router.delete("/people/{person}/factors", access=Right("person.invite"))
def forget_factors(person: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """For somebody who lost every factor: forgets them all, and ends all that was open in their name. A link lets them begin again."""
    factory.accounts.forget(factory.access.person_named(person, by=caller).id, by=caller)
    return DoneOut()

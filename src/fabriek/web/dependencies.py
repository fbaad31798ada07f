"""What handlers ask for: the caller, and the factory's services."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import Depends, Request

from fabriek.kernel.callers import Caller
from fabriek.kernel.pages import LIMIT_DEFAULT, LIMIT_MAX
from fabriek.web.problems import request_id

if TYPE_CHECKING:
    from fabriek.web.services import Services
else:
    Services = Any


async def _caller(request: Request) -> Caller:
    """The caller that the route's guard found. Reading it on a PUBLIC route is a bug of ours."""
    caller = cast("Caller", request.state.caller)
    return replace(caller, request_id=request_id(request))


async def _factory(request: Request) -> Services:
    return cast("Services", request.app.state.factory)


CallerDep = Annotated[Caller, Depends(_caller)]
FactoryDep = Annotated[Services, Depends(_factory)]

__all__ = ["LIMIT_DEFAULT", "LIMIT_MAX", "CallerDep", "FactoryDep"]

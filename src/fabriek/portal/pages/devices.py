"""The page on which somebody who is signed in lets a command line in."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import SIGNED_IN, Router
from fabriek.web.services import Services


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    devices = services.by_provider.devices

    @made.get("/device", access=SIGNED_IN)
    def enter(request: Request) -> Response:
        """Where the code is entered; an address with a code in it only fills it in."""
        return pages.render(
            request, "device.html", code=request.query_params.get("code", "")[:20], asked=None, outcome=""
        )

    @made.post("/device", access=SIGNED_IN, once=False)
    async def look(request: Request, caller: CallerDep) -> Response:
        """What waits under the code, before anybody says yes."""
        code = (await read_form(request)).get("code", "")
        asked = await run_in_threadpool(devices.asked, code, by=caller)
        return pages.render(request, "device.html", code=asked.user_code, asked=asked, outcome="")

    @made.post("/device/decide", access=SIGNED_IN, once=False)
    async def decide(request: Request, caller: CallerDep) -> Response:
        """Yes or no."""
        fields = await read_form(request)
        yes = fields.get("do") == "yes"
        await run_in_threadpool(lambda: devices.decide(fields.get("code", ""), yes=yes, by=caller))
        return pages.render(request, "device.html", code="", asked=None, outcome="yes" if yes else "no")

    return made

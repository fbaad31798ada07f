"""The machine's page: what there is, how much of it is in use, and what power may be drawn."""

from fastapi import Request
from starlette.responses import Response

from fabriek.portal.rendering import Pages
from fabriek.web.router import SIGNED_IN, Router
from fabriek.web.services import Services


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/machine", access=SIGNED_IN)
    def show(request: Request) -> Response:
        """Room, queue and power; numbers of the whole machine, and of nobody in it."""
        return pages.render(
            request, "machine.html", machine=services.compute.machine_outlook(), power=services.compute.power_outlook()
        )

    return made

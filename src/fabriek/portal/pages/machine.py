"""The machine's page: what there is, how much of it is in use, and what power may be drawn."""

from typing import Any

from fastapi import Request
from starlette.responses import Response

from fabriek.kernel.callers import Caller
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import SIGNED_IN, Router
from fabriek.web.services import Services

OUTLOOK_SECONDS_OLD_MAX = 300.0


def _store(services: Services, by: Caller) -> dict[str, Any] | None:
    """What was read again and when, what is damaged, and what could be freed; None for whoever does not look after it."""
    if not by.may("vault.check"):
        return None
    standing = services.vault.scrubbing.standing(by=by)
    to_free, kept = services.vault.collecting.outlook(seconds_old_max=OUTLOOK_SECONDS_OLD_MAX)
    return {
        "last": standing.last, "current": standing.current if standing.current and standing.current.ended_at is None else None,
        "damage": [
            {
                "name": services.vault.checking.dataset(one).name, "numbers": services.vault.checking.numbers(one), "why": one.why,
                "found_at": one.found_at,
            }
            for one in standing.damage
        ],
        "to_free": to_free, "kept": kept,
    }  # fmt: skip


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/machine", access=SIGNED_IN)
    def show(request: Request, caller: CallerDep) -> Response:
        """Room, queue and power; numbers of the whole machine, and of nobody in it. For operators also how the store is."""
        return pages.render(
            request, "machine.html", machine=services.compute.machine_outlook(), power=services.compute.power_outlook(),
            store=_store(services, caller), score=services.forecasting.score(),
        )  # fmt: skip

    return made

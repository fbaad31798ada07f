"""The machine's page: what there is, how much of it is in use, and what power may be drawn."""

import math
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import Response

from fabriek.compute.powering.quarters import From, Quarter
from fabriek.kernel.callers import Caller
from fabriek.portal.curves import Drawn, Points, series, swatch
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import SIGNED_IN, Router
from fabriek.web.services import Services

OUTLOOK_SECONDS_OLD_MAX = 300.0
CHART_HOURS = 24


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


def _record(services: Services) -> dict[str, Any]:
    """Planned, drawn and allowed of the last day, as lines and in words; empty where nothing is on record."""
    found = services.power_record.latest(CHART_HOURS)
    zone = ZoneInfo(services.settings.zone)
    lines = [
        Drawn(name, number, points, len(points))
        for number, (name, points) in enumerate(
            (
                ("planned", _points(found, "planned_watts")),
                ("drawn", _points(found, "drawn_watts")),
                ("allowed", _points(found, "allowed_watts")),
            )
        )
        if sum(math.isfinite(value) for _, value in points) > 1  # one quarter is no line
    ]
    if not lines:
        return {}
    ends = f"{found[0].at.astimezone(zone):%a %H:%M}", f"{found[-1].ends_at.astimezone(zone):%a %H:%M}"
    done = [one for one in found if one.closed]
    return {
        "svg": series("Watts in each quarter of an hour", lines, ends), "legend": [(swatch(one.number), one.name, one.last) for one in lines],
        "quarters": "1 quarter" if len(done) == 1 else f"{len(done)} quarters", "over": sum(one.is_over for one in done),
        "unknown": sum(one.drawn_from is From.UNKNOWN for one in done), "metered": sum(one.drawn_from is From.METER for one in done),
    }  # fmt: skip


def _points(found: Sequence[Quarter], name: str) -> Points:
    """What is open still has no drawn figure; what nobody knows is marked."""
    return [
        (number, float(value) if (value := getattr(one, name)) is not None else math.nan)
        for number, one in enumerate(found)
        if one.closed or name != "drawn_watts"
    ]


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/machine", access=SIGNED_IN)
    def show(request: Request, caller: CallerDep) -> Response:
        """Room, queue and power; numbers of the whole machine, and of nobody in it. For operators also how the store is."""
        return pages.render(
            request, "machine.html", machine=services.compute.machine_outlook(), power=services.compute.power_outlook(),
            works=services.compute.works(), store=_store(services, caller), record=_record(services), score=services.forecasting.score(),
        )  # fmt: skip

    return made

"""Keeping the draw below the envelope, and the record of it."""

import logging

from fabriek.adapters.mail import NotTaken
from fabriek.compute.powering.quarters import Quarter
from fabriek.kernel.errors import Unavailable
from fabriek.web.services import Services
from fabriek.worker.rhythm import Rhythm

log = logging.getLogger("fabriek.worker")

LOOK_SECONDS = 15.0
"""Between two looks at what is planned and drawn."""


class Powering:
    """The ladder at every round, the record now and then."""

    def __init__(self, services: Services) -> None:
        self._services, self._looking = services, Rhythm(services.clock, LOOK_SECONDS)

    def guard(self) -> int:
        """How many steps were taken."""
        return self._services.power_guard.round()

    def record(self) -> None:
        """Also tells of each quarter of an hour that was above what was allowed; once, whoever looks."""
        if not self._looking.due():
            return
        for quarter in self._services.power_record.look():
            log.error(
                "from %s on %d W were drawn (%s) and %d W allowed: fabriek power record",
                quarter.at.isoformat(), quarter.drawn_watts, quarter.drawn_from, quarter.allowed_watts,
            )  # fmt: skip
            self._mail(quarter)

    def _mail(self, quarter: Quarter) -> None:
        services = self._services
        if not services.relay.host:
            return
        text = (
            f"In the quarter of an hour from {quarter.at:%Y-%m-%d %H:%M} UTC {quarter.drawn_watts} W were drawn ({quarter.drawn_from}), and "
            f"{quarter.allowed_watts} W allowed.\n\nfabriek power record\n"
        )
        for address in sorted({one.email for one in services.access.holders("power.manage") if one.email}):
            try:
                services.relay.send(
                    address, "More power was drawn than allowed", text, name=f"pwq_{quarter.at:%Y%m%dt%H%M}"
                )
            except (NotTaken, Unavailable) as error:
                log.warning("a mail about a quarter of an hour above its limit was not taken: %s", error.detail)

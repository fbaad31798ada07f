"""What one may ask of the offers: everybody, before any form and without an account."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from fabriek.access.describing import Describing
from fabriek.access.reviewing.working_days import Calendar
from fabriek.access.service import Access
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput
from fabriek.knowledge.offers.offers import ASKERS, Offer, asker_of, offers_on


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer as one asker has it. `answer_by`: the day by which there is an answer to who asks today."""

    offer: Offer
    eligible: bool
    price: str
    instead: str
    answer_by: date


class Offering:
    """Nothing that anybody says here is kept."""

    def __init__(
        self, office: Calendar, countries: Callable[[], Collection[str]], *, access: Access, describing: Describing, clock: Clock, zone: str
    ) -> None:  # fmt: skip
        """countries: those whose organisations take part, in ISO 3166 alpha-2."""
        self._office, self._countries = office, countries
        self._access, self._describing, self._clock, self._zone = access, describing, clock, ZoneInfo(zone)

    def asker(self, by: Caller) -> str:
        """Who the caller is here, by what their organisation is; empty for one without."""
        if not by.organisation:
            return ""
        body = self._access.organisation(by.organisation)
        size = self._describing.of(body.id).size
        return asker_of(body.kind, size, takes_part=body.country in self._countries())

    def list(self, asker: str, *, lang: str) -> Sequence[Offered]:
        """Every offer with the terms for this asker. Raises InvalidInput on a word for one that there is not."""
        if asker not in ASKERS:
            raise InvalidInput(f"nobody who asks is called {asker[:40]!r}", fix=f"say who you are: {', '.join(ASKERS)}")
        today = self.today()
        return [self._offered(offer, asker, lang, today) for offer in offers_on(today)]

    def today(self) -> date:
        """The day in the factory's own time."""
        return self._clock.now().astimezone(self._zone).date()

    def _offered(self, offer: Offer, asker: str, lang: str, today: date) -> Offered:
        terms = offer.terms_for(asker)
        return Offered(
            offer, bool(terms.price), terms.price.get(lang, ""), terms.instead.get(lang, ""), self._after(today, offer.working_days)
        )  # fmt: skip

    def _after(self, day: date, working_days: int) -> date:
        for _ in range(working_days):
            day = self._office.next_working(day + timedelta(days=1))
        return day

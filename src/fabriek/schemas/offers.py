"""The services of the factory on the wire."""

from datetime import date

from fabriek.schemas.base import Wire


class OfferOut(Wire):
    """`price` where it is for this asker, else `instead`. `working_days`: until there is an answer; to who asks today, `answer_by`."""

    name: str
    title: str
    says: str
    eligible: bool
    price: str
    instead: str
    working_days: int
    answer_by: date
    start: str
    command: str


class OffersOut(Wire):
    """`asker`: on whose terms."""

    asker: str
    items: list[OfferOut]

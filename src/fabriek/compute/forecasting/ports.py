"""What forecasting needs kept: forecasts with what came of them, and the past of the jobs themselves."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fabriek.compute.forecasting.forecasts import Features, Forecast
from fabriek.compute.forecasting.past import Owner, Ran


@dataclass(frozen=True, slots=True)
class Kept:
    """Of one job: what was said first, by which it is judged, and what was said last. `started_at`: what came of it."""

    job: str
    first: Forecast
    features: Features | None
    last: Forecast
    started_at: datetime | None = None


class Forecasts(Protocol):
    """Storage of forecasts. Every method joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def keep(self, told: Sequence[Kept]) -> None:
        """Adds them; of a job that has one already, only what was said last is replaced."""

    def of(self, job: str) -> Kept | None: ...

    def open(self) -> Sequence[Kept]:
        """Of those that have not started, as far as is known."""

    def close(self, *, keeping: int) -> int:
        """Writes down who started meanwhile, and forgets who ended without, and all outcomes but the latest so many. How many were closed."""

    def outcomes(self, *, limit: int) -> Sequence[Kept]:
        """The latest of those that started, in the order in which they did."""


class Past(Protocol):
    """Questions over jobs that were, and over those that are there."""

    def since(self, then: datetime, *, limit: int) -> Sequence[Ran]:
        """The latest that were submitted from then on and have begun, oldest first."""

    def owners(self) -> Mapping[str, Owner]:
        """Of the jobs that wait or stand."""

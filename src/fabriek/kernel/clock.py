"""Time as an argument. Instants are UTC; civil dates belong to the installation's time zone."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Where services and workers get the time."""

    def now(self) -> datetime:
        """The instant, in UTC, to the microsecond."""

    def today(self) -> date:
        """The civil date in the installation's zone: agreements end at midnight there, not in Greenwich."""

    def monotonic(self) -> float:
        """Seconds that never jump, for measuring durations and running out of patience."""

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock."""

    def __init__(self, zone: str = "Europe/Amsterdam") -> None:
        self._zone = ZoneInfo(zone)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        return datetime.now(self._zone).date()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class FakeClock:
    """A clock that a test winds by hand; sleeping moves it."""

    def __init__(self, start: datetime | None = None, zone: str = "Europe/Amsterdam") -> None:
        self._now = start or datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
        self._zone = ZoneInfo(zone)
        self._started = self._now

    def now(self) -> datetime:
        return self._now

    def today(self) -> date:
        return self._now.astimezone(self._zone).date()

    def monotonic(self) -> float:
        return (self._now - self._started).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.move(timedelta(seconds=seconds))

    def move(self, by: timedelta) -> None:
        self._now += by

"""Pacing: lets an act through at most once in so many seconds."""

from fabriek.kernel.clock import Clock


class Rhythm:
    """Lets an act through at most once in so many seconds."""

    def __init__(self, clock: Clock, every_seconds: float) -> None:
        self._clock, self._every = clock, every_seconds
        self._next = float("-inf")

    def due(self) -> bool:
        now = self._clock.monotonic()
        if now < self._next:
            return False
        self._next = now + self._every
        return True

    def again(self) -> None:
        """What was let through was not done: it is due."""
        self._next = float("-inf")

"""How long a forecast may take: time shared out among the plays of it, so that none takes what the rest would need."""

from collections.abc import Callable


class Pace:
    """seconds: in all. monotonic: a clock that only goes on."""

    def __init__(self, monotonic: Callable[[], float], seconds: float) -> None:
        self._monotonic, self._until = monotonic, monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds; not above zero once the time is over."""
        return self._until - self._monotonic()

    def turn(self, plays_left: int) -> Callable[[], bool]:
        """Whether the next of so many plays may go on."""
        until = self._monotonic() + max(0.0, self.left) / max(1, plays_left)
        return lambda: self._monotonic() < until

"""Reading entries for their meaning, and finding those nearest to a question."""

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fabriek.knowledge.meaning.encoder import Encoder
from fabriek.knowledge.meaning.ports import Meanings

if TYPE_CHECKING:
    from fabriek.knowledge.meaning.vectors import Vectors

AT_ONCE = 8
LOOK_SECONDS = 1.0
"""How old what is compared may be. Whether one may know of what is near is asked of the database each time."""


class Meaning:
    """Off where there is no encoder: nothing is read then, and nothing is near."""

    def __init__(self, encoder: Encoder | None, kept: Meanings) -> None:
        self._encoder, self._kept = encoder, kept
        self._vectors: Vectors | None = None
        self._mark, self._looked_at = (0, 0), float("-inf")
        self._lock = threading.Lock()

    @property
    def is_on(self) -> bool:
        return self._encoder is not None

    def read_some(self) -> int:
        """Reads a few entries that nobody has read yet; how many. Whoever calls has time."""
        if self._encoder is None:
            return 0
        some = self._kept.unread(AT_ONCE)
        if some:
            rows = self._encoder.passages([text for _, text in some])
            self._kept.keep({number: row.tobytes() for (number, _), row in zip(some, rows, strict=True)})
            self._looked_at = float("-inf")
        return len(some)

    def nearest(self, text: str, names: Sequence[str], count: int) -> list[int]:
        """The numbers of the entries nearest in meaning, the nearest first, of those that the people of these names may know of."""
        if self._encoder is None or not text.strip():
            return []
        vectors = self._fresh()
        return vectors.nearest(self._encoder.query(text), names, count) if vectors.blocks else []

    def _fresh(self) -> "Vectors":
        from fabriek.knowledge.meaning.vectors import Vectors  # noqa: PLC0415  # numpy comes with the encoder

        second = time.monotonic()
        if self._vectors is not None and second - self._looked_at < LOOK_SECONDS:
            return self._vectors
        with self._lock:
            self._looked_at = second
            mark = self._kept.mark()
            if self._vectors is None or mark != self._mark:
                self._vectors, self._mark = Vectors(self._kept.all()), mark
            return self._vectors

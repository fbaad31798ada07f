"""A stream whose first bytes are looked at before the rest goes on."""

from collections.abc import Callable, Iterable, Iterator


class Looked:
    """Passes a stream on. `check` is told its first `count` bytes as soon as they came, and may raise; `head` keeps them."""

    def __init__(self, chunks: Iterable[bytes], count: int, check: Callable[[bytes], None]) -> None:
        self._chunks, self._count, self._check = chunks, count, check
        self.head = b""

    def __iter__(self) -> Iterator[bytes]:
        checked = False
        for chunk in self._chunks:
            if len(self.head) < self._count:
                self.head += chunk[: self._count - len(self.head)]
            elif not checked:
                self._check(self.head)
                checked = True
            yield chunk
        if not checked:
            self._check(self.head)

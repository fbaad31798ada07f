"""One at a time among those who name the same thing, in this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class OneAtATime:
    """Those who name the same thing wait for each other; others do not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        with self._lock:
            lock, waiting = self._names.get(name, (threading.Lock(), 0))
            self._names[name] = (lock, waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, waiting = self._names[name]
                if waiting == 1:
                    del self._names[name]
                else:
                    self._names[name] = (lock, waiting - 1)

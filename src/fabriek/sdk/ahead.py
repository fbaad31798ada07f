"""Reading ahead: what comes over the line is opened in one thread while another checks and writes what came before."""

import queue
import threading
from collections.abc import Iterable, Iterator

PIECES_MAX = 32
"""Pieces that wait at most: at 256 KiB each, 8 MiB."""


class _End:
    """Nothing more comes; `error` is what stopped it."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Waiting:
    """The pieces between the two threads. `left`: nobody wants more."""

    def __init__(self) -> None:
        self.pieces: queue.Queue[bytes | _End] = queue.Queue(PIECES_MAX)
        self.left = threading.Event()

    def put(self, one: bytes | _End) -> None:
        while not self.left.is_set():
            try:
                self.pieces.put(one, timeout=0.1)
            except queue.Full:
                continue
            return

    def fill(self, pieces: Iterable[bytes]) -> None:
        try:
            for piece in pieces:
                self.put(piece)
                if self.left.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  # raised again where the pieces are wanted
            self.put(_End(error))
        else:
            self.put(_End())


def ahead(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same pieces in the same order, and the same error at its place. Leaving early stops the other thread."""
    waiting = _Waiting()
    thread = threading.Thread(target=waiting.fill, args=(pieces,), name="fabriek-ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(one := waiting.pieces.get(), _End):
            yield one
        if one.error is not None:
            raise one.error
    finally:
        waiting.left.set()
        thread.join()

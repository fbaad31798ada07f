"""The job's output without its secrets, kept up to a bound: the head stays, the rest is counted, and the job is never blocked by a full log."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from fabriek.node.masking import Masking

PIECE_BYTES = 1 << 16
LAST_BYTES = 4096
MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]{1,100})'")


class Log:
    """Takes bytes; `finish` says how many were not kept. `secrets` are masked before anything is kept or remembered."""

    def __init__(self, file: Path, bytes_max: int, secrets: Iterable[str] = ()) -> None:
        self._masking = Masking(secrets)
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._left = bytes_max
        self._last = b""
        self.dropped = 0

    def add(self, piece: bytes) -> None:
        self._keep(self._masking.feed(piece))

    def finish(self) -> None:
        self._keep(self._masking.finish())
        if self.dropped:
            os.write(self._descriptor, f"\n[fabriek: {self.dropped} more bytes were written and not kept]\n".encode())
        os.close(self._descriptor)

    def last_line(self) -> str:
        """The last that was said, kept or not; empty if nothing was."""
        lines = self._last.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def missing_module(self) -> str:
        """The module that Python did not find, when that is what its last lines say; else empty."""
        found = MODULE.findall(self._last.decode("utf-8", "replace"))
        return str(found[-1]) if found else ""

    def _keep(self, piece: bytes) -> None:
        kept = piece[: self._left]
        self._left -= len(kept)
        self.dropped += len(piece) - len(kept)
        self._last = (self._last + piece)[-LAST_BYTES:]
        while kept:
            kept = kept[os.write(self._descriptor, kept) :]

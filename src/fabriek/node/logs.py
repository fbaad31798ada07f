"""The job's output without its secrets, kept up to a bound: the head stays, the rest is counted, and the job is never blocked by a full log."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from fabriek.node.masking import Masking

PIECE_BYTES = 1 << 16
LAST_BYTES = 4096
MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]{1,100})'")


class Out(Protocol):
    """Where a log goes."""

    def write(self, piece: bytes) -> None:
        """All of it."""

    def close(self) -> None: ...


class LogFile:
    """A file that is written on at its end."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, piece: bytes) -> None:
        while piece:
            piece = piece[os.write(self._descriptor, piece) :]

    def close(self) -> None:
        os.close(self._descriptor)


class Log:
    """Takes bytes; `finish` says how many were not kept. `secrets` are masked before anything is kept or remembered."""

    def __init__(self, out: Out, bytes_max: int, secrets: Iterable[str] = ()) -> None:
        self._masking = Masking(secrets)
        self._out, self._left = out, bytes_max
        self._last = b""
        self.dropped = 0

    def add(self, piece: bytes) -> None:
        self._keep(self._masking.feed(piece))

    def finish(self) -> None:
        self._keep(self._masking.finish())
        if self.dropped:
            self._out.write(f"\n[fabriek: {self.dropped} more bytes were written and not kept]\n".encode())
        self._out.close()

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
        if kept:
            self._out.write(kept)

"""A job's output on a person's terminal: colours and progress bars stay, words to the terminal itself do not get through.

A program or a file gets every byte as it was.
"""

import re
import sys
from typing import Protocol, TextIO

REPLACED = "\N{REPLACEMENT CHARACTER}".encode()
_NOT_SHOWN = re.compile(rb"(\x1b\[[0-9;]{0,32}[mK])|[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]")
_UNFINISHED = re.compile(rb"(\x1b(\[[0-9;]{0,32})?|\xc2)\Z")


class Taker(Protocol):
    """What takes a job's output, piece by piece."""

    def write(self, piece: bytes, /) -> object: ...

    def flush(self) -> object: ...


class Screen:
    """Colours, and wiping the line, are let through; any other control is made visible. It could move the cursor over what others
    wrote, rename the window, fill the clipboard, or have the terminal type an answer into the reader's shell.
    """

    def __init__(self, out: Taker) -> None:
        self._out, self._held = out, b""

    def write(self, piece: bytes, /) -> None:
        piece = self._held + piece
        cut = _UNFINISHED.search(piece)
        self._held = cut[0] if cut else b""
        self._out.write(_shown(piece.removesuffix(self._held)))

    def flush(self) -> None:
        self._out.flush()


def taker(stream: TextIO | None = None) -> Taker:
    """Where a job's output goes: standard output, or another stream of this process."""
    chosen = sys.stdout if stream is None else stream
    return Screen(chosen.buffer) if chosen.isatty() else chosen.buffer


def _shown(piece: bytes) -> bytes:
    return _NOT_SHOWN.sub(lambda found: found[1] or REPLACED, piece)

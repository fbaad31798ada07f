"""What members of a gang on several hosts say to its leader, through the output of one step of Slurm: lines of the job, and words of ours."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

PIECE_BYTES_MAX = 900
"""Slurm carries a line whole up to 1024 bytes; of a longer one, parts of others' may come in between."""

LINE_BYTES_MAX = 1 << 16
MORE, END, WORD = b"+", b".", b"="


@dataclass(frozen=True, slots=True)
class Said:
    """By one member: a whole line of its job, or a word of ours."""

    member: int
    line: bytes = b""
    word: dict[str, Any] = field(default_factory=dict)


class Teller:
    """A member's mouth. It takes its job's output as a log does."""

    def __init__(self, member: int, out: Callable[[bytes], object]) -> None:
        self._member, self._out = member, out
        self._line = b""

    def say(self, **word: object) -> None:
        """word: small, since it goes as one piece."""
        self._tell(WORD, json.dumps(word).encode())

    def write(self, piece: bytes) -> None:
        *lines, self._line = (self._line + piece).split(b"\n")
        for line in lines:
            self._say_line(line)
        if len(self._line) >= LINE_BYTES_MAX:
            self.close()

    def close(self) -> None:
        """Says what is left of a line without an end."""
        if self._line:
            self._say_line(self._line)
            self._line = b""

    def _say_line(self, line: bytes) -> None:
        while len(line) > PIECE_BYTES_MAX:
            self._tell(MORE, line[:PIECE_BYTES_MAX])
            line = line[PIECE_BYTES_MAX:]
        self._tell(END, line)

    def _tell(self, kind: bytes, text: bytes) -> None:
        self._out(b"%d%s%s\n" % (self._member, kind, text))


class Listener:
    """The leader's ear: pieces in, whole lines out."""

    def __init__(self) -> None:
        self._begun: dict[int, bytes] = defaultdict(bytes)
        self._rest = b""

    def hear(self, piece: bytes) -> Iterator[Said]:
        """What is no saying of a member is left out: Slurm may have something to add."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            yield from self._said(line)

    def _said(self, line: bytes) -> Iterator[Said]:
        digits = len(line) - len(line.lstrip(b"0123456789"))
        kind = line[digits : digits + 1]
        if not digits or kind not in {MORE, END, WORD}:
            return
        member, text = int(line[:digits]), line[digits + 1 :]
        if kind == WORD:
            try:
                yield Said(member, word=dict(json.loads(text)))
            except ValueError:  # it was cut when its node died
                return
            return
        whole = self._begun.pop(member, b"") + text
        if kind == MORE and len(whole) < LINE_BYTES_MAX:
            self._begun[member] = whole
        else:
            yield Said(member, whole)

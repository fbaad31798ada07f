"""Secrets in what a job writes are replaced by `***` before anything of it is kept: also those that come in pieces."""

import json
from collections.abc import Iterable

MASK = b"***"
MASKED_CHARACTERS_MIN = 6
"""Shorter ones would blot out half of what a job says, and are guessed in any case."""


class Masking:
    """A stream in, a stream out. Held back is only what may be the beginning of a secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spelled = {form.encode() for secret in secrets for form in _spellings(secret)}
        self._words = tuple(sorted(spelled))
        self._held = b""
        self._covered = 0  # so many of the held bytes belong to what was masked already

    def feed(self, piece: bytes) -> bytes:
        """What may be kept by now; the rest comes with the next piece, or with `finish`."""
        if not self._words:
            return piece
        text = self._held + piece
        return self._cut(text, len(text) - max(_begun(text, word) for word in self._words))

    def finish(self) -> bytes:
        """What was held back."""
        return self._cut(self._held, len(self._held))

    def _cut(self, text: bytes, end: int) -> bytes:
        """The text up to `end`, masked. What overlaps is one mask, also where it goes on behind `end`."""
        out, at = [], 0
        spans = [(0, self._covered, True)] if self._covered else []
        for start, stop, told in _merged(spans + [(one, two, False) for one, two in _found(text, self._words)]):
            if start >= end:
                break
            out += [text[at:start], b"" if told else MASK]
            at = stop
        out.append(text[at:end])
        self._held, self._covered = text[end:], max(0, at - end)
        return b"".join(out)


def _spellings(secret: str) -> Iterable[str]:
    """As it is, as programs quote it, and each of its lines: a key of many lines is often shown in part."""
    lines = [one.strip() for one in secret.splitlines()]
    forms = {secret, secret.strip(), *lines, repr(secret)[1:-1], json.dumps(secret)[1:-1]}
    return (form for form in forms if len(form) >= MASKED_CHARACTERS_MIN)


def _begun(text: bytes, word: bytes) -> int:
    """How many bytes at the end of the text are the beginning of the word, and not all of it."""
    window = text[-(len(word) - 1) :]
    at = window.find(word[:1])
    while at >= 0:
        if word.startswith(window[at:]):
            return len(window) - at
        at = window.find(word[:1], at + 1)
    return 0


def _found(text: bytes, words: Iterable[bytes]) -> list[tuple[int, int]]:
    """Where the words stand. A word that overlaps itself is one span: a secret of one letter, in a text of it, would be everywhere at once."""
    found = []
    for word in words:
        at, begin, end = text.find(word), 0, 0
        while at >= 0:
            if at >= end:
                found.append((begin, end))
                begin = at
            end = at + len(word)
            at = text.find(word, at + 1)
        found.append((begin, end))
    return [(begin, end) for begin, end in found if end]


def _merged(spans: list[tuple[int, int, bool]]) -> list[tuple[int, int, bool]]:
    """Spans in order, those that overlap made one; told: its mask is out already."""
    merged: list[tuple[int, int, bool]] = []
    for start, stop, told in sorted(spans, key=lambda span: (span[0], not span[2])):
        if merged and start < merged[-1][1]:
            before = merged[-1]
            merged[-1] = (before[0], max(before[1], stop), before[2])
        else:
            merged.append((start, stop, told))
    return merged

"""What an answer says it cost: the usage of a whole answer, or of a stream of server-sent events that is passed on as it comes."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fabriek.compute.serving.keys import Answered

CHARACTERS_PER_TOKEN = 4
"""For an estimate, where a server does not say what it took: about what tokens of English text are."""

TOKENS_MAX = 10**9
"""More than this no answer takes: who says so is not believed."""

EVENT_BYTES_MAX = 2**20
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class Garbled(Exception):
    """What came is not what this interface has."""


def estimate(length: int) -> int:
    """Tokens that so many bytes of text might be, one at least."""
    return max(1, -(-length // CHARACTERS_PER_TOKEN))


def usage_of(said: Any) -> Answered | None:
    """What a `usage` block says; None where it says nothing that can be counted."""
    if not isinstance(said, dict):
        return None
    found = [said.get(name, 0) or 0 for name in ("prompt_tokens", "completion_tokens")]
    if "prompt_tokens" not in said or any(type(one) is not int or not 0 <= one <= TOKENS_MAX for one in found):
        return None
    return Answered(*found)


def of_whole(body: bytes, asked_bytes: int) -> Answered:
    """The cost of an answer that came in one piece. Raises Garbled on what is no JSON object."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Garbled("the model's server answered with what is no JSON") from None
    if not isinstance(said, dict):
        raise Garbled("the model's server answered with what is no JSON object")
    return usage_of(said.get("usage")) or Answered(estimate(asked_bytes), estimate(len(body)))


@dataclass(slots=True)
class Events:
    """Cuts a stream into events, hands each on as it came, and counts. `drops_usage`: the caller did not ask for the event with the usage."""

    asked_bytes: int
    drops_usage: bool
    is_done: bool = False
    _rest: bytes = b""
    _usage: Answered | None = None
    _parts: int = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The events that are whole now. Raises Garbled on one that is none, or that has no end."""
        self._rest += piece
        while found := _END.search(self._rest):
            event, self._rest = self._rest[: found.end()], self._rest[found.end() :]
            if self._passes(event):
                yield event
        if len(self._rest) > EVENT_BYTES_MAX:
            raise Garbled("the model's server sends an event without an end")

    def answered(self) -> Answered:
        """What the stream has cost up to here: by its usage, else a token for each part that came."""
        return self._usage or Answered(estimate(self.asked_bytes), self._parts)

    def _passes(self, event: bytes) -> bool:
        lines = [line[5:].strip() for line in re.split(rb"\r\n|\n|\r", event) if line.startswith(b"data:")]
        data = b"\n".join(lines)
        if not data:
            return True  # a comment, which keeps a line open
        if data == b"[DONE]":
            self.is_done = True
            return True
        try:
            said = json.loads(data)
        except (ValueError, RecursionError):
            raise Garbled("the model's server sends an event that is no JSON") from None
        if not isinstance(said, dict):
            raise Garbled("the model's server sends an event that is no JSON object")
        usage, choices = usage_of(said.get("usage")), said.get("choices")
        self._usage = usage or self._usage
        if isinstance(choices, list) and any(_says(one) for one in choices):
            self._parts += 1
        return not (self.drops_usage and usage is not None and choices == [])


def _says(choice: Any) -> bool:
    """Whether this part of a choice holds something of the answer."""
    if not isinstance(choice, dict):
        return False
    delta = choice.get("delta")
    held = [*delta.values()] if isinstance(delta, dict) else [choice.get("text")]
    return any(bool(one) and one != "assistant" for one in held)

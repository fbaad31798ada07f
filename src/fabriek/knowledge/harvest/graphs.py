"""A page of another catalogue, read into a graph: JSON-LD or Turtle, whose size and shape are checked before anything follows what they say.

No context and no vocabulary is fetched: what a page means it must say itself.
"""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fabriek.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from rdflib import Graph

DEPTH_MAX = 50
NODES_MAX = 100_000
TRIPLES_MAX = 100_000
"""Ten seconds of reading."""

NAME_CHARACTERS_MAX = 2_000
"""Of an address, and of what a prefix stands for."""

WRITTEN_OUT_BYTES_MAX = 128 * 2**20
"""What a page may become where each short name stands for the longest of its addresses: a long prefix, used often, is a bomb."""

TEXT_CHARACTERS_MAX = 100_000
NAME = re.compile(r"<([^<>\"{}|^`\s]*)>")
JSON_TYPES = frozenset({"application/ld+json", "application/json", "application/vnd.api+json"})
TURTLE_TYPES = frozenset({"text/turtle", "application/x-turtle", "text/n3"})
UNREADABLE = "it is neither JSON-LD nor Turtle that we read"


def read_graph(body: bytes, media_type: str, address: str) -> "Graph":
    """address: of the page, against which short addresses in it are read. Raises InvalidInput."""
    from rdflib import Graph  # noqa: PLC0415  # a quarter of a second, which only who reads other catalogues should cost

    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("it is not in UTF-8") from None
    begins = text.lstrip()[:1]
    is_json = media_type in JSON_TYPES or (media_type not in TURTLE_TYPES and begins in {"{", "["})
    if begins == "<" and re.match(r"\s*<(!doctype|html|\?xml)", text, re.IGNORECASE):
        raise InvalidInput("it is a page of HTML or XML", fix="name the address of its JSON-LD or Turtle")
    given, kind = (_checked_json(text, address), "json-ld") if is_json else (_checked_turtle(text, address), "turtle")
    found = Graph(store=_bounded(), bind_namespaces="none")
    try:
        found.parse(data=given, format=kind, publicID=address)
    except InvalidInput:
        raise
    except RecursionError:
        raise InvalidInput(f"it is nested deeper than {DEPTH_MAX}") from None
    except Exception:  # noqa: BLE001  # a reader of others' texts fails in ways of its own
        raise InvalidInput(UNREADABLE) from None
    return found


def _bounded() -> Any:
    """A store that ends the reading of a page that says too much, while it is read."""
    from rdflib.plugins.stores.memory import Memory  # noqa: PLC0415

    class Bounded(Memory):
        count = 0

        def add(self, triple: Any, context: Any, quoted: bool = False) -> None:  # noqa: FBT001, FBT002  # the library's signature
            self.count += 1
            if self.count > TRIPLES_MAX:
                raise InvalidInput(f"a page of it says more than {TRIPLES_MAX:,} things")
            super().add(triple, context, quoted)

    return Bounded()


def _checked_json(text: str, address: str) -> str:
    """Written anew, so that what was checked is what is read. Raises InvalidInput."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput(UNREADABLE) from None
    nodes, longest, waiting = 0, len(address), [(told, 0, False)]
    while waiting:
        one, depth, is_context = waiting.pop()
        nodes += 1
        if depth > DEPTH_MAX:
            raise InvalidInput(f"it is nested deeper than {DEPTH_MAX}")
        if nodes > NODES_MAX:
            raise InvalidInput(f"a page of it has more than {NODES_MAX:,} parts")
        if isinstance(one, str) and len(one) > (NAME_CHARACTERS_MAX if is_context else TEXT_CHARACTERS_MAX):
            raise InvalidInput(
                f"it has a text of more than {TEXT_CHARACTERS_MAX:,} characters, or a long name in its context"
            )
        if isinstance(one, str) and is_context:
            longest = max(longest, len(one))
        if isinstance(one, dict):
            _check_names(one)
            waiting += [(value, depth + 1, is_context or name == "@context") for name, value in one.items()]
        elif isinstance(one, list):
            waiting += [(value, depth + 1, is_context) for value in one]
    _check_written_out(longest, nodes)
    return json.dumps(told)


def _check_names(one: Mapping[str, Any]) -> None:
    if any(len(name) > NAME_CHARACTERS_MAX for name in one):
        raise InvalidInput(f"it has a field with a name of more than {NAME_CHARACTERS_MAX:,} characters")
    if "@import" in one:
        raise _far()
    _refuse_far(one.get("@context"))


def _refuse_far(context: Any) -> None:
    """A context is written out where it stands: one that is an address would be fetched."""
    for one in context if isinstance(context, list) else [context]:
        if one is not None and not isinstance(one, dict):
            raise _far()


def _far() -> InvalidInput:
    return InvalidInput(
        "its @context lies elsewhere, and is not fetched",
        fix="name an address that answers with its context within, or in Turtle",
    )


def _checked_turtle(text: str, address: str) -> str:
    longest = max((len(found[1]) for found in NAME.finditer(text)), default=0)
    if longest > NAME_CHARACTERS_MAX:
        raise InvalidInput(f"it has an address of more than {NAME_CHARACTERS_MAX:,} characters")
    _check_written_out(max(longest, len(address)), text.count(":") + text.count("<"))
    return text


def _check_written_out(longest: int, names: int) -> None:
    if longest * names > WRITTEN_OUT_BYTES_MAX:
        raise InvalidInput(f"written out, a page of it could have more than {WRITTEN_OUT_BYTES_MAX // 2**20} MiB")

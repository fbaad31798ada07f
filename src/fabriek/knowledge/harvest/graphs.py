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
NODES_MAX = 200_000
TRIPLES_MAX = 200_000
NAME_CHARACTERS_MAX = 2_000
"""Of an address, and of what a prefix stands for: a long one, used often, would become a page of many times its size."""

TEXT_CHARACTERS_MAX = 100_000
LONG_NAME = re.compile(r"<[^<>\"{}|^`\\\s]{2001,}>")
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
    given, kind = (_checked_json(text), "json-ld") if is_json else (_checked_turtle(text), "turtle")
    found = Graph(bind_namespaces="none")
    try:
        found.parse(data=given, format=kind, publicID=address)
    except RecursionError:
        raise InvalidInput(f"it is nested deeper than {DEPTH_MAX}") from None
    except Exception:  # noqa: BLE001  # a reader of others' texts fails in ways of its own
        raise InvalidInput(UNREADABLE) from None
    if len(found) > TRIPLES_MAX:
        raise InvalidInput(f"a page of it says more than {TRIPLES_MAX:,} things")
    return found


def _checked_json(text: str) -> str:
    """Written anew, so that what was checked is what is read. Raises InvalidInput."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput(UNREADABLE) from None
    nodes, waiting = 0, [(told, 0, False)]
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
        if isinstance(one, dict):
            _check_names(one)
            waiting += [(value, depth + 1, is_context or name == "@context") for name, value in one.items()]
        elif isinstance(one, list):
            waiting += [(value, depth + 1, is_context) for value in one]
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


def _checked_turtle(text: str) -> str:
    if LONG_NAME.search(text):
        raise InvalidInput(f"it has an address of more than {NAME_CHARACTERS_MAX:,} characters")
    return text

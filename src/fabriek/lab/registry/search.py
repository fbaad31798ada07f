"""MLflow's search in the registry: conditions joined by AND over attributes, tags, parameters and metrics, and the order of what is found.

Read by one pass of its own and never handed to a database, so that a filter is no way into one; and without patterns of the caller's as
regular expressions, so that none takes longer than the text it is held against.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fabriek.kernel.errors import InvalidInput

FILTER_CHARACTERS_MAX = 200_000
CONDITIONS_MAX = 100
PATTERN_CHARACTERS_MAX = 1_000
ORDERS_MAX = 20

Scalar = str | float | int
T = TypeVar("T")

_WORD = re.compile(
    r"\s*('[^']*'|\"[^\"]*\"|`[^`]*`|\((?:'[^']*'|\"[^\"]*\"|[^()'\"])*\)|<=|>=|!=|<>|[=<>;]|[^\s'\"`()=<>!;]+|\S)"
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_QUOTED = re.compile(r"\s*('[^']*'|\"[^\"]*\")\s*(,|$)")
_ORDER = re.compile(r"\s*([\w.]+|`[^`]+`)(?:\s+(\w+))?\s*")
_TEXT_OPERATORS = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN")
_NUMBER_OPERATORS = ("<", "<=", ">", ">=", "=", "!=")


@dataclass(frozen=True, slots=True)
class Grammar:
    """What one kind of thing may be asked. `entities`: prefix → which of a thing's mappings; `numbers`: attributes that are numbers."""

    entities: Mapping[str, str]
    attributes: frozenset[str]
    numbers: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)


REGISTERED = Grammar({"attribute": "attributes", "tag": "tags", "tags": "tags"}, frozenset({"name"}), listed=frozenset({"name"}))  # fmt: skip
VERSIONS = Grammar(
    {"attribute": "attributes", "tag": "tags", "tags": "tags"}, frozenset({"name", "version_number", "run_id", "source_path"}),
    numbers=frozenset({"version_number"}), listed=frozenset({"name", "run_id"}),
)  # fmt: skip
_LOGGED_TIMES = {
    "creation_time": "creation_timestamp", "creation_timestamp_ms": "creation_timestamp",
    "last_updated_time": "last_updated_timestamp", "last_updated_timestamp_ms": "last_updated_timestamp",
}  # fmt: skip
_LOGGED_TEXTS = frozenset({"name", "model_id", "model_type", "status", "source_run_id", "experiment_id"})
LOGGED = Grammar(
    {one: one for one in ("attributes", "metrics", "params", "tags")},
    _LOGGED_TEXTS | {"creation_timestamp", "last_updated_timestamp"},
    numbers=frozenset({"creation_timestamp", "last_updated_timestamp"}), listed=_LOGGED_TEXTS, aliases=_LOGGED_TIMES,
)  # fmt: skip

REGISTERED_ORDERS = {"name": "name", "timestamp": "last_updated_timestamp", "last_updated_timestamp": "last_updated_timestamp"}  # fmt: skip
VERSION_ORDERS = {one: one for one in ("name", "version_number", "creation_timestamp", "last_updated_timestamp")}


@dataclass(frozen=True, slots=True)
class Condition:
    """`kind` is attributes, tags, params or metrics; `value` a text, a number, or several texts."""

    kind: str
    key: str
    operator: str
    value: Scalar | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A thing with what can be asked about it. `metrics`: name → values, the newest last."""

    attributes: Mapping[str, Scalar]
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Sequence[float]] = field(default_factory=dict)


def read_filter(text: str, grammar: Grammar) -> list[Condition]:
    """Raises InvalidInput, in MLflow's words, on what is not a filter of this grammar."""
    if len(text) > FILTER_CHARACTERS_MAX:
        raise InvalidInput(f"a filter has at most {FILTER_CHARACTERS_MAX} characters")
    words = _words(text)
    if ";" in words:
        raise InvalidInput(
            f"Search filter contained multiple expression {text[:300]!r}. Provide AND-ed expression list."
        )
    found: list[Condition] = []
    position = 0
    while position < len(words):
        if words[position].lower() == "and" and found:
            position += 1
            continue
        if len(found) >= CONDITIONS_MAX:
            raise InvalidInput(f"a filter has at most {CONDITIONS_MAX} conditions")
        taken, condition = _condition(words[position : position + 5], grammar)
        position += taken
        found.append(condition)
    return found


def _words(text: str) -> list[str]:
    """A quote or bracket that nothing closes ends it at once: to read on would be to look for its end from every later one again."""
    found: list[str] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        one = _WORD.match(text, position)
        assert one is not None, "what is not blank is a word, if only of one character"
        if one[1] in {"'", '"', "`", "(", ")"}:
            raise InvalidInput(f"Invalid clause(s) in filter string: {text[one.start() :].strip()[:100]}")
        found.append(one[1])
        position = one.end()
    return found


def _condition(words: list[str], grammar: Grammar) -> tuple[int, Condition]:
    """How many words the first condition takes, and the condition. A quoted key is a word of its own: tags.`a b` = 'x'."""
    name, rest = words[0], words[1:]
    if name.endswith(".") and rest and rest[0][0] in "`\"'":
        name, rest = name + rest[0], rest[1:]
    taken = len(words) - len(rest)
    operator = rest[0].upper() if rest else ""
    if operator == "NOT" and len(rest) > 1 and rest[1].upper() == "IN":
        operator, rest, taken = "NOT IN", rest[1:], taken + 1
    is_list = operator in {"IN", "NOT IN"}
    if (
        len(rest) < 2
        or operator not in {*_TEXT_OPERATORS, *_NUMBER_OPERATORS, "<>"}
        or is_list != rest[1].startswith("(")
    ):
        said = words[:1] if words[0].upper() == "OR" else words[:3]
        raise InvalidInput(f"Invalid clause(s) in filter string: {', '.join(one[:100] for one in said)}")
    kind, key = _identifier(name, grammar)
    return taken + 2, Condition(kind, key, operator, _value(kind, key, operator, rest[1], grammar))


def _identifier(name: str, grammar: Grammar) -> tuple[str, str]:
    prefix, dot, key = name.partition(".")
    if dot and prefix not in grammar.entities:
        known = tuple(grammar.entities)
        if "params" in known:
            raise InvalidInput(f"Invalid entity type: {prefix[:100]!r}. Expected one of {list(known)}.")
        raise InvalidInput(f"Invalid entity type '{prefix[:100]}'. Valid entity types are {known}")
    kind, key = (grammar.entities[prefix], key) if dot else ("attributes", name)
    if dot and key[:1] in {"`", '"', "'"} and key[-1:] == key[:1]:
        key = key[1:-1]
    if kind == "attributes":
        key = grammar.aliases.get(key, key)
        if key not in grammar.attributes:
            raise InvalidInput(
                f"Invalid attribute key '{key[:100]}' specified. Valid keys are '{sorted(grammar.attributes)}'"
            )
    return kind, key


def _value(kind: str, key: str, operator: str, word: str, grammar: Grammar) -> Scalar | tuple[str, ...]:
    if kind == "metrics" or (kind == "attributes" and key in grammar.numbers):
        return _number(key, operator, word, is_whole=kind != "metrics")
    if operator not in _TEXT_OPERATORS:
        raise InvalidInput(
            f"Invalid comparison operator for {kind}.{key}: {operator!r}. Expected one of {_TEXT_OPERATORS}."
            if "params" in grammar.entities
            else f"Invalid comparator for {'attribute' if kind == 'attributes' else 'tag'}: {operator}"
        )
    if word.startswith("("):
        if kind != "attributes":
            raise InvalidInput(
                f"Expected a quoted string value for {kind[:-1]} (e.g. 'my-value'). Got value {word[:100]}"
            )
        if key not in grammar.listed:
            raise InvalidInput(
                f"Only {sorted(grammar.listed)} attributes support comparison with a list of quoted string values."
            )
        return _listed(word)
    if word[:1] not in {"'", '"'} or word[-1:] != word[:1] or len(word) < 2:
        raise InvalidInput(
            "Parameter value is either not quoted or unidentified quote types used for string value "
            f"{word[:100]}. Use either single or double quotes."
        )
    if operator in {"LIKE", "ILIKE"} and len(word) > PATTERN_CHARACTERS_MAX:
        raise InvalidInput(f"a pattern has at most {PATTERN_CHARACTERS_MAX} characters")
    return word[1:-1]


def _number(key: str, operator: str, word: str, *, is_whole: bool) -> float | int:
    if word.startswith("("):
        raise InvalidInput(
            f"Only text attributes support comparison with a list of quoted string values, and {key} is a number."
        )
    if operator not in _NUMBER_OPERATORS:
        raise InvalidInput(f"Invalid comparator for attribute {key}: {operator}")
    plain = word[1:-1] if word[:1] in {"'", '"'} and word[-1:] == word[:1] else word
    if not _NUMBER.fullmatch(plain) or len(plain) > 400:
        raise InvalidInput(
            "Parameter value is either not quoted or unidentified quote types used for string value "
            f"{word[:100]}. Use either single or double quotes."
        )
    if is_whole and not re.fullmatch(r"[+-]?\d{1,25}", plain):
        raise InvalidInput(f"Invalid value for numeric attribute '{key}': {plain[:100]}")
    return int(plain) if is_whole else float(plain)


def _listed(word: str) -> tuple[str, ...]:
    inner = word[1:-1].strip()
    found: list[str] = []
    position = 0
    while position < len(inner):
        one = _QUOTED.match(inner, position)
        if one is None:
            raise InvalidInput(
                "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in "
                f"list: {word[:100]}"
            )
        found.append(one[1][1:-1])
        position = one.end()
    if not found:
        raise InvalidInput(
            "While parsing a list in the query, expected a non-empty list of string values, but got empty list"
        )
    return tuple(found)


def only(conditions: Sequence[Condition], key: str) -> tuple[str, ...] | None:
    """The values that an attribute may have, where the filter says which; None where it may have any: to read less, never to decide."""
    for one in conditions:
        if one.kind == "attributes" and one.key == key and one.operator in {"=", "IN"}:
            return one.value if isinstance(one.value, tuple) else (str(one.value),)
    return None


def matches(one: Asked, conditions: Sequence[Condition]) -> bool:
    return all(_holds(one, condition) for condition in conditions)


def _holds(one: Asked, condition: Condition) -> bool:
    if condition.kind == "metrics":
        return any(compare(value, condition.operator, condition.value) for value in one.metrics.get(condition.key, ()))
    where: Mapping[str, Scalar] = {"attributes": one.attributes, "tags": one.tags, "params": one.params}[condition.kind]
    value = where.get(condition.key)
    return value is not None and compare(value, condition.operator, condition.value)


def compare(left: Any, operator: str, right: Any) -> bool:
    tests: dict[str, Callable[[], bool]] = {
        "=": lambda: left == right, "!=": lambda: left != right, "<": lambda: left < right, "<=": lambda: left <= right,
        ">": lambda: left > right, ">=": lambda: left >= right, "IN": lambda: left in right, "NOT IN": lambda: left not in right,
        "LIKE": lambda: is_like(left, right), "ILIKE": lambda: is_like(left.lower(), right.lower()),
    }  # fmt: skip
    return bool(tests[operator]())


def is_like(text: str, pattern: str) -> bool:
    """SQL's LIKE: `%` is any text, `_` one character. Each piece between two `%` is taken at its first place: nothing is tried twice."""
    pieces = pattern.split("%")
    if len(pieces) == 1:
        return len(text) == len(pattern) and _at(text, pattern, 0)
    first, *middle, last = pieces
    if len(text) < len(first) + len(last) or not _at(text, first, 0) or not _at(text, last, len(text) - len(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        found = _first_place(text, piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def _at(text: str, piece: str, position: int) -> bool:
    if "_" not in piece:
        return text.startswith(piece, position)
    part = text[position : position + len(piece)]
    return len(part) == len(piece) and all(want in ("_", have) for want, have in zip(piece, part, strict=True))


def _first_place(text: str, piece: str, start: int, end: int) -> int:
    if "_" not in piece:
        return text.find(piece, start, end)
    exact = re.compile("".join("." if char == "_" else re.escape(char) for char in piece), re.DOTALL)
    found = exact.search(text, start, end)
    return -1 if found is None else found.start()


def read_orders(clauses: Sequence[str], known: Mapping[str, str], *, prefix: str = "") -> list[tuple[str, bool]]:
    """(key, whether ascending) of `name DESC` and the like. Raises InvalidInput."""
    if len(clauses) > ORDERS_MAX:
        raise InvalidInput(f"at most {ORDERS_MAX} columns order what is found")
    found: list[tuple[str, bool]] = []
    for clause in clauses:
        named = _ORDER.fullmatch(clause) if len(clause) <= 300 else None
        if named is None:
            raise InvalidInput(f"Invalid order_by clause '{clause[:100]}'. Could not be parsed.")
        way = (named[2] or "asc").lower()
        if way not in {"asc", "desc"}:
            raise InvalidInput(f"Invalid ordering key in order_by clause '{clause[:100]}'.")
        key = named[1].strip("`")
        key = key.removeprefix(prefix) if prefix else key
        if key not in known:
            raise InvalidInput(f"Invalid order by key '{key}' specified. Valid keys are '{sorted(known)}'")
        if known[key] in [one for one, _ in found]:
            raise InvalidInput(f"`order_by` contains duplicate fields: {list(clauses)}")
        found.append((known[key], way == "asc"))
    return found


def ordered(things: Sequence[T], orders: Sequence[tuple[str, bool]], value: Callable[[T, str], Any]) -> list[T]:
    """By the given keys, the first the most important. What has no value for a key comes last, whichever way it goes."""
    listed = list(things)
    for key, is_ascending in reversed(orders):
        having = [one for one in listed if value(one, key) is not None]
        lacking = [one for one in listed if value(one, key) is None]
        having.sort(key=lambda one, key=key: value(one, key), reverse=not is_ascending)  # type: ignore[misc]
        listed = having + lacking
    return listed

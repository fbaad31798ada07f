"""MLflow's search grammar: conditions joined by AND, and the columns that order what is found.

A filter is read into conditions and columns here, and nothing of it is ever part of a statement: names and values travel as parameters.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.names import SHOWN_CHARACTERS

CONDITIONS_MAX = 50
ORDERS_MAX = 20
FILTER_CHARACTERS_MAX = 20_000
WILDCARDS_MAX = 20
"""In a pattern of LIKE. Each one may cost a look at every place of the value."""

KINDS = {
    "metric": "metric", "metrics": "metric", "param": "param", "params": "param", "parameter": "param", "parameters": "param",
    "tag": "tag", "tags": "tag", "attribute": "attribute", "attributes": "attribute", "attr": "attribute", "run": "attribute",
    "dataset": "dataset", "datasets": "dataset",
}  # fmt: skip

NUMBERS = frozenset({">", ">=", "!=", "=", "<", "<="})
TEXTS = frozenset({"!=", "=", "LIKE", "ILIKE"})
PRESENCE = frozenset({"IS NULL", "IS NOT NULL"})
MEMBERS = frozenset({"IN", "NOT IN"})

Value = str | float | int | tuple[str, ...] | None

_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<presence>is\s+not\s+null\b|is\s+null\b)"
    r"|(?P<word>(?:not\s+in|in|ilike|like|rlike|between|or|and|not)\b)"
    r"|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))"
    r"|(?P<name>(?:[A-Za-z_]\w*\s?\.\s?)?(?:`[^`]*`|\"[^\"]*\"|[A-Za-z_][\w\-/]*(?:\.[\w\-/]+)*))"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<operator>>=|<=|!=|<>|=|>|<)"
    r"|(?P<mark>[(),])"
    r")",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Condition:
    """`kind`: metric, param, tag, attribute or dataset. `value`: a number, a text, several texts, or None for IS (NOT) NULL."""

    kind: str
    key: str
    comparator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Order:
    """A column that orders what is found."""

    kind: str
    key: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Grammar:
    """What may be asked of one noun: the names of its attributes, which of them are numbers, and which take a list."""

    attributes: Mapping[str, str]
    """Written name → the attribute that it means."""
    numeric: frozenset[str]
    lists: frozenset[str]
    kinds: frozenset[str]
    texts: frozenset[str] = TEXTS
    """Comparators of attributes that are texts."""
    orderable: frozenset[str] | None = None
    """Attributes that may order; all where it is None."""
    quotable: frozenset[str] = frozenset()
    """Attributes that are numbers and may stand in quotes, as a version's often does."""

    example: str = ""
    """A filter that holds, for whoever wrote one that does not."""

    def conditions(self, text: str) -> list[Condition]:
        """Raises InvalidInput on what is not a filter, in words that name the clause."""
        try:
            return self._conditions(text)
        except InvalidInput as error:
            raise InvalidInput(error.detail, fix=self.example and f"such as: {self.example}") from None

    def _conditions(self, text: str) -> list[Condition]:
        if len(text) > FILTER_CHARACTERS_MAX:
            raise InvalidInput(f"a filter has at most {FILTER_CHARACTERS_MAX} characters")
        tokens = list(_tokens(text, "filter string"))
        found: list[Condition] = []
        place = 0
        while place < len(tokens):
            if found:
                if tokens[place].text.upper() != "AND":
                    raise InvalidInput(f"Invalid clause(s) in filter string: '{_shown(tokens[place].text)}'")
                place += 1
            condition, place = self._condition(tokens, place)
            found.append(condition)
            if len(found) > CONDITIONS_MAX:
                raise InvalidInput(f"a filter has at most {CONDITIONS_MAX} conditions")
        return found

    def orders(self, clauses: Sequence[str]) -> list[Order]:
        """Raises InvalidInput on a clause that is none, and on a column that is named twice."""
        if len(clauses) > ORDERS_MAX:
            raise InvalidInput(f"at most {ORDERS_MAX} columns can order what is found")
        found: list[Order] = []
        for clause in clauses:
            tokens = list(_tokens(clause, "order_by clause")) if len(clause) <= FILTER_CHARACTERS_MAX else []
            direction = tokens[1].text.upper() if len(tokens) == 2 else "ASC"
            if not tokens or tokens[0].kind != "name" or len(tokens) > 2 or direction not in {"ASC", "DESC"}:
                raise InvalidInput(f"Invalid order_by clause '{_shown(clause)}'. Could not be parsed.")
            kind, key = self._identifier(tokens[0].text)
            if kind == "dataset" or (kind == "attribute" and self.orderable is not None and key not in self.orderable):
                raise InvalidInput(f"Invalid order by key '{_shown(key)}' specified.")
            if any((one.kind, one.key) == (kind, key) for one in found):
                raise InvalidInput(f"`order_by` contains duplicate fields: {_shown(clause)}")
            found.append(Order(kind, key, direction == "DESC"))
        return found

    def _condition(self, tokens: Sequence[Token], place: int) -> tuple[Condition, int]:
        name = tokens[place] if place < len(tokens) else None
        if name is None or name.kind != "name" or place + 1 >= len(tokens):
            shown = name.text if name else ""
            raise InvalidInput(f"Invalid clause(s) in filter string: '{_shown(shown)}'")
        kind, key = self._identifier(name.text)
        comparator = " ".join(tokens[place + 1].text.upper().split())
        comparator = "!=" if comparator == "<>" else comparator
        if tokens[place + 1].kind == "presence":
            if kind not in {"param", "tag"}:
                raise InvalidInput(
                    f"IS NULL / IS NOT NULL is only supported for tags and params, not for '{kind}' '{key}'"
                )
            return Condition(kind, key, comparator, None), place + 2
        self._check_comparator(kind, key, comparator)
        value, place = _value(tokens, place + 2)
        return Condition(kind, key, comparator, self._checked(kind, key, comparator, value)), place

    def _identifier(self, written: str) -> tuple[str, str]:
        head, dot, tail = written.partition(".")
        if not dot or written[0] in '`"':
            head, tail = "attribute", written
        kind = KINDS.get(head.strip())
        if kind is None or kind not in self.kinds:
            raise InvalidInput(f"Invalid entity type '{_shown(head)}'. Valid values are {sorted(self.kinds)}")
        key = _unquoted(tail.strip())
        if kind == "attribute":
            if key not in self.attributes:
                raise InvalidInput(
                    f"Invalid attribute key '{_shown(key)}' specified. Valid keys are '{sorted(self.attributes)}'"
                )
            key = self.attributes[key]
        if kind == "dataset" and key not in {"name", "digest", "context"}:
            raise InvalidInput(f"Invalid dataset key '{_shown(key)}' specified.")
        return kind, key

    def _check_comparator(self, kind: str, key: str, comparator: str) -> None:
        valid: Collection[str]
        if kind == "metric" or (kind == "attribute" and key in self.numeric):
            valid = NUMBERS
        elif kind == "dataset":
            valid = TEXTS | MEMBERS
        elif kind == "attribute":
            valid = self.texts | MEMBERS
        else:
            valid = TEXTS | MEMBERS
        if comparator not in valid:
            raise InvalidInput(f"Invalid comparator '{_shown(comparator)}' not one of '{sorted(valid)}'")

    def _checked(self, kind: str, key: str, comparator: str, value: Value) -> Value:
        if kind == "metric" or (kind == "attribute" and key in self.numeric):
            if key in self.quotable and isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
                return int(value)
            if not isinstance(value, int | float):
                raise InvalidInput(f"Expected numeric value type for {kind}: {_shown(key)}. Found {_shown(str(value))}")
            return value
        if comparator in MEMBERS:
            if not isinstance(value, tuple) or (kind == "attribute" and key not in self.lists):
                raise InvalidInput(
                    f"Only {sorted(self.lists)} attributes support comparison with a list of quoted string values."
                )
            return value
        if not isinstance(value, str):
            raise InvalidInput(
                f"Expected a quoted string value for {kind} (e.g. 'my-value'). Got value {_shown(str(value))}"
            )
        if comparator in {"LIKE", "ILIKE"} and value.count("%") > WILDCARDS_MAX:
            raise InvalidInput(f"a pattern of LIKE has at most {WILDCARDS_MAX} %")
        return value


def _tokens(text: str, what: str) -> Iterator[Token]:
    place, end = 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None:
            raise InvalidInput(f"Invalid clause(s) in {what}: '{_shown(text[place:].strip())}'")
        kind = found.lastgroup or ""
        yield Token(kind, found[kind])
        place = found.end()


def _value(tokens: Sequence[Token], place: int) -> tuple[Value, int]:
    """A number, a quoted text, or quoted texts in brackets, and the place behind it."""
    if place >= len(tokens):
        raise InvalidInput("Invalid comparison clause. Expected 3 tokens found 2")
    token = tokens[place]
    if token.kind == "number":
        whole = re.fullmatch(r"[-+]?\d{1,18}", token.text)  # what is longer is more than a database's integers hold
        return (int(token.text) if whole else float(token.text)), place + 1
    if token.kind == "text" or (token.kind == "name" and token.text[0] == '"'):
        return _unquoted(token.text), place + 1
    if token.text == "(":
        return _listed(tokens, place + 1)
    raise InvalidInput(
        f"Parameter value is either not quoted or unidentified quote types used for string value {_shown(token.text)}. "
        "Use either single or double quotes."
    )


def _listed(tokens: Sequence[Token], place: int) -> tuple[tuple[str, ...], int]:
    values: list[str] = []
    for position in range(place, len(tokens)):
        token, expects_value = tokens[position], (position - place) % 2 == 0
        if expects_value and (token.kind == "text" or token.text[0] == '"'):
            values.append(_unquoted(token.text))
        elif not expects_value and token.text == ")":
            return tuple(values), position + 1
        elif expects_value or token.text != ",":
            break
    raise InvalidInput(
        "While parsing a list in the query, expected a non-empty list of string values, or the list is not closed"
    )


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"`":
        return text[1:-1]
    return text


def _shown(text: str) -> str:
    return text[:SHOWN_CHARACTERS]


RUNS = Grammar(
    attributes={
        "run_id": "run_id", "run_name": "run_name", "Run name": "run_name", "Run Name": "run_name", "run name": "run_name",
        "status": "status", "start_time": "start_time", "created": "start_time", "Created": "start_time", "end_time": "end_time",
        "user_id": "user_id", "artifact_uri": "artifact_uri",
    },
    numeric=frozenset({"start_time", "end_time"}),
    lists=frozenset({"run_id"}),
    kinds=frozenset({"metric", "param", "tag", "attribute", "dataset"}),
    example="metrics.loss < 0.5 and params.model = 'cnn'",
)  # fmt: skip

EXPERIMENTS = Grammar(
    attributes={
        "name": "name", "creation_time": "creation_time", "last_update_time": "last_update_time", "experiment_id": "experiment_id",
    },
    numeric=frozenset({"creation_time", "last_update_time"}),
    lists=frozenset({"experiment_id"}),
    kinds=frozenset({"tag", "attribute"}),
    example="name LIKE 'trees%' and tags.team = 'a'",
)  # fmt: skip

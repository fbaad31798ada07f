"""What is wrong with a message, in words for the person who wrote it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import written_bytes, written_seconds
from fabriek.schemas.base import EXPECTED

Wrong = ErrorDetails | Mapping[str, Any]

_SAID = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "less_than_equal": "may be {le} at most",
    "greater_than_equal": "must be {ge} or more",
    "string_too_short": "must be {min_length} characters long or more",
    "string_too_long": "may be {max_length} characters long at most",
    "too_short": "must be {min_length} long or more",
    "too_long": "may be {max_length} long at most",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be text",
    "list_type": "must be a list",
}


def field_of(wrong: Wrong, *, skip: int = 0) -> str:
    """`inputs.0.mount`; skip: how many leading parts say only where the message was found."""
    return ".".join(str(part) for part in wrong["loc"][skip:]) or str(wrong["loc"][0] if wrong["loc"] else "it")


def in_words(wrong: Wrong) -> str:
    """What the field would have to be, to follow its name. It never repeats what was given, which may be a secret."""
    name = str(wrong["loc"][-1]) if wrong["loc"] else ""
    limits: Mapping[str, Any] = wrong.get("ctx", {})
    if limits.get("min_length") == 1:
        return "may not be empty"
    if words := EXPECTED.get(limits.get("pattern", "")):
        return f"must be {words}"
    if wrong["type"] not in _SAID:
        return f"is not right ({wrong['msg']})"
    return _SAID[wrong["type"]].format(**{limit: _written(name, value) for limit, value in limits.items()})


def refused(error: ValidationError, *, fix: str) -> InvalidInput:
    """The refusal that names the first field that is not right."""
    first = error.errors(include_input=False)[0]
    return InvalidInput(f"{field_of(first)} {in_words(first)}", fix=fix)


def nearest(error: ValidationError) -> str:
    """The limit that was passed, as a person would give it: `120h`. Empty where what is wrong is no amount."""
    first = error.errors(include_input=False)[0]
    limits: Mapping[str, Any] = first.get("ctx", {})
    passed = limits.get("le", limits.get("ge"))
    return "" if passed is None else _written(str(first["loc"][-1]), passed).replace(",", "")


@contextmanager
def checked(fix: str) -> Iterator[None]:
    """Around making a message of what a person gave: what is not right is said in words. Raises InvalidInput."""
    try:
        yield
    except ValidationError as error:
        raise refused(error, fix=fix) from None


def _written(name: str, amount: Any) -> str:
    """Sizes and durations as a person would give them."""
    if not isinstance(amount, int):
        return str(amount)
    if "seconds" in name:
        return written_seconds(amount)
    return written_bytes(amount) if "bytes" in name else f"{amount:,}"

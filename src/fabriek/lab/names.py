"""Names and values that a run may carry: keys of metrics, parameters and tags. Limits and words are MLflow's, since its clients compare them."""

import json
import posixpath
import re

from fabriek.kernel.errors import InvalidInput

KEY_CHARACTERS_MAX = 250
VALUE_CHARACTERS_MAX = 65_536
"""MLflow's server cuts parameters at 6,000 and tags at 8,000 characters without a word; here they are kept whole, and refused beyond this."""

_KEY = re.compile(r"[/\w.\- :]*")
SHOWN_CHARACTERS = 100


def invalid(parameter: str, value: object, why: str = "") -> InvalidInput:
    """The refusal of a value, in the form that MLflow's clients know. A long value is shown by its beginning."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError):
        text = repr(value)
    shown = text if len(text) <= 2 * SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
    return InvalidInput(f"Invalid value {shown} for parameter '{parameter}' supplied{': ' + why if why else '.'}")


def missing(parameter: str) -> InvalidInput:
    return InvalidInput(f"Missing value for required parameter '{parameter}'.")


def check_key(key: object, parameter: str) -> str:
    """Raises InvalidInput on an empty or over-long name, one with other characters, or one that could be a path upwards."""
    if key is None:
        raise missing(parameter)
    if not isinstance(key, str):
        raise invalid(parameter, key)
    if len(key) > KEY_CHARACTERS_MAX:
        raise InvalidInput(f"'{parameter}' exceeds the maximum length of {KEY_CHARACTERS_MAX} characters")
    if not _KEY.fullmatch(key):
        raise invalid(
            parameter,
            key,
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).",
        )
    plain = posixpath.normpath(key)
    if plain != key or plain == "." or plain.startswith(("..", "/")):
        raise invalid(parameter, key, f"as a path this name would be {plain!r}")
    return key


def check_value(value: object, parameter: str, characters_max: int = VALUE_CHARACTERS_MAX) -> str:
    """A parameter's or tag's value as text. Raises InvalidInput on one that is too long."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    if len(text) > characters_max:
        raise InvalidInput(f"'{parameter}' exceeds the maximum length of {characters_max} characters")
    return text

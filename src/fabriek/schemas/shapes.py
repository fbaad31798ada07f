"""How much of a machine a job asks for, as people write it."""

from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints


def _text(said: Any) -> Any:
    """A number becomes what a person would write: YAML, JSON and Python have numbers for what needs no name."""
    return f"{said:g}" if isinstance(said, int | float) and not isinstance(said, bool) else said


GpusAsked = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Za-z][A-Za-z0-9._-]{0,31}:)?[0-9]{1,6}(\.[0-9]{1,3})?$"),
    BeforeValidator(_text, json_schema_input_type=int | float | str),
]
"""`2`, `0.25`, `a100:2` or `h100:0.5`: for each node."""

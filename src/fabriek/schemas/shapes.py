"""How much of a machine a job asks for and in what way, as people write it."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from fabriek.schemas.base import written


def _text(said: Any) -> Any:
    """A number becomes what a person would write: YAML, JSON and Python have numbers for what needs no name."""
    return f"{said:g}" if isinstance(said, int | float) and not isinstance(said, bool) else said


GpusAsked = Annotated[
    str,
    written(r"^([A-Za-z][A-Za-z0-9._-]{0,31}:)?[0-9]{1,6}(\.[0-9]{1,3})?$", "GPUs such as 2, 0.25 or a100:2"),
    BeforeValidator(_text, json_schema_input_type=int | float | str),
]
"""`2`, `0.25`, `a100:2` or `h100:0.5`: for each node."""

PriorityAsked = Annotated[str, written("^(eco|normal|urgent)$", "eco, normal or urgent")]
SignalAsked = Annotated[
    str,
    written(
        r"^((steps:)?(HUP|INT|TERM|USR1|USR2)@[0-9]{1,6})?$", "HUP, INT, TERM, USR1 or USR2 and seconds, as in USR1@60"
    ),
]
"""A word to the job, and how many seconds before its time is over."""

"""What is wrong, in words for the person who wrote it."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from fabriek.kernel.invalid import refused
from fabriek.schemas.compute import JobIn
from fabriek.schemas.secrets import SecretIn


def said_of(schema: type[BaseModel], **fields: Any) -> str:
    with pytest.raises(ValidationError) as wrong:
        schema.model_validate(fields)
    return refused(wrong.value, fix="look").detail


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("wall_seconds_max", 500 * 3600, "wall_seconds_max may be 120h at most"),
        ("memory_bytes", 1, "memory_bytes must be 16MiB or more"),
        ("cpus", 10**6, "cpus may be 100,000 at most"),
        ("command", [], "command may not be empty"),
        ("command", [""], "command.0 may not be empty"),
        ("name", "a\nb", "name must be one line of text"),
        ("name", "a" * 101, "name may be 100 characters long at most"),
        ("after", ["1"] * 101, "after may be 100 long at most"),
        ("priority", "first", "priority must be eco, normal or urgent"),
        ("inputs", [{"dataset": "scans"}], "inputs.0.mount is missing"),
        ("memroy_bytes", 1, "memroy_bytes is not known here"),
        ("gpus", "some", "gpus must be GPUs such as 2, 0.25 or a100:2"),
        ("cpus", "many", "cpus must be a whole number"),
        ("deadline", "soon", "deadline is not right (Input should be a valid datetime or date, input is too short)"),
    ],
)
def test_it_says_what_the_field_would_have_to_be(field: str, given: Any, said: str) -> None:
    assert said_of(JobIn, **{"command": ["true"], field: given}) == said


def test_it_never_repeats_a_secret() -> None:
    assert said_of(SecretIn, name="token-1", value="geheim") == (
        "name must be letters, digits and _, no digit first, 64 at most"
    )
    assert said_of(SecretIn, name="TOKEN", value="geheim" * 10_000) == "value may be 32,768 long at most"

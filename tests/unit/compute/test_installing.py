"""What a list of requirements asks for, and the command that asks for what is not there."""

import pytest

from fabriek.compute.installing import ask_for


@pytest.mark.parametrize(("line", "command"), [
    ("polars==1.9.0", "polars==1.9.0"), ("polars == 1.9.0 --hash=sha256:00", "polars==1.9.0"), ("polars[gpu]===1", "polars==1"),
    ("polars", "polars==VERSION"), ("polars>=1,<2", "polars==VERSION"), ("polars==1.*", "polars==VERSION"), ("polars>=1 ; x", "polars==VERSION"),
])  # fmt: skip
def test_the_command_names_the_version_where_the_line_does(line: str, command: str) -> None:
    assert ask_for(line) == f"fabriek package request {command}"

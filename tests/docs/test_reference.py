"""The reference says what the code does: every page that is made from it is what it would be made into now."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from fabriek.settings import Settings
from tests import generated

MADE = {"job.schema.json", "openapi.json", "access.md", "settings.md", "errors.md", "cli.md"}
WRITTEN = {"mlflow.md"}


def test_every_made_page_is_up_to_date() -> None:
    """In a process of its own: click keeps what a command's help looked like when another test first called it."""
    argv = [sys.executable, "-m", "tests.generated", "--check"]
    said = subprocess.run(argv, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, ""), said.stderr


def test_every_page_is_compared_or_written_by_hand() -> None:
    assert {file.name for file in generated.REFERENCE.iterdir()} == MADE | WRITTEN == set(generated.pages()) | WRITTEN


@pytest.mark.parametrize("one", fields(Settings), ids=lambda one: one.name)
def test_every_setting_has_a_unit_and_a_line(one: object) -> None:
    metadata = one.metadata  # type: ignore[attr-defined]
    assert metadata["unit"]
    assert metadata["says"].endswith(".") or ";" in metadata["says"]


def test_every_command_says_what_it_does() -> None:
    found = re.findall(
        r"## `(.*?)`\n\n```\nUsage: .*?\n\n  (.*?)\n", (generated.REFERENCE / "cli.md").read_text("utf-8")
    )
    assert len(found) > 40
    assert [name for name, says in found if not says[:1].isupper()] == []

"""A review by commands: what an applicant asks and is told, with the exit codes of what cannot be."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.factory import Running, quickstarted, why_no_jobs

ANSWERS = ("title==SUM(1)", "summary=x", "purpose=civilian", "gpu_hours=10", "months=1", "data=None")


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)

    with quickstarted(tmp_path / "home") as running:
        yield running


def test_an_application_is_followed_measured_and_exported_by_commands(factory: Running) -> None:
    filed = factory.run(
        "apply", "new", "playground", "--json", *(word for one in ANSWERS for word in ("--answer", one))
    )
    assert filed.returncode == 0, filed.stderr
    app = json.loads(filed.stdout)["id"]
    shown = json.loads(factory.run("review", "show", app, "--json").stdout)
    assert (shown["application"], shown["part"], shown["call"]) == (app, "applicant", "playground")
    assert shown["due_at"]
    late = factory.run("review", "answer", app, "To nothing.")
    assert late.returncode == 6, late.stdout + late.stderr
    assert "nothing was asked" in late.stderr
    bad = factory.run("review", "measure", app, "--on", "1=100", "--on", "2=60", "--input", "x")
    assert bad.returncode == 2
    assert "it takes 3" in bad.stderr
    own = factory.run("review", "technical", app, "--pass", "--motive", "mine")
    assert own.returncode == 5
    sheet = factory.run("review", "history", app, "--csv").stdout
    assert '"submitted"' in sheet
    assert factory.run("review", "show", "app_00000000000000000000000000").returncode == 3
    assert factory.run("review", "ls").returncode == 0

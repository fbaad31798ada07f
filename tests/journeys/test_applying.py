"""From an empty template to a printed application, with the command line alone: for our own large call, and for one that was added."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.calls import A_CALL
from tests.servers.factory import COMMAND, Running, clean_environment, quickstarted


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    room = tmp_path_factory.mktemp("applying")
    (room / "calls").mkdir()
    (room / "calls" / "harvest.toml").write_text(A_CALL.replace('"startup"', '"startup", "operator", "company"'))
    with quickstarted(room / "home", FABRIEK_CALLS=str(room / "calls")) as running:
        yield running


def test_a_template_of_every_call_is_filled_in_by_taking_its_signs_away(factory: Running, tmp_path: Path) -> None:
    names = [one["name"] for one in json.loads(factory.run("apply", "calls", "--json").stdout)]
    assert names == ["harvest", "playground", "fast-lane", "large-scale", "science"]
    for name in names[1:]:
        made = factory.run("apply", "template", name, "--lang", "nl").stdout
        assert "# Hoe heet het project?" in made
        filled = "\n".join(line[1:] if line[:1] == "#" and line[1:2] not in " " else line for line in made.splitlines())
        (tmp_path / "answers.toml").write_text(filled.replace('partners = ["bulb-growers"]', ""))
        drafted = factory.run("apply", "new", name, "--file", str(tmp_path / "answers.toml"), "--draft", "--json")
        assert drafted.returncode == 0, drafted.stderr
        assert len(json.loads(drafted.stdout)["answers"]) >= 11


def test_a_draft_is_edited_checked_printed_and_submitted(factory: Running, tmp_path: Path) -> None:
    made = factory.run("apply", "new", "harvest", "--draft", "--json", "--answer", "title=Rye", "--answer", "grain=yes")
    draft = json.loads(made.stdout)
    checked = factory.run("apply", "check", draft["id"])
    assert "Needs: in progress" in checked.stdout
    assert "which_grain: is missing: Which grain?" in checked.stdout
    assert "ontbreekt: Uren?" in factory.run("apply", "check", draft["id"], "--lang", "nl").stdout
    stale = factory.run("apply", "edit", draft["id"], "--answer", "title=Oats", "--revision", "0")
    assert stale.returncode == 6, stale.stderr
    assert "somebody changed this application" in stale.stderr
    (tmp_path / "more.toml").write_text(
        'purpose = "civilian"\ngpu_hours = 20\nmonths = 2\nsown = 2026-03-31\nwhich_grain = ["rye"]\n'
        'plan = [\n  { month = 1, field = "a", hours = 12 },\n]\n'
    )
    edited = factory.run("apply", "edit", draft["id"], "--file", str(tmp_path / "more.toml"), "--json")
    assert json.loads(edited.stdout)["revision"] == 2, edited.stderr
    early = factory.run("apply", "submit", draft["id"])
    assert early.returncode == 2
    assert "these come to 12 GPU-hours and must come to 20 GPU-hours, 8 too few" in early.stderr
    assert factory.run("apply", "edit", draft["id"], "--answer", "plan=").returncode == 0
    assert factory.run("apply", "submit", draft["id"]).returncode == 0
    late = factory.run("apply", "edit", draft["id"], "--answer", "title=Oats")
    assert late.returncode == 6
    assert "title cannot be changed any more" in late.stderr
    paper = tmp_path / "rye.pdf"
    assert factory.run("apply", "export", draft["id"], "--pdf", str(paper)).returncode == 0
    assert paper.read_bytes()[:5] == b"%PDF-"
    exported = json.loads(factory.run("apply", "export", draft["id"], "--json", "--lang", "nl").stdout)
    assert [one["title"] for one in exported["sections"]] == ["Behoefte", "Meer", "Plan"]


def test_too_many_hours_for_a_short_route_become_a_draft_of_the_call_for_more(factory: Running) -> None:
    asked = ("--answer", "gpu_hours=50001", "--answer", "title=Barley")
    moved = json.loads(factory.run("apply", "new", "fast-lane", "--json", *asked).stdout)
    assert (moved["call"], moved["state"]) == ("large-scale", "draft")
    assert moved["answers"] == {"gpu_hours": 50001, "title": "Barley"}
    assert moved["moved"].startswith("50,001 GPU-hours are more than the 50,000 of fast-lane; large-scale takes them")


def test_a_call_that_cannot_be_read_stops_the_start_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "harvest.toml").write_text(A_CALL.replace('kind = "date"', 'kind = "moon"'))
    environment = clean_environment(tmp_path / "home") | {"FABRIEK_CALLS": str(tmp_path / "calls")}
    argv = [*COMMAND, "up", "--quickstart", "--home", str(tmp_path / "home"), "--port", "0", "--detach"]
    started = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=90)
    assert started.returncode != 0
    assert "harvest.toml line" in started.stderr
    assert "sections.more.fields.sown.kind" in started.stderr

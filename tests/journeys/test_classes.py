"""A class as its teacher makes it on the command line, from the list of a spreadsheet to the links; and what a bad list says."""

import csv
import io
import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.servers.app import serving
from tests.servers.factory import COMMAND, clean_environment

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    database = a_database(tmp_path / "fabriek.db")
    yield a_town(database, tmp_path / "home")
    database.close()


@pytest.fixture
def cli(town: Town, tmp_path: Path) -> Iterator[Cli]:
    """The command line of the teacher, in whose project there are 100 GPU-hours."""
    teacher = town.person("uni", "organisation_administrator", kind="university")
    project = town.project(teacher, gpu_hours=100)
    token = town.services.identity.issue_token(teacher.person, by=Caller(teacher.person))
    with serving(api.build(town.services)) as url:
        named = clean_environment(tmp_path / "none") | {
            "FABRIEK_URL": url, "FABRIEK_TOKEN": token, "FABRIEK_PROJECT": project, "HOME": str(tmp_path),
        }  # fmt: skip

        def run(*words: str) -> "subprocess.CompletedProcess[str]":
            argv = [*COMMAND, "class", *words]
            return subprocess.run(argv, env=named, capture_output=True, text=True, check=False, timeout=60)

        yield run


def test_from_a_list_to_links_and_to_the_end(cli: Cli, town: Town, tmp_path: Path) -> None:
    students = tmp_path / "students.csv"
    students.write_text("\ufeffname,email\nJo,jo@uni.example\nMo,mo@uni.example\n", "utf-8")
    ends = str(town.clock.today() + timedelta(days=20))
    asked = ("create", "Deep learning 101", "--students", str(students), "--gpu-hours-each", "10", "--ends", ends)
    made = cli(*asked)
    assert made.returncode == 0, made.stderr
    rows = list(csv.DictReader(io.StringIO(made.stdout)))
    assert [(one["email"], one["project"]) for one in rows] == [
        ("jo@uni.example", "deep-learning-101-001"), ("mo@uni.example", "deep-learning-101-002"),
    ]  # fmt: skip
    town.services.identity.redeem(rows[0]["sign_in"].rpartition("/")[2])
    shown = json.loads(cli("show", "deep-learning-101", "--json").stdout)
    assert [(one["joined"], one["used"], one["left"], one["sign_in"]) for one in shown["students"]] == [
        (True, 0, 10, ""), (False, 0, 10, ""),
    ]  # fmt: skip
    assert cli("drop", "deep-learning-101", "mo@uni.example").returncode == 0
    assert "students can take out" in cli("end", "deep-learning-101").stdout
    assert json.loads(cli("ls", "--json").stdout)[0]["state"] == "ended"
    again = cli("extend", "deep-learning-101", "--ends", ends)
    assert again.returncode == 6
    assert "fabriek class show deep-learning-101" in again.stderr


def test_a_bad_list_is_refused_by_its_lines_and_too_large_a_budget_by_what_is_left(
    cli: Cli, town: Town, tmp_path: Path
) -> None:
    students, ends = tmp_path / "students.csv", str(town.clock.today() + timedelta(days=20))

    def tried(text: bytes, each: str = "10") -> "subprocess.CompletedProcess[str]":
        students.write_bytes(text)
        return cli("create", "X", "--students", str(students), "--gpu-hours-each", each, "--ends", ends)

    bad = tried(b"email,name\njo@uni.example,Jo\njo@uni.example,Jo\n=1+1,Mo\n")
    assert bad.returncode == 2
    assert "line 3 has the address of line 2 again, and 1 more lines are wrong" in bad.stderr
    assert tried(b"email,name\n\xff\xfe").returncode == 2
    large = tried(b"email,name\njo@uni.example,Jo\n", "101")
    assert large.returncode == 7
    assert "takes 101 GPU-hours, and 100 are left" in large.stderr
    assert len(town.services.access.people_of("uni", by=town.operator)) == 1

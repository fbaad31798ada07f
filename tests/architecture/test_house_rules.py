"""The rules of the house that a machine can see."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "fabriek").rglob("*.py"))
AREAS = ("access", "funding", "vault", "packages", "compute", "lab", "knowledge", "assurance", "audit")


def test_imports_go_down_only() -> None:
    done = subprocess.run(
        [ROOT / ".venv/bin/lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("area", AREAS)
def test_an_areas_map_holds_no_code(area: str) -> None:
    tree = ast.parse((ROOT / "src/fabriek" / area / "__init__.py").read_text("utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


def test_sql_lives_in_stores() -> None:
    allowed = re.compile(r"store(_\w+)?\.py$|adapters/|migrations/|ops/migrate\.py$|web/problems\.py$")
    guilty = [
        str(file.relative_to(ROOT))
        for file in SOURCES
        if re.search(r"^from sqlalchemy|^import sqlalchemy", file.read_text("utf-8"), re.MULTILINE)
        and not allowed.search(str(file))
    ]
    assert guilty == []


def test_objects_are_deleted_where_a_backup_is_asked_for() -> None:
    """Everybody else goes through `Desk._delete`: a copy that is being taken may name what they would delete."""
    guilty = {
        str(file.relative_to(ROOT / "src/fabriek"))
        for file in SOURCES
        if re.search(r"\bblobs\.delete\(", file.read_text("utf-8"))
    }
    assert guilty == {"vault/care/collecting.py", "vault/desk.py"}


def test_rooms_are_small() -> None:
    made_by_hand = [file for file in SOURCES if "migrations/versions" not in str(file)]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in made_by_hand}
    assert {name: length for name, length in lengths.items() if length > 420} == {}
    ordered = sorted(length for name, length in lengths.items() if not name.endswith("__init__.py"))
    assert ordered[len(ordered) // 2] < 150


def test_nothing_is_promised_for_later() -> None:
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|NotImplemented" + r"Error)\b")
    guilty = [
        str(file) for file in [*SOURCES, *(ROOT / "tests").rglob("*.py")] if words.search(file.read_text("utf-8"))
    ]
    assert guilty == []


def test_no_function_is_empty() -> None:
    guilty = []
    for file in SOURCES:
        functions = [
            one
            for one in ast.walk(ast.parse(file.read_text("utf-8")))
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        guilty += [f"{file.name}:{one.lineno}" for one in functions if [type(line) for line in one.body] == [ast.Pass]]
    assert guilty == []


UNPACKERS = frozenset({"extractall", "unpack_archive"})


def unpacked_in(source: str) -> list[str]:
    """Where a program takes a whole archive at its word: called by name, by attribute, or handed on."""
    named = [
        (one.lineno, one.attr if isinstance(one, ast.Attribute) else one.name if isinstance(one, ast.alias) else one.id)
        for one in ast.walk(ast.parse(source))
        if isinstance(one, ast.Attribute | ast.Name | ast.alias)
    ]
    return [f"{line}: {name}" for line, name in sorted(named) if name in UNPACKERS]


def test_no_archive_writes_where_it_likes() -> None:
    """Each member's path is checked before it is written. With `extractall` an archive says itself where: links, devices, `..`."""
    guilty = {
        str(file.relative_to(ROOT)): found
        for folder in ("src", "tests", "benches")
        for file in sorted((ROOT / folder).rglob("*.py"))
        if (found := unpacked_in(file.read_text("utf-8")))
    }
    assert guilty == {}


@pytest.mark.parametrize(
    "source",
    [
        "import tarfile\ntarfile.open('x').extractall('y')",
        "import zipfile\nwith zipfile.ZipFile('x') as archive:\n    take = archive.extractall",
        "import shutil\nshutil.unpack_archive('x', 'y')",
        "from shutil import unpack_archive as taken",
        "from shutil import unpack_archive\nunpack_archive('x')",
    ],
)
def test_the_rule_about_archives_sees_each_way_to_say_it(source: str) -> None:
    assert unpacked_in(source)
    assert unpacked_in(source.replace("extractall", "getmembers").replace("unpack_archive", "copytree")) == []


def test_no_file_names_an_index_or_a_folder_of_one_machine() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    pattern = re.compile(
        "|".join(("index" + "-url", "find" + "-links", "files.python" + "hosted", "/ro" + "ot/", "/wo" + "rk/"))
    )
    guilty = []
    for name in filter(None, tracked):
        file = ROOT / name
        if file.is_file() and name != "Makefile" and pattern.search(file.read_text("utf-8", errors="replace")):
            guilty.append(name)
    assert guilty == []

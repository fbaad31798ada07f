"""Versions as their owner meets them on the command line: named, compared, pulled in part, and removed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.factory import Running, quickstarted


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with quickstarted(tmp_path_factory.mktemp("data") / "home") as running:
        yield running


def said(factory: Running, *arguments: str) -> str:
    done = factory.run("data", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_version_is_pushed_named_compared_pulled_in_part_and_removed(factory: Running, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.csv").write_text("1,2,3")
    (folder / "sub" / "\x1b[31mred\nname").write_text("odd")
    said(factory, "push", str(folder), "numbers")
    assert said(factory, "tag", "numbers@1", "gold") == "numbers@gold is @1\n"
    (folder / "a.csv").write_text("1,2,3,4")
    (folder / "sub" / "\x1b[31mred\nname").unlink()
    assert "nothing changed" not in said(factory, "push", str(folder), "numbers")
    assert "nothing changed" in said(factory, "push", str(folder), "numbers")

    told = said(factory, "diff", "numbers@gold", "numbers")
    assert told.splitlines()[0].startswith("~ a.csv")
    assert "\x1b" not in told
    assert len(told.splitlines()) == 2
    assert [one["how"] for one in json.loads(said(factory, "diff", "numbers@1", "numbers@2", "--json"))] == [
        "changed",
        "removed",
    ]
    said(factory, "pull", "numbers@gold", str(tmp_path / "out"), "a.csv")
    assert [file.read_text() for file in (tmp_path / "out").iterdir()] == ["1,2,3"]
    assert said(factory, "cat", "numbers@gold:a.csv") == "1,2,3"

    refused = factory.run("data", "rm", "numbers@1", "--yes")
    assert (refused.returncode, "the tag gold names this version" in refused.stderr) == (6, True)
    said(factory, "tag", "numbers", "gold", "--remove")
    unasked = factory.run("data", "rm", "numbers@1")
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)
    assert "numbers@1, 2 files of 8 B, would be gone for good" in unasked.stderr
    for arguments in (("numbers@9",), ("numbers@9", "--yes")):
        missing = factory.run("data", "rm", *arguments)
        assert (missing.returncode, "--yes" in missing.stderr) == (3, False), missing.stderr
    assert said(factory, "rm", "numbers@1", "--yes") == "numbers@1 is gone\n"
    assert factory.run("data", "pull", "numbers@1", str(tmp_path / "none")).returncode == 3


@pytest.mark.parametrize(
    "arguments",
    [("tag", "numbers@1", "3rd"), ("diff", "numbers@", "numbers"), ("rm", "numbers", "--yes"), ("rm", "numbers")],
)
def test_what_names_no_version_is_said_and_does_nothing(factory: Running, arguments: tuple[str, ...]) -> None:
    done = factory.run("data", *arguments)
    assert done.returncode in {2, 3}
    assert "fix" in done.stderr

"""Labels, terms, requests and what two people decide, as people of one organisation meet them on the command line."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.factory import COMMAND, Running, clean_environment, quickstarted


@dataclass(frozen=True)
class Pair:
    """A factory with who started it, and a colleague who signed in from a home of their own."""

    factory: Running
    colleague: str
    room: Path

    def data(self, *arguments: str) -> str:
        done = self.factory.run("data", *arguments, cwd=self.room)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def colleagues(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = clean_environment(self.room / "colleague" / "home")
        return subprocess.run(
            [*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    def refused(self, *arguments: str) -> tuple[int, str]:
        done = self.factory.run("data", *arguments, cwd=self.room)
        assert "Traceback" not in done.stderr
        assert "fix" in done.stderr
        return done.returncode, done.stderr


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    room = tmp_path_factory.mktemp("agreements")
    (room / "colleague").mkdir()
    (room / "scans").mkdir()
    (room / "scans" / "a.csv").write_text("1,2")
    (room / "terms.md").write_text("Be kind.\n")
    (room / "empty.md").write_text("")
    with quickstarted(room / "home") as running:
        asked = running.run("org", "invite", "quickstart", "--name", "Henk", "--email", "henk@example.org", "--json")
        invited = json.loads(asked.stdout)
        link = ("login", "--url", running.url, "--link", invited["link"], "--project", "playground")
        assert Pair(running, "", room).colleagues(*link).returncode == 0
        found = Pair(running, json.loads(Pair(running, "", room).colleagues("whoami", "--json").stdout)["person"], room)
        assert running.run("project", "add", found.colleague, "--role", "lead").returncode == 0
        found.data("push", "scans", "scans", "--label", "personal")
        yield found


def test_a_label_is_lowered_by_two_named_people_and_by_nobody_alone(pair: Pair) -> None:
    pair.data("push", "scans", "named", "--label", "personal")
    asked = json.loads(pair.data("lower", "named", "internal", "--reason", "names were taken out", "--json"))
    code, told = pair.refused("sign", asked["id"])
    assert (code, "proposal.second_person" in told) == (5, True)
    assert json.loads(pair.data("show", "named", "--json"))["dataset"]["label"] == "personal"
    assert pair.colleagues("data", "sign", asked["id"]).returncode == 0
    shown = json.loads(pair.data("show", "named", "--json"))
    assert (shown["dataset"]["label"], shown["versions"][0]["label"]) == ("internal", "internal")
    assert "You, Henk" in pair.data("lowerings", "named")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("push", "scans", "x", "--label", "secret"), 2, "special-category"),
        (("push", "scans", "x", "--label", "personal+"), 2, "A+B"),
        (("push", "scans", "x", "--label", "x" * 300), 2, "200 characters"),
        (("push", "scans", "x", "--label", "Stg. Geheim"), 5, "label.accreditation"),
        (("push", "scans", "x", "--label", "dep.v."), 5, "label.accreditation"),
        (("push", "scans", "x", "--label", "personal+export-controlled"), 5, "label.ceiling"),
        (("lower", "scans", "internal", "--reason", ""), 2, "reason may not be empty"),
        (("lower", "scans", "personal", "--reason", "x"), 2, "not lower"),
        (("lower", "nothing", "open", "--reason", "x"), 3, "no such thing"),
        (("sign", "low_0"), 3, "no such thing"),
        (("terms", "scans", "--file", "empty.md"), 2, "text may not be empty"),
        (("terms", "scans", "--question", "What for?"), 2, "--file"),
        (("terms", "scans", "--owner-decides"), 2, "--file"),
        (("terms", "scans", "--file", "terms.md", "--question", "a", "--no-questions"), 2, "at once"),
        (("terms", "scans", "--file", "terms.md", "--question", "x" * 301), 2, "300 characters"),
        (("agree", "scans", "--project", "playground", "--purpose", "civilian", "--until", "2020-01-01"), 2, "passed"),
        (("agree", "scans", "--project", "playground", "--purpose", "x", "--until", "2099-01-01"), 2, "dual_use"),
        (("request", "scans", "--answer", "What for"), 2, "QUESTION=ANSWER"),
        (("request", "scans", "--right", "all"), 2, "take_away"),
        (("move", "req_0", "sent"), 3, "no such thing"),
        (("revoke", "grt_0"), 3, "no such thing"),
    ],
)  # fmt: skip
def test_what_is_not_right_is_said_with_a_way_on(pair: Pair, arguments: tuple[str, ...], code: int, says: str) -> None:
    returned, told = pair.refused(*arguments)
    assert returned == code, told
    assert says in told


def test_new_words_leave_who_decides_until_others_are_named(pair: Pair) -> None:
    pair.data("push", "scans", "asked", "--label", "internal")

    def deciding(*more: str) -> tuple[list[str], list[str]]:
        made = json.loads(pair.data("terms", "asked", "--file", "terms.md", *more, "--json"))
        return made["questions"], made["committee"]

    stands = (["What for?"], [pair.colleague])
    assert deciding("--question", "What for?", "--decides", pair.colleague) == stands
    assert deciding() == stands
    assert deciding("--no-questions") == ([], stands[1])
    assert deciding("--question", "When?", "--owner-decides") == (["When?"], [])


def test_a_removed_colleague_opens_nothing_any_more(pair: Pair, tmp_path: Path) -> None:
    pair.data("push", "scans", "left", "--label", "internal")
    pulled = pair.colleagues("data", "pull", "left", str(tmp_path / "before"))
    assert pulled.returncode == 0, pulled.stderr
    assert pair.data("grants", "left") == "nothing is open\n"
    assert "Henk" in pair.data("log", "left")
    assert pair.factory.run("project", "remove", pair.colleague).returncode == 0
    pair.data("push", str(tmp_path / "before"), "left")
    assert pair.colleagues("data", "pull", "left", str(tmp_path / "after")).returncode == 3
    assert not (tmp_path / "after").exists()

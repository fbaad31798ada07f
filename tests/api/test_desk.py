"""The desk over HTTP and in a terminal: answers, cases, documents, experts, matches and lessons; and what cannot be right."""

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabriek.adapters.database import Database
from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.sdk.facade import Fabriek
from tests.factories.services import Town, a_town
from tests.servers.app import serving
from tests.servers.factory import COMMAND, clean_environment


class Place:
    """A factory over HTTP with an asker, an expert, somebody of the desk and a teacher."""

    def __init__(self, town: Town, url: str, home: Path) -> None:
        self.town, self.url, self.home = town, url, home
        asker = town.person("weefsel")
        self.project = town.project(asker)
        self.asker, self.expert = town.again(asker), town.person("centrum", "expert")
        self.clerk, self.teacher = town.person("factory", "desk"), town.person("factory", "teacher")

    def token(self, who: Caller) -> str:
        return self.town.services.identity.issue_token(who.person, by=who)

    def factory(self, who: Caller) -> Fabriek:
        return Fabriek(self.url, self.token(who), self.project)

    def run(self, who: Caller, *arguments: str) -> subprocess.CompletedProcess[str]:
        told = {"FABRIEK_URL": self.url, "FABRIEK_TOKEN": self.token(who), "FABRIEK_PROJECT": self.project}
        named = clean_environment(self.home) | told
        return subprocess.run(
            [*COMMAND, *arguments], env=named, capture_output=True, text=True, check=False, timeout=60
        )

    def said(self, who: Caller, *arguments: str) -> Any:
        done = self.run(who, *arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Iterator[Place]:
    town = a_town(database, tmp_path / "home")
    with serving(api.build(town.services)) as url:
        yield Place(town, url, tmp_path)


def test_a_case_from_a_question_to_its_document_in_a_terminal(place: Place, tmp_path: Path) -> None:
    asked = place.said(place.asker, "ask", "Which trees lean?")
    answered = place.said(place.expert, "ask", "answer", asked["id"], "All of them.")
    with place.factory(place.expert) as factory:
        factory.desk.offer("Trees.", skills=["statistics"], hours_a_week=3)
    (found,) = place.said(place.asker, "expert", "ls", "tree", "--skill", "statistics")
    assert (found["left"], found["skills"]) == (3, ["statistics"])
    booked = place.said(place.asker, "expert", "book", place.expert.person, "--about", "trees", "--week", "2026-12-03")
    assert booked["week"] == "2026-11-30"
    accepted = place.said(place.asker, "ask", "accept", asked["id"], answered["answers"][0]["id"])
    assert accepted["answers"][0]["accepted"]
    case = place.said(place.asker, "case", "new", "--from-question", asked["id"], "--project", place.project)["id"]
    assert (
        place.said(place.clerk, "case", "hand", case, place.expert.person, "--why", "knows")["state"] == "with_expert"
    )
    assert place.said(place.expert, "case", "level", case, "L3", "--why", "large")["due_on"] == "2026-12-22"
    refused = place.run(place.asker, "case", "level", case, "L1", "--why", "small")
    assert refused.returncode == 5
    assert "fabriek case say" in refused.stderr
    file = tmp_path / "case.md"
    file.write_text(place.run(place.asker, "case", "document", case, "--template", "nl").stdout)
    assert place.said(place.asker, "case", "document", case, "--file", str(file))["missing"][0] == "value"
    stale = place.run(place.asker, "case", "document", case, "--file", str(file), "--base", "7")
    assert (stale.returncode, "its newest version is 1" in stale.stderr) == (6, True)
    assert place.run(place.asker, "case", "document", case).stdout == file.read_text().strip() + "\n"
    early = place.run(place.expert, "case", "move", case, "solved", "done")
    assert (early.returncode, "nothing stands under value" in early.stderr) == (6, True)
    shown = place.run(place.asker, "case", "show", case).stdout
    assert "L3, with expert, Somebody is on it; by 2026-12-22" in shown
    assert [one["id"] for one in place.said(place.clerk, "case", "ls", "--state", "with_expert")] == [case]


def test_a_match_and_a_lesson_in_a_terminal(place: Place) -> None:
    place.said(place.asker, "match", "post", "need", "Ill leaves.", "--skill", "computer-vision", "--word", "tulips")
    place.said(place.expert, "match", "post", "offer", "We count.", "--word", "tulip")
    (match,) = place.said(place.asker, "match", "ls")["matches"]
    assert (match["shared"], match["other"]) == (["tulip"], None)
    assert place.said(place.asker, "match", "yes", match["id"])["state"] == "waiting"
    assert place.said(place.expert, "match", "yes", match["id"])["other"]["organisation"] == "Weefsel"
    assert "Centrum, Somebody" in place.run(place.asker, "match", "ls").stdout
    assert place.said(place.asker, "match", "no", match["id"])["other"] is None

    day = place.town.clock.today() + timedelta(days=1)
    given = place.said(
        place.teacher, "training", "give", "secured-data", "--on", str(day), "--place", "Assen", "--seats", "1"
    )
    assert "you have a place on" in place.run(place.asker, "training", "join", given["id"]).stdout
    assert "number 1 on the waiting list" in place.run(place.expert, "training", "join", given["id"]).stdout
    assert place.run(place.teacher, "training", "attended", given["id"], place.asker.person).returncode == 6
    place.town.clock.move(timedelta(days=1))
    assert place.said(place.teacher, "training", "attended", given["id"], place.asker.person)["certificate"]
    (certificate,) = place.said(place.asker, "training", "certificates")
    assert (certificate["in_force"], certificate["until"]) == (True, str(day + timedelta(days=730)))
    assert place.said(place.expert, "training", "ls", "--course", "secured-data")[0]["mine"] == "waiting"


WRONG = [
    ("POST", "/cases", {"title": "", "words": ""}), ("POST", "/cases", {"title": "x" * 201, "words": "x"}),
    ("POST", "/cases", {"titel": "x"}), ("GET", "/cases?state=done", None),
    ("GET", "/experts?skill=whaling", None), ("GET", "/experts?week=soon", None), ("GET", "/use-case-template?language=fr", None),
    ("POST", "/experts", {"fields": "x", "hours_a_week": 41}), ("POST", "/experts", {"fields": "x", "skills": "statistics"}),
    ("POST", "/experts", {"fields": "x", "languages": ["1!"]}),
    ("POST", "/listings", {"kind": "wish", "text": "x", "words": ["y"]}), ("POST", "/listings", {"kind": "need", "text": "x"}),
    ("POST", "/listings", {"kind": "need", "text": "x", "words": ["\U0001f333"]}),
    ("POST", "/lessons", {"course": "secured-data", "on": "2026-02-30", "place": "x"}),
    ("POST", "/lessons", {"course": "secured-data", "on": "2020-01-01", "place": "x"}),
    ("POST", "/lessons", {"course": "x", "on": "2026-12-01", "place": "x"}), ("GET", "/lessons?course=whaling", None),
    ("POST", "/lessons", {"course": "secured-data", "on": "2026-12-01", "place": "x", "seats": 0}),
]  # fmt: skip


def test_what_cannot_be_right_is_refused_and_says_what_would_be(place: Place) -> None:
    able = place.town.person("factory", "expert", "teacher", "desk")
    headers, wrong = {"Authorization": f"Bearer {place.token(able)}"}, []
    for method, path, body in WRONG:
        answer = httpx.request(
            method, f"{place.url}/api/v1{path}", json=body, headers=headers, trust_env=False, timeout=30
        )
        told = answer.json()
        if answer.status_code != 422 or told["code"] != "invalid_input" or not told.get("detail"):
            wrong.append((method, path, body, answer.status_code, told))
    assert wrong == []


def test_a_person_without_the_right_neither_teaches_nor_offers_hours(place: Place) -> None:
    headers = {"Authorization": f"Bearer {place.token(place.asker)}"}
    lesson = {"course": "secured-data", "on": "2026-12-01", "place": "x"}
    for path, body in (("/lessons", lesson), ("/experts", {"fields": "x"})):
        answer = httpx.post(f"{place.url}/api/v1{path}", json=body, headers=headers, trust_env=False, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")

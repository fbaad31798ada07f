"""A POST that is sent twice happens once, on both databases."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from fabriek.adapters.database import Database
from fabriek.api import app as api
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once
from tests.servers.app import serving

ASK = "/api/v1/questions"


class Asking:
    """A person who asks questions with a key."""

    def __init__(self, town: Town, url: str) -> None:
        self.town, self._url = town, url
        self.tokens = {name: self._token(name) for name in ("first", "second")}

    def _token(self, organisation: str) -> str:
        person = self.town.person(organisation)
        return self.town.services.identity.issue_token(person.person, by=person)

    def ask(self, text: str, key: str = "", *, who: str = "first") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} | ({"Idempotency-Key": key} if key else {})
        return httpx.post(self._url + ASK, json={"text": text}, headers=headers, trust_env=False, timeout=30)

    def kept(self) -> int:
        return len(self.town.services.desk.questions(by=self.town.operator))


@pytest.fixture
def asking(database: Database, tmp_path: Path) -> Iterator[Asking]:
    town = a_town(database, tmp_path / "home")
    with serving(api.build(town.services)) as url:
        yield Asking(town, url)


def test_the_second_gets_the_first_answer(asking: Asking) -> None:
    answers = [asking.ask("Why?", "key-1") for _ in range(3)]
    assert {answer.text for answer in answers} == {answers[0].text}
    assert {answer.status_code for answer in answers} == {answers[0].status_code}
    assert asking.kept() == 1


def test_without_a_key_each_is_an_act(asking: Asking) -> None:
    asking.ask("Why?")
    asking.ask("Why?")
    assert asking.kept() == 2


def test_of_eight_at_once_one_happens(asking: Asking) -> None:
    answers = at_once(lambda _: asking.ask("Why?", "key-1"), times=8)
    texts = {answer.text for answer in answers if isinstance(answer, httpx.Response) and answer.is_success}
    assert len(texts) == 1
    assert asking.kept() == 1


def test_a_key_stands_for_one_request(asking: Asking) -> None:
    asking.ask("Why?", "key-1")
    other = asking.ask("How?", "key-1")
    assert (other.status_code, other.json()["code"]) == (409, "stale")
    assert asking.kept() == 1


def test_a_key_is_ones_own(asking: Asking) -> None:
    first, second = asking.ask("Why?", "key-1"), asking.ask("Why?", "key-1", who="second")
    assert first.json()["id"] != second.json()["id"]
    assert asking.kept() == 2


def test_a_key_is_forgotten_after_a_day(asking: Asking) -> None:
    asking.ask("Why?", "key-1")
    asking.town.clock.move(timedelta(hours=25))
    asking.ask("Why?", "key-1")
    assert asking.kept() == 2


def test_what_was_refused_may_be_tried_again(asking: Asking) -> None:
    assert asking.ask("", "key-1").status_code == 422
    assert asking.ask("Why?", "key-1").is_success


def test_an_over_long_key_is_refused(asking: Asking) -> None:
    assert asking.ask("Why?", "k" * 201).status_code == 422
    assert asking.kept() == 0

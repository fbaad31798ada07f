"""The address of a served model, as programs reach it: a real server behind the job's door, well and badly behaved."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import APIError, AuthenticationError, OpenAI, RateLimitError

from fabriek.api import app as api
from fabriek.api.serving import passing
from fabriek.compute.serving.keys import ServingKey
from fabriek.funding.resources import Resource
from tests.factories.metering import give
from tests.factories.serving import FILES, Counter, a_counter
from tests.factories.tables import a_database
from tests.factories.waiting import until
from tests.servers import openai
from tests.servers.app import serving

CALLS = 3


@dataclass
class Desk:
    """One served model, its address, and a key to it."""

    counter: Counter
    url: str
    client: httpx.Client
    door: Path
    place: Path

    def key(self, budget: str = "1000 tokens") -> str:
        return self.counter.key(budget=budget)[1]

    def ask(self, words: str, key: str = "", path: str = "chat/completions", **asked: Any) -> httpx.Response:
        key = key or self.key()
        body = {"model": "smol", "messages": [{"role": "user", "content": words}], **asked}
        return self.client.post(f"{self.url}/v1/{path}", json=body, headers={"Authorization": f"Bearer {key}"})

    def events(self, words: str, key: str = "", **asked: Any) -> list[Any]:
        """What a stream holds; the last is `[DONE]` if it ended well."""
        answer = self.ask(words, key, stream=True, **asked)
        assert answer.status_code == 200, answer.text
        said = [one.removeprefix("data: ") for one in answer.text.split("\n\n") if one]
        return [one if one == "[DONE]" else json.loads(one) for one in said]

    def used(self) -> ServingKey:
        """The key that was made last."""
        shop = self.counter.shop
        return self.counter.town.services.serving.keys(shop.project, "smol", by=shop.person)[0]

    def counts(self) -> tuple[int, int, int]:
        key = self.used()
        return key.requests, key.tokens_in, key.tokens_out


@pytest.fixture(scope="module")
def open_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    place = tmp_path_factory.mktemp("serving")
    database = a_database(place / "fabriek.db")
    limits = {"serving_wait_seconds": 2, "serving_calls_per_key": CALLS}
    with a_counter(database, place / "home", **limits) as counter:
        counter.register("smol", FILES)
        app = api.build(counter.town.services)
        with (
            counter.answering(counter.serve()) as door,
            serving(app) as base,
            httpx.Client(base_url=base, trust_env=False, timeout=20) as client,
        ):
            yield Desk(counter, f"/serve/{counter.shop.project}/smol", client, door, place)
    database.close()


@pytest.fixture
def desk(open_desk: Desk) -> Desk:
    """As no other test left it."""
    openai.SEEN.clear()
    openai.GO_ON.clear()
    return open_desk


def test_a_chat_is_answered_and_counted(desk: Desk) -> None:
    answer = desk.ask("one two three")
    assert answer.json()["choices"][0]["message"]["content"] == "three two one"
    assert desk.counts() == (1, 3, 3)
    assert "set-cookie" not in answer.headers
    (seen,) = openai.SEEN
    assert (seen["path"], "Authorization" in seen["headers"]) == ("/v1/chat/completions", False)


def test_a_completion_and_embeddings_go_the_same_way(desk: Desk) -> None:
    key = desk.key()
    assert desk.ask("", key, "completions", prompt="a b").status_code == 200
    assert desk.ask("", key, "embeddings", input="a b").status_code == 200
    assert [one["path"] for one in openai.SEEN] == ["/v1/completions", "/v1/embeddings"]
    assert desk.used().requests == 2


@pytest.mark.parametrize(("options", "shown"), [({}, False), ({"stream_options": {"include_usage": True}}, True)])
def test_a_stream_is_counted_by_its_usage_which_only_who_asked_sees(desk: Desk, options: dict[str, Any], *, shown: bool) -> None:  # fmt: skip
    events = desk.events("one two three", **options)
    assert events[-1] == "[DONE]"
    assert [one for one in events[:-1] if one["choices"] == []] == events[-2:-1] * shown
    assert "".join(one["choices"][0]["delta"].get("content", "") for one in events[:4]) == "three two one "
    assert desk.counts() == (1, 3, 3)
    assert openai.SEEN[0]["asked"]["stream_options"] == {"include_usage": True}


def test_events_come_as_they_are_made(desk: Desk) -> None:
    """The first is here while the model's server waits for us to say that it is."""
    body = {"model": "smol", "messages": [{"role": "user", "content": "wait"}], "stream": True}
    headers = {"Authorization": f"Bearer {desk.key()}"}
    with desk.client.stream("POST", f"{desk.url}/v1/chat/completions", json=body, headers=headers) as answer:
        pieces = answer.iter_text()
        first = next(pieces)
        assert "first" in first
        assert "second" not in first
        assert desk.used().requests == 0
        openai.GO_ON.set()
        rest = "".join(pieces)
    assert "second" in rest
    assert until(lambda: desk.counts()[0]) == 1


def test_who_leaves_a_stream_pays_for_what_came(desk: Desk) -> None:
    body = {"model": "smol", "messages": [{"role": "user", "content": "wait"}], "stream": True}
    headers = {"Authorization": f"Bearer {desk.key()}"}
    with desk.client.stream("POST", f"{desk.url}/v1/chat/completions", json=body, headers=headers) as answer:
        assert "first" in next(answer.iter_text())
    assert until(lambda: desk.counts()[0]) == 1
    assert desk.counts()[1:] == (len(json.dumps(openai.SEEN[0]["asked"])) // 4 + 1, 1)


def test_an_answer_on_its_way_ends_with_its_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it has begun or not."""
    monkeypatch.setattr(passing, "LOOK_SECONDS", 0.05)
    services, shop = desk.counter.town.services, desk.counter.shop
    key, secret = desk.counter.key()
    headers = {"Authorization": f"Bearer {secret}"}
    body = {"model": "smol", "messages": [{"role": "user", "content": "wait"}], "stream": True}
    with desk.client.stream("POST", f"{desk.url}/v1/chat/completions", json=body, headers=headers) as answer:
        pieces = answer.iter_text()
        assert "first" in next(pieces)
        services.serving.end_key(shop.project, "smol", key, by=shop.person)
        assert "this key has ended" in "".join(pieces)
    assert desk.counts()[2] == 1
    key, secret = desk.counter.key()
    with ThreadPoolExecutor(1) as aside:
        hanging = aside.submit(desk.ask, "hang", secret)
        until(lambda: len(openai.SEEN) == 2)
        services.serving.end_key(shop.project, "smol", key, by=shop.person)
        assert hanging.result().status_code == 401
    assert desk.counts() == (0, 0, 0)


@pytest.mark.parametrize("key", ["", "fks_guess"])
def test_without_a_key_nothing_is_heard(desk: Desk, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    for path in ("v1/chat/completions", "v1/models", "invocations", "v1/else"):
        answer = desk.client.request("GET" if path == "v1/models" else "POST", f"{desk.url}/{path}", headers=headers)
        assert answer.status_code == 401
        assert "docs" not in answer.text
    assert answer.json()["error"]["code"] == "invalid_api_key"
    mine = desk.counter.town.services.identity.issue_token(desk.counter.shop.person.person, by=desk.counter.shop.person)
    assert desk.ask("x", mine).status_code == 401
    assert openai.SEEN == []


def test_a_key_is_no_token_of_the_api(desk: Desk) -> None:
    key, project = desk.key(), desk.counter.shop.project
    for path in (f"/api/v1/projects/{project}/served", f"/lab/{project}/api/2.0/mlflow/experiments/search"):
        assert desk.client.get(path, headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_a_spent_budget_is_said_as_openais_clients_expect(desk: Desk) -> None:
    once = desk.key("2 requests")
    assert [desk.ask("a", once).status_code for _ in range(3)] == [200, 200, 429]
    refused = desk.ask("a", once)
    assert (refused.json()["error"]["code"], refused.headers["x-should-retry"]) == ("insufficient_quota", "false")
    daily = desk.key("5 tokens/day")
    assert [desk.ask("a b", daily).status_code for _ in range(2)] == [200, 429]
    refused = desk.ask("a b", daily)
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert int(refused.headers["retry-after"]) == 14 * 3600 + 1  # the clock stands at ten in the morning


def test_a_project_whose_tokens_are_spent_is_told_so_and_served_again_when_it_has_more(desk: Desk) -> None:
    shop, town = desk.counter.shop, desk.counter.town
    other = town.project(town.again(shop.person))
    token = town.services.identity.issue_token(shop.person.person, by=shop.person)
    asked = {"budget": "1M tokens", "paid_by": other}
    made = desk.client.post(
        f"/api/v1/projects/{shop.project}/served/smol/keys", json=asked, headers={"Authorization": f"Bearer {token}"}
    ).json()
    assert made["key"]["paid_by"] == other
    assert desk.ask("a b", made["secret"]).status_code == 200
    town.services.admitting.settle_tokens()
    give(town, other, Resource.TOKEN, 1)
    assert desk.ask("a b", made["secret"]).status_code == 200
    until(town.services.admitting.settle_tokens)
    refused = desk.ask("a b", made["secret"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "insufficient_quota")
    assert "tokens of this project are spent" in refused.json()["error"]["message"]
    give(town, other, Resource.TOKEN, 1_000)
    town.services.metering.pay_debts()
    assert desk.ask("a b", made["secret"]).status_code == 200


def test_one_key_has_so_many_calls_open_and_no_more(desk: Desk) -> None:
    key = desk.key()
    headers = {"Authorization": f"Bearer {key}"}
    body = {"model": "smol", "messages": [{"role": "user", "content": "wait"}], "stream": True}
    lines = [
        desk.client.stream("POST", f"{desk.url}/v1/chat/completions", json=body, headers=headers) for _ in range(CALLS)
    ]
    heard = [line.__enter__().iter_text() for line in lines]
    assert all("first" in next(one) for one in heard)
    refused = desk.ask("a", key)
    assert (refused.status_code, refused.headers.get("retry-after")) == (429, "1"), refused.text
    assert desk.ask("a").status_code == 200
    openai.GO_ON.set()
    for line in lines:
        line.__exit__(None, None, None)
    assert until(lambda: desk.ask("a", key).status_code == 200)


def test_another_model_is_not_here_and_the_one_is_listed(desk: Desk) -> None:
    key = desk.key()
    refused = desk.ask("x", key, model="gpt-5")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")
    assert desk.ask("x", key, model="smol@1").status_code == 200
    listed = desk.client.get(f"{desk.url}/v1/models", headers={"Authorization": f"Bearer {key}"})
    assert [one["id"] for one in listed.json()["data"]] == ["smol"]
    scored = desk.client.post(f"{desk.url}/invocations", json={"inputs": [1]}, headers={"Authorization": f"Bearer {key}"})  # fmt: skip
    assert (scored.status_code, scored.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    unknown = desk.client.post(f"{desk.url}/v1/files", headers={"Authorization": f"Bearer {key}"})
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("garbage", 502, "no HTTP"),
        ("no-json", 502, "no JSON"),
        ("page", 502, "another kind of content"),
        ("short", 502, "broke off"),
        ("hang", 504, "silent"),
        ("elsewhere", 502, "answered 302"),
        ("refuse", 400, "too long"),
    ],
)
def test_a_bad_answer_is_said_and_costs_nothing(desk: Desk, words: str, status: int, said: str) -> None:
    answer = desk.ask(words, desk.key("1 requests"))
    assert (answer.status_code, said in answer.json()["error"]["message"]) == (status, True), answer.text
    key = desk.used()
    assert (key.requests, key.used) == (0, 0)


@pytest.mark.parametrize(
    ("words", "said", "parts"), [("die", "ended before", 2), ("garbled", "no JSON", 1), ("silent", "silent", 1)]
)
def test_a_stream_that_breaks_says_so_and_costs_what_came(desk: Desk, words: str, said: str, parts: int) -> None:
    events = desk.events(words)
    assert said in events[-1]["error"]["message"]
    assert len(events) == parts + 1
    requests, before, after = desk.counts()
    assert (requests, before > 0, after) == (1, True, parts)


@pytest.mark.parametrize("words", ["no-usage", "lies"])
def test_what_a_server_does_not_say_is_estimated(desk: Desk, words: str) -> None:
    answer = desk.ask(words)
    assert answer.status_code == 200
    requests, before, after = desk.counts()
    assert requests == 1
    assert 10 < before < 100
    assert 10 < after < 100


def raw(desk: Desk, content: bytes, **headers: str) -> httpx.Response:
    return desk.client.post(
        f"{desk.url}/v1/chat/completions", content=content, headers={"Authorization": f"Bearer {desk.key()}", **headers}
    )


TOO_LARGE = b'{"a": "' + b"x" * (4 * 2**20) + b'"}'


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"model": NaN}', 400),
        (b"\xff", 400),
        pytest.param(b"[" * 10**5, 400, id="deep"),
        pytest.param(TOO_LARGE, 413, id="large"),
    ],
)
def test_bad_bodies_are_refused_before_the_model_sees_them(desk: Desk, content: bytes, status: int) -> None:
    answer = raw(desk, content, **{"Content-Type": "application/octet-stream"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, "invalid_request_error")
    assert openai.SEEN == []
    assert desk.used().used == 0


def test_a_head_that_is_too_large_is_refused(desk: Desk) -> None:
    assert raw(desk, b"{}", **{"X-Large": "x" * 33_000}).status_code == 431


def a_link(door: Path, other: Path) -> None:
    door.symlink_to(other)


def a_file(door: Path, _other: Path) -> None:
    door.write_bytes(b"")


@pytest.mark.parametrize("make", [a_link, a_file])
def test_what_a_job_lays_in_the_place_of_its_socket_is_not_followed(
    desk: Desk, tmp_path: Path, make: Callable[[Path, Path], None]
) -> None:
    """The job would have the server speak to a socket of its choice."""
    aside = desk.door.with_name("aside.sock")
    desk.door.rename(aside)
    make(desk.door, aside)
    answer = desk.ask("x")
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert openai.SEEN == []
    desk.door.unlink()
    aside.rename(desk.door)


def test_after_the_job_the_address_says_what_to_do(desk: Desk) -> None:
    services, shop = desk.counter.town.services, desk.counter.shop
    job = desk.counter.running(desk.counter.serve(name="brief"))
    _, key = desk.counter.key("brief")
    services.serving.stop(shop.project, "brief", by=shop.person)
    shop.settled(job)
    headers, body = {"Authorization": f"Bearer {key}"}, {"model": "brief", "messages": []}
    answer = desk.client.post(f"/serve/{shop.project}/brief/v1/chat/completions", json=body, headers=headers)
    assert (answer.status_code, answer.headers["x-should-retry"]) == (503, "false")
    assert "fabriek model serve smol@1 --name brief" in answer.json()["error"]["message"]
    assert services.serving.keys(shop.project, "brief", by=shop.person)[0].used == 0


def test_what_is_asked_in_the_address_itself_is_in_no_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """By a client that was told the wrong address."""
    caplog.set_level("INFO")
    headers = {"Authorization": f"Bearer {desk.key()}"}
    for path in ("v1/chat/completions?q=canary", "v1/canary", "canary", "v1/chat/completions/canary", "ping%0Acanary"):
        desk.client.post(f"{desk.url}/{path}", headers=headers, json={})

    def said() -> list[str]:
        return [one.getMessage() for one in caplog.records if one.name.startswith("fabriek")]

    until(lambda: len(said()) >= 5)  # a line is written when its answer is on its way
    assert not any("canary" in one for one in said())
    assert any(one.endswith("/v1/chat/completions 404") for one in said())


def test_a_prompt_is_kept_nowhere(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Neither when all goes well, nor when it does not."""
    caplog.set_level("INFO")
    canary = "canary-7d1f0a93"
    key = desk.key()
    for words in ("hello", "die", "garbled", "no-json", "refuse", "lies", "garbage"):
        desk.ask(f"{words} {canary}", key)
        desk.ask(f"{words} {canary}", key, stream=True)
    raw(desk, f'{{"{canary}": '.encode())
    raw(desk, json.dumps({"model": canary}).encode())
    ways = [canary.encode(), canary.encode().hex().encode()]
    ways += [base64.b64encode(b" " * lead + canary.encode())[4 if lead else 0 : -4] for lead in range(3)]
    seeks = re.compile(b"|".join(re.escape(way) for way in ways))

    def kept() -> list[str]:
        return [one.name for one in desk.place.rglob("*") if one.is_file() and seeks.search(one.read_bytes())]

    assert kept() == []
    assert not seeks.search(caplog.text.encode())
    assert openai.SEEN[0]["asked"]["messages"][0]["content"] == f"hello {canary}"
    (desk.place / "planted").write_bytes(base64.b64encode(b"x" + canary.encode()))
    assert kept() == ["planted"]


def test_openais_own_client_is_answered_streamed_to_and_refused(desk: Desk) -> None:
    """As it was released, with its own ideas of what to try again."""

    def client(key: str) -> OpenAI:
        return OpenAI(base_url=f"{desk.client.base_url}{desk.url}/v1", api_key=key)

    mine, said = client(desk.key("13 tokens")), [{"role": "user", "content": "one two"}]
    whole = mine.chat.completions.create(model="smol", messages=said)  # type: ignore[arg-type]  # plain, as people write it
    assert (whole.choices[0].message.content, whole.usage and whole.usage.total_tokens) == ("two one", 5)
    parts = list(mine.chat.completions.create(model="smol", messages=said, stream=True))  # type: ignore[arg-type]
    assert "".join(one.choices[0].delta.content or "" for one in parts) == "two one "
    options = {"include_usage": True}
    *_, last = mine.chat.completions.create(model="smol", messages=said, stream=True, stream_options=options)  # type: ignore[call-overload]
    assert last.usage.total_tokens == 5
    asked = len(openai.SEEN)
    with pytest.raises(RateLimitError, match="is spent"):
        mine.chat.completions.create(model="smol", messages=said)  # type: ignore[arg-type]
    assert len(openai.SEEN) == asked
    with pytest.raises(AuthenticationError):
        client("fks_guess").models.list()
    with pytest.raises(APIError, match="ended before its answer did"):
        list(client(desk.key()).chat.completions.create(model="smol", messages=[{"role": "user", "content": "die"}], stream=True))  # fmt: skip

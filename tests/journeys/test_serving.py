"""A model served as people do it: an alias, a job, a key, a program that calls; a server that restarts; and nothing of it kept."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from tests.factories.waiting import until
from tests.journeys.test_canaries import Canaries, in_database, in_files
from tests.servers import openai
from tests.servers.factory import COMMAND, Running, clean_environment, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(300), pytest.mark.xdist_group("serving")]


@dataclass(frozen=True)
class Address:
    """A served model, and a key to it."""

    url: str
    key: str
    job: str

    def post(self, path: str, **body: object) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", headers={"Authorization": f"Bearer {self.key}"}, json=body, trust_env=False, timeout=60)  # fmt: skip

    def answers(self, path: str) -> bool:
        return httpx.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {self.key}"}, trust_env=False).is_success  # fmt: skip

    def answers_at_all(self) -> bool:
        """Whether a model is there yet: one token is asked for."""
        return self.post("/completions", model=self.url.split("/")[-2], prompt="a", max_tokens=1).status_code != 503

    def says(self, words: str, **more: object) -> httpx.Response:
        return self.post("/chat/completions", model="chat", messages=[{"role": "user", "content": words}], **more)


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    place = tmp_path_factory.mktemp("serving")
    (place / "tmp").mkdir()
    with quickstarted(place / "home", TMPDIR=str(place / "tmp")) as running:
        yield running
        stop_all(running)


def register(factory: Running, name: str, files: dict[str, bytes]) -> None:
    """A version of these files, by MLflow's interface; the alias champion names it."""
    token, base = factory.environment()["FABRIEK_TOKEN"], f"{factory.url}/lab/playground/api/2.0"
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=120) as lab:
        run = lab.post(f"{base}/mlflow/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"]
        made = lab.post(f"{base}/mlflow/logged-models", json={"experiment_id": "0", "name": "m", "source_run_id": run})
        model = made.json()["model"]["info"]["model_id"]
        for path, content in files.items():
            lab.put(f"{base}/mlflow-artifacts/artifacts/0/models/{model}/artifacts/{path}", content=content)
        lab.post(f"{base}/mlflow/registered-models/create", json={"name": name})
        told = {"name": name, "source": f"models:/{model}", "run_id": run, "model_id": model}
        version = lab.post(f"{base}/mlflow/model-versions/create", json=told)
        told = {"name": name, "alias": "champion", "version": version.json()["model_version"]["version"]}
        assert lab.post(f"{base}/mlflow/registered-models/alias", json=told).is_success


def stop_all(factory: Running) -> None:
    """Jobs outlive their factory: one that serves would be there for hours."""
    for one in json.loads(factory.run("model", "served", "--json").stdout):
        factory.run("model", "stop", one["name"])

    def gone() -> bool:
        served = json.loads(factory.run("model", "served", "--json").stdout)
        return all(one["state"] not in {"queued", "admitted", "starting", "running"} for one in served)

    until(gone, seconds_max=60)


def serve(factory: Running, *words: str, budget: str = "1M tokens") -> Address:
    begun = factory.run("model", "serve", "--json", *words)
    assert begun.returncode == 0, begun.stderr
    told = json.loads(begun.stdout)
    made = factory.run("model", "key", "create", told["name"], "--budget", budget, "--days", "90")
    assert made.returncode == 0, made.stderr
    return Address(told["endpoint"], made.stdout.strip(), told["job"])


@pytest.fixture(scope="module")
def chat(factory: Running, tmp_path_factory: pytest.TempPathFactory) -> Address:
    """A server that prints what it is asked, as those of models do."""
    code = tmp_path_factory.mktemp("code")
    shutil.copyfile(openai.__file__, code / "serve.py")
    register(factory, "chat", {"model.gguf": b"weights", "deep/er/config.json": b"{}"})
    words = ("chat@champion", "--kind", "openai", "--code", str(code), "--memory", "512MiB")
    address = serve(factory, *words, "--", "python", "serve.py", "{port}")
    assert until(lambda: address.says("ready").is_success)
    return address


def test_a_model_is_served_called_counted_and_stopped_by_the_command_line(factory: Running, chat: Address) -> None:
    assert chat.says("one two three").json()["choices"][0]["message"]["content"] == "three two one"
    streamed = chat.says("one two three", stream=True)
    assert streamed.text.endswith("data: [DONE]\n\n")
    (key,) = json.loads(factory.run("model", "key", "ls", "chat", "--json").stdout)
    assert (key["requests"], key["tokens_in"], key["tokens_out"]) == (3, 9, 7)
    (served,) = [one for one in json.loads(factory.run("model", "served", "--json").stdout) if one["name"] == "chat"]
    assert (served["model"], served["version"], served["state"], served["kind"]) == ("chat", 1, "running", "openai")
    assert json.loads(factory.run("job", "show", chat.job, "--json").stdout)["serves"] == "chat@1"
    again = factory.run("model", "serve", "chat@champion")
    assert (again.returncode, "served already" in again.stderr) == (6, True)


def test_what_is_asked_is_kept_nowhere(factory: Running, chat: Address) -> None:
    """The server of the model prints it, and it stands in no log: neither the job's nor ours."""
    canaries = Canaries()
    word = canaries.new("prompt")
    for words in (f"hello {word}", f"die {word}", f"garbled {word}", f"no-json {word}", f"refuse {word}"):
        chat.says(words)
        chat.says(words, stream=True)
    assert word in chat.says(f"again {word}").text
    log = factory.run("job", "log", chat.job).stdout
    assert "the model answers" in log
    assert word not in log
    assert in_files(factory.home.parent, canaries.pattern()) == set()
    assert in_database(f"sqlite:///{factory.home}/fabriek.db", canaries.pattern()) == set()
    scratch = [file for file in Path("/dev/shm").glob("fabriek*") if in_files(file, canaries.pattern())]
    assert scratch == []


def test_the_address_answers_again_when_the_server_has_restarted(factory: Running, chat: Address) -> None:
    os.kill(int(factory.variables["pid"]), signal.SIGKILL)
    port = factory.url.rpartition(":")[2]
    argv = [*COMMAND, "up", "--quickstart", "--home", str(factory.home), "--port", port, "--detach", "--json"]
    env = clean_environment(factory.home) | {"TMPDIR": str(factory.home.parent / "tmp")}
    again = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert again.returncode == 0, again.stderr
    assert chat.says("after all").json()["choices"][0]["message"]["content"] == "all after"
    # Last, since the job ends: what is said then, and that a wrong key is told nothing of it.
    factory.run("model", "stop", "chat")
    assert until(lambda: chat.says("x").status_code == 503 and "fabriek model serve" in chat.says("x").text)
    assert replace(chat, key="fks_other").says("x").status_code == 401

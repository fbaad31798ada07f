"""A model's way, as people and their customer meet it: a job trains and registers it, a second person promotes it, and its passport is
verified where no factory is.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.factories.waiting import until
from tests.servers.factory import COMMAND, Running, clean_environment, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(400), pytest.mark.xdist_group("models")]

TRAIN = """
import json, os, pathlib, struct, mlflow
from mlflow import MlflowClient

rows = open(os.path.join(os.environ["FABRIEK_DATA_NUMBERS"], "numbers.csv")).read().split(",")
header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
folder = pathlib.Path("/tmp/model")
folder.mkdir()
(folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<f", float(rows[0])))
(folder / "README.md").write_text("---\\nlicense: eupl-1.2\\ndatasets: [a-better-one]\\n---\\n# Numbers\\n")
with mlflow.start_run() as run:
    mlflow.log_metric("accuracy", 0.97)
    client = MlflowClient()
    model = client.create_logged_model(run.info.experiment_id, name="model", source_run_id=run.info.run_id)
    client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, "READY")
    client.create_registered_model("numbers")
    client.create_model_version("numbers", f"models:/{model.model_id}", run.info.run_id, model_id=model.model_id)
print("registered", flush=True)
"""


@dataclass(frozen=True)
class Pair:
    """A factory with who started it, and a colleague who signed in from a home of their own."""

    factory: Running
    room: Path

    def said(self, *arguments: str, code: int = 0) -> str:
        done = self.factory.run(*arguments, cwd=self.room)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def colleague(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = clean_environment(self.room / "colleague" / "home")
        argv = [*COMMAND, *arguments]
        return subprocess.run(
            argv, env=environment, cwd=self.room, capture_output=True, text=True, check=False, timeout=60
        )


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    room = tmp_path_factory.mktemp("models")
    for folder in ("colleague", "data", "code"):
        (room / folder).mkdir()
    (room / "data" / "numbers.csv").write_text("1,2,3")
    (room / "code" / "train.py").write_text(TRAIN)
    with quickstarted(room / "home") as running:
        found = Pair(running, room)
        invited = json.loads(found.said("org", "invite", "quickstart", "--name", "Henk", "--email", "henk@example.org", "--json"))  # fmt: skip
        link = ("login", "--url", running.url, "--link", invited["link"], "--project", "playground")
        assert found.colleague(*link).returncode == 0
        found.said("project", "add", "henk@example.org")
        found.said("data", "push", "data", "numbers")
        trained = running.run("run", "--data", "numbers:/data", "--", "python", "train.py", cwd=room / "code")
        assert trained.returncode == 0, trained.stdout + trained.stderr
        yield found


def test_a_model_goes_from_a_job_to_a_customer(pair: Pair) -> None:
    told = pair.said("model", "show", "numbers")
    assert "numbers@1" in told
    assert "data        numbers@1  internal" in told
    assert "a-better-one" not in told
    assert "licence     EUPL-1.2" in told
    assert "metric      accuracy 0.97" in told
    pair.said("model", "rule", "champion", "--metric", "accuracy>=0.99")
    assert "accuracy>=0.99: 0.97" in pair.said("model", "promote", "numbers@1", "champion", "--reason", "x", code=5)
    pair.said("model", "rule", "champion", "--metric", "accuracy>=0.95")
    made = json.loads(pair.said("model", "promote", "numbers@1", "champion", "--reason", "the first", "--json"))
    assert "promotion.second_person" in pair.said("model", "agree", made["id"], code=5)
    agreed = pair.colleague("model", "agree", made["id"])
    assert agreed.returncode == 0, agreed.stderr
    assert "numbers@champion is version 1 now" in agreed.stdout
    assert "champion" in pair.said("model", "ls")

    # Its job is settled a moment after it ended.
    until(lambda: pair.factory.run("passport", "numbers@champion", cwd=pair.room).returncode == 0)
    key = pair.said("passport", "key").strip()
    page = (pair.room / "passport-numbers-1.html").read_text()
    assert "proposed by You" in page
    assert "agreed to by Henk" in page
    verified = verify_alone(pair.room, key)
    assert verified.returncode == 0, verified.stderr
    assert "numbers@1 holds: urn:fabriek:installation:" in verified.stdout

    begin = page.index('{"passport"') + 200
    changed = page[:begin] + ("A" if page[begin] != "A" else "B") + page[begin + 1 :]
    for other in (changed, page.replace("0.97", "0.99"), page.replace("Henk", "Hans")):
        assert other != page
        (pair.room / "passport-numbers-1.html").write_text(other)
        refused = verify_alone(pair.room, key)
        assert refused.returncode == 10, refused.stdout


def verify_alone(room: Path, key: str) -> "subprocess.CompletedProcess[str]":
    """As a customer does: on a machine that knows of no factory."""
    argv = [*COMMAND, "passport", "verify", "passport-numbers-1.html", "--key", key]
    environment = clean_environment(room / "customer" / "home")
    return subprocess.run(argv, env=environment, cwd=room, capture_output=True, text=True, check=False, timeout=60)


def test_a_card_and_a_licence_are_written_on_the_command_line(pair: Pair) -> None:
    (pair.room / "card.md").write_text("---\nlicense: mit\n---\n# Mine\n")
    assert "licence: MIT" in pair.said("model", "card", "numbers", "--write", "card.md")
    assert "# Mine" in pair.said("model", "card", "numbers@1")
    assert "licence: house rules" in pair.said("model", "card", "numbers", "--licence", "other", "--licence-name", "house rules")  # fmt: skip
    assert "not a licence of SPDX" in pair.said("model", "card", "numbers", "--licence", "nonsense", code=2)
    assert "does not name a model" in pair.said("model", "show", "a:b", code=2)
    assert "lead" in pair.said("model", "promote", "numbers", "production", "--reason", "x", code=3)
    assert "not the key of an installation" in pair.said("passport", "verify", "card.md", "--key", "x", code=2)

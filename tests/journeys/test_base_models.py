"""Base models as people meet them: pushed by command, read by the Hub's own client in a real job that has no network."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.sdk.facade import Fabriek
from tests.factories.base_models import a_model
from tests.factories.waiting import until
from tests.servers.factory import Running, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(400)]

READ = """
import os, sys
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import RepositoryNotFoundError
folder = snapshot_download("acme/tiny")
for path in sorted(os.listdir(folder)):
    print(path, os.path.getsize(os.path.join(folder, path)))
print("models", [one.id for one in HfApi().list_models()])
print("again", snapshot_download("acme/tiny", local_files_only=True) == folder)
try:
    hf_hub_download("gpt2", "config.json")
except RepositoryNotFoundError:
    print("gpt2 is not here")
open("/output/tuned.txt", "w").write("tuned")
print("size", os.path.getsize(hf_hub_download("acme/tiny", "model.safetensors", revision=os.path.basename(folder))))
"""


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("models") / "home"
    with quickstarted(home) as running:
        yield running


def test_a_model_is_pushed_and_a_job_reads_it_without_network(factory: Running, tmp_path: Path) -> None:
    folder = a_model(tmp_path / "tiny")
    pushed = factory.run("model", "push", str(folder), "acme/tiny")
    assert pushed.returncode == 0, pushed.stderr
    assert "licence apache-2.0, labelled internal" in pushed.stdout
    assert f"HF_ENDPOINT={factory.url}/hub/playground" in pushed.stdout
    again = json.loads(factory.run("model", "push", str(folder), "acme/tiny", "--json").stdout)
    assert (again["new"], again["files"]) == (False, 4)
    assert "acme/tiny  apache-2.0  internal" in factory.run("model", "bases").stdout

    (tmp_path / "read.py").write_text(READ)
    done = factory.run("run", "--", "python", "read.py", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    size = (folder / "model.safetensors").stat().st_size
    for line in (f"model.safetensors {size}", "models ['acme/tiny']", "again True", "gpt2 is not here", f"size {size}"):
        assert line in done.stdout
    (job,) = json.loads(factory.run("job", "ls", "--json").stdout)
    assert job["label"] == "internal"

    with Fabriek(factory.url, factory.variables["FABRIEK_TOKEN"], "playground") as client:
        until(lambda: bool(client.lab.runs()[0].ended_at))  # settled: its statement was signed before
        statement = client.assurance.verified(job["id"])
    (result,) = statement["subject"]
    assert result["annotations"] == {"label": "internal"}
    used = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    (base,) = [one for one in used if one["name"].startswith("base-model:")]
    assert base["name"] == f"base-model:acme/tiny@{again['commit']}"
    assert base["annotations"] == {"label": "internal", "licence": "apache-2.0"}


def test_a_push_that_is_refused_says_what_would_help(factory: Running, tmp_path: Path) -> None:
    bare = a_model(tmp_path / "bare", card="# No licence\n")
    refused = factory.run("model", "push", str(bare), "bare")
    assert refused.returncode == 2
    assert "under which licence" in refused.stderr
    assert "--licence NAME" in refused.stderr
    (bare / "pytorch_model.bin").write_bytes(b"\x80\x02}.")
    refused = factory.run("model", "push", str(bare), "bare", "--licence", "mit")
    assert refused.returncode == 5
    assert "pytorch_model.bin: by its name it is unpickled" in refused.stderr
    assert "--allow-code" in refused.stderr
    taken = factory.run("model", "push", str(bare), "bare", "--licence", "mit", "--allow-code")
    assert taken.returncode == 0, taken.stderr
    assert "marked as code" in taken.stdout
    removed = factory.run("model", "remove", "bare")
    assert removed.returncode == 0, removed.stderr
    assert "bare " not in factory.run("model", "bases").stdout
    assert factory.run("model", "remove", "bare").returncode == 3

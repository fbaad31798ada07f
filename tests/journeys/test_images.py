"""An image from the vault to the statement: pushed, run in, and named by its hash wherever the result is accounted for."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.factories.images import a_root, a_sif, a_squashfs, why_no_images
from tests.factories.waiting import until
from tests.servers.factory import Running, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(300)]

TRAIN = """\
cat /etc/image > /output/model
wget -qO- --header "Authorization: Bearer $MLFLOW_TRACKING_TOKEN" "$MLFLOW_TRACKING_URI/api/2.0/mlflow/runs/get?run_id=$MLFLOW_RUN_ID"
"""


def test_a_job_runs_in_an_image_of_the_vault_or_of_the_operators_list(tmp_path: Path) -> None:
    if reason := why_no_jobs() or why_no_images():
        pytest.skip(reason)
    image = a_squashfs(a_root(tmp_path / "root"), tmp_path / "tiny.squashfs")
    (tmp_path / "images").mkdir()
    sif = tmp_path / "images/tiny.sif"
    sif.write_bytes(a_sif(image.read_bytes()))
    (tmp_path / "work").mkdir()
    (tmp_path / "work/train.sh").write_text(TRAIN)
    (tmp_path / "work/requirements.txt").write_text("numpy\n")  # an image's job needs none of it
    with quickstarted(tmp_path / "home", FABRIEK_JOB_IMAGES=f"tiny={image}") as factory:
        pushed = factory.run("data", "push", str(sif.parent), "images", "--label", "internal")
        assert pushed.returncode == 0, pushed.stderr
        done = factory.run("run", "--image", "images:tiny.sif", "--json", "--", "sh", "train.sh", cwd=tmp_path / "work")
        assert done.returncode == 0, done.stderr
        job = json.loads(done.stdout)
        assert (job["image"], job["label"], job["inputs"]) == ("images@1:tiny.sif", "internal", ["images@1"])
        assert f'"run_id":"{job["run"]}"' in done.stderr.replace('": "', '":"')
        statement = until(lambda: said_of(factory, job["id"]))
        used = {
            one["name"].partition(":")[0]: one
            for one in statement["predicate"]["buildDefinition"]["resolvedDependencies"]
        }
        assert used["environment"]["digest"] == {"sha256": hashlib.sha256(sif.read_bytes()).hexdigest()}
        assert used["input"]["annotations"] == {"label": "internal"}
        listed = factory.run("run", "--image", "tiny", "--json", "--", "cat", "/etc/image")
        assert "tiny" in listed.stderr, listed.stderr
        assert json.loads(listed.stdout)["environment_hash"] == hashlib.sha256(image.read_bytes()).hexdigest()
        missing = factory.run("run", "--image", "images:other.sif", "--", "true")
        assert (missing.returncode, "has no file 'other.sif'" in missing.stdout + missing.stderr) == (9, True)
        unlisted = factory.run("run", "--image", "jax", "--", "true")
        assert (unlisted.returncode, "one of tiny" in unlisted.stderr) == (3, True)


def said_of(factory: Running, job: str) -> dict[str, Any]:
    """The statement of what the job left; empty until it is settled."""
    path = f"{factory.url}/api/v1/projects/playground/jobs/{job}/statement"
    answer = httpx.get(path, headers={"Authorization": f"Bearer {factory.variables['FABRIEK_TOKEN']}"}, timeout=30)
    if answer.status_code != 200:
        return {}
    return dict(json.loads(base64.b64decode(json.loads(answer.json()["envelope"])["payload"])))

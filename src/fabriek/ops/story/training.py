"""Steps 4 to 6: a model is trained on data nobody may take away, its origin is signed, and both get a card."""

import shutil
from importlib.resources import as_file, files
from typing import Any

from fabriek.kernel.errors import NotFound
from fabriek.ops.story.opening import DATASET
from fabriek.ops.story.stage import Stage

MODEL = "biopsy-classifier"
SETTLE_SECONDS_MAX = 30


def training(stage: Stage) -> str:
    """The start-up's script, unchanged, with MLflow's own client, in the sandbox; its output streams here."""
    code = stage.home.parent / "code"
    with as_file(files("fabriek.ops").joinpath("examples", "biopsies")) as example:
        shutil.copytree(example, code, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    asked = (
        "run",
        "--name",
        "train",
        "--memory",
        "3GiB",
        "--time",
        "10m",
        "--data",
        f"{DATASET}@1:/data",
        "--",
        "python",
        "train.py",
    )
    done = stage.command("startup", *asked, cwd=code, show=True)
    assert done.returncode == 0, done.stdout
    startup = stage.people["startup"]
    job = next(one for one in startup.jobs.list().items if one.name == "train")
    stage.results["job"] = job.id
    curve = startup.lab.metric(job.run, "test_auc")
    walls = "no network but its own run" if stage.sandboxed else "without walls"
    if not stage.sandboxed:
        stage.left_out.append(
            "the sandbox, and so data labelled special-category, no network, and inputs that cannot be written"
        )
    return f"{len(curve)} points of the curve, {job.label} in and out, {walls}; at the end {curve[-1].value:.4f}"


def origin(stage: Stage) -> str:
    """The result is a model version with its inputs' label; what was used is settled; the statement's signature is checked here."""
    startup = stage.people["startup"]
    statement = _statement(stage)
    (model,) = [one for one in startup.lab.models() if one.name == MODEL]
    job = startup.jobs.show(stage.results["job"])
    made = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
    assert made[f"model:{MODEL}@{model.version}"] == model.sha256
    used = {
        one["name"].partition(":")[0]: one["digest"]["sha256"]
        for one in statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    }
    assert used["input"] == stage.results["content"]
    assert used["environment"] == job.environment_hash
    named = ", ".join(sorted(used))
    return f"{MODEL}@{model.version} labelled {model.label}; {job.used} settled of {job.held} held; the signed statement names {named}"


def _statement(stage: Stage) -> dict[str, Any]:
    give_up = stage.clock.monotonic() + SETTLE_SECONDS_MAX
    while True:
        try:
            return stage.people["startup"].assurance.verified(stage.results["job"])
        except NotFound:
            # A job has its statement once the worker has settled it, which follows its end within a moment.
            if stage.clock.monotonic() > give_up:
                raise
            stage.clock.sleep(0.1)


def cards(stage: Stage) -> str:
    """The university finds the data and the model, sees terms and no content, and asks."""
    hospital, startup, university = (stage.people[role] for role in ("hospital", "startup", "university"))
    hospital.catalogue.publish(
        "dataset", DATASET, title="Biopsy measurements", summary="569 breast biopsies: thirty measurements of cell nuclei, and the diagnosis.",
        licence="CC BY 4.0", terms="Civilian research with an agreement; compute only.", keywords=["breast", "biopsy", "cancer"],
    )  # fmt: skip
    startup.catalogue.publish(
        "model", MODEL, title="Biopsy classifier", summary="Tells malignant from benign biopsies by their measurements.",
        terms="Weights stay in the factory.", keywords=["biopsy", "classifier"],
    )  # fmt: skip
    # The factory's own recipes speak of biopsies too.
    found = [one for one in university.catalogue.search("biopsy").items if one.kind in ("dataset", "model")]
    assert {one.kind for one in found} == {"dataset", "model"}
    card = next(one for one in found if one.kind == "dataset")
    request = university.catalogue.request(card.id, "A course on diagnosis from measurements.")
    waiting = hospital.vault.requests(DATASET)
    assert [one.id for one in waiting] == [request]
    return f"the university finds {len(found)} cards, reads the terms ({card.terms}), and has asked the hospital"

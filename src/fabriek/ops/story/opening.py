"""Steps 1 to 3: people get in, an application becomes a project, a hospital brings its data."""

import csv
from datetime import timedelta
from pathlib import Path

from fabriek.ops.story.stage import Stage
from fabriek.sdk import Fabriek

ORGANISATIONS = (
    ("hospital", "Ziekenhuis Noord", "hospital", "Hanna de Vries", ()),
    ("startup", "Weefsel AI", "startup", "Sam Okafor", ()),
    ("university", "Universiteit Groningen", "university", "Ulla Jansen", ("expert",)),
    ("funder", "EuroHPC", "funder", "Femke Bos", ("funder",)),
)

DATASET = "biopsies"


def people(stage: Stage) -> str:
    """Four bodies with a person each. Nobody has a password; each signs in once with a link."""
    announced = stage.up(stage.home)
    stage.url = announced["FABRIEK_URL"]
    first = Fabriek(stage.url).access.bootstrap(
        announced["bootstrap"],
        organisation={"name": "AI Factory Groningen", "kind": "operator"},
        name="Olga Mulder",
        email="olga@factory.example",
    )
    operator = stage.people["operator"] = Fabriek(stage.url, first.token)
    for role, name, kind, person, roles in ORGANISATIONS:
        body = operator.access.create_organisation(name, kind, slug=role)
        invited = operator.access.invite(body.slug, person, f"{person.split()[0].lower()}@{role}.example", roles)
        stage.people[role] = Fabriek(stage.url, Fabriek(stage.url).access.sign_in(invited.sign_in).token)
    stage.results["operator"] = first.person.id
    return "a hospital, a start-up, a university and a funder, each with a person who signed in by a one-time link"


def application(stage: Stage) -> str:
    """Europe and the nation pay; the start-up applies; the short route checks, awards, and the ledger balances."""
    stage.people["operator"].funding.contribute(
        "funder", "eu", 71_000_000, {"gpu_hour": 50_000, "cpu_hour": 200_000, "expert_hour": 200}, name="europe"
    )
    stage.people["operator"].funding.contribute(
        "ai-factory-groningen",
        "national",
        130_000_000,
        {"gpu_hour": 90_000, "cpu_hour": 400_000, "expert_hour": 300},
        name="nation",
    )
    answers = {
        "title": "Biopsy triage", "summary": "Helps a pathologist look at the most urgent biopsies first.", "purpose": "civilian",
        "gpu_hours": 500, "months": "3", "data": "Measurements of biopsies, held by the hospital.", "label_ceiling": "special-category",
        "partners": ["hospital"],
    }  # fmt: skip
    filed = stage.people["startup"].access.file_application("playground", answers)
    submitted = stage.people["startup"].access.submit_application(filed.id)
    assert submitted.state == "awarded", submitted
    stage.project = submitted.project
    for role in ("startup", "hospital"):
        stage.people[role].client.project = submitted.project
    table = stage.people["funder"].funding.table()
    assert table.balanced
    passed = ", ".join(check.name for check in submitted.checks if check.passed)
    return f"{len(answers)} answers, checks passed ({passed}), project {submitted.project} awarded from a share; the ledger sums to zero"


def dataset(stage: Stage) -> str:
    """569 real biopsies, sealed at the hospital's own edge, usable by this project for this purpose until a day."""
    folder = stage.home.parent / "measurements"
    rows = write_measurements(folder)
    label = "special-category" if stage.sandboxed else "open"
    hospital = stage.people["hospital"]
    pushed = hospital.vault.push(folder, DATASET, label=label)
    until = stage.clock.today() + timedelta(days=92)
    hospital.vault.agree(DATASET, project=stage.project, purposes=["civilian"], until=until)
    stage.results["content"] = pushed.version.content_hash
    return f"{rows} biopsies as {DATASET}@{pushed.version.number}, labelled {label}, for civilian use in this project until {until}"


def write_measurements(folder: Path) -> int:
    """The Wisconsin diagnostic breast-cancer measurements that ship inside scikit-learn, as a CSV; how many rows."""
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415  # two seconds, and only the demo needs it

    bunch = load_breast_cancer()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "measurements.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow([*(name.replace(" ", "_") for name in bunch.feature_names), "diagnosis"])
        for values, target in zip(bunch.data, bunch.target, strict=True):
            writer.writerow([*(repr(float(value)) for value in values), bunch.target_names[target]])
    (folder / "SOURCE.txt").write_text(
        "Breast Cancer Wisconsin (Diagnostic), UCI, as shipped in scikit-learn. CC BY 4.0.\n", "utf-8"
    )
    return len(bunch.target)

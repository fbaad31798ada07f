"""A statement of origin: which code made what, out of which data, in which environment. An in-toto Statement with SLSA provenance."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fabriek.vault.references import Reference

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:fabriek:job:v1"


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What is known of a job that succeeded. `models`: (name, version, sha256, label) of what it registered. `reached`: hosts of the
    network, and how often. `base_models`: (name, commit, sha256, licence, label) of those that it read. `served`: (name@version, sha256,
    label) of the model that it served.
    """

    job: str
    project: str
    run: str
    argv: tuple[str, ...]
    environment_hash: str
    code: Reference | None
    inputs: tuple[Reference, ...]
    outputs: tuple[Reference, ...]
    models: tuple[tuple[str, int, str, str], ...]
    params: tuple[tuple[str, str], ...]
    label: str
    started_at: datetime | None
    ended_at: datetime | None
    reached: tuple[tuple[str, int], ...] = ()
    base_models: tuple[tuple[str, str, str, str, str], ...] = ()
    served: tuple[str, str, str] | None = None


def has_subject(facts: JobFacts) -> bool:
    """Whether the job left anything that a statement could be about."""
    return bool(facts.models or facts.outputs)


def statement(facts: JobFacts, builder: str) -> dict[str, Any]:
    """The statement as in-toto writes it. builder: the id of the installation."""
    subjects = [
        {"name": f"model:{name}@{number}", "digest": {"sha256": sha256}, "annotations": {"label": label}}
        for name, number, sha256, label in facts.models
    ]
    subjects += [
        {
            "name": f"dataset:{one.dataset}@{one.number}",
            "digest": {"sha256": one.content_hash},
            "annotations": {"label": one.label},
        }
        for one in facts.outputs
    ]
    used = [_dependency("input", one) for one in facts.inputs] + (
        [_dependency("code", facts.code)] if facts.code else []
    )
    used += [
        {
            "name": f"base-model:{name}@{commit}",
            "digest": {"sha256": sha256},
            "annotations": {"label": label, "licence": licence},
        }
        for name, commit, sha256, licence, label in facts.base_models
    ]
    if facts.served:
        name, sha256, label = facts.served
        used.append({"name": f"model:{name}", "digest": {"sha256": sha256}, "annotations": {"label": label}})
    used.append({"name": "environment", "digest": {"sha256": facts.environment_hash}})
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"command": list(facts.argv), "params": dict(facts.params)},
                "internalParameters": {"project": facts.project, "label": facts.label, "run": facts.run}
                | ({"reached": dict(facts.reached)} if facts.reached else {}),
                "resolvedDependencies": used,
            },
            "runDetails": {
                "builder": {"id": f"urn:fabriek:installation:{builder}"},
                "metadata": {
                    "invocationId": facts.job,
                    "startedOn": _instant(facts.started_at),
                    "finishedOn": _instant(facts.ended_at),
                },
            },
        },
    }


def _dependency(role: str, one: Reference) -> dict[str, Any]:
    return {
        "name": f"{role}:{one.dataset}@{one.number}",
        "uri": f"urn:fabriek:version:{one.version}",
        "digest": {"sha256": one.content_hash},
        "annotations": {"label": one.label},
    }


def _instant(at: datetime | None) -> str:
    return at.isoformat() if at else ""

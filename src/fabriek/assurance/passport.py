"""A passport: all that one can answer for of a model version, in one statement that is signed as a whole."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fabriek.assurance.statements import STATEMENT_TYPE
from fabriek.compute.jobs import Job
from fabriek.funding.resources import Resource
from fabriek.kernel.units import JOULES_PER_KWH, shown
from fabriek.lab.registry.facts import BaseRead, ModelFacts
from fabriek.lab.registry.promotion import Promotion
from fabriek.lab.registry.signatures import Column
from fabriek.vault.agreeing.agreements import Agreement
from fabriek.vault.references import Reference

PASSPORT_TYPE = "urn:fabriek:passport:v1"
ENERGY_FROM = "worked out from the time it ran, what it was given, and the machine's table of power"


@dataclass(frozen=True, slots=True)
class Who:
    """A person as a passport names them."""

    name: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Source:
    """A version of data that the model's job was given. `agreement`: under which; None where its project needed none."""

    reference: Reference
    agreement: Agreement | None


@dataclass(frozen=True, slots=True)
class Made:
    """The job that made it. `origin`: the hash of the payload of its own signed statement; `names_model`: whether that names this version."""

    job: Job
    sources: tuple[Source, ...]
    base_models: tuple[BaseRead, ...]
    code: Reference | None
    share: str
    funder: str
    origin: str
    names_model: bool


@dataclass(frozen=True, slots=True)
class Promoted:
    promotion: Promotion
    proposed_by: Who
    agreed_by: Who
    stands: bool


@dataclass(frozen=True, slots=True)
class Passport:
    """`made`: None for a model that no job of this installation made."""

    facts: ModelFacts
    project: str
    made: Made | None
    registered_by: tuple[Who, ...]
    promoted: tuple[Promoted, ...]
    issued_at: datetime
    installation: str
    key: str


def predicate(passport: Passport) -> dict[str, Any]:
    """What is signed beside the subject, and what the page shows: the same, so that neither says more than the other."""
    facts, version = passport.facts, passport.facts.version
    licence = facts.card.licence if facts.card else None
    return {
        "issuer": {"id": f"urn:fabriek:installation:{passport.installation}", "key": passport.key},
        "issuedOn": _instant(passport.issued_at),
        "model": {
            "name": version.name,
            "version": version.number,
            "project": passport.project,
            "sha256": version.sha256,
            "registeredOn": _instant(version.created_at),
            "registeredBy": [_who(one) for one in passport.registered_by],
            "label": version.label,
            "aliases": list(facts.aliases),
            "licence": {"spdx": licence.spdx, "name": licence.name, "link": licence.link} if licence else None,
            "signature": {
                "inputs": _columns(facts.signature.inputs),
                "outputs": _columns(facts.signature.outputs),
                "params": _columns(facts.signature.params),
            }
            if facts.signature
            else None,
        },
        "files": {
            "mark": str(facts.mark),
            "formats": [{"name": one.name, "mark": str(one.mark), "why": one.why} for one in facts.formats],
            "list": [
                {"path": one.path, "bytes": one.size, "sha256": one.sha256, "format": one.format.name, "mark": str(one.format.mark)}
                for one in facts.files
            ],
        },
        "metrics": {"withheld": facts.withheld, "values": {one.key: _number(one.value) for one in facts.metrics}},
        "made": _made(passport.made) if passport.made else None,
        "promotions": [_promoted(one) for one in passport.promoted],
    }  # fmt: skip


def statement(passport: Passport, said: dict[str, Any], page_sha256: str) -> dict[str, Any]:
    """The statement as in-toto writes it. said: the predicate that the page was made of; page_sha256: of the page without the statement."""
    version = passport.facts.version
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {
                "name": f"model:{version.name}@{version.number}",
                "digest": {"sha256": version.sha256},
                "annotations": {"label": version.label},
            }
        ],
        "predicateType": PASSPORT_TYPE,
        "predicate": said | {"page": {"sha256": page_sha256}},
    }


def agreement_of(found: list[Agreement], job: Job, on: date) -> Agreement | None:
    """The newest that let the job's project use the data for its purpose on the day it was submitted."""
    fits = [
        one
        for one in found
        if one.project == job.project and str(job.purpose) in one.purposes and one.until >= on
        and one.signed_at <= job.submitted_at and (one.ended_at is None or one.ended_at > job.submitted_at)
    ]  # fmt: skip
    return max(fits, key=lambda one: one.signed_at, default=None)


def _made(made: Made) -> dict[str, Any]:
    job = made.job
    gpu_hours = job.shape.gpus_milli_in_all / 1000 * job.ran_seconds / 3600
    return {
        "job": job.id,
        "command": list(job.argv),
        "purpose": str(job.purpose),
        "startedOn": _instant(job.started_at),
        "finishedOn": _instant(job.ended_at),
        "statement": {"sha256": made.origin, "namesModel": made.names_model} if made.origin else None,
        "data": [_source(one) for one in made.sources],
        "baseModels": [
            {"name": one.name, "commit": one.commit, "sha256": one.sha256, "licence": one.licence, "label": one.label}
            for one in made.base_models
        ],
        "code": {"uri": f"urn:fabriek:version:{made.code.version}", "sha256": made.code.content_hash} if made.code else None,
        "environment": {"sha256": job.environment_hash},
        "use": {
            "hours": _rounded(job.ran_seconds / 3600),
            "gpuHours": _rounded(gpu_hours),
            "cpuHours": _rounded(job.shape.cpus_in_all * job.ran_seconds / 3600),
            "energyKwh": _rounded(job.energy_joules / JOULES_PER_KWH),
            "energyFrom": ENERGY_FROM,
            "co2Grams": _rounded(job.co2_grams),
        },
        "paid": {
            "share": made.share,
            "funder": made.funder,
            "amount": shown(job.used_micro),
            "resource": Resource(job.resource).plural,
        }
        if job.resource
        else None,
    }  # fmt: skip


def _source(one: Source) -> dict[str, Any]:
    held, agreed = one.reference, one.agreement
    return {
        "name": held.name,
        "version": held.number,
        "uri": f"urn:fabriek:version:{held.version}",
        "sha256": held.content_hash,
        "label": held.label,
        "agreement": {
            "id": agreed.id,
            "right": agreed.right.value,
            "purposes": sorted(agreed.purposes),
            "signedOn": _instant(agreed.signed_at),
            "until": agreed.until.isoformat(),
        }
        if agreed
        else None,
    }


def _promoted(one: Promoted) -> dict[str, Any]:
    said = one.promotion
    return {
        "alias": said.alias,
        "stands": one.stands,
        "proposedBy": _who(one.proposed_by),
        "agreedBy": _who(one.agreed_by),
        "on": _instant(said.decided_at),
        "reason": said.reason,
        "checks": [{"asked": each.asked, "found": each.found} for each in said.checks],
    }


def _who(one: Who) -> dict[str, str]:
    return {"name": one.name, "organisation": one.organisation}


def _columns(columns: tuple[Column, ...]) -> list[dict[str, Any]]:
    return [{"name": one.name, "kind": one.kind, "required": one.is_required} for one in columns]


def _instant(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


def _number(value: float) -> float | str:
    """JSON has no NaN and no infinity."""
    return value if math.isfinite(value) else str(value)


def _rounded(value: float) -> float:
    """To six digits that say something: more was never measured."""
    return float(f"{value:.6g}")

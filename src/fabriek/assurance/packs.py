"""Statements about jobs that ran elsewhere: what was packed, which we saw, and what came back, which we did not see being made."""

from typing import Any

from fabriek.assurance.statements import STATEMENT_TYPE
from fabriek.compute.packs.packs import Pack, PackedInput
from fabriek.vault.references import Reference

PACK_TYPE = "urn:fabriek:pack:v1"
RETURN_TYPE = "urn:fabriek:pack-return:v1"
NOT_OBSERVED = "ran elsewhere: site as claimed, not observed"


def pack_key(pack: Pack) -> str:
    """Under which the pack's own statement is kept; the one of its results is kept under the pack's id."""
    return f"{pack.id}:pack"


def pack_statement(pack: Pack, builder: str) -> dict[str, Any]:
    """Binds the folder, by the hash of its list of hashes, to the pack, its purpose, and what it is to read and run."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "CHECKSUMS", "digest": {"sha256": pack.checksums}}],
        "predicateType": PACK_TYPE,
        "predicate": {
            "packer": _installation(builder),
            "packedOn": pack.packed_at.isoformat(),
            **_asked(pack),
            "dataIncluded": not pack.stays and bool(pack.inputs),
        },
    }


def return_statement(pack: Pack, output: Reference, builder: str) -> dict[str, Any]:
    """What came back, what it is said to come from, and that nobody of ours saw it run."""
    assert pack.returned is not None, f"{pack.id} has not come back"
    back = pack.returned
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {
                "name": f"dataset:{output.dataset}@{output.number}",
                "digest": {"sha256": output.content_hash},
                "annotations": {"label": output.label},
            }
        ],
        "predicateType": RETURN_TYPE,
        "predicate": {
            "observed": False,
            "how": NOT_OBSERVED,
            "site": back.site,
            "exitCode": back.exit_code,
            "results": {"sha256": back.results},
            "folder": {"sha256": pack.checksums},
            "receiver": _installation(builder),
            "receivedOn": back.at.isoformat(),
            **_asked(pack),
        },
    }


def _asked(pack: Pack) -> dict[str, Any]:
    return {
        "pack": pack.id,
        "job": pack.job,
        "project": pack.project,
        "purpose": str(pack.purpose),
        "label": pack.label,
        "command": list(pack.argv),
        "inputs": [_input(one) for one in pack.inputs],
        "code": {"uri": f"urn:fabriek:version:{pack.code}", "digest": {"sha256": pack.code_hash}}
        if pack.code
        else None,
    }


def _input(one: PackedInput) -> dict[str, Any]:
    return {
        "name": f"input:{one.dataset}@{one.version}",
        "uri": f"urn:fabriek:version:{one.version_id}",
        "digest": {"sha256": one.content_hash},
        "annotations": {"label": one.label},
    }


def _installation(builder: str) -> dict[str, str]:
    return {"id": f"urn:fabriek:installation:{builder}"}

"""A crypto-erasure: all wrapping keys of a dataset destroyed, and the certificate that says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fabriek.kernel.errors import InvalidInput, WrongState
from fabriek.vault.datasets import Dataset
from fabriek.vault.keeping.epochs import Epoch
from fabriek.vault.versions import Version

CONFIRMED_WITHIN = timedelta(hours=24)

PAYLOAD_TYPE = "application/vnd.fabriek.erasure+json"
FORM = "fabriek-erasure-certificate-1"
COVERS = (
    "The keys of every version are destroyed in this installation, and the sealed objects are removed after them. Not covered: what was taken "
    "away before, data that jobs derived from it, and backups from before, until the master key is rotated and every copy of the old one is gone."
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Asked for, then confirmed: then the keys are gone at `erased_at`, and the sealed objects at `swept_at`."""

    id: str
    dataset: str
    reason: str
    asked_by: str
    asked_at: datetime
    confirmed_by: str = ""
    erased_at: datetime | None = None
    certificate: str = ""
    swept_at: datetime | None = None


def check_confirmation(erasure: Erasure, dataset: Dataset, name: str, now: datetime) -> None:
    """Raises WrongState when it is done or too old, InvalidInput when another name was said."""
    if erasure.erased_at is not None or dataset.erased_at is not None:
        raise WrongState("this dataset is erased already", fix=f"fabriek data certificate {dataset.id}")
    if now >= erasure.asked_at + CONFIRMED_WITHIN:
        raise WrongState("this was asked for more than a day ago", fix="ask again: fabriek data erase NAME")
    if name != dataset.name:
        raise InvalidInput("that is not the name of the dataset", fix="say the name of what is to be erased")


def certificate(
    erasure: Erasure,
    dataset: Dataset,
    versions: Sequence[Version],
    epochs: Sequence[Epoch],
    installation: str,
    at: datetime,
) -> dict[str, Any]:
    """What is signed. People stand in it by id."""
    return {
        "form": FORM,
        "installation": installation,
        "erasure": erasure.id,
        "dataset": {"id": dataset.id, "name": dataset.name, "organisation": dataset.organisation},
        "versions": [
            {
                "id": one.id,
                "number": one.number,
                "content_hash": one.facts.content_hash,
                "manifest_sha256": one.facts.manifest_sha256,
            }
            for one in versions
        ],
        "keys_destroyed": [{"epoch": one.number, "home": one.home or "installation"} for one in epochs],
        "reason": erasure.reason,
        "asked_by": erasure.asked_by,
        "confirmed_by": erasure.confirmed_by,
        "erased_at": at.isoformat(),
        "covers": COVERS,
    }

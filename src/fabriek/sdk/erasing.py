"""Holds, dates and erasures of datasets, for the client; and certificates of erasure, checked without any server."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from fabriek.kernel.dsse import opened
from fabriek.kernel.errors import Damaged
from fabriek.kernel.invalid import checked
from fabriek.kernel.tlog.notes import parse_key
from fabriek.schemas.erasing import BecauseIn, CertificateOut, ErasureOut, HoldOut, RetentionIn
from fabriek.schemas.vault import DatasetOut
from fabriek.sdk.client import Client
from fabriek.sdk.places import place_of

FORM = "fabriek-erasure-certificate-1"


class Erasing:
    """How long data stays, and how it goes for ever."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def hold(self, reference: str, reason: str, *, project: str = "") -> HoldOut:
        """A legal hold. For security officers."""
        with checked("say why: --reason"):
            wanted = BecauseIn(reason=reason)
        return HoldOut.model_validate(
            self._client.post(f"{self._at(reference, project)}/holds", json=wanted.model_dump())
        )

    def unhold(self, reference: str, reason: str, *, project: str = "") -> HoldOut:
        """Lifts every hold on the dataset."""
        with checked("say why: --reason"):
            wanted = BecauseIn(reason=reason).model_dump()
        return HoldOut.model_validate(self._client.post(f"{self._at(reference, project)}/holds/lift", json=wanted))

    def holds(self, reference: str, *, project: str = "") -> Sequence[HoldOut]:
        return [HoldOut.model_validate(one) for one in self._client.get(f"{self._at(reference, project)}/holds")]

    def retain(
        self, reference: str, *, keep_until: date | None = None, erase_after: date | None = None, project: str = ""
    ) -> DatasetOut:
        """Sets both dates; None takes one away. Raises WrongState when the data was promised to be kept for longer."""
        wanted = RetentionIn(keep_until=keep_until, erase_after=erase_after).model_dump(mode="json")
        return DatasetOut.model_validate(self._client.put(f"{self._at(reference, project)}/retention", json=wanted))

    def ask(self, reference: str, reason: str, *, project: str = "") -> ErasureOut:
        """The first step: nothing happens yet. Raises WrongState on a hold, or before the day until which it is kept."""
        with checked("say why: --reason"):
            wanted = BecauseIn(reason=reason).model_dump()
        return ErasureOut.model_validate(self._client.post(f"{self._at(reference, project)}/erasures", json=wanted))

    def confirm(self, asked: ErasureOut, name: str, *, project: str = "") -> ErasureOut:
        """The second: all keys are destroyed, for ever. The certificate comes with the answer."""
        path = f"{self._at(asked.dataset, project)}/erasures/{asked.id}/confirm"
        return ErasureOut.model_validate(self._client.post(path, json={"name": name}))

    def certificate(self, reference: str, *, project: str = "") -> str:
        """The signed certificate. Raises NotFound where nothing was erased."""
        return CertificateOut.model_validate(self._client.get(f"{self._at(reference, project)}/certificate")).text

    def _at(self, reference: str, project: str) -> str:
        return place_of(self._client, reference, project).path


def read_certificate(text: str, key: str) -> dict[str, Any]:
    """What a certificate says, if the installation with this key signed it. `key` as `fabriek audit` shows it. Raises Damaged."""
    said = opened(text, parse_key(key).public)
    if not isinstance(said, dict) or said.get("form") != FORM:
        raise Damaged("this is no certificate of erasure", fix="fabriek data certificate NAME", where="certificate")
    return said

"""Holds, dates and erasures of a dataset, over HTTP."""

from fabriek.api.vault import dataset_out, said
from fabriek.schemas.erasing import BecauseIn, CertificateOut, ConfirmIn, ErasureOut, HoldOut, RetentionIn
from fabriek.schemas.vault import DatasetOut
from fabriek.vault.datasets import Dataset
from fabriek.vault.keeping.erasures import Erasure
from fabriek.vault.keeping.holds import Hold, Retention
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1/projects/{project}/datasets/{dataset}", tags=["vault"])


def hold_out(hold: Hold) -> HoldOut:
    return HoldOut(
        id=hold.id, reason=hold.reason, set_by=hold.set_by, set_at=hold.set_at, lifted_by=hold.lifted_by,
        lifted_at=hold.lifted_at, lifted_because=hold.lifted_because,
    )  # fmt: skip


def erasure_out(erasure: Erasure, dataset: Dataset, services: Services) -> ErasureOut:
    newest = services.vault.newest(dataset.id)
    return ErasureOut(
        id=erasure.id, dataset=dataset.id, name=dataset.name, versions=newest.number if newest else 0,
        asked_at=erasure.asked_at, erased_at=erasure.erased_at, certificate=erasure.certificate,
    )  # fmt: skip


@router.get("/holds", access=Right("data.view"))
def list_holds(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> list[HoldOut]:
    """The legal holds on a dataset, oldest first, lifted ones too."""
    return [hold_out(one) for one in factory.vault.erasing.holds_on(said(dataset), project=project, by=caller)]


@router.post("/holds", access=Right("data.hold"), status_code=201)
def hold(project: str, dataset: str, wanted: BecauseIn, caller: CallerDep, factory: FactoryDep) -> HoldOut:
    """Put a legal hold on a dataset: nothing of it is erased, removed or collected until it is lifted."""
    return hold_out(factory.vault.erasing.hold(said(dataset), wanted.reason, project=project, by=caller))


@router.post("/holds/lift", access=Right("data.hold"))
def unhold(project: str, dataset: str, wanted: BecauseIn, caller: CallerDep, factory: FactoryDep) -> HoldOut:
    """Lift every hold on the dataset; the last of them."""
    return hold_out(factory.vault.erasing.unhold(said(dataset), wanted.reason, project=project, by=caller)[-1])


@router.put("/retention", access=Right("data.manage"))
def retain(project: str, dataset: str, wanted: RetentionIn, caller: CallerDep, factory: FactoryDep) -> DatasetOut:
    """Set until when the data is kept, and after which day it is erased. The owner's decision."""
    dates = Retention(wanted.keep_until, wanted.erase_after)
    return dataset_out(factory.vault.erasing.retain(said(dataset), dates, project=project, by=caller), factory)


@router.post("/erasures", access=Right("data.manage"), status_code=201)
def ask_erasure(project: str, dataset: str, wanted: BecauseIn, caller: CallerDep, factory: FactoryDep) -> ErasureOut:
    """Ask for the erasure of a dataset. Nothing happens until it is confirmed. The owner's decision."""
    return erasure_out(
        *factory.vault.erasing.ask(said(dataset), wanted.reason, project=project, by=caller), services=factory
    )


@router.post("/erasures/{erasure}/confirm", access=Right("data.manage"), once=False)
def confirm_erasure(
    project: str, dataset: str, erasure: str, wanted: ConfirmIn, caller: CallerDep, factory: FactoryDep
) -> ErasureOut:
    """Destroy all keys of the dataset, for ever; the certificate comes with the answer."""
    found = factory.vault.find(said(dataset), project=project, by=caller)
    return erasure_out(factory.vault.erasing.confirm(erasure, wanted.name, of=found.id, by=caller), found, factory)


@router.get("/certificate", access=Right("data.view"))
def show_certificate(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> CertificateOut:
    """The signed certificate of a dataset's erasure."""
    return CertificateOut(text=factory.vault.erasing.certificate_of(said(dataset), project=project, by=caller))

"""Addresses of sealed objects over HTTP, where clients reach the store themselves. Holders only; the service checks that they are."""

from fabriek.kernel.stored import Stored
from fabriek.schemas.vault import AddressesIn, AddressesOut, StoredOut, TakeIn
from fabriek.vault.addressing import Addressed
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import HOLDER, Router

router = Router(prefix="/api/v1", tags=["vault"])


def addresses_out(given: Addressed) -> AddressesOut:
    return AddressesOut(addresses=dict(given.addresses), lasts_seconds=int(given.lasts.total_seconds()))


@router.post("/grants/{grant}/addresses", access=HOLDER, once=False)
def addresses_to_get(grant: str, wanted: AddressesIn, caller: CallerDep, factory: FactoryDep) -> AddressesOut:
    """Where objects of the granted version are read, straight at the store, for a few minutes."""
    return addresses_out(factory.vault.addresses_to_get(grant, wanted.objects, by=caller))


@router.post("/uploads/{upload}/addresses", access=HOLDER, once=False)
def addresses_to_put(upload: str, wanted: AddressesIn, caller: CallerDep, factory: FactoryDep) -> AddressesOut:
    """Where objects to come are sent, straight to the store, for a few minutes. Each is told of afterwards."""
    return addresses_out(factory.vault.addresses_to_put(upload, wanted.objects, by=caller))


@router.post("/uploads/{upload}/objects/{object_id}/taken", access=HOLDER, once=False)
def take(upload: str, object_id: str, sent: TakeIn, caller: CallerDep, factory: FactoryDep) -> StoredOut:
    """An object was put at its address: it is kept when this answers, and nobody's address reaches it any more. Told again, the same."""
    stored = factory.vault.take(upload, object_id, Stored(sent.size, sent.sha256), by=caller)
    return StoredOut(size=stored.size, sha256=stored.sha256)

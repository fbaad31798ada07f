"""Signing in from a command line over HTTP (RFC 8628, with us between the device and the provider)."""

from fastapi import Request

from fabriek.api.access import person_out
from fabriek.schemas.login import DeviceIn, DeviceOut, DevicePollIn, DevicePollOut
from fabriek.web.clients import address_of
from fabriek.web.dependencies import FactoryDep
from fabriek.web.router import PUBLIC, Router

router = Router(prefix="/api/v1", tags=["access"])


@router.post("/login/device", access=PUBLIC, status_code=201)
def begin(asked: DeviceIn, request: Request, factory: FactoryDep) -> DeviceOut:
    """A code that a person enters at the address, and what to poll with until they did."""
    begun = factory.by_provider.devices.begin(asked.provider, address_of(request, factory.settings))
    base = factory.settings.portal_url or str(request.base_url).replace("127.0.0.1", "localhost")
    address = begun.address or f"{base.rstrip('/')}/device"
    whole = begun.whole if begun.address else f"{address}?code={begun.user_code}"
    return DeviceOut(
        device=begun.secret, code=begun.user_code, address=address, whole=whole, interval_seconds=begun.interval_seconds,
        expires_at=begun.expires_at,
    )  # fmt: skip


@router.post("/login/device/token", access=PUBLIC)
def poll(asked: DevicePollIn, factory: FactoryDep) -> DevicePollOut:
    """The token, once somebody let the device in."""
    polled = factory.by_provider.devices.poll(asked.device)
    person = person_out(polled.person, factory) if polled.person is not None else None
    return DevicePollOut(interval_seconds=polled.interval_seconds, token=polled.token, person=person)

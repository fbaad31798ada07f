"""Signing in from a device on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.access import PersonOut, Secret
from fabriek.schemas.base import Wire


class DeviceIn(Wire):
    """`provider`: by its name here; empty for the only one, or for our own page."""

    provider: Annotated[str, Field(max_length=40)] = ""


class DeviceOut(Wire):
    """`device`: what to poll with, told to nobody. `code` is entered at `address`; `whole` is the same with the code in it, where there is one."""

    device: str
    code: str
    address: str
    whole: str
    interval_seconds: int
    expires_at: datetime


class DevicePollIn(Wire):
    device: Secret


class DevicePollOut(Wire):
    """Nothing yet: ask again after `interval_seconds`, which may have grown. Or the token, once, with its person."""

    interval_seconds: int
    token: str = ""
    person: PersonOut | None = None

"""A device that waits for a login: a command line shows a code, and a person enters it where they have a browser (RFC 8628)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fabriek.access.login.credentials import hash_of

DEVICE_FOR = timedelta(minutes=10)
OPEN_MAX = 2_000
"""Devices that wait at a time, of everybody together: strangers begin them."""

GUESSES_MAX = 5
"""Wrong codes that a person may enter in ten minutes."""

INTERVAL_SECONDS = 5
SLOWER_BY_SECONDS = 5
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no words come out, and no digits that look like letters. Eight of them are 34 bits, tried five times in ten minutes."""


class DeviceState(StrEnum):
    """`waiting` → `approved` or `denied`, by a person at our own page. At a provider's page it stays `waiting`: the provider knows."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Device:
    """`hash`: of the secret that the device holds. `provider`: where the person enters the code; empty for our own page.

    `sealed`: the provider's own device code, which only the device's secret opens. `origin`: from where it was asked, as shown to who approves.
    `login`: the login of who approved; `fresh`: that they had shown a strong factor just then.
    """

    hash: str
    user_code: str
    provider: str
    origin: str
    begun_at: datetime
    expires_at: datetime
    interval_seconds: int = INTERVAL_SECONDS
    polled_at: datetime | None = None
    state: DeviceState = DeviceState.WAITING
    sealed: bytes = b""
    person: str = ""
    login: str = ""
    fresh: bool = False


def user_code_of(random: bytes) -> str:
    """Eight letters of random bytes, `BCDF-GHJK`. 256 is no multiple of 20, so bytes above 239 are left out."""
    letters = [ALPHABET[one % len(ALPHABET)] for one in random if one < 240][:8]
    assert len(letters) == 8, "too few random bytes"
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def read_user_code(text: str) -> str:
    """As somebody typed it: in lower case, with blanks or without the hyphen."""
    letters = "".join(one for one in text.upper() if one in ALPHABET)
    return f"{letters[:4]}-{letters[4:]}" if len(letters) == 8 else ""


def key_of(secret: str) -> bytes:
    """What seals the provider's code: made of the device's secret, which is not kept here."""
    return bytes.fromhex(hash_of(f"fabriek device {secret}"))

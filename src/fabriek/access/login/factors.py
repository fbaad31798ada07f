"""Strong factors: a password with an app that shows codes, and passkeys; and the codes for when the phone is lost."""

import hashlib
import hmac
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from fabriek.kernel.ids import Ids

STEP_SECONDS = 30
STEPS_OFF = 1
CODE_DIGITS = 6
APP_KEY_BYTES = 32
SET_UP_FOR = timedelta(minutes=15)
"""How long a password and its app wait for the app's first code."""

RECOVERY_CODES = 10
_GROUPS, _GROUP = 4, 4
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that looks like another: these are copied from paper. Sixteen of them are 79 bits, so that a plain hash keeps them."""


@dataclass(frozen=True, slots=True)
class PasswordAndApp:
    """Always the two of them. `wrapped` is the app's key under the master key; `step` the last step of which a code was taken.

    `ready`: whether a code of the app was shown. One that is not waits beside one that is, and replaces it then.
    """

    person: str
    ready: bool
    hash: str
    wrapped: bytes
    step: int
    set_at: datetime


@dataclass(frozen=True, slots=True)
class Passkey:
    """`key_id` is the authenticator's own name of it, `public_key` in COSE; `uses` as the authenticator counts, 0 where it does not."""

    id: str
    person: str
    key_id: str
    public_key: bytes
    uses: int
    name: str
    made_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a passkey is to sign, once. `browser` is a hash of the cookie of the browser that asked."""

    hash: str
    browser: str
    purpose: str
    person: str
    expires_at: datetime


def app_context(person: str) -> bytes:
    """What the app's key is bound to."""
    return f"fabriek/app\n{person}".encode()


def app_secret(key: bytes) -> str:
    """As apps take it typed: base32, without padding."""
    return b32encode(key).decode().rstrip("=")


def app_address(key: bytes, email: str, issuer: str) -> str:
    """As apps take it from a picture."""
    return pyotp.TOTP(app_secret(key)).provisioning_uri(name=email, issuer_name=issuer)


def step_of(key: bytes, code: str, *, now: datetime, after: int) -> int | None:
    """The step that the code is of, where it is of now, the step before or the next, and later than `after`; None for any other code."""
    current = int(now.timestamp()) // STEP_SECONDS
    counted, found = pyotp.HOTP(app_secret(key)), None
    for step in range(current - STEPS_OFF, current + STEPS_OFF + 1):
        if hmac.compare_digest(counted.at(step).encode(), code.encode()) and step > after:
            found = step
    return found


def recovery_codes(ids: Ids) -> tuple[str, ...]:
    """Fresh ones, as they are shown."""
    return tuple(_recovery_code(ids) for _ in range(RECOVERY_CODES))


def _recovery_code(ids: Ids) -> str:
    number, letters = int.from_bytes(ids.random(32)), ""
    for _ in range(_GROUPS * _GROUP):
        number, at = divmod(number, len(_LETTERS))
        letters += _LETTERS[at]
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def plain(code: str) -> str:
    """A code as it is compared: people type spaces, dashes and capitals."""
    return "".join(code.split()).replace("-", "").lower()


def is_app_code(code: str) -> bool:
    return len(code) == CODE_DIGITS and code.isascii() and code.isdigit()


def hash_of_code(person: str, code: str) -> str:
    return hashlib.sha256(f"{person}\n{plain(code)}".encode()).hexdigest()

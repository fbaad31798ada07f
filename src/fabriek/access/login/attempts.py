"""An attempt to sign in at a provider: begun in one browser, ended there once, within ten minutes. Only hashes of what proves it are kept.

The browser's cookie is the one secret; what the provider is shown, nonce and PKCE verifier, is derived from it and kept nowhere.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fabriek.access.login.credentials import hash_of

ATTEMPT_FOR = timedelta(minutes=10)
OPEN_MAX = 20_000
"""Attempts that are open at a time, of everybody together: strangers begin them."""

_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9_./~%?=&-]{0,500}")


class Purpose(StrEnum):
    """`sign_in`, with a link where the person came by one; `link` an account to who is signed in; `confirm` that it is still they."""

    SIGN_IN = "sign_in"
    LINK = "link"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Attempt:
    """`state` and `browser` are hashes. `credential`: the session that began it, for `link` and `confirm`; `link`: the hash of a one-time link.

    `callback`: the address of ours that the provider was told; `then`: the page to show afterwards.
    """

    state: str
    browser: str
    provider: str
    purpose: Purpose
    begun_at: datetime
    callback: str
    then: str = "/"
    credential: str = ""
    link: str = ""


def expires_at(attempt: Attempt) -> datetime:
    return attempt.begun_at + ATTEMPT_FOR


def is_of_browser(attempt: Attempt, cookie: str, now: datetime) -> bool:
    """Whether the browser that began it brings the answer, in time."""
    return now < expires_at(attempt) and hmac.compare_digest(attempt.browser, hash_of(cookie))


def nonce_of(browser: str, state: str) -> str:
    return _derived(browser, f"nonce {state}")


def verifier_of(browser: str, state: str) -> str:
    """43 characters, as PKCE wants."""
    return _derived(browser, f"verifier {state}")


def challenge_of(verifier: str) -> str:
    return _text(hashlib.sha256(verifier.encode()).digest())


def page_of_ours(path: str) -> str:
    """The path where it is one of this portal, else its first page: an address of elsewhere is never gone to."""
    return path if _PATH.fullmatch(path) else "/"


def _derived(browser: str, what: str) -> str:
    return _text(hmac.digest(browser.encode(), f"fabriek login {what}".encode(), hashlib.sha256))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

"""The rules of an ID token and of a logout token, once their signature holds. Source: OpenID Connect Core 3.1.3.7; Back-Channel Logout 2.6."""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from fabriek.kernel.errors import NotPermitted

LEEWAY = timedelta(seconds=30)
"""By how much clocks may differ."""

ISSUED_BEFORE_MAX = timedelta(minutes=10)
"""A token that answers a login was made during it."""

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def check_id_token(
    claims: Mapping[str, Any], *, issuer: str, client_id: str, now: datetime, nonce: str | None, subject: str = ""
) -> None:
    """nonce: None where none was sent, as on a device. subject: the one that it must be about, where that is known.

    Raises NotPermitted naming the rule, `login.issuer` and the like.
    """
    _check_common(claims, issuer, client_id, now)
    if nonce is not None and not _same(claims.get("nonce"), nonce):
        raise refused("nonce", "the answer belongs to another login")
    if not claims.get("sub") or (subject and not _same(claims.get("sub"), subject)):
        raise refused("subject", "the answer is about somebody else")


def check_logout_token(claims: Mapping[str, Any], *, issuer: str, client_id: str, now: datetime) -> None:
    """Raises NotPermitted."""
    _check_common(claims, issuer, client_id, now)
    events = claims.get("events")
    if not isinstance(events, dict) or LOGOUT_EVENT not in events or "nonce" in claims:
        raise refused("logout_token", "this is no logout token")
    if not (claims.get("sub") or claims.get("sid")) or not claims.get("jti"):
        raise refused("logout_token", "the logout token names no login")


def check_fresh(claims: Mapping[str, Any], *, since: datetime) -> None:
    """For a factor shown again: after `since`, by the provider's own word. Raises NotPermitted."""
    at = claims.get("auth_time")
    if not _is_number(at) or at < (since - LEEWAY).timestamp():
        raise refused("auth_time", "the provider did not ask you again")


def refused(rule: str, why: str) -> NotPermitted:
    return NotPermitted(why, rule=f"login.{rule}", fix="sign in again; if it stays so, tell your factory's operator")


def _check_common(claims: Mapping[str, Any], issuer: str, client_id: str, now: datetime) -> None:
    if not _same(claims.get("iss"), issuer):
        raise refused("issuer", "the answer comes from another provider")
    audience = claims.get("aud")
    for_whom = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp", client_id if len(for_whom) == 1 else None)
    if client_id not in for_whom or party != client_id:
        raise refused("audience", "the answer is meant for somebody else")
    expires, issued = claims.get("exp"), claims.get("iat")
    if not _is_number(expires) or not _is_number(issued):
        raise refused("time", "the answer does not say until when it holds")
    if expires <= (now - LEEWAY).timestamp() or issued > (now + LEEWAY).timestamp():
        raise refused("time", "the answer does not hold now")
    if issued < (now - ISSUED_BEFORE_MAX).timestamp():
        raise refused("time", "the answer is an old one")


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(said: object, expected: str) -> bool:
    return isinstance(said, str) and hmac.compare_digest(said.encode(), expected.encode())

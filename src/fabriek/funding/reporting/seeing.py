"""Whose figures one may see: everybody's, or one's own."""

from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.errors import NotPermitted


def sees_all(by: Caller) -> bool:
    """Operators, auditors and the director, of those who may look at funding at all; a funder sees their own share."""
    return by is SYSTEM or by.may("audit.read") or by.may("funding.direct")


def require_all(by: Caller) -> None:
    """For what cannot be cut to one share. Raises NotPermitted."""
    require(by, "funding.view")
    if not sees_all(by):
        raise NotPermitted(
            "this shows every share and every project, and a funder sees their own share",
            rule="funding.all",
            fix="fabriek report funder NAME --csv FILE takes your share along",
        )

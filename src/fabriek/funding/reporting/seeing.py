"""Whose figures one may see: everybody's, or one's own."""

from fabriek.kernel.callers import SYSTEM, Caller


def sees_all(by: Caller) -> bool:
    """Operators, auditors and the director, of those who may look at funding at all; a funder sees their own share."""
    return by is SYSTEM or by.may("audit.read") or by.may("funding.direct")

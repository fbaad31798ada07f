"""How the page of a passport holds its statement, for who writes it and who verifies it."""

from fabriek.schemas.base import Wire

START = '<script type="application/json" id="fabriek-passport">'
END = "</script>"


def rest_of(before: bytes, after: bytes) -> bytes:
    """What the statement's hash of the page is taken over: all around the statement, and where that stood."""
    return before + b"\0" + after


class PassportKeyOut(Wire):
    """What passports of this installation are verified with: Ed25519, base64."""

    installation: str
    key: str


class PassportVerifiedOut(Wire):
    """What a passport says, once its signature holds: model, label, hash, who issued it, and when."""

    model: str
    version: int
    sha256: str
    label: str
    issuer: str
    issued_on: str
    mark: str
    origin: bool

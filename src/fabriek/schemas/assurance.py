"""Statements of origin on the wire."""

from fabriek.schemas.base import Wire


class StatementOut(Wire):
    """`envelope`: DSSE as JSON text, just as it was signed; `public_key`: Ed25519, base64. Keep the key from another day."""

    job: str
    envelope: str
    public_key: str

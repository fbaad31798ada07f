"""Keys that wrap keys: AES-256-GCM, the nonce in front, what the key belongs to as associated data."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fabriek.kernel.errors import Damaged

NONCE_BYTES = 12


def wrap(wrapping_key: bytes, key: bytes, context: bytes, nonce: bytes) -> bytes:
    """nonce: 12 fresh random bytes. A wrapped key does not open under another context."""
    assert len(nonce) == NONCE_BYTES, "a nonce has 12 bytes"
    return nonce + AESGCM(wrapping_key).encrypt(nonce, key, context)


def unwrap(wrapping_key: bytes, wrapped: bytes, context: bytes) -> bytes:
    """Raises Damaged when it was changed, moved, or wrapped by another key."""
    try:
        return AESGCM(wrapping_key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
    except (InvalidTag, ValueError):
        raise Damaged("a wrapped key does not open", fix="restore the keys from the backup", where="key") from None

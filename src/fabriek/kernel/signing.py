"""Who holds the keys of an installation: what may be asked of them, and how a signature is checked without them."""

from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Signer(Protocol):
    """Signs in the name of one installation. The private key never leaves it.

    One key signs several kinds of message, so each kind begins with words of its own: a signature cannot be carried over.
    """

    @property
    def installation_id(self) -> str:
        """The id that the keys were made with; it names the origin of checkpoints."""

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes."""

    def public_key_bytes(self) -> bytes:
        """The Ed25519 public key, 32 raw bytes."""


class Keys(Protocol):
    """Wraps keys under the master key, which never leaves it."""

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """The key, readable only here and only with the same context."""

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises Damaged when it was changed or wrapped for another context, Unavailable when the master key is out of reach."""


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this installation signed exactly this message. `public_key` is 32 raw bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True

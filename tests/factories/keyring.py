"""Keys that live as long as the test."""

import hashlib
import itertools

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from fabriek.kernel.errors import Damaged


class MemoryKeyring:
    """Deterministic from its seed; deliberately another cipher than the keyring file, so that nobody leans on the form."""

    installation_id = "fab_test"

    def __init__(self, seed: bytes = b"test") -> None:
        self._siv = AESSIV(hashlib.sha512(seed).digest())
        self._signing = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest())
        self._wraps = itertools.count()

    def wrap(self, key: bytes, context: bytes) -> bytes:
        number = next(self._wraps).to_bytes(8, "big")
        return number + self._siv.encrypt(key, [context, number])

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        try:
            return self._siv.decrypt(wrapped[8:], [context, wrapped[:8]])
        except (InvalidTag, ValueError):
            raise Damaged("a wrapped key does not open", fix="use the right key", where="keys") from None

    def sign(self, message: bytes) -> bytes:
        return self._signing.sign(message)

    def public_key_bytes(self) -> bytes:
        return self._signing.public_key().public_bytes_raw()

"""Keys that live as long as the test."""

import hashlib
import itertools
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from fabriek.kernel.errors import Damaged, Unavailable, WrongState
from fabriek.kernel.signing import named, wrapped_under


class MemoryKeyring:
    """Deterministic from its seed; deliberately another cipher than the keyring file, so that nobody leans on the form.

    `away`: it cannot be reached. `open_transaction`: says whether this thread has one open, in which nobody may ask a key service.
    """

    installation_id = "fab_test"

    def __init__(self, seed: bytes = b"test", open_transaction: Callable[[], bool] = lambda: False) -> None:
        self._seed, self._masters = seed, [1]
        self._signing = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest())
        self._wraps = itertools.count()
        self._open_transaction = open_transaction
        self.away = False

    def wrap(self, key: bytes, context: bytes) -> bytes:
        self._answer()
        number = next(self._wraps).to_bytes(8, "big")
        name = self.current()
        return named(name, number + self._siv(name).encrypt(key, [context, number]))

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        self._answer()
        name = wrapped_under(wrapped)
        sealed = wrapped[len(name) + 1 :]
        try:
            if name in self.names():
                return self._siv(name).decrypt(sealed[8:], [context, sealed[:8]])
        except (InvalidTag, ValueError):
            pass
        raise Damaged("a wrapped key does not open", fix="use the right key", where="keys")

    def current(self) -> str:
        self._answer()
        return f"memory/{self._masters[-1]}"

    def names(self) -> Sequence[str]:
        self._answer()
        return [f"memory/{number}" for number in self._masters]

    def renew(self) -> str:
        self._answer()
        self._masters.append(self._masters[-1] + 1)
        return self.current()

    def destroy(self, name: str) -> None:
        if name == self.current():
            raise WrongState("this master key wraps now", fix="renew it first")
        self._masters = [number for number in self._masters if f"memory/{number}" != name]

    def sign(self, message: bytes) -> bytes:
        return self._signing.sign(message)

    def public_key_bytes(self) -> bytes:
        return self._signing.public_key().public_bytes_raw()

    def _answer(self) -> None:
        assert not self._open_transaction(), "a key service was asked inside a transaction"
        if self.away:
            raise Unavailable("the keys are away", fix="bring them back", retry_after_seconds=5)

    def _siv(self, name: str) -> AESSIV:
        return AESSIV(hashlib.sha512(self._seed + name.encode()).digest())

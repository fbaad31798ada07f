"""The keyring file: master keys and the signing key of one installation, in a file that only its owner can read.

Whoever reads this file, and knows its passphrase where it has one, can read everything: it protects against theft of the store, the disk,
or a backup without it. It does not protect against the operator.
"""

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fabriek.adapters.keyring_file import NONCE_BYTES, SALT_BYTES, Lock, Ring, lock_of, read_ring, write_ring
from fabriek.kernel.errors import Damaged, Unavailable, WrongState
from fabriek.kernel.ids import Ids, RandomIds
from fabriek.kernel.signing import named, wrapped_under

KEYRING_FILE = "keyring.json"
KIND = "file"


class FileKeyring:
    """The keys in `folder`; made at the first start, found again at the next, and read again when another server renewed them.

    Raises WrongState when others can read the file or the folder, Damaged when the file is not a keyring, NotPermitted without its
    passphrase. With `create=False` raises NotFound when there is none: a home that has data and lost its keys must not quietly get new
    ones.
    """

    def __init__(
        self, folder: Path, ids: Ids | None = None, *, create: bool = True, passphrase: str | None = None
    ) -> None:
        self._folder, self._ids = folder, ids or RandomIds()
        if create and not (folder / KEYRING_FILE).exists():
            fresh = Ring(self._ids.new("fab"), {1: self._ids.random(32)}, 1, self._ids.random(32))
            write_ring(folder, KEYRING_FILE, fresh, None, nonce=self._nonce(), fresh=True)
        self._guard = threading.RLock()
        self._passphrase = passphrase
        self._ring: Ring | None = None
        self._lock: Lock | None = None
        ring = self._read()
        self._installation_id = ring.installation
        self._signing = Ed25519PrivateKey.from_private_bytes(ring.signing)

    @property
    def installation_id(self) -> str:
        return self._installation_id

    def sign(self, message: bytes) -> bytes:
        return self._signing.sign(message)

    def public_key_bytes(self) -> bytes:
        return self._signing.public_key().public_bytes_raw()

    def wrap(self, key: bytes, context: bytes) -> bytes:
        # Random nonces of 96 bits are good for 2**32 wraps under one key; the vault wraps one for each epoch of a dataset.
        ring, nonce = self._now(), self._nonce()
        return named(f"{KIND}/{ring.current}", nonce + AESGCM(ring.masters[ring.current]).encrypt(nonce, key, context))

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        name, ring = wrapped_under(wrapped), self._now()
        kind, _, number = name.partition("/")
        sealed = wrapped[len(name) + 1 :]
        try:
            if kind == KIND:
                master = AESGCM(ring.masters[int(number)])
                return master.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
        except (KeyError, InvalidTag, ValueError):
            pass
        raise Damaged("a wrapped key does not open", fix="fabriek doctor; was the keyring replaced?", where="keys")

    def current(self) -> str:
        return f"{KIND}/{self._now().current}"

    def names(self) -> Sequence[str]:
        return [f"{KIND}/{number}" for number in sorted(self._now().masters)]

    def renew(self) -> str:
        with self._alone():
            self._write(self._now().renewed(self._ids.random(32)))
        return self.current()

    def destroy(self, name: str) -> None:
        with self._alone():
            if name == self.current():
                raise WrongState(f"{name} is the master key that wraps now", fix="fabriek admin keys rotate")
            if name in self.names():
                self._write(self._now().without(int(name.partition("/")[2])))

    def lock(self) -> bool:
        with self._guard:
            if self._lock is None:
                return False
            self._ring = self._lock = self._passphrase = None
            return True

    def is_locked(self) -> bool:
        return self._ring is None

    def unlock(self, passphrase: str) -> None:
        with self._guard:
            self._passphrase = passphrase
            try:
                self._read()
            finally:
                if self._ring is None:
                    self._passphrase = None

    def set_passphrase(self, passphrase: str) -> None:
        """From now on the file opens with this one alone; empty: with none."""
        with self._alone():
            ring = self._now()
            self._lock = lock_of(passphrase, self._ids.random(SALT_BYTES)) if passphrase else None
            self._passphrase = passphrase or None
            self._write(ring)

    def _now(self) -> Ring:
        """As the file has it, which another server may have renewed."""
        with self._guard:
            if self._ring is None:
                raise Unavailable("the keyring is locked", fix="fabriek admin unseal", retry_after_seconds=60)
            if self._seen != self._stamp():
                return self._read()
            return self._ring

    def _read(self) -> Ring:
        self._seen = self._stamp()
        self._ring, self._lock = read_ring(self._folder, KEYRING_FILE, self._passphrase)
        return self._ring

    def _write(self, ring: Ring) -> None:
        write_ring(self._folder, KEYRING_FILE, ring, self._lock, nonce=self._nonce())
        self._ring, self._seen = ring, self._stamp()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Alone among all servers that have this file: two that renew at once must not lose the key of one."""
        with self._guard:
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                yield
            finally:
                os.close(folder)

    def _stamp(self) -> tuple[int, int, int]:
        try:
            status = (self._folder / KEYRING_FILE).stat()
        except FileNotFoundError:
            return (0, 0, 0)  # reading it says so
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _nonce(self) -> bytes:
        return os.urandom(NONCE_BYTES)

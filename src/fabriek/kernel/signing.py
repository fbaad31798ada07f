"""Who holds the keys of an installation: what may be asked of them, and how a signature is checked without them."""

from collections.abc import Sequence
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fabriek.kernel.errors import Damaged


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
    """Wraps keys under the master key, which never leaves it. What is wrapped begins with the name of the master key: `wrapped_under`.

    May lead over the network: never inside a transaction.
    """

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """The key, readable only here and only with the same context. Raises Unavailable."""

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises Damaged when it was changed or wrapped for another context, Unavailable when the master key is out of reach,
        NotPermitted when its owner no longer lets us use it.
        """


class MasterKeys(Keys, Protocol):
    """Keys of which there may be several generations: the newest wraps, older ones unwrap until they are destroyed."""

    def current(self) -> str:
        """The name of the master key that wraps now, such as `file/2`. Raises Unavailable."""

    def names(self) -> Sequence[str]:
        """Every master key that is still there. Raises Unavailable."""

    def renew(self) -> str:
        """Makes a master key that wraps from now on; its name. Raises Unavailable."""

    def destroy(self, name: str) -> None:
        """For ever: what is wrapped under it opens nowhere. No error when it is gone. Raises Unavailable, WrongState on the current one."""


class Locks(Protocol):
    """A capability of holders that can forget the master key itself, until somebody says the passphrase again."""

    def lock(self) -> bool:
        """Forgets it; False where there is no passphrase, so that it could not be told again."""

    def is_locked(self) -> bool: ...

    def unlock(self, passphrase: str) -> None:
        """Raises NotPermitted on a wrong passphrase, and forgets nothing."""


def named(master: str, wrapped: bytes) -> bytes:
    """The wrapped key behind the name of its master key."""
    return master.encode() + b"\0" + wrapped


def wrapped_under(wrapped: bytes) -> str:
    """The name of the master key. Raises Damaged on what names none."""
    name, mark, _ = wrapped.partition(b"\0")
    if not mark or not name.isascii() or b"/" not in name:
        raise Damaged("a wrapped key does not say what it is wrapped under", fix="restore a backup", where="keys")
    return name.decode("ascii")


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this installation signed exactly this message. `public_key` is 32 raw bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True

"""The keyring file: the master key and the signing key of one installation, in a file that only its owner can read.

Whoever reads this file can read everything: it protects against theft of the store, the disk, or a backup without it. It does not
protect against the operator.
"""

import base64
import json
import os
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fabriek.kernel.errors import Damaged, NotFound, WrongState
from fabriek.kernel.ids import Ids, RandomIds

KEYRING_FILE = "keyring.json"
FORM = "fabriek-keyring-1"
NONCE_BYTES = 12


class FileKeyring:
    """The keys in `folder`; made at the first start, found again at the next.

    Raises WrongState when others can read the file or the folder, Damaged when the file is not a keyring. With `create=False` raises
    NotFound when there is none: a home that has data and lost its keys must not quietly get new ones.
    """

    def __init__(self, folder: Path, ids: Ids | None = None, *, create: bool = True) -> None:
        file = folder / KEYRING_FILE
        if create and not file.exists():
            _make(folder, file, ids or RandomIds())
        kept = _read(folder, file)
        try:
            self._installation_id = str(kept["installation"])
            self._master = AESGCM(base64.b64decode(kept["master"], validate=True))
            self._signing = Ed25519PrivateKey.from_private_bytes(base64.b64decode(kept["signing"], validate=True))
        except (KeyError, TypeError, ValueError):
            raise Damaged(
                "the keyring file is not readable", fix=f"restore {file} from your copy", where="keys"
            ) from None

    @property
    def installation_id(self) -> str:
        return self._installation_id

    def wrap(self, key: bytes, context: bytes) -> bytes:
        # Random nonces of 96 bits are good for 2**32 wraps under one key; the vault wraps one for each epoch of a dataset.
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        try:
            return self._master.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise Damaged(
                "a wrapped key does not open", fix="fabriek doctor; was the keyring replaced?", where="keys"
            ) from None

    def sign(self, message: bytes) -> bytes:
        return self._signing.sign(message)

    def public_key_bytes(self) -> bytes:
        return self._signing.public_key().public_bytes_raw()


def _make(folder: Path, file: Path, ids: Ids) -> None:
    """Writes a new keyring, unless somebody else was first. On the disk before anything is wrapped under it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = {
        "form": FORM,
        "installation": ids.new("fab"),
        "master": base64.b64encode(ids.random(32)).decode(),
        "signing": base64.b64encode(ids.random(32)).decode(),
    }
    draft = folder / f".{KEYRING_FILE}.{ids.secret()[:8]}.draft"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(keys, out)
        out.flush()
        os.fsync(out.fileno())
    try:
        with suppress(FileExistsError):
            # A link fails where a rename would replace: of two servers that start at once, both must end with the same keys.
            os.link(draft, file)
    finally:
        draft.unlink()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(folder: Path, file: Path) -> dict[str, str]:
    _refuse_open(folder, folder.stat() if folder.exists() else None)
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise NotFound("this home has no keyring", fix=f"restore {file} from your copy of the keys") from None
    except OSError as error:
        raise WrongState(
            f"{file} cannot be opened ({error.strerror})", fix=f"it must be a plain file: {file}"
        ) from None
    with os.fdopen(descriptor, encoding="utf-8") as source:
        _refuse_open(file, os.fstat(descriptor))
        try:
            kept = json.load(source)
        except ValueError:
            kept = None
    # Another form, or none, has no keys for us: the caller says that it is not readable.
    return kept if isinstance(kept, dict) and kept.get("form") == FORM else {}


def _refuse_open(path: Path, status: os.stat_result | None) -> None:
    if status is None:
        return
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        wanted = "700" if stat.S_ISDIR(status.st_mode) else "600"
        raise WrongState(f"{path} is open to other users (mode {mode:o})", fix=f"chmod {wanted} {path}")
    if status.st_uid != os.getuid():
        raise WrongState(f"{path} belongs to another user", fix=f"sudo chown $USER {path}")

"""The keyring on disk: what stands in it, in plain or under a passphrase, and how it is replaced whole."""

import base64
import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from fabriek.kernel.errors import Damaged, NotFound, NotPermitted, WrongState

FORM = "fabriek-keyring-2"
FORM_BEFORE = "fabriek-keyring-1"
"""One master key and no passphrase. It is read as it is, and written anew at its first change."""

NONCE_BYTES = 12
SALT_BYTES = 16
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 1
"""32 MiB and about a tenth of a second for each guess. They stand in the file, so that they can be raised."""

SCRYPT_N_MAX = 2**20


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys themselves. `masters`: number → 32 bytes; `signing`: the seed of an Ed25519 key."""

    installation: str
    masters: dict[int, bytes]
    current: int
    signing: bytes

    def renewed(self, key: bytes) -> "Ring":
        number = max(self.masters) + 1
        return replace(self, masters={**self.masters, number: key}, current=number)

    def without(self, number: int) -> "Ring":
        return replace(self, masters={known: key for known, key in self.masters.items() if known != number})


@dataclass(frozen=True, slots=True)
class Lock:
    """What a passphrase was made into. The key is kept for writing the file again, never the passphrase."""

    salt: bytes
    key: bytes
    n: int = SCRYPT_N
    r: int = SCRYPT_R
    p: int = SCRYPT_P


def lock_of(passphrase: str, salt: bytes) -> Lock:
    return Lock(salt, _stretched(passphrase, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P))


def is_locked(folder: Path, name: str) -> bool:
    """Whether the file asks for a passphrase. Raises NotFound, WrongState."""
    return "locked" in _raw(folder, folder / name)


def read_ring(folder: Path, name: str, passphrase: str | None) -> tuple[Ring, Lock | None]:
    """Raises NotFound, WrongState where others can read it, Damaged, NotPermitted without the right passphrase."""
    file = folder / name
    raw = _raw(folder, file)
    try:
        if raw.get("form") == FORM_BEFORE:
            return Ring(str(raw["installation"]), {1: _bytes(raw["master"])}, 1, _bytes(raw["signing"])), None
        if raw.get("form") == FORM and "locked" not in raw:
            return _ring(str(raw["installation"]), raw), None
        if raw.get("form") == FORM:
            inner, lock = _unlocked(raw, passphrase)
            return _ring(str(raw["installation"]), inner), lock
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise Damaged("the keyring file is not readable", fix=f"restore {file} from your copy", where="keys")


def write_ring(folder: Path, name: str, ring: Ring, lock: Lock | None, *, nonce: bytes, fresh: bool = False) -> None:
    """Whole and on the disk before anything is wrapped under it. `fresh`: unless somebody else was first."""
    inner = {
        "masters": {str(number): _text(key) for number, key in sorted(ring.masters.items())},
        "current": ring.current,
        "signing": _text(ring.signing),
    }
    outer: dict[str, Any] = {"form": FORM, "installation": ring.installation}
    if lock is None:
        outer |= inner
    else:
        sealed = nonce + AESGCM(lock.key).encrypt(nonce, json.dumps(inner).encode(), _bound(ring.installation))
        outer["locked"] = {
            "kdf": "scrypt", "n": lock.n, "r": lock.r, "p": lock.p, "salt": _text(lock.salt), "sealed": _text(sealed),
        }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f".{name}.{nonce.hex()[:8]}.draft"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(outer, out)
        out.flush()
        os.fsync(out.fileno())
    if fresh:
        try:
            with suppress(FileExistsError):
                # A link fails where a rename would replace: of two servers that start at once, both must end with the same keys.
                os.link(draft, folder / name)
        finally:
            draft.unlink()
    else:
        draft.replace(folder / name)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unlocked(raw: dict[str, Any], passphrase: str | None) -> tuple[dict[str, Any], Lock]:
    if passphrase is None:
        raise NotPermitted(
            "the keyring is under a passphrase",
            rule="keyring.passphrase",
            fix="fabriek up asks for it on a terminal; elsewhere name a file with FABRIEK_PASSPHRASE_FILE",
        )
    said = raw["locked"]
    n, r, p, salt, sealed = int(said["n"]), int(said["r"]), int(said["p"]), _bytes(said["salt"]), _bytes(said["sealed"])
    if said["kdf"] != "scrypt" or n > SCRYPT_N_MAX:
        raise ValueError(n)
    lock = Lock(salt, _stretched(passphrase, salt, n, r, p), n, r, p)
    try:
        inner = AESGCM(lock.key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(str(raw["installation"])))
    except InvalidTag:
        raise NotPermitted(
            "the passphrase does not open the keyring",
            rule="keyring.passphrase",
            fix="try again; without it nothing can be read",
        ) from None
    opened: dict[str, Any] = json.loads(inner)
    return opened, lock


def _ring(installation: str, inner: dict[str, Any]) -> Ring:
    masters = {int(number): _bytes(key) for number, key in inner["masters"].items()}
    ring = Ring(installation, masters, int(inner["current"]), _bytes(inner["signing"]))
    if ring.current not in masters or any(len(key) != 32 for key in [*masters.values(), ring.signing]):
        raise ValueError(ring.current)
    return ring


def _stretched(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(passphrase.encode())


def _bound(installation: str) -> bytes:
    return f"{FORM}\n{installation}".encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _raw(folder: Path, file: Path) -> dict[str, Any]:
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
    return kept if isinstance(kept, dict) else {}


def _refuse_open(path: Path, status: os.stat_result | None) -> None:
    if status is None:
        return
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        wanted = "700" if stat.S_ISDIR(status.st_mode) else "600"
        raise WrongState(f"{path} is open to other users (mode {mode:o})", fix=f"chmod {wanted} {path}")
    if status.st_uid != os.getuid():
        raise WrongState(f"{path} belongs to another user", fix=f"sudo chown $USER {path}")

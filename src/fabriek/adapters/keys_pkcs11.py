"""Master keys in a PKCS#11 token, such as an HSM: they are made there, never leave it, and wrap inside it."""

import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabriek.kernel.errors import Damaged, InvalidInput, Unavailable, WrongState
from fabriek.kernel.signing import named, wrapped_under

KIND = "pkcs11"
NONCE_BYTES = 12
TAG_BITS = 128
KEY_BITS = 256


class Pkcs11Keys:
    """AES-256 keys `LABEL-1`, `LABEL-2` … on one token. `module`: the library of the token's maker. The PIN is read at each connection.

    Raises InvalidInput where python-pkcs11 is not installed; Unavailable while the token is away or refuses the PIN.
    """

    def __init__(self, module: Path, token: str, pin: str, label: str = "fabriek-master") -> None:
        try:
            import pkcs11  # noqa: PLC0415  # an extra: most installations have no token
        except ImportError:
            raise InvalidInput(
                "keys in a PKCS#11 token need another package", fix="pip install 'fabriek[pkcs11]'"
            ) from None
        self._pkcs11, self._module, self._token, self._pin, self._label = pkcs11, module, token, pin, label
        self._session: Any = None
        self._generation = -1

    def wrap(self, key: bytes, context: bytes) -> bytes:
        with self._talking():
            number = self._current()
            nonce = os.urandom(NONCE_BYTES)
            wrapped = self._key(number).encrypt(
                key, mechanism=self._pkcs11.Mechanism.AES_GCM, mechanism_param=self._parameters(nonce, context)
            )
            return named(f"{KIND}/{number}", nonce + bytes(wrapped))

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        name = wrapped_under(wrapped)
        kind, _, number = name.partition("/")
        sealed = wrapped[len(name) + 1 :]
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        if kind != KIND or not number.isdigit() or len(body) < TAG_BITS // 8:
            raise _damaged()
        with self._talking():
            master = self._key(int(number))
            try:
                return bytes(
                    master.decrypt(
                        body, mechanism=self._pkcs11.Mechanism.AES_GCM, mechanism_param=self._parameters(nonce, context)
                    )
                )
            except (
                self._pkcs11.exceptions.EncryptedDataInvalid,
                self._pkcs11.exceptions.EncryptedDataLenRange,
                self._pkcs11.exceptions.FunctionFailed,
                self._pkcs11.exceptions.GeneralError,
            ):
                # Some tokens say only that it failed. Whether the token itself fails shows in what it is asked next.
                self._numbers()
                raise _damaged() from None

    def current(self) -> str:
        with self._talking():
            return f"{KIND}/{self._current()}"

    def names(self) -> Sequence[str]:
        with self._talking():
            return [f"{KIND}/{number}" for number in self._numbers()]

    def renew(self) -> str:
        with self._talking():
            return f"{KIND}/{self._make(max(self._numbers(), default=0) + 1)}"

    def destroy(self, name: str) -> None:
        with self._talking():
            numbers = self._numbers()
            if numbers and name == f"{KIND}/{numbers[-1]}":
                raise WrongState(f"{name} is the master key that wraps now", fix="fabriek admin keys rotate")
            if name in [f"{KIND}/{number}" for number in numbers]:
                self._key(int(name.partition("/")[2])).destroy()

    def _current(self) -> int:
        numbers = self._numbers()
        return numbers[-1] if numbers else self._make(1)

    def _make(self, number: int) -> int:
        attribute = self._pkcs11.Attribute
        self._session.generate_key(
            self._pkcs11.KeyType.AES,
            KEY_BITS,
            label=f"{self._label}-{number}",
            store=True,
            capabilities=self._pkcs11.MechanismFlag.ENCRYPT | self._pkcs11.MechanismFlag.DECRYPT,
            template={attribute.SENSITIVE: True, attribute.EXTRACTABLE: False, attribute.PRIVATE: True},
        )
        return number

    def _numbers(self) -> list[int]:
        found = self._session.get_objects({self._pkcs11.Attribute.CLASS: self._pkcs11.ObjectClass.SECRET_KEY})
        labels = [str(one.label) for one in found]
        matches = [re.fullmatch(re.escape(self._label) + r"-([0-9]+)", label) for label in labels]
        return sorted(int(match[1]) for match in matches if match)

    def _key(self, number: int) -> Any:
        try:
            return self._session.get_key(
                object_class=self._pkcs11.ObjectClass.SECRET_KEY, label=f"{self._label}-{number}"
            )
        except self._pkcs11.exceptions.NoSuchKey:
            raise _damaged() from None

    def _parameters(self, nonce: bytes, context: bytes) -> Any:
        return self._pkcs11.GCMParams(nonce, context, TAG_BITS)

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Alone with an open session. What fails drops it, so that the next one to come connects anew."""
        with _GUARD:
            try:
                if self._session is None or self._generation != _STATE.generation:
                    self._session = self._connect()
                    self._generation = _STATE.generation
                yield
            except (self._pkcs11.exceptions.PKCS11Error, OSError, RuntimeError) as error:
                self._session = None
                raise Unavailable(
                    f"the token {self._token} does not answer ({type(error).__name__})",
                    fix="look at the token, its module and its PIN",
                    retry_after_seconds=5,
                ) from None

    def _connect(self) -> Any:
        library = self._pkcs11.lib(str(self._module))
        place = (str(self._module), self._token)
        try:
            if (known := _STATE.sessions.pop(place, None)) is not None:
                known.close()
            found = library.get_token(token_label=self._token)
        except self._pkcs11.exceptions.PKCS11Error:
            # A token that was put in, or came back, is seen after a new beginning only. It ends every session of this process.
            library.reinitialize()
            _STATE.sessions.clear()
            _STATE.generation += 1
            found = library.get_token(token_label=self._token)
        _STATE.sessions[place] = found.open(user_pin=self._pin, rw=True)
        return _STATE.sessions[place]


@dataclass
class _State:
    """What the holders of one process share: a token takes one login of a process. Sessions of an older generation are dead, and their
    numbers may be another's by now.
    """

    sessions: dict[tuple[str, str], Any] = field(default_factory=dict)
    generation: int = 0


_STATE = _State()
_GUARD = threading.RLock()
"""One at a time: a token has few sessions, and what it does for us takes microseconds."""


def _damaged() -> Damaged:
    return Damaged("a wrapped key does not open", fix="fabriek doctor; was the token replaced?", where="keys")

"""Tokens for Slurm's REST interface: JSON Web Tokens that Slurm's own daemons check with the key that signs them here."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path

from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput

TOKEN_SECONDS = 120
"""How long one token opens the door: longer than a request may wait, and of no use to who finds it later."""

HEAD = {"alg": "HS256", "typ": "JWT"}


class Tokens:
    """Signs for one user of the cluster. `key`: the file that `AuthAltParameters=jwt_key=…` names in slurm.conf; read once.

    Raises InvalidInput when it cannot be read.
    """

    def __init__(self, key: Path, user: str, clock: Clock) -> None:
        try:
            self._key = key.read_bytes()
        except OSError as error:
            raise InvalidInput(
                f"slurm_jwt_key {key} cannot be read: {error.strerror}",
                fix=f"ls -l {key}; it is the jwt_key of slurm.conf",
            ) from None
        if not self._key:
            raise InvalidInput(f"slurm_jwt_key {key} is empty", fix="name the jwt_key of slurm.conf")
        self.user, self._clock = user, clock

    def headers(self) -> dict[str, str]:
        """What one request carries."""
        return {"X-SLURM-USER-NAME": self.user, "X-SLURM-USER-TOKEN": self._token()}

    def _token(self) -> str:
        now = int(self._clock.now().timestamp())
        claims = {"iat": now, "exp": now + TOKEN_SECONDS, "sun": self.user}
        signed = f"{_part(HEAD)}.{_part(claims)}"
        return f"{signed}.{_coded(hmac.digest(self._key, signed.encode(), hashlib.sha256))}"


def _part(fields: Mapping[str, object]) -> str:
    return _coded(json.dumps(fields, separators=(",", ":")).encode())


def _coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")

"""Master keys in OpenBao's transit engine: they are made there, never leave it, and wrap there, over TLS."""

import base64
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from fabriek.kernel.errors import Damaged, InvalidInput, NotPermitted, Unavailable, WrongState
from fabriek.kernel.signing import named, wrapped_under

KIND = "openbao"
SECONDS_MAX = 10.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class OpenBaoKeys:
    """One transit key and its versions. `token` is asked at each call, so that a renewed one is found.

    `ca`: PEM of who signed the server's certificate; empty means the system's own. Raises InvalidInput on plain HTTP beyond loopback.
    """

    def __init__(
        self, url: str, token: Callable[[], str], *, name: str = "fabriek", mount: str = "transit", ca: str = ""
    ) -> None:
        at = urlsplit(url)
        if at.scheme != "https" and not (at.scheme == "http" and at.hostname in LOOPBACK):
            raise InvalidInput("keys would cross the network in plain", fix="name the server as https://…")
        self._name, self._mount, self._token = name, mount, token
        self._host = at.hostname or ""
        verify = _trusting(ca) if ca else True
        self._http = httpx.Client(
            base_url=url.rstrip("/"), timeout=SECONDS_MAX, verify=verify, trust_env=False, follow_redirects=False,
            # Each call on a connection of its own: calls are few, and holders come and go with what organisations tell.
            limits=httpx.Limits(max_keepalive_connections=0),
        )  # fmt: skip

    def close(self) -> None:
        self._http.close()

    def wrap(self, key: bytes, context: bytes) -> bytes:
        said = {"plaintext": _text(key), "associated_data": _text(context)}
        answer = self._ask("POST", f"encrypt/{self._name}", said)
        _, version, sealed = str(answer["ciphertext"]).split(":")
        return named(f"{KIND}/{version.removeprefix('v')}", base64.b64decode(sealed))

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        name = wrapped_under(wrapped)
        kind, _, number = name.partition("/")
        if kind != KIND or not re.fullmatch("[1-9][0-9]*", number):
            raise _damaged()
        said = {
            "ciphertext": f"vault:v{number}:{_text(wrapped[len(name) + 1 :])}",
            "associated_data": _text(context),
        }
        answer = self._ask("POST", f"decrypt/{self._name}", said)
        return base64.b64decode(str(answer["plaintext"]))

    def current(self) -> str:
        return f"{KIND}/{self._ask('GET', f'keys/{self._name}')['latest_version']}"

    def names(self) -> Sequence[str]:
        return [f"{KIND}/{number}" for number in sorted(map(int, self._ask("GET", f"keys/{self._name}")["keys"]))]

    def renew(self) -> str:
        self._ask("POST", f"keys/{self._name}/rotate", {})
        return self.current()

    def destroy(self, name: str) -> None:
        """OpenBao destroys from the oldest on: raises WrongState while an older one is there that must stay."""
        if name == self.current():
            raise WrongState(f"{name} is the master key that wraps now", fix="fabriek admin keys rotate")
        names = list(self.names())
        if name not in names:
            return
        if name != names[0]:
            raise WrongState(f"{names[0]} is older than {name} and still there", fix="destroy that one first")
        least = int(name.partition("/")[2]) + 1
        bounds = {"min_decryption_version": least, "min_encryption_version": least}
        self._ask("POST", f"keys/{self._name}/config", bounds)
        self._ask("POST", f"keys/{self._name}/trim", {"min_available_version": least})

    def _ask(self, method: str, path: str, said: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = self._http.request(
                method, f"/v1/{self._mount}/{path}", json=said, headers={"X-Vault-Token": self._token()}
            )
        except (httpx.HTTPError, OSError, UnicodeError) as error:
            raise self._away(type(error).__name__) from None
        if answer.status_code == httpx.codes.BAD_REQUEST and path.startswith("decrypt/"):
            if "key not found" in answer.text:
                raise self._away("the key is gone")
            raise _damaged()
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise NotPermitted(
                f"the key service at {self._host} refuses our token",
                rule="keys.refused",
                fix="whoever owns that key lets us use it again, or gives another token",
            )
        if not answer.is_success:
            raise self._away(f"it answers {answer.status_code}")
        if answer.status_code == httpx.codes.NO_CONTENT:
            return {}
        data = answer.json().get("data")
        return data if isinstance(data, dict) else {}

    def _away(self, why: str) -> Unavailable:
        return Unavailable(
            f"the key service at {self._host} does not answer ({why})", fix="start or unseal it", retry_after_seconds=5
        )


def _trusting(ca: str) -> Any:
    import ssl  # noqa: PLC0415  # only where a certificate is named

    try:
        return ssl.create_default_context(cadata=ca)
    except (ssl.SSLError, ValueError):
        raise InvalidInput("this is no certificate in PEM", fix="name the file of who signed the server's") from None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _damaged() -> Damaged:
    return Damaged("a wrapped key does not open", fix="fabriek doctor; was the key replaced?", where="keys")

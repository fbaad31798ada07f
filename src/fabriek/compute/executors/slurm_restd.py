"""One slurmrestd: the way to it, and the token that each request carries."""

import ipaddress
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from fabriek.compute.executors.slurm_errors import RETRY_SECONDS, error_of
from fabriek.compute.executors.slurm_tokens import Tokens
from fabriek.kernel.errors import InvalidInput, Unavailable

CONTROLLER, ACCOUNTS = "/slurm/v0.0.42", "/slurmdb/v0.0.42"

IDS_AT_ONCE = 500
"""In one question: an address has an end."""

ANSWER_SECONDS_MAX = 30.0
"""slurmrestd itself looks for its controller for `MessageTimeout`, ten seconds as Slurm comes. Who gives up earlier does not learn what
became of the request."""

SOCKET = "unix:"


class Restd:
    """`address`: https://…, http:// on loopback, or unix:/path. `tokens`: None where the socket itself says who we are (rest_auth/local).

    Raises InvalidInput on an address that would carry a token in plain.
    """

    def __init__(self, address: str, tokens: Tokens | None, *, patience_seconds: float = ANSWER_SECONDS_MAX) -> None:
        # Nothing of the environment counts: a proxy that it names would be handed the token. No connection is kept: a request that is
        # lost on one that slurmrestd just closed would be a submission of which nobody knows.
        alone = httpx.Limits(max_keepalive_connections=0)
        if address.startswith(SOCKET):
            transport = httpx.HTTPTransport(uds=address.removeprefix(SOCKET), limits=alone)
            base = "http://localhost"
        else:
            _must_be_safe(address)
            transport = httpx.HTTPTransport(verify=ssl.create_default_context(), trust_env=False, limits=alone)
            base = address
        self._address, self._tokens = address, tokens
        self._http = httpx.Client(transport=transport, base_url=base, timeout=patience_seconds, trust_env=False)

    def ask(
        self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), body: object = None, unless: frozenset[int] = frozenset()
    ) -> dict[str, Any]:  # fmt: skip
        """What it answers. Errors whose number stands in `unless` are an answer too. Raises Unavailable, or InvalidInput with Slurm's reason."""
        headers = self._tokens.headers() if self._tokens else {}
        try:
            said = self._http.request(method, path, params=list(query), json=body, headers=headers)
        except httpx.TransportError as error:
            why = "in time" if isinstance(error, httpx.TimeoutException) else f": {type(error).__name__}"
            raise Unavailable(
                f"slurmrestd at {self._address} does not answer {why}", fix="look whether slurmrestd runs", retry_after_seconds=RETRY_SECONDS
            ) from None  # fmt: skip
        answer = _read(said)
        if said.is_success and answer is not None:
            return answer
        if answer and {one.get("error_number") for one in answer.get("errors") or [{}]} <= unless:
            return answer
        raise error_of(said.status_code, answer or {})


def _read(said: httpx.Response) -> dict[str, Any] | None:
    """The body, None where it is not one of slurmrestd's."""
    try:
        answer = said.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _must_be_safe(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not parts.hostname:
        raise InvalidInput(
            f"slurm_rest = {address!r} is no address", fix="https://HOST:PORT, or unix:/path/of/its/socket"
        )
    if parts.hostname != "localhost" and not _is_loopback(parts.hostname):
        raise InvalidInput(
            f"slurm_rest = {address!r}: tokens would travel in plain",
            fix="https://, or a socket, or a slurmrestd on this machine",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

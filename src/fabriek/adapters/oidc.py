"""The wire to an OpenID provider: what it says of itself, its keys, its tokens. What the tokens must say is judged by who asks.

Redirects are not followed and answers are bounded: a provider is trusted with who people are, and with nothing else.
"""

import base64
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotPermitted, Unavailable

SECONDS_MAX = 10.0
ANSWER_BYTES_MAX = 2**20
METADATA_SECONDS = 3600.0
REFETCH_SECONDS = 60.0
"""A token with an unknown key makes us look again, but not more often: else whoever sends such tokens makes us ask all the time."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""None without a signature, and none whose key both sides share: a public key must never be taken for a shared one."""

RSA_BITS_MIN = 2048
LOOPBACK = ("127.0.0.1", "::1", "localhost")
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Refused(Exception):
    """The provider answered with an error of OAuth, such as `invalid_grant`."""

    def __init__(self, error: str, interval: int = 0) -> None:
        super().__init__(error)
        self.error, self.interval = error, interval


class OidcIssuer:
    """One provider. `secret`: reads the client's secret at each call; None for a public client."""

    def __init__(self, issuer: str, client_id: str, secret: Callable[[], str] | None, clock: Clock) -> None:
        self._issuer, self._client_id, self._secret, self._clock = issuer, client_id, secret, clock
        self._lock = threading.Lock()
        self._metadata: Mapping[str, Any] = {}
        self._metadata_until = self._keys_from = float("-inf")
        self._keys: dict[str, Any] = {}
        # Lines are kept open for a while: a login makes two calls, and the round of affiliations makes many.
        self._http = httpx.Client(timeout=SECONDS_MAX, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        self._http.close()

    def metadata(self) -> Mapping[str, Any]:
        """What it says of itself, an hour old at most. Raises Unavailable, NotPermitted where it names itself otherwise."""
        with self._lock:
            if self._clock.monotonic() < self._metadata_until:
                return self._metadata
        found = self._json(self._http_get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"))
        if found.get("issuer") != self._issuer:
            raise NotPermitted(
                "the provider calls itself by another name",
                rule="login.issuer",
                fix="correct its issuer in the settings",
            )
        with self._lock:
            self._metadata, self._metadata_until = found, self._clock.monotonic() + METADATA_SECONDS
        return found

    def names_itself_in_answers(self) -> bool:
        """Whether an answer without `iss` is not its own (RFC 9207)."""
        return bool(self.metadata().get("authorization_response_iss_parameter_supported"))

    def has_devices(self) -> bool:
        return bool(self.metadata().get("device_authorization_endpoint"))

    def authorization_url(self, asked: Mapping[str, str]) -> str:
        """Where a browser goes with these parameters."""
        at = self._endpoint("authorization_endpoint")
        return f"{at}{'&' if urlsplit(at).query else '?'}{urlencode({'client_id': self._client_id, **asked})}"

    def tokens(self, asked: Mapping[str, str]) -> Mapping[str, Any]:
        """The answer of the token endpoint. Raises Refused, Unavailable."""
        return self._ask("token_endpoint", asked)

    def device(self, scope: str) -> Mapping[str, Any]:
        """Starts a login on a device. Raises Refused, Unavailable."""
        return self._ask("device_authorization_endpoint", {"scope": scope})

    def userinfo(self, access_token: str) -> Mapping[str, Any]:
        """Raises Refused where the token is none any more, Unavailable."""
        at = self._endpoint("userinfo_endpoint")
        try:
            answer = self._http.get(at, headers={"Authorization": f"Bearer {access_token}"})
        except httpx.HTTPError as error:
            raise self._away(type(error).__name__) from None
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise Refused("invalid_token")
        return self._json(answer)

    def claims_of(self, token: str) -> Mapping[str, Any]:
        """What a token says, once its signature holds under a key of this provider. Raises NotPermitted, Unavailable."""
        header = _header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise _unsigned("a token without a signature of the provider's own key is worth nothing")
        key = self._key(kid if isinstance(kid, str) else "")
        try:
            signed = jws.deserialize_compact(token, key, algorithms=list(ALGORITHMS))
            claims = json.loads(signed.payload or b"")
        except (JoseError, ValueError, TypeError):
            raise _unsigned("the signature of the answer does not hold") from None
        if not isinstance(claims, dict):
            raise _unsigned("the answer cannot be read")
        return claims

    def _key(self, kid: str) -> Any:
        """Asked for anew at most once in a minute. A token that names no key is taken only where there is one."""
        with self._lock:
            known, looked = dict(self._keys), self._keys_from
        if kid not in known and self._clock.monotonic() >= looked + REFETCH_SECONDS:
            known = self._fetched_keys()
            with self._lock:
                self._keys, self._keys_from = known, self._clock.monotonic()
        if not kid and len(known) == 1:
            return next(iter(known.values()))
        if kid not in known:
            raise _unsigned("the answer is signed by a key that is not the provider's")
        return known[kid]

    def _fetched_keys(self) -> dict[str, Any]:
        found = self._json(self._http_get(self._endpoint("jwks_uri"))).get("keys")
        usable = [one for one in found or () if isinstance(one, dict) and _signs(one)]
        kept: dict[str, Any] = {}
        for number, one in enumerate(usable):
            try:
                key = KeySet.import_key_set({"keys": [one]}).keys[0]
            except (JoseError, ValueError, TypeError, KeyError):
                continue
            if not isinstance(key, RSAKey) or key.raw_value.key_size >= RSA_BITS_MIN:
                kept[str(one.get("kid") or f"#{number}")] = key
        return kept

    def _ask(self, endpoint: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        metadata, body, headers = self.metadata(), dict(asked), dict[str, str]()
        methods: Sequence[str] = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        secret = self._secret() if self._secret else ""
        if not secret:
            body["client_id"] = self._client_id
        elif "client_secret_basic" in methods:
            pair = f"{quote(self._client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            body |= {"client_id": self._client_id, "client_secret": secret}
        try:
            answer = self._http.post(self._endpoint(endpoint), data=body, headers=headers)
        except httpx.HTTPError as error:
            raise self._away(type(error).__name__) from None
        if answer.status_code in {httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            said = self._json(answer, failed=True)
            interval = said.get("interval")
            raise Refused(str(said.get("error", "unknown")), interval if isinstance(interval, int) else 0)
        return self._json(answer)

    def _endpoint(self, name: str) -> str:
        at = self.metadata().get(name)
        where = urlsplit(at if isinstance(at, str) else "")
        # What is spoken in plain on this machine's own port alone, may be so for the rest of it.
        plain = where.scheme == "http" and where.hostname in LOOPBACK and self._issuer.startswith("http://")
        if not where.hostname or not (where.scheme == "https" or plain):
            raise self._away(f"it names no {name}")
        return str(at)

    def _http_get(self, url: str) -> httpx.Response:
        try:
            return self._http.get(url)
        except httpx.HTTPError as error:
            raise self._away(type(error).__name__) from None

    def _json(self, answer: httpx.Response, *, failed: bool = False) -> Mapping[str, Any]:
        if not answer.is_success and not failed:
            raise self._away(f"it answers {answer.status_code}")
        try:
            said = answer.json() if len(answer.content) <= ANSWER_BYTES_MAX else None
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise self._away("its answer cannot be read")
        return said

    def _away(self, why: str) -> Unavailable:
        return Unavailable(
            f"the identity provider at {urlsplit(self._issuer).hostname} does not answer ({why})", fix="try again later",
            retry_after_seconds=5,
        )  # fmt: skip


def _signs(key: Mapping[str, Any]) -> bool:
    return key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig" and "d" not in key


def _header(token: str) -> Mapping[str, Any]:
    """Of a compact token, before anything of it is believed."""
    first = token.partition(".")[0] if token.count(".") == 2 else ""
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise _unsigned("the answer is no signed token")
    return header


def _unsigned(why: str) -> NotPermitted:
    return NotPermitted(why, rule="login.signature", fix="sign in again; if it stays so, tell your factory's operator")

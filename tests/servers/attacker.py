"""A provider that lies: a real server which says and signs whatever a test wants, in the place of an honest one."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jws
from joserfc.jwk import RSAKey
from joserfc.util import urlsafe_b64encode

from fabriek.kernel.clock import SystemClock


@dataclass
class Attacker:
    """`claims` go over those that an honest provider would send; None takes one away. `sign`: how, when not with the key that it shows."""

    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"}))
    other: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"}))
    shown: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    nonce: str = ""
    sign: str = "RS256"
    userinfo: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tokens: list[dict[str, str]] = field(default_factory=list)

    def id_token(self) -> str:
        now = SystemClock().now().timestamp()
        honest = {
            "iss": self.issuer,
            "aud": "us",
            "sub": "mallory",
            "nonce": self.nonce,
            "iat": int(now),
            "exp": int(now) + 300,
        }
        return self.signed({name: value for name, value in (honest | self.claims).items() if value is not None})

    def signed(self, claims: dict[str, Any]) -> str:
        body = json.dumps(claims).encode()
        if self.sign == "none":
            head = urlsafe_b64encode(json.dumps({"alg": "none", "kid": "1"}).encode())
            return f"{head.decode()}.{urlsafe_b64encode(body).decode()}."
        if self.sign == "HS256":  # with the public key, which everybody has, as if it were a shared one
            head = urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "1"}).encode()) + b"." + urlsafe_b64encode(body)
            mark = hmac.digest(self.key.as_pem(private=False), head, hashlib.sha256)
            return f"{head.decode()}.{urlsafe_b64encode(mark).decode()}"
        if self.sign == "unknown kid":
            return jws.serialize_compact({"alg": "RS256", "kid": "2"}, body, self.key)
        if self.sign == "tampered":
            head, middle, end = jws.serialize_compact({"alg": "RS256", "kid": "1"}, body, self.key).split(".")
            return f"{head}.{urlsafe_b64encode(body.replace(b'mallory', b'the-boss')).decode()}.{end}" if middle else ""
        return jws.serialize_compact(
            {"alg": "RS256", "kid": "1"}, body, self.other if self.sign == "other" else self.key
        )


@contextmanager
def attacking() -> Iterator[Attacker]:
    attacker = Attacker()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """The test says what it needs."""

        def do_GET(self) -> None:
            attacker.asked.append(self.path)
            base = attacker.issuer
            if self.path.endswith("openid-configuration"):
                self._say({
                    "issuer": base, "authorization_endpoint": f"{base}/auth", "token_endpoint": f"{base}/token", "jwks_uri": f"{base}/jwks",
                    "userinfo_endpoint": f"{base}/me", **attacker.metadata,
                })  # fmt: skip
            elif self.path == "/jwks":
                self._say(attacker.shown or {"keys": [attacker.key.as_dict(private=False)]})
            else:
                self._say({"sub": "mallory", **attacker.userinfo})

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            attacker.tokens.append(dict(parse_qsl(sent)))
            self._say({"access_token": "x", "token_type": "Bearer", "id_token": attacker.id_token()})

        def _say(self, said: dict[str, Any]) -> None:
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    attacker.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield attacker
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""One HTTP connection to a factory: sends, parses, and raises the server's own error class."""

import http.client
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from fabriek.kernel.errors import BY_CODE, FabriekError, InvalidInput, Unavailable
from fabriek.schemas.codes import Code
from fabriek.sdk.lines import Lines

CONNECT_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 120.0
STORE_SILENT_SECONDS_MAX = 30.0
"""How long a store may say nothing, or take nothing, in the middle of a request."""
HTTP_ERROR = 400


class Client:
    """Sends requests as one caller. `project` is the one meant when a call names none."""

    def __init__(
        self, url: str, token: str = "", project: str = "", *, transport: httpx.BaseTransport | None = None
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise InvalidInput(f"{url!r} is not an address", fix="give it as https://host or http://localhost:PORT")
        self.url = url.rstrip("/")
        self.token = token
        self.project = project
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=self.url,
            headers=headers,
            timeout=httpx.Timeout(ANSWER_SECONDS_MAX, connect=CONNECT_SECONDS_MAX),
            transport=transport,
            verify=self.url.startswith("https://"),  # reading the certificates of all authorities takes its time
            trust_env=False,  # a proxy variable of the laptop must not carry the token elsewhere
        )

        # Where a test answers in the server's place there is no address to reach.
        self._lines = Lines(self.url, token) if transport is None else None
        self._stores: dict[str, Lines] = {}

    def close(self) -> None:
        self._http.close()
        if self._lines is not None:
            self._lines.close()
        for lines in self._stores.values():
            lines.close()

    def the_project(self, project: str = "") -> str:
        """The project meant. Raises InvalidInput when neither the call nor the context names one."""
        chosen = project or self.project
        if not chosen:
            raise InvalidInput("no project is named", fix="add --project NAME, or set FABRIEK_PROJECT")
        return chosen

    def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Any:
        return self._json("GET", path, params=_said(params))

    def post(self, path: str, *, json: Any = None, params: Mapping[str, Any] | None = None) -> Any:
        headers = {"Idempotency-Key": secrets.token_urlsafe(24)}
        return self._json("POST", path, json=json, params=_said(params), headers=headers)

    def put(self, path: str, *, json: Any = None) -> Any:
        return self._json("PUT", path, json=json)

    def patch(self, path: str, *, json: Any = None) -> Any:
        return self._json("PATCH", path, json=json)

    def delete(self, path: str) -> Any:
        return self._json("DELETE", path)

    def put_bytes(self, path: str, content: bytes | Iterator[bytes], *, length: int | None = None) -> Any:
        headers = {"Content-Type": "application/octet-stream"}
        if length is not None:
            headers["Content-Length"] = str(length)
        return self._json("PUT", path, content=content, headers=headers)

    def send_sealed(self, path: str, pieces: Iterator[bytes | memoryview], length: int) -> Any:
        """Sends one object as a stream; each piece need hold only until the next is asked for.

        It cannot be rewound: raises Unavailable where the line breaks, and the caller seals anew.
        """
        if self._lines is None:
            return self.put_bytes(path, (bytes(piece) for piece in pieces), length=length)
        with self._broken():
            response = self._lines.put(path, pieces, length)
        if response.is_error:
            raise error_of(response)
        return response.json()

    def fetch_sealed(self, path: str, *, piece_bytes: int) -> Iterator[bytes | memoryview]:
        """The bytes of one object in pieces of that size, the last perhaps shorter; each holds until the next is asked for.

        Raises Unavailable where the line breaks.
        """
        if self._lines is None:
            with self.stream(path) as answered:
                yield from answered.iter_bytes(piece_bytes)
            return
        with self._broken(), self._lines.get(path, {}) as answer:
            if answer.status >= HTTP_ERROR:
                raise error_of(httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read()))
            room = memoryview(bytearray(piece_bytes))
            while count := _filled(answer, room):
                yield room[:count]
            if answer.length:  # the line ended before the object did
                raise self._away(ConnectionError("it broke off"))

    def lines_to(self, address: str) -> tuple[Lines, str]:
        """Lines to where an address of the store is, which are never told our token, and what to ask for there."""
        at = urlsplit(address)
        origin = f"{at.scheme}://{at.netloc}"
        if at.scheme not in {"https", "http"}:
            raise InvalidInput("the server gave an address that is none", fix="the operator: fabriek doctor")
        lines = self._stores.get(origin) or self._stores.setdefault(
            origin, Lines(origin, "", silent_seconds_max=STORE_SILENT_SECONDS_MAX)
        )
        return lines, f"{at.path}?{at.query}"

    def fetch_range(self, path: str, offset: int, count: int) -> tuple[bytes, int]:
        """(that many bytes of one object, fewer at its end; the size of all of it). Raises Unavailable where the line breaks twice."""
        headers = {"Range": f"bytes={offset}-{offset + count - 1}"}
        if self._lines is None:
            response = self._send("GET", path, headers=headers)
            return response.content, _whole_size(response.headers.get("content-range"), response.content)
        try:
            return self._fetch_range(path, headers)
        except Unavailable as error:
            if not isinstance(error.__cause__, (http.client.HTTPException, OSError)):
                raise
            return self._fetch_range(path, headers)

    def _fetch_range(self, path: str, headers: Mapping[str, str]) -> tuple[bytes, int]:
        assert self._lines is not None, "asked only where there are lines"
        with self._broken(), self._lines.get(path, headers) as answer:
            content = answer.read()
            if answer.status >= HTTP_ERROR:
                raise error_of(httpx.Response(answer.status, headers=answer.getheaders(), content=content))
            return content, _whole_size(answer.getheader("Content-Range"), content)

    def get_bytes(self, path: str, *, headers: Mapping[str, str] | None = None) -> bytes:
        return self._send("GET", path, headers=headers).content

    @contextmanager
    def stream(
        self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """A streaming GET; the caller reads `iter_bytes()` or `iter_lines()`. It waits as long as the server keeps the line open."""
        timeout = httpx.Timeout(None, connect=CONNECT_SECONDS_MAX)
        try:
            with self._http.stream("GET", path, params=_said(params), headers=headers, timeout=timeout) as response:
                if response.is_error:
                    response.read()
                    raise error_of(response)
                yield response
        except httpx.TransportError as error:
            raise self._away(error) from error

    def _json(self, method: str, path: str, **options: Any) -> Any:
        response = self._send(method, path, **options)
        return response.json() if response.content else None

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as first:
            # One more try: a POST carries its key and a PUT replaces, so sending twice is doing once. Streams cannot be rewound.
            if isinstance(options.get("content"), Iterator):
                raise self._away(first) from first
            try:
                response = self._http.request(method, path, **options)
            except httpx.TransportError as second:
                raise self._away(second) from second
        except httpx.TransportError as error:
            raise self._away(error) from error
        if response.is_error:
            raise error_of(response)
        return response

    @contextmanager
    def _broken(self) -> Iterator[None]:
        try:
            yield
        except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> Unavailable:
        return Unavailable(f"{self.url} does not answer ({error})", fix="is it running? fabriek up starts one here")


def _filled(answer: http.client.HTTPResponse, room: memoryview) -> int:
    """As many bytes as there is room for, fewer only at the end."""
    count = 0
    while count < len(room) and (some := answer.readinto(room[count:])):
        count += some
    return count


def _whole_size(content_range: str | None, content: bytes) -> int:
    """What the server says of the whole; nothing is believed of it but by what was sealed at its end."""
    said = (content_range or "").rpartition("/")[2]
    return int(said) if said.isdigit() else len(content)


def error_of(response: httpx.Response) -> FabriekError:
    """The error that a response stands for, in the class that the server raised."""
    try:
        body = response.json()
        code = Code(body["code"])
    except (ValueError, KeyError, TypeError):
        return Unavailable(f"the server answered {response.status_code} without saying why", fix="fabriek doctor")
    fields = {
        name: value for name, value in body.items() if name not in {"type", "title", "status", "detail", "code", "fix"}
    }
    return BY_CODE.get(code, FabriekError)(str(body.get("detail", "")), fix=str(body.get("fix", "")), **fields)


def _said(params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if params is None else {name: value for name, value in params.items() if value not in (None, "")}

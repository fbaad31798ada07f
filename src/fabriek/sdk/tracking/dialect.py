"""MLflow's REST as a client speaks it, to any server that does: MLflow's own, or ours. Errors come back in our classes."""

import math
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from fabriek.kernel.errors import (
    AlreadyExists,
    FabriekError,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    QuotaExhausted,
    RateLimited,
    Unavailable,
    WrongState,
)
from fabriek.sdk import client

T = TypeVar("T")

API = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
CONNECT_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 120.0
AGAIN_SECONDS = (0.2, 1.0, 3.0)
"""How long to wait before each further try at a server that does not answer, or says that it cannot now."""

WORTH_ANOTHER = frozenset({408, 429, 502, 503, 504})
PIECE_BYTES = 1 << 20

_CLASSES: dict[str, type[FabriekError]] = {
    "INVALID_PARAMETER_VALUE": InvalidInput, "BAD_REQUEST": InvalidInput, "UNAUTHENTICATED": NotAuthenticated, "PERMISSION_DENIED": NotPermitted,
    "RESOURCE_DOES_NOT_EXIST": NotFound, "NOT_FOUND": NotFound, "ENDPOINT_NOT_FOUND": NotFound, "RESOURCE_ALREADY_EXISTS": AlreadyExists,
    "INVALID_STATE": WrongState, "RESOURCE_EXHAUSTED": QuotaExhausted, "REQUEST_LIMIT_EXCEEDED": RateLimited,
    "TEMPORARILY_UNAVAILABLE": Unavailable,
}  # fmt: skip


class Away(Unavailable):
    """The server does not answer, or says that it cannot now: nothing more will come of going on."""


class Dialect:
    """One connection. `auth`: a token, or (user, password)."""

    def __init__(
        self, url: str, auth: str | tuple[str, str] = "", *, patience: tuple[float, ...] = AGAIN_SECONDS
    ) -> None:
        self.url = url.rstrip("/")
        self._patience = patience
        headers = {"Authorization": f"Bearer {auth}"} if isinstance(auth, str) and auth else {}
        self._http = httpx.Client(
            base_url=self.url,
            headers=headers,
            auth=auth if isinstance(auth, tuple) else None,
            timeout=httpx.Timeout(ANSWER_SECONDS_MAX, connect=CONNECT_SECONDS_MAX),
            verify=self.url.startswith("https://"),
            trust_env=False,  # a proxy variable of the laptop must not carry the token elsewhere
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, /, **params: Any) -> Any:
        return self._asked("GET", API + path, params=_said(params))

    def post(self, path: str, /, **fields: Any) -> Any:
        """Sent again where the line breaks: for calls of which two are as one."""
        return self._asked("POST", API + path, json=fields)

    def create(self, path: str, /, **fields: Any) -> Any:
        """Sent once: it may have been done where no answer came, and a second would make another. Raises Away then."""
        return self._asked("POST", API + path, patience=(), json=fields)

    def patch(self, path: str, /, **fields: Any) -> Any:
        return self._asked("PATCH", API + path, json=fields)

    def delete(self, path: str, /, **fields: Any) -> Any:
        return self._asked("DELETE", API + path, json=fields)

    def pages(self, path: str, field: str, /, *, method: str = "POST", **asked: Any) -> Iterator[Any]:
        """Everything of a list that comes in pages."""
        token = ""
        while True:
            more = asked | ({"page_token": token} if token else {})
            answer = self.post(path, **more) if method == "POST" else self.get(path, **more)
            yield from answer.get(field, ())
            token = answer.get("next_page_token", "")
            if not token:
                return

    def listed(self, place: str) -> Iterator[tuple[str, int]]:
        """(path below the place, size) of every file that the server keeps there, by path."""
        yield from self._below(place, "")

    def _below(self, place: str, folder: str) -> Iterator[tuple[str, int]]:
        at = f"{place}/{folder}" if folder else place
        answer = self._asked("GET", FILES, params={"path": at})
        for one in answer.get("files", ()):
            path = f"{folder}/{one['path']}" if folder else str(one["path"])
            if one.get("is_dir"):
                yield from self._below(place, path)
            else:
                yield path, int(one.get("file_size") or 0)

    def put_file(self, place: str, pieces: Iterator[bytes]) -> None:
        """Not sent again by itself: a stream cannot be rewound. Its length is not said before: a file may be growing as it is read."""
        try:
            response = self._http.put(f"{FILES}/{quote(place)}", content=pieces)
        except httpx.TransportError as error:
            raise self._away(error) from error
        if not response.is_success:
            raise error_of(response)

    @contextmanager
    def opened(self, path: str, /, **params: Any) -> Iterator[Iterator[bytes]]:
        """The bytes at a path of the server."""
        try:
            with self._http.stream("GET", quote(path), params=_said(params)) as response:
                if not response.is_success:  # we follow nobody elsewhere
                    response.read()
                    raise error_of(response)
                yield response.iter_bytes(PIECE_BYTES)
        except httpx.TransportError as error:
            raise self._away(error) from error

    def sent(self, path: str, fields: Mapping[str, Any]) -> Any:
        """A POST to a path outside the dialect's own part, of which two are as one."""
        return self._asked("POST", path, json=fields)

    def fetched(self, path: str) -> Any:
        """JSON from a path outside the dialect's own part."""
        return self._asked("GET", path)

    def _asked(self, method: str, path: str, *, patience: tuple[float, ...] | None = None, **options: Any) -> Any:
        for wait in (*(self._patience if patience is None else patience), None):
            try:
                response = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                if wait is None:
                    raise self._away(error) from error
            else:
                if response.status_code not in WORTH_ANOTHER or wait is None:
                    break
            threading.Event().wait(wait)
        if not response.is_success:
            raise error_of(response)
        try:
            return response.json() if response.content else {}
        except ValueError:
            raise Unavailable(
                f"{self.url} does not speak MLflow's REST", fix="give the address of a tracking server"
            ) from None

    def _away(self, error: Exception) -> Away:
        return Away(f"{self.url} does not answer ({error})", fix="is it running?")


def error_of(response: httpx.Response) -> FabriekError:
    """What an answer in MLflow's shape stands for."""
    try:
        body = response.json()
        if "code" in body:  # a factory, outside the dialect
            return client.error_of(response)
        word, message = str(body["error_code"]), str(body.get("message", ""))
    except (ValueError, KeyError, TypeError):
        word, message = "", f"the server answered {response.status_code} without saying why"
        if response.status_code == httpx.codes.UNAUTHORIZED:
            word = "UNAUTHENTICATED"
    kind = Away if response.status_code in WORTH_ANOTHER else _CLASSES.get(word, Unavailable)
    # What we said as a fix stands in brackets behind the sentence already.
    return kind(message, fix="" if word else "give the address of a tracking server")


def words_of(value: float) -> float | str:
    """JSON has no NaN and no infinity; these are MLflow's words for them."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def number_of(raw: Any) -> float:
    """The other way round: also from the words that Python writes."""
    return float(raw)


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def in_batches(items: Iterable[T], most: int) -> Iterator[list[T]]:
    """Lists of that many, the last perhaps shorter."""
    rest = iter(items)
    while some := list(islice(rest, most)):
        yield some


def _said(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value not in (None, "")}

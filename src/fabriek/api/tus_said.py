"""What tus clients say in headers, and how they are told no: its own status codes, with the problem that everybody else gets."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from fabriek.kernel.errors import (
    FabriekError,
    InvalidInput,
    NotPermitted,
    QuotaExhausted,
    WrongState,
)
from fabriek.vault.intake.arrivals import FILE_BYTES_MAX
from fabriek.vault.intake.arriving import Checksum, WrongChecksum
from fabriek.web.bodies import arriving
from fabriek.web.problems import problem_of, request_id

VERSION: Final = "1.0.0"
OFFSET_TYPE: Final = "application/offset+octet-stream"


REFUSED: Final = {
    "version": (412, "this is tus 1.0.0, and the request does not say that it is", "send Tus-Resumable: 1.0.0"),
    "method": (405, "a file is sent with PATCH", "send PATCH, or name it in X-HTTP-Method-Override"),
    "type": (415, "the bytes of a file are not announced as such", f"send Content-Type: {OFFSET_TYPE}"),
    "length": (400, "the file's length is missing", "send Upload-Length, in bytes"),
    "offset": (400, "where these bytes belong is missing", "send Upload-Offset, in bytes"),
    "metadata": (
        400, "Upload-Metadata cannot be read", "send pairs with commas: a key, a space, and Base64 of UTF-8",
    ),
    "name": (400, "the file has no name", "send `filename` in Upload-Metadata"),
    "checksum": (400, "Upload-Checksum cannot be read", "send sha1, sha256 or md5, a space, and Base64"),
}  # fmt: skip
"""What is not how tus is spoken: its status, what is wrong, and what to do."""


class Unspoken(InvalidInput):
    """Not how tus is spoken."""

    def __init__(self, what: str) -> None:
        self.status, detail, fix = REFUSED[what]
        super().__init__(detail, fix=fix)


class TusRoute(APIRoute):
    """Every answer says which tus it is, the refusals of the guard among them."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Tus-Resumable"] = VERSION
                if message["status"] == REFUSED["version"][0]:
                    headers["Tus-Version"] = VERSION
            await send(message)

        await super().handle(scope, receive, send_marked)


def refusal(request: Request, error: FabriekError, more: dict[str, str] | None = None) -> Response:
    """The error in tus's status codes, where it has one; raises it where it has none, and where the refusal is to be recorded."""
    status = _status_of(error)
    if status is None:
        raise error
    body = problem_of(error, request_id(request)) | {"status": status}
    return JSONResponse(body, status_code=status, headers=more, media_type="application/problem+json")


def _status_of(error: FabriekError) -> int | None:
    if isinstance(error, NotPermitted):
        return None
    if isinstance(error, Unspoken):
        return error.status
    if isinstance(error, WrongChecksum):
        return 460
    if isinstance(error, WrongState):
        return 403 if error.fields.get("rule") == "hold" else 410  # it is there still, and asking again does not help
    if isinstance(error, QuotaExhausted) or error.fields.get("limit") == FILE_BYTES_MAX:
        return 413
    return None


def told_of(request: Request) -> str:
    """`Upload-Metadata` as it came, once it is clear that tus 1.0.0 is spoken."""
    if request.headers.get("tus-resumable") != VERSION:
        raise Unspoken("version")
    return request.headers.get("upload-metadata", "").strip()


def path_of(told: str) -> str:
    """Where the file belongs: what was told as `path`, else as `relativePath` by a folder's file, else its `filename` or `name`."""
    said = dict(_pairs(told))
    for key in ("path", "relativePath", "filename", "name"):
        if said.get(key, "null") not in {"", "null"}:  # what a browser's library says of a file without a folder
            return said[key]
    raise Unspoken("name")


def _pairs(told: str) -> Iterator[tuple[str, str]]:
    for pair in filter(None, told.split(",")):
        key, _, value = pair.strip().partition(" ")
        try:
            yield key, base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            raise Unspoken("metadata") from None


def length_of(request: Request) -> int:
    return _number(request, "upload-length", "length")


def offset_of(request: Request) -> int:
    """Raises Unspoken where it is not a PATCH of tus."""
    told_of(request)
    if request.headers.get("content-type", "") != OFFSET_TYPE:
        raise Unspoken("type")
    return _number(request, "upload-offset", "offset")


def _number(request: Request, header: str, what: str) -> int:
    text = request.headers.get(header, "")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Unspoken(what)
    return int(text)


def checksum_of(request: Request, algorithms: tuple[str, ...]) -> Checksum | None:
    header = request.headers.get("upload-checksum", "")
    if not header:
        return None
    algorithm, _, value = header.partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except binascii.Error:
        digest = b""
    if algorithm not in algorithms or not digest:
        raise Unspoken("checksum")
    return Checksum(algorithm, digest)


def arriving_until_broken(request: Request) -> Iterator[bytes]:
    """The body as far as it comes: what arrived before the line broke is kept, and the client goes on behind it."""
    try:
        yield from arriving(request)
    except ClientDisconnect:
        return

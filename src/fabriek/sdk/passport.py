"""A passport verified on this machine: who signed it, and that no byte of the page was changed since."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from fabriek.kernel.dsse import IN_TOTO, opened
from fabriek.kernel.errors import Damaged, InvalidInput
from fabriek.kernel.tlog.notes import parse_key
from fabriek.schemas.passport import END, START, PassportVerifiedOut, rest_of

PASSPORT_TYPE = "urn:fabriek:passport:v1"
FILE_BYTES_MAX = 64 * 2**20


def verify_file(file: Path, key: str) -> PassportVerifiedOut:
    """key: as the installation gives it, base64, or its log's verifier key. Raises Damaged, InvalidInput on what is no passport or no key."""
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise InvalidInput(f"{file} is larger than a passport is", fix="name the page that you were given")
        page = file.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read ({type(error).__name__})", fix="name the page that you were given"
        ) from None
    return summary(verify(page, read_key(key)))


def read_key(text: str) -> bytes:
    """32 raw bytes of Ed25519. Raises InvalidInput."""
    said = text.strip()
    try:
        raw = parse_key(said).public if "+" in said and len(said) > 60 else base64.b64decode(said, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise InvalidInput("this is not the key of an installation", fix="fabriek passport key, on that installation")
    return raw


def verify(page: bytes, public_key: bytes) -> dict[str, Any]:
    """The statement of a page. Raises Damaged where it, or anything around it, is not what was signed."""
    begin, end = START.encode(), END.encode()
    if page.count(begin) != 1:
        raise InvalidInput("this is not the page of a passport", fix="name the page that you were given")
    before, _, rest = page.partition(begin)
    held, closed, after = rest.partition(end)
    if not closed:
        raise _changed("the page was cut off")
    try:
        both = json.loads(held)
        envelope, origin = str(both["passport"]), str(both["origin"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _changed("the statement in this page is not readable") from None
    said = _opened(envelope, public_key)
    try:
        if said["predicateType"] != PASSPORT_TYPE:
            raise _changed("what this page holds is signed, and is no passport")
        named, of_job = said["predicate"]["page"]["sha256"], said["predicate"]["made"]
    except (KeyError, TypeError):
        raise _changed("the statement in this page is not that of a passport") from None
    if named != hashlib.sha256(rest_of(before, after)).hexdigest():
        raise _changed("the page around the statement was changed")
    if held != json.dumps(both).replace("<", "\\u003c").encode():
        raise _changed("the statement in this page was written anew")
    if origin:
        _check_origin(origin, of_job, public_key)
    return said


def summary(said: dict[str, Any]) -> PassportVerifiedOut:
    model = said["predicate"]["model"]
    return PassportVerifiedOut(
        model=model["name"], version=model["version"], sha256=model["sha256"], label=model["label"],
        issuer=said["predicate"]["issuer"]["id"], issued_on=said["predicate"]["issuedOn"], mark=said["predicate"]["files"]["mark"],
        origin=said["predicate"]["made"] is not None,
    )  # fmt: skip


def _check_origin(origin: str, of_job: Any, public_key: bytes) -> None:
    """The job's own statement lies beside the passport: signed by the same, and the very one that it names."""
    _opened(origin, public_key)
    payload = base64.b64decode(json.loads(origin)["payload"])
    named = ((of_job or {}).get("statement") or {}).get("sha256")
    if hashlib.sha256(payload).hexdigest() != named:
        raise _changed("the statement of the job in this page is that of another")


def _opened(text: str, public_key: bytes) -> dict[str, Any]:
    """The statement in an envelope that is written as we write it: then no byte of it can be another, and the signature still hold."""
    said: dict[str, Any] = opened(text, public_key)
    held = json.loads(text)
    payload, signatures = base64.b64decode(held["payload"]), held["signatures"]
    try:
        issuer = (
            said["predicate"]["issuer"]["id"]
            if said["predicateType"] == PASSPORT_TYPE
            else said["predicate"]["runDetails"]["builder"]["id"]
        )
        exact = {
            "payloadType": IN_TOTO,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{
                "keyid": str(issuer).removeprefix("urn:fabriek:installation:"),
                "sig": base64.b64encode(base64.b64decode(signatures[0]["sig"])).decode(),
            }],
        }  # fmt: skip
    except (KeyError, TypeError, IndexError):
        raise _changed("the statement in this page is not that of a passport") from None
    if json.dumps(exact) != text:
        raise _changed("the envelope in this page was written anew")
    return said


def _changed(what: str) -> Damaged:
    return Damaged(what, fix="ask for the page again, from whoever issued it", where="passport")

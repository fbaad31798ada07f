"""What an S3 store can do, tried out under names of its own that are removed again. Nothing of Fabriek relies on what is found beyond the first
question; operators want to know.
"""

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import httpx
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from fabriek.adapters.s3 import explained
from fabriek.kernel.errors import Damaged

PROBES = "probe/"
AT_ONCE = 8
ROUNDS = 3
ANSWER_SECONDS_MAX = 10
BODY = b"sealed bytes would be here"


class Conditions(StrEnum):
    """Whether a put under the condition that nothing has the name is refused to all but one."""

    KEPT = "kept"
    KEPT_IN_TURN = "kept one after another, and forgotten when writers come at once"
    NOT_KEPT = "not kept"


@dataclass(frozen=True, slots=True)
class Able:
    """`listed_at_once`: an object is in the list as soon as it is put. `addresses`: empty where a client's put, range and get at signed
    addresses worked, else what happened.
    """

    conditions: Conditions
    listed_at_once: bool
    addresses: str


def probe_bucket(store: S3Store, seen: S3Store) -> Able:
    """`seen`: the bucket as clients reach it. Raises Unavailable when it cannot be written, Damaged when it gives back something else."""
    room = f"{PROBES}{secrets.token_hex(8)}/"
    try:
        with explained(room):
            _check_kept(store, f"{room}whole")
            listed = any(entry["path"].endswith("whole") for page in obstore.list(store, prefix=room) for entry in page)
            return Able(_conditions(store, room), listed, _addresses(seen, f"{room}addressed"))
    finally:
        _clear(store, room)


def _check_kept(store: S3Store, name: str) -> None:
    obstore.put(store, name, BODY, use_multipart=False)
    part = bytes(obstore.get_range(store, name, start=7, end=12))
    if (int(obstore.head(store, name)["size"]), part) != (len(BODY), BODY[7:12]):
        raise Damaged("the store gave back something else than it took", fix="use another store", where=name)
    obstore.copy(store, name, f"{name}-copied")
    if bytes(obstore.get(store, f"{name}-copied").bytes()) != BODY:
        raise Damaged("the store copied something else than it took", fix="use another store", where=name)


def _conditions(store: S3Store, room: str) -> Conditions:
    if not _is_written(store, f"{room}turn") or _is_written(store, f"{room}turn"):
        return Conditions.NOT_KEPT
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(ROUNDS):
            name = f"{room}at-once-{number}"
            if sum(pool.map(lambda _, name=name: _is_written(store, name), range(AT_ONCE))) != 1:
                return Conditions.KEPT_IN_TURN
    return Conditions.KEPT


def _is_written(store: S3Store, name: str) -> bool:
    try:
        obstore.put(store, name, secrets.token_bytes(16), mode="create", use_multipart=False)
    except AlreadyExistsError:
        return False
    except BaseError:
        # It knows no conditions, or refuses to say: neither is a put.
        return False
    return True


def _addresses(seen: S3Store, name: str) -> str:
    lasts = timedelta(minutes=1)
    try:
        with httpx.Client(timeout=ANSWER_SECONDS_MAX, trust_env=False) as client:
            put = client.put(obstore.sign(seen, "PUT", name, lasts), content=BODY)
            got = client.get(obstore.sign(seen, "GET", name, lasts), headers={"Range": "bytes=7-11"})
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    if not put.is_success:
        return f"a put was answered with {put.status_code}"
    return "" if (got.status_code, got.content) == (206, BODY[7:12]) else f"a range was answered with {got.status_code}"


def _clear(store: S3Store, room: str) -> None:
    """As far as it can be: a probe that is left is a few bytes."""
    try:
        for page in obstore.list(store, prefix=room):
            obstore.delete(store, [entry["path"] for entry in page])
    except BaseError:
        return

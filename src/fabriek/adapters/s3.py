"""One bucket of an S3 store, and its errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from fabriek.kernel.errors import AlreadyExists, FabriekError, InvalidInput, NotFound, Unavailable

CONNECT_SECONDS_MAX = 5
SILENT_SECONDS_MAX = 20
"""How long a store may say nothing in the middle of a request."""

ANSWER_SECONDS_MAX = 120
"""How long one request may take, an object of 64 MiB among them."""

RETRIES_MAX = 2
RETRY_SECONDS_MAX = 30

KEY_LINES = 2


def open_bucket(name: str, *, key: tuple[str, str], endpoint: str = "", region: str = "", **changed: Any) -> S3Store:
    """A bucket by its name. key: (id, secret). endpoint: empty means Amazon's own for the region. changed: further options of obstore.

    What fails for the moment is tried again for half a minute; who waits is told then, and may come back.
    """
    limits = {"connect_timeout": timedelta(seconds=CONNECT_SECONDS_MAX), "read_timeout": timedelta(seconds=SILENT_SECONDS_MAX)}  # fmt: skip
    client: Any = limits | {
        "timeout": timedelta(seconds=ANSWER_SECONDS_MAX),
        "allow_http": endpoint.startswith("http://"),
    }
    options: dict[str, Any] = {
        "region": region or "us-east-1", "access_key_id": key[0], "secret_access_key": key[1], "virtual_hosted_style_request": False,
        "retry_config": {"max_retries": RETRIES_MAX, "retry_timeout": timedelta(seconds=RETRY_SECONDS_MAX)},
    }  # fmt: skip
    if endpoint:
        options["endpoint"] = endpoint
    client |= changed.pop("client_options", {})
    return S3Store(name, client_options=client, **options | changed)


def read_key(text: str, where: str) -> tuple[str, str]:
    """(id, secret) from a file of two lines. Raises InvalidInput, which says neither."""
    lines = text.split()
    if len(lines) != KEY_LINES:
        raise InvalidInput(
            f"{where} does not hold a key of the store",
            fix="write its id on the first line and its secret on the second",
        )
    return lines[0], lines[1]


@contextmanager
def explained(name: str) -> Iterator[None]:
    """The store's errors as ours."""
    try:
        yield
    except FabriekError:
        raise
    except FileNotFoundError:
        raise NotFound(f"the store has no object {name}", fix="fabriek doctor") from None
    except AlreadyExistsError:
        raise AlreadyExists("there is an object of this name", fix="ask for a new name") from None
    except BaseError as error:
        raise Unavailable(
            "the object store did not do it", fix="fabriek doctor; nothing was lost", retry_after_seconds=5
        ) from error

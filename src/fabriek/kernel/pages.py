"""Lists come in pages: at most LIMIT_MAX rows and an opaque, signed cursor to the next."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Generic, TypeVar

from fabriek.kernel.errors import InvalidInput

LIMIT_MAX = 1_000
LIMIT_DEFAULT = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and the cursor of the next page; empty when this is the last."""

    items: list[T]
    next_cursor: str = ""


class Cursors:
    """Signs and reads cursors. The scope binds a cursor to its list, so that one cannot be carried to another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, scope: str, position: str) -> str:
        return base64.urlsafe_b64encode(self._mac(scope, position) + position.encode()).decode().rstrip("=")

    def read(self, scope: str, cursor: str) -> str:
        """The position a cursor stands for; empty for no cursor. Raises InvalidInput on one that was not written here."""
        if not cursor:
            return ""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            position = raw[16:].decode()
        except ValueError:
            raise InvalidInput("the cursor is not one of ours", fix="start again without cursor") from None
        if not hmac.compare_digest(raw[:16], self._mac(scope, position)):
            raise InvalidInput("the cursor is not one of ours", fix="start again without cursor")
        return position

    def _mac(self, scope: str, position: str) -> bytes:
        return hmac.digest(self._key, f"{scope}\0{position}".encode(), hashlib.sha256)[:16]

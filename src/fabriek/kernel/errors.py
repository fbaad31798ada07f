"""The tree of errors. Each says what went wrong, why, and the command that fixes it; `schemas/codes.py` says the rest."""

from typing import ClassVar

from fabriek.schemas.codes import MEANINGS, Code, Meaning


class FabriekError(Exception):
    """An error that a person caused and can mend. `detail` is one sentence, `fix` a command or an act, `fields` the figures.

    A bug is not one of these: it stays an AssertionError or whatever it was, and becomes `internal`.
    """

    code: ClassVar[Code] = Code.INTERNAL

    def __init__(self, detail: str, *, fix: str = "", **fields: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix
        self.fields = fields

    @property
    def meaning(self) -> Meaning:
        return MEANINGS[self.code]


class InvalidInput(FabriekError):
    """The caller sent something that can never be right. `errors`: list of {"field", "message"} where there are several."""

    code = Code.INVALID_INPUT


class NotAuthenticated(FabriekError):
    code = Code.NOT_AUTHENTICATED


class NotPermitted(FabriekError):
    """The caller may know that the thing exists, and a rule forbids the act. Fields: rule."""

    code = Code.NOT_PERMITTED


class NotFound(FabriekError):
    """No such thing, or the caller may not know of it: both read the same to the byte."""

    code = Code.NOT_FOUND


class AlreadyExists(FabriekError):
    code = Code.ALREADY_EXISTS


class WrongState(FabriekError):
    code = Code.WRONG_STATE


class Stale(FabriekError):
    """Somebody else changed it since the caller read it."""

    code = Code.STALE


class CreditsExhausted(FabriekError):
    """Fields: left, asked, unit, share."""

    code = Code.CREDITS_EXHAUSTED


class QuotaExhausted(FabriekError):
    """Fields: limit, used."""

    code = Code.QUOTA_EXHAUSTED


class RateLimited(FabriekError):
    """Fields: retry_after_seconds."""

    code = Code.RATE_LIMITED


class Unavailable(FabriekError):
    """Something Fabriek needs does not answer; waiting helps. Fields: retry_after_seconds."""

    code = Code.UNAVAILABLE


class StorageFull(FabriekError):
    code = Code.STORAGE_FULL


class Damaged(FabriekError):
    """Stored bytes are not what was written. Fields: where (object or path)."""

    code = Code.DAMAGED


BY_CODE: dict[Code, type[FabriekError]] = {
    kind.code: kind
    for kind in (
        InvalidInput, NotAuthenticated, NotPermitted, NotFound, AlreadyExists, WrongState, Stale,
        CreditsExhausted, QuotaExhausted, RateLimited, Unavailable, StorageFull, Damaged,
    )
}  # fmt: skip
"""The SDK raises the same class that the server raised."""


def nothing_here() -> NotFound:
    """The one sentence for what is not there, and for what the caller may not know of."""
    return NotFound(
        "there is no such thing, or you may not know of it", fix="check the name; fabriek whoami shows who you are"
    )

"""The table of errors: each code with its HTTP status, its title, the exit code of the command line, and MLflow's word for it."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """What went wrong, as one word that a program may compare. See docs/reference/errors.md."""

    INVALID_INPUT = "invalid_input"
    NOT_AUTHENTICATED = "not_authenticated"
    NOT_PERMITTED = "not_permitted"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    WRONG_STATE = "wrong_state"
    STALE = "stale"
    CREDITS_EXHAUSTED = "credits_exhausted"
    QUOTA_EXHAUSTED = "quota_exhausted"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    STORAGE_FULL = "storage_full"
    DAMAGED = "damaged"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the table. `mlflow_status` is the status that MLflow's own server sends with its code."""

    http: int
    title: str
    exit: int
    mlflow: str
    mlflow_status: int


MEANINGS: dict[Code, Meaning] = {
    Code.INVALID_INPUT: Meaning(422, "The input is not valid", 2, "INVALID_PARAMETER_VALUE", 400),
    Code.NOT_AUTHENTICATED: Meaning(401, "Sign in first", 4, "UNAUTHENTICATED", 401),
    Code.NOT_PERMITTED: Meaning(403, "A rule forbids this", 5, "PERMISSION_DENIED", 403),
    Code.NOT_FOUND: Meaning(404, "There is no such thing", 3, "RESOURCE_DOES_NOT_EXIST", 404),
    Code.ALREADY_EXISTS: Meaning(409, "This exists already", 6, "RESOURCE_ALREADY_EXISTS", 400),
    Code.WRONG_STATE: Meaning(409, "Not possible in this state", 6, "INVALID_STATE", 500),
    Code.STALE: Meaning(409, "Somebody changed this first", 6, "INVALID_STATE", 500),
    Code.CREDITS_EXHAUSTED: Meaning(409, "Not enough credits are left", 7, "RESOURCE_EXHAUSTED", 400),
    Code.QUOTA_EXHAUSTED: Meaning(409, "A quota is used up", 7, "RESOURCE_EXHAUSTED", 400),
    Code.RATE_LIMITED: Meaning(429, "Too many requests", 8, "REQUEST_LIMIT_EXCEEDED", 429),
    Code.UNAVAILABLE: Meaning(503, "Not available now", 8, "TEMPORARILY_UNAVAILABLE", 503),
    Code.STORAGE_FULL: Meaning(507, "The storage is full", 8, "TEMPORARILY_UNAVAILABLE", 503),
    Code.DAMAGED: Meaning(500, "Stored data is damaged", 10, "DATA_LOSS", 400),
    Code.INTERNAL: Meaning(500, "A fault in Fabriek", 1, "INTERNAL_ERROR", 500),
}

EXIT_JOB_FAILED = 9
"""The job itself failed under `--wait`."""

EXIT_INTERRUPTED = 130
"""The person pressed Ctrl-C."""

"""What Slurm means when it says no over REST: the number in the body decides, never the HTTP status.

A submission that Slurm refuses comes as 500, a token that it does not take as 511, a controller that is away as 500 or 502. Numbers and
names: `slurm/slurm_errno.h` of Slurm 24.11; what is said here of each was seen on a cluster of that release, or follows from its name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fabriek.kernel.errors import FabriekError, InvalidInput, Unavailable

RETRY_SECONDS = 5

PASSES = {
    1000: "SLURM_UNEXPECTED_MSG_ERROR",
    1001: "SLURM_COMMUNICATIONS_CONNECTION_ERROR",
    1002: "SLURM_COMMUNICATIONS_SEND_ERROR",
    1003: "SLURM_COMMUNICATIONS_RECEIVE_ERROR",
    1004: "SLURM_COMMUNICATIONS_SHUTDOWN_ERROR",
    1008: "SLURM_PROTOCOL_INSANE_MSG_LENGTH",
    1800: "SLURMCTLD_COMMUNICATIONS_CONNECTION_ERROR",
    1801: "SLURMCTLD_COMMUNICATIONS_SEND_ERROR",
    1802: "SLURMCTLD_COMMUNICATIONS_RECEIVE_ERROR",
    1803: "SLURMCTLD_COMMUNICATIONS_SHUTDOWN_ERROR",
    1804: "SLURMCTLD_COMMUNICATIONS_BACKOFF",
    1805: "SLURMCTLD_COMMUNICATIONS_HARD_DROP",
    2007: "ESLURM_ERROR_ON_DESC_TO_RECORD_COPY",
    2019: "ESLURM_WRITING_TO_FILE",
    2020: "ESLURM_TRANSITION_STATE_NO_UPDATE",
    2027: "ESLURM_IN_STANDBY_MODE",
    2041: "ESLURM_TAKEOVER_NO_HEARTBEAT",
    2049: "ESLURM_NEED_RESTART",
    2105: "ESLURM_SUBMISSIONS_DISABLED",
    2131: "ESLURM_IN_STANDBY_USE_BACKUP",
    5003: "ESLURM_PROTOCOL_INCOMPLETE_PACKET",
    5004: "SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT",
    5005: "SLURM_PROTOCOL_SOCKET_ZERO_BYTES_SENT",
    7000: "ESLURM_DB_CONNECTION",
    7008: "ESLURM_DB_CONNECTION_INVALID",
}
"""Somebody is away, and comes back."""

DOORS = {
    1007: "SLURM_PROTOCOL_AUTHENTICATION_ERROR",
    6000: "ESLURM_AUTH_CRED_INVALID",
    6001: "ESLURM_AUTH_EXPIRED",
    6010: "ESLURM_AUTH_UNABLE_TO_GENERATE_TOKEN",
}
"""Our token was not taken. Not the job's fault: it waits until an operator has mended it."""

OUTSIDE_STATUS = frozenset({401, 403, 511})

GONE = {2017: "ESLURM_INVALID_JOB_ID", 2021: "ESLURM_ALREADY_DONE"}
UNCHANGED = GONE | {2172: "ESLURM_JOB_SIGNAL_FAILED"}
"""A job that is not there, has ended, or is no longer as we asked for it: nothing is left to do."""

SLURMS_OWN = 1000
"""Slurm's numbers start here. Below are the C library's, and -1 for no number: leftovers of a connection that failed, never a refusal."""


def error_of(status: int, body: Mapping[str, Any]) -> FabriekError:
    """What to tell about an answer that is no success. `body` is empty where there was none that can be read."""
    errors = body.get("errors") or []
    numbers = numbers_of(errors)
    said = "; ".join(_sentence(one) for one in errors)[:300] or f"HTTP {status}"
    if status in OUTSIDE_STATUS or not numbers.isdisjoint(DOORS):
        return Unavailable(
            f"Slurm does not take our token: {said}",
            fix="compare slurm_jwt_key with the jwt_key of slurm.conf, slurm_user with the cluster's users, and both clocks",
            retry_after_seconds=RETRY_SECONDS,
        )
    refused = {number for number in numbers if number >= SLURMS_OWN and number not in PASSES}
    if refused:
        return InvalidInput(f"Slurm refused: {said}", fix="ask for what sinfo shows")
    if status in {404, 405}:
        return InvalidInput(f"this is no slurmrestd that speaks v0.0.42: {said}", fix="slurmrestd -d list")
    return Unavailable(f"Slurm does not answer: {said}", fix="sinfo", retry_after_seconds=RETRY_SECONDS)


def numbers_of(errors: Sequence[Mapping[str, Any]]) -> set[int]:
    return {int(one.get("error_number") or 0) for one in errors}


def _sentence(one: Mapping[str, Any]) -> str:
    return " ".join(": ".join(str(one[key]) for key in ("error", "description") if one.get(key)).split())

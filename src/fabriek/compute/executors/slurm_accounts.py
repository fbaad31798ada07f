"""Slurm's accounts, as `sacct` tells them."""

import pwd
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from fabriek.compute.executors.accounts import Account
from fabriek.compute.executors.slurm_commands import ACCOUNTS_OFF, IDS_AT_ONCE, SlurmCommands
from fabriek.kernel.errors import InvalidInput, NotFound

COLUMNS = ("JobID", "JobName", "State", "Start", "End", "ElapsedRaw", "TotalCPU", "MaxRSS", "AllocTRES")
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}

_CPU_TIME = re.compile(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+(?:\.\d+)?)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)")


class SlurmAccounts:
    """Read by command, whichever way jobs are handed over."""

    def __init__(self, commands: SlurmCommands) -> None:
        self._commands = commands

    def of(self, names: Mapping[str, str]) -> Mapping[str, Account]:
        """By the ids of batch jobs, with the name that each must bear. Those that are still open or not known are left out. Raises Unavailable,
        NotFound where Slurm keeps no accounts.
        """
        found: dict[str, Account] = {}
        ids = list(names)
        for start in range(0, len(ids), IDS_AT_ONCE):
            asked = ",".join(ids[start : start + IDS_AT_ONCE])
            words = ("--noheader", "--parsable2", "--noconvert", "--format", ",".join(COLUMNS), "--jobs", asked)
            found |= read_accounts(self._told(*words), names)
        return found

    def _told(self, *words: str) -> str:
        try:
            return self._commands.ask("sacct", *words)
        except InvalidInput as error:
            if ACCOUNTS_OFF in error.detail:
                raise NotFound("this cluster keeps no accounts", fix="AccountingStorageType in slurm.conf") from None
            raise


def read_accounts(told: str, names: Mapping[str, str]) -> dict[str, Account]:
    """From lines of COLUMNS: of each job one by itself, and one for each of its steps, which alone know of memory."""
    found: dict[str, Account] = {}
    peaks: dict[str, int] = {}
    for line in told.splitlines():
        job_id, name, state, start, end, elapsed, cpu, peak, allocated = line.split("|")
        job_id, _, step = job_id.partition(".")
        peaks[job_id] = max(peaks.get(job_id, 0), size_of(peak))
        if step or names.get(job_id) != name or not end.isdecimal():
            continue
        word, _, uid = state.partition(" by ")
        started = _instant(start) if start.isdecimal() else None
        found[job_id] = Account(
            job_id, word, started, _instant(end), int(elapsed or 0), cpu_seconds_of(cpu), 0, allocated, _who(uid)
        )
    return {job_id: replace(one, memory_bytes_peak=peaks[job_id]) for job_id, one in found.items()}


def cpu_seconds_of(text: str) -> float:
    """`1-02:03:04`, `02:03:04` or `00:00.429`; 0 for anything else."""
    match = _CPU_TIME.fullmatch(text)
    if match is None:
        return 0.0
    days, hours, minutes, seconds = match.groups()
    return int(days or 0) * 86_400 + int(hours or 0) * 3_600 + int(minutes) * 60 + float(seconds)


def size_of(text: str) -> int:
    """Bytes of `51200K` or `1.5G`; 0 for anything else."""
    match = _SIZE.fullmatch(text)
    return int(float(match[1]) * UNITS[match[2]]) if match else 0


def _instant(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _who(uid: str) -> str:
    if not uid.isdecimal():
        return ""
    try:
        return f"uid {uid} ({pwd.getpwuid(int(uid)).pw_name})"
    except KeyError:
        return f"uid {uid}"

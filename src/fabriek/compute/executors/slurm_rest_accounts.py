"""Slurm's accounts, as slurmrestd tells them."""

import pwd
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fabriek.compute.executors.accounts import Account
from fabriek.compute.executors.slurm_rest_jobs import id_in_accounts, word_of
from fabriek.compute.executors.slurm_restd import ACCOUNTS, IDS_AT_ONCE, Restd


class RestAccounts:
    """Of a cluster whose accounts slurmrestd reaches."""

    def __init__(self, restd: Restd) -> None:
        self._restd = restd

    def of(self, names: Mapping[str, str]) -> Mapping[str, Account]:
        """By the ids of batch jobs, with the name that each must bear. Those that are still open or not known are left out. Raises Unavailable."""
        found: dict[str, Account] = {}
        ids = list(names)
        for start in range(0, len(ids), IDS_AT_ONCE):
            query = [("start_time", "1"), *(("step", job_id) for job_id in ids[start : start + IDS_AT_ONCE])]
            for job in self._restd.ask("GET", f"{ACCOUNTS}/jobs/", query=query)["jobs"]:
                job_id = id_in_accounts(job)
                if names.get(job_id) == job["name"] and job["time"]["end"]:
                    found[job_id] = account_of(job)
        return found


def account_of(job: Mapping[str, Any]) -> Account:
    """Of one that has ended. Its steps alone know of memory and processors; what a step used stands under `requested`."""
    begun, ended, steps = job["time"]["start"], job["time"]["end"], job["steps"]
    peaks = [one["count"] for step in steps for one in step["tres"]["requested"]["max"] if one["type"] == "mem"]
    return Account(
        id_in_accounts(job),
        word_of(job["state"]["current"]),
        datetime.fromtimestamp(begun, UTC) if begun else None,
        datetime.fromtimestamp(ended, UTC),
        job["time"]["elapsed"],
        sum(step["time"]["total"]["seconds"] + step["time"]["total"]["microseconds"] / 1e6 for step in steps),
        max([0, *peaks]),
        _allocated(job["tres"]["allocated"]),
        _who(job["kill_request_user"]) if "CANCELLED" in job["state"]["current"] else "",
    )


def _allocated(resources: Sequence[Mapping[str, Any]]) -> str:
    """In sacct's words: `billing=1,cpu=1,gres/gpu=2,mem=64M,node=1`. What was not counted is below nought."""
    words = []
    for one in resources:
        kind = f"{one['type']}/{one['name']}" if one["name"] else one["type"]
        if one["count"] >= 0:
            words.append(f"{kind}={one['count']}{'M' if kind == 'mem' else ''}")
    return ",".join(sorted(words))


def _who(name: str) -> str:
    if not name:
        return ""
    try:
        return f"uid {pwd.getpwnam(name).pw_uid} ({name})"
    except KeyError:
        return name

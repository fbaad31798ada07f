"""Slurm by its REST interface, v0.0.42: the version that releases from 24.11 on have in common."""

from collections.abc import Iterator, Sequence
from typing import Any

from fabriek.compute.executors.slurm_dialect import BatchJob, InQueue, whole_of
from fabriek.compute.executors.slurm_errors import GONE, UNCHANGED, error_of
from fabriek.compute.executors.slurm_rest_jobs import Told, body_of, id_in_accounts, told_of, word_of
from fabriek.compute.executors.slurm_restd import ACCOUNTS, CONTROLLER, IDS_AT_ONCE, Restd
from fabriek.kernel.errors import Unavailable

REASONS_AT_ONCE = 20
"""How many waiting jobs, an array as one, are asked why they wait, in one look: those first that were not asked for longest."""

NEWEST_MAX = 200
"""Among so many of the controller's newest jobs is what the accounts have not heard of yet: they do within seconds."""


class SlurmRest:
    """States are asked for our own ids alone: the controller's whole list has been seen to take seconds.

    That answer has no names, and an id alone is no identity. So a name is learnt once, from our own submission or by one question, and
    holds as long as the controller's process lives; a new one may have forgotten jobs and given their ids to others. All tasks of an
    array bear its name.
    """

    def __init__(self, restd: Restd) -> None:
        self._restd = restd
        self._names: dict[str, str] = {}
        self._wholes: dict[str, str] = {}
        self._reasons: dict[str, dict[str, str]] = {}
        self._began = 0

    def submit(self, batch: BatchJob) -> str:
        told = self._restd.ask("POST", f"{CONTROLLER}/job/submit", body=body_of(batch))
        job_id = str(told.get("job_id") or "")
        if not job_id:
            raise Unavailable("slurmrestd named no job", fix="sinfo", retry_after_seconds=5)
        self._names[job_id], self._wholes[job_id] = batch.name, job_id
        return job_id

    def in_queue(self, ids: Sequence[str]) -> dict[str, InQueue]:
        states = dict(self._states(ids))
        self._forget_at_new_controller()
        wholes = dict.fromkeys(map(whole_of, states))
        for unknown in [one for one in wholes if one not in self._names]:
            self._look(unknown)
        self._ask_why_they_wait({whole_of(job_id) for job_id, state in states.items() if state == "PENDING"})
        return {
            job_id: InQueue(job_id, self._names[whole_of(job_id)], state, self._reason(job_id))
            for job_id, state in states.items()
            if whole_of(job_id) in self._names
        }

    def named(self, name: str) -> list[str]:
        told = self._restd.ask("GET", f"{ACCOUNTS}/jobs/", query=[("job_name", name), ("start_time", "1")])
        ids = [whole_of(id_in_accounts(job)) for job in told["jobs"] if job["name"] == name]
        self._forget_at_new_controller()
        newest = sorted({int(whole_of(own)) for own, _ in self._told_states(())})[-NEWEST_MAX:]
        for own in map(str, newest):
            if own not in self._wholes:
                self._look(own)
        here = [self._wholes.get(str(own), "") for own in newest]
        return list(dict.fromkeys([*ids, *(one for one in here if self._names.get(one) == name)]))

    def ended(self, job_id: str, name: str) -> str:
        query = [("step", job_id), ("job_name", name), ("start_time", "1")]
        told = self._restd.ask("GET", f"{ACCOUNTS}/jobs/", query=query)
        ends = [job["state"]["current"] for job in told["jobs"] if job["name"] == name]
        return word_of(ends[-1]) if ends else ""

    def cancel(self, job_id: str) -> None:
        self._signal({"jobs": [job_id]})

    def cancel_waiting(self, job_id: str) -> None:
        self._signal({"jobs": [job_id], "job_state": ["PENDING"]})

    def let_go(self, job_id: str) -> None:
        """Slurm changes a task of an array by its own id alone; the last one's is the array's, whose other held tasks go with it."""
        owns = [one.own for one in self._look(whole_of(job_id)) if one.id == job_id]
        for own in owns:
            self._restd.ask("POST", f"{CONTROLLER}/job/{own}", body={"hold": False})

    def _signal(self, which: dict[str, Any]) -> None:
        """Ends those jobs. One that is not there, or not so, is none of them."""
        told = self._restd.ask("DELETE", f"{CONTROLLER}/jobs/", body=which)
        errors = [one["error"] for one in told.get("status") or []]
        ill = [one for one in errors if one.get("code") and one["code"] not in UNCHANGED]
        if ill:
            meant = [{"error_number": one["code"], "error": one.get("message") or one.get("string")} for one in ill]
            raise error_of(500, {"errors": meant})

    def _states(self, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Id and state of those that the controller knows. Each array is asked about by itself: a task is told by its own id and its number,
        `21_3`, and not whose it is.
        """
        arrays = dict.fromkeys(whole_of(job_id) for job_id in ids if "_" in job_id)
        singles = [job_id for job_id in ids if "_" not in job_id]
        for start in range(0, len(singles), IDS_AT_ONCE):
            yield from self._told_states(singles[start : start + IDS_AT_ONCE])
        for array in arrays:
            for own, state in self._told_states([array]):
                yield own.replace(whole_of(own), array, 1), state

    def _told_states(self, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Slurm's own ids, with states; of all jobs when no ids are given."""
        told = self._restd.ask("GET", f"{CONTROLLER}/jobs/state/", query=[("job_id", job_id) for job_id in ids])
        return ((str(job["job_id"]), word_of(job["state"])) for job in told.get("jobs") or [])

    def _look(self, own: str) -> list[Told]:
        """One job in full, or all of an array: names are learnt, and why they wait."""
        answer = self._restd.ask("GET", f"{CONTROLLER}/job/{own}", unless=frozenset(GONE))
        told = [told_of(job) for job in answer.get("jobs") or []]
        for one in told:
            self._wholes[one.own] = whole_of(one.id)
            self._names[whole_of(one.id)] = one.name
        self._reasons.pop(own, None)  # it goes to the end: the order of the dictionary is that of the looks
        self._reasons[own] = {one.id: one.reason for one in told}
        return told

    def _ask_why_they_wait(self, wholes: set[str]) -> None:
        """A job that a dying controller held back is seen within a few looks, however many wait."""
        self._reasons = {whole: reasons for whole, reasons in self._reasons.items() if whole in wholes}
        longest_ago = [*(wholes - self._reasons.keys()), *self._reasons]
        for whole in longest_ago[:REASONS_AT_ONCE]:
            self._look(whole)

    def _reason(self, job_id: str) -> str:
        """Of those tasks that wait as one, what is told of the array."""
        reasons = self._reasons.get(whole_of(job_id), {})
        return reasons.get(job_id) or reasons.get(whole_of(job_id), "")

    def _forget_at_new_controller(self) -> None:
        told = self._restd.ask("GET", f"{CONTROLLER}/diag/")
        began = int(told["statistics"]["req_time_start"]["number"])
        if began != self._began:
            self._names.clear()
            self._wholes.clear()
            self._reasons.clear()
            self._began = began

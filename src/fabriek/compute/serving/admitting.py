"""Who may call a served model, where it answers, and what an answer costs: asked at every call, since a key may end at any moment."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from fabriek.access.login.credentials import hash_of
from fabriek.access.login.identity import Identity
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.compute.executors.contract import Executor, Reaches
from fabriek.compute.jobs import Job, State
from fabriek.compute.ports import Jobs
from fabriek.compute.progress import handle_of
from fabriek.compute.serving.keys import Answered, ServingKey, Unit, as_of, counted, is_open, left, next_period
from fabriek.compute.serving.ports import ServedModels, ServingKeys
from fabriek.compute.serving.served import Served
from fabriek.compute.walls import on_other_host
from fabriek.funding.metering.service import Metering
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import FabriekError, NotAuthenticated, NotFound, QuotaExhausted, RateLimited, Unavailable
from fabriek.kernel.purposes import Purpose
from fabriek.schemas.node import PORT_SOCKET

log = logging.getLogger("fabriek.serving")

NEEDS = "job.submit"
"""What a key's person must still be allowed to in the project."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that may go on: by which key, to what, and through which socket."""

    key: ServingKey
    served: Served
    door: Path


class Admitting:
    """Lets calls in and counts their answers, durably. zone: of the days and months in which budgets are spent."""

    def __init__(
        self, served: ServedModels, keys: ServingKeys, jobs: Jobs, executor: Executor, identity: Identity, access: Access, audit: Audit,
        clock: Clock, zone: ZoneInfo, metering: Metering, check_purpose: Callable[[str, Purpose], None],
    ) -> None:  # fmt: skip
        """check_purpose: raises NotPermitted where a share that pays for the project may not pay for that."""
        self._metering, self._check_purpose = metering, check_purpose
        self._served, self._keys, self._jobs, self._executor = served, keys, jobs, executor
        self._identity, self._access, self._audit, self._clock, self._zone = identity, access, audit, clock, zone

    def known(self, secret: str, project_ref: str, name: str) -> tuple[ServingKey, Served]:
        """The key of this secret, if it opens this address. Raises NotAuthenticated, in one sentence for whatever is wrong with it."""
        key = self._keys.hashed(hash_of(secret)) if secret else None
        if key is None or not is_open(key, self._clock.now()):
            raise _unknown()
        served = self._served.get(key.served)
        if served.name != name or not self._is_called(served.project, project_ref):
            raise _unknown()
        if not self._opens_for(key):
            self._end([key], "its person left the project")
            raise _unknown()
        return key, served

    def admit(self, secret: str, project_ref: str, name: str, *, free: bool = False) -> Admitted:
        """Raises NotAuthenticated, Unavailable while no job answers there, RateLimited with the seconds until the budget is whole again,
        QuotaExhausted where it never is, CreditsExhausted where the project for which it calls has spent its tokens.
        free: asks for nothing that costs.
        """
        key, served = self.known(secret, project_ref, name)
        door = self._door(served)
        if free:
            return Admitted(key, served, door)
        if key.payer and key.payer != served.project:
            self._check_purpose(served.project, self._access.project(key.payer).purpose)
        if key.payer:
            self._metering.check_not_spent(key.payer, Resource.TOKEN)
        with self._jobs.transaction(alone=f"serving-key:{key.id}"):
            key = as_of(self._keys.get(key.id), self._clock.today())
            if not is_open(key, self._clock.now()):
                raise _unknown()
            if not left(key):
                raise self._spent(key)
            if key.budget.unit is Unit.REQUESTS:
                key = replace(key, used=key.used + 1)
                self._keys.put(key)
        return Admitted(key, served, door)

    def count(self, key_id: str, answered: Answered) -> None:
        """An answer was given."""
        with self._jobs.transaction(alone=f"serving-key:{key_id}"):
            key = as_of(self._keys.get(key_id), self._clock.today())
            self._keys.put(counted(key, answered, self._clock.now()))

    def give_back(self, key_id: str) -> None:
        """Nothing was answered: the request that was taken from the budget is there again."""
        with self._jobs.transaction(alone=f"serving-key:{key_id}"):
            key = as_of(self._keys.get(key_id), self._clock.today())
            if key.budget.unit is Unit.REQUESTS:
                self._keys.put(replace(key, used=max(0, key.used - 1)))

    def still_opens(self, key_id: str) -> bool:
        """Asked while a long answer is on its way."""
        key = self._keys.get(key_id)
        return is_open(key, self._clock.now()) and self._opens_for(key)

    def settle_tokens(self) -> int:
        """Brings to the ledger what keys counted for other projects since they were settled; how many keys. For the worker.

        A key's count only grows, so that from where to where it was settled makes a key of its own: nothing is booked twice or lost.
        """
        waiting = self._keys.to_settle()
        for key_id in waiting:
            with self._jobs.transaction(alone=f"serving-key:{key_id}"):
                key = self._keys.get(key_id)
                if key.tokens > key.tokens_settled:
                    name = f"tokens:{key.id}:{key.tokens_settled}-{key.tokens}"
                    at = key.used_at or self._clock.now()
                    self._metering.book_tokens(key.payer, key.tokens - key.tokens_settled, name, at)
                    self._keys.put(replace(key, tokens_settled=key.tokens))
        return len(waiting)

    def end_of_who_left(self) -> int:
        """Ends the keys of people who may not work in the project any more, for good: who comes back makes new ones. How many."""
        gone = [
            key
            for project, person in self._keys.holders()
            for key in self._keys.of_holder(project, person)
            if not self._opens_for(key)
        ]
        self._end(gone, "its person left the project")
        return len(gone)

    def _end(self, keys: Sequence[ServingKey], why: str) -> None:
        for one in keys:
            with self._jobs.transaction(alone=f"serving-key:{one.id}"):
                key = self._keys.get(one.id)
                if key.ended_at is None:
                    self._keys.put(replace(key, ended_at=self._clock.now(), ended_why=why))
                    self._audit.record("serving_key.ended", key.id, SYSTEM, project=key.project)

    def _opens_for(self, key: ServingKey) -> bool:
        """Where another project pays, its person must still work in both."""
        return all(self._may_still(one, key.person) for one in {key.project, key.payer or key.project})

    def _may_still(self, project: str, person: str) -> bool:
        try:
            caller: Caller = self._identity.caller_for(person)
        except (NotFound, NotAuthenticated):
            return False
        return NEEDS in caller.project_rights.get(project, frozenset())

    def _is_called(self, project: str, said: str) -> bool:
        try:
            return self._access.project(said).id == project
        except NotFound:
            return False

    def _door(self, served: Served) -> Path:
        job: Job = self._jobs.get(served.job)
        if job.has_ended():
            raise Unavailable(
                f"{served.name} is not served now: its job has ended ({job.state})",
                fix=f"ask who serves it: fabriek model serve {served.model}@{served.version} --name {served.name}",
            )
        if job.state is not State.RUNNING:
            raise Unavailable(f"{served.name} is starting", fix="try again in a moment", retry_after_seconds=5)
        if not isinstance(self._executor, Reaches):
            raise on_other_host()
        return self._executor.door(handle_of(job)) / PORT_SOCKET

    def _spent(self, key: ServingKey) -> FabriekError:
        today = self._clock.today()
        again = next_period(key.budget.period, today)
        said = f"the budget of this key, {key.budget}, is spent"
        if again is None:
            return QuotaExhausted(
                said, fix="ask who gave you the key for another", limit=key.budget.amount, used=key.used
            )
        begins = datetime.combine(again, time(), self._zone)
        seconds = int((begins - self._clock.now()).total_seconds()) + 1
        return RateLimited(said, fix="wait, or ask for another key", retry_after_seconds=max(1, seconds))


def _unknown() -> NotAuthenticated:
    return NotAuthenticated(
        "this key does not open this address: it is not known, has ended, or is for another",
        fix="ask who gave it to you",
    )

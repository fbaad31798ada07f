"""The grid operator's desk: takes its messages, holds what they say as limits, and answers each once."""

from collections.abc import Callable, Sequence
from datetime import datetime

from fabriek.audit.service import Audit
from fabriek.compute import limits
from fabriek.compute.limits import AnnouncedLimit
from fabriek.compute.ports import Jobs, PowerLimits
from fabriek.compute.powering.messages import Late, Message, Said, Standing, check, followed, late, same
from fabriek.compute.powering.ports import Messages
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.kernel.ids import Ids

SOURCE = "grid operator"


class GridDesk:
    def __init__(
        self, messages: Messages, limits: PowerLimits, transactions: Jobs, audit: Audit, clock: Clock, ids: Ids, wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self._messages, self._limits, self._jobs = messages, limits, transactions
        self._audit, self._clock, self._ids, self._wake = audit, clock, ids, wake

    def take(self, said: Said, *, by: Caller) -> Message:
        """The message as it was confirmed; the same again for one that comes again. What cannot be followed is written down as refused.

        Raises InvalidInput, AlreadyExists for other content by the same id, NotFound and WrongState for a `replaces` that does not hold.
        """
        require(by, "power.announce")
        now = self._clock.now()
        with self._jobs.transaction(alone="power"):
            kept = self._messages.find(said.id)
            if kept is not None:
                return _stands(same(kept, said))
            wrong = _wrong(said, now)
            if wrong is None:
                taken = self._take(said, now, by)
            elif said.id:
                self._keep(said, now, by, Standing.REFUSED, wrong.detail, "")
        # The refusal stands, so that it is raised after the transaction that wrote it down.
        if wrong is not None:
            raise wrong
        self._wake()
        return taken

    def latest(self, *, limit: int, by: Caller) -> Sequence[Message]:
        """Newest first."""
        require(by, "power.manage")
        return self._messages.latest(limit=limit)

    def _take(self, said: Said, now: datetime, by: Caller) -> Message:
        if said.replaces:
            earlier = self._messages.find(said.replaces)
            if earlier is None:
                raise NotFound(f"there is no message {said.replaces}", fix="send that one first")
            self._messages.save(followed(earlier, said))
            standing = self._limits.get(earlier.limit) if earlier.limit else None
            if standing is not None and standing.ends_at > now:
                self._limits.save(limits.ended(standing, now))
        limit = ""
        if said.begins_at is not None and said.ends_at is not None and said.watts is not None:
            limit = self._ids.new("lim")
            self._limits.add(AnnouncedLimit(limit, said.begins_at, said.ends_at, said.watts, SOURCE))
        answer = "taken back" if said.withdraws else "will be followed"
        return self._keep(said, now, by, Standing.CONFIRMED, answer, limit)

    def _keep(self, said: Said, now: datetime, by: Caller, standing: Standing, answer: str, limit: str) -> Message:
        refused = standing is Standing.REFUSED
        made = Message(
            said, now, by.person, standing, Late.NO if refused else late(said, now), limit, self._ids.new("pwc"), now, SYSTEM.person, answer
        )  # fmt: skip
        self._messages.add(made)
        self._audit.record(
            "power.message_refused" if refused else "power.message_confirmed", made.confirmation, by,
            limit=limit, watts=-1 if said.watts is None else said.watts, late=made.late is not Late.NO,
        )  # fmt: skip
        return made


def _wrong(said: Said, now: datetime) -> InvalidInput | None:
    try:
        check(said, now)
    except InvalidInput as wrong:
        return wrong
    return None


def _stands(kept: Message) -> Message:
    """What was refused is refused again."""
    if kept.standing is Standing.REFUSED:
        raise InvalidInput(kept.answer, fix="send what can be followed under an id of its own", message=kept.said.id)
    return kept

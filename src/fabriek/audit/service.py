"""What one may do with the log. `record` is the last line of every verb of every other service."""

from fabriek.audit.log import Fact, is_word, new_event
from fabriek.audit.ports import Events
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids


class Audit:
    """The log of one installation."""

    def __init__(self, events: Events, clock: Clock, ids: Ids) -> None:
        self._events, self._clock, self._ids = events, clock, ids

    def record(self, action: str, subject: str, by: Caller, **facts: Fact) -> None:
        """Writes the event of an act in the act's open transaction: both are durable, or neither is.

        `subject` is the id of the thing; facts are ids, codes, labels, counts: never a name, never a sentence.
        """
        self._events.add(new_event(action, subject, by, facts, event_id=self._ids.new("evt"), at=self._clock.now()))

    def refused(self, by: Caller, action: str, code: str, rule: str) -> None:
        """Writes that somebody was refused, in a transaction of its own: the act's has been rolled back.

        `action` is what was asked: a verb, or a method and the template of a route.
        """
        asked = "_".join(action.split())
        with self._events.transaction():
            # A refusal must reach the log even when its rule is worded; its words must not.
            self.record(
                "refused", by.job or by.person, by, asked=asked, code=code, rule=rule if is_word(rule) else "worded"
            )

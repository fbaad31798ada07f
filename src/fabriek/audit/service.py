"""What one may do with the log. `record` is the last line of every verb of every other service."""

from collections.abc import Iterator
from contextlib import suppress

from fabriek.audit.log import Event, Fact, entry_of, is_word, new_event
from fabriek.audit.ports import Events, Trees
from fabriek.audit.sequencer import Sequencer
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import Damaged, NotFound
from fabriek.kernel.ids import Ids
from fabriek.kernel.pages import LIMIT_DEFAULT, Cursors, Page
from fabriek.kernel.signing import Signer
from fabriek.kernel.tlog.checkpoints import read_checkpoint
from fabriek.kernel.tlog.exports import Header, write_export, write_pending
from fabriek.kernel.tlog.notes import NoteKey, parse_note
from fabriek.kernel.tlog.tiles import WIDTH, width_of, write_bundle
from fabriek.kernel.tlog.tree import HASH_BYTES

PENDING_MAX = 10_000


class Audit:
    """The log of one installation."""

    def __init__(
        self, events: Events, trees: Trees, clock: Clock, ids: Ids, *, signer: Signer, cursors: Cursors
    ) -> None:
        self._events, self._trees, self._clock, self._ids, self._cursors = events, trees, clock, ids, cursors
        self._sequencer = Sequencer(events, trees, signer)

    @property
    def key(self) -> NoteKey:
        """Who signs this log's checkpoints: its name is the log's origin."""
        return self._sequencer.key

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

    def sequence(self) -> int:
        """Puts all committed events under a signed checkpoint; how many there were. Idempotent; for the worker, within a second."""
        return self._sequencer.sequence()

    def checkpoint(self) -> str:
        """The newest checkpoint as a signed note. Raises NotFound before the first."""
        note = self._trees.checkpoint()
        if not note:
            raise NotFound("the log has no checkpoint yet", fix="try again in a second")
        return note

    def tile(self, level: int, index: int, width: int) -> bytes:
        """`width` hashes of a tile, as far as the newest checkpoint covers them. Raises NotFound beyond it."""
        self._check_covered(level, index, width)
        return self._trees.tile(level, index)[: width * HASH_BYTES]

    def bundle(self, index: int, width: int, *, by: Caller) -> bytes:
        """`width` entries from leaf 256 · `index` on. Raises NotFound beyond the newest checkpoint."""
        require(by, "audit.read")
        self._check_covered(0, index, width)
        return write_bundle(
            entry_of(event) for _, event in self._events.of_leaves(index * WIDTH, index * WIDTH + width)
        )

    def events(
        self, *, by: Caller, limit: int = LIMIT_DEFAULT, cursor: str = "", subject: str = "", person: str = ""
    ) -> Page[Event]:
        """Events, newest first; narrowed to a thing or a person."""
        require(by, "audit.read")
        scope = f"audit:{subject}:{person}"
        before = int(self._cursors.read(scope, cursor) or 0)
        found = self._events.newest(limit + 1, before=before, subject=subject, person=person)
        more = self._cursors.write(scope, str(found[limit - 1][0])) if len(found) > limit else ""
        return Page([event for _, event in found[:limit]], more)

    def export(self, *, by: Caller) -> Iterator[str]:
        """The whole log as lines that `kernel.tlog.verify` reads. That somebody took it is itself an event, and stands in it."""
        require(by, "audit.read")
        with self._events.transaction():
            self.record("audit.exported", self.key.name, by)
        with suppress(Damaged):  # a damaged log is exported as it stands: how else would anybody see where?
            self.sequence()
        return self._lines()

    def _lines(self) -> Iterator[str]:
        last_leaf = self._events.last_leaf()  # before the checkpoint: the sequencer may go on between the two
        note = self._trees.checkpoint()
        try:
            size = read_checkpoint(parse_note(note)).size
        except Damaged:
            size = 0
        yield from write_export(Header(str(self.key), note), size, self._trees.tile, self._entries, last_leaf)
        yield from write_pending(self._pending())

    def _pending(self) -> list[bytes]:
        try:
            return [entry_of(event) for _, event in self._events.pending(PENDING_MAX)]
        except Damaged as error:
            return [error.detail.encode()]

    def _entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        for leaf, event in self._events.of_leaves(start, stop):
            yield leaf, entry_of(event)

    def _check_covered(self, level: int, index: int, width: int) -> None:
        size = read_checkpoint(parse_note(self.checkpoint())).size
        if not 0 < width <= width_of(level, index, size):
            raise NotFound("the log has no such tile", fix="see its checkpoint for its size")

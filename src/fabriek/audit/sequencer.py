"""Numbers committed events into leaves, grows the tree and signs its checkpoint. Any number may run; one works at a time."""

from fabriek.audit.log import entry_of
from fabriek.audit.ports import Events, Trees
from fabriek.kernel.errors import Damaged
from fabriek.kernel.signing import Signer
from fabriek.kernel.tlog.checkpoints import Checkpoint, read_checkpoint
from fabriek.kernel.tlog.notes import ED25519, NoteKey, parse_note, sign_note
from fabriek.kernel.tlog.tiles import frontier_of, grow
from fabriek.kernel.tlog.tree import Frontier, leaf_hash

BATCH_EVENTS = 512
"""Events in one transaction: a few milliseconds in which other writers wait."""


class Sequencer:
    """Extends the log, and only a log that is what was signed last: two checkpoints that disagree would be proof of forgery."""

    def __init__(self, events: Events, trees: Trees, signer: Signer) -> None:
        self._events, self._trees, self._signer = events, trees, signer
        self.key = NoteKey(f"fabriek/{signer.installation_id}", ED25519, signer.public_key_bytes())

    def sequence(self) -> int:
        """Numbers all that is committed; how many that were. Raises Damaged, and signs nothing, when the stored tree is not ours."""
        if self._trees.checkpoint() and not self._events.pending(1):
            return 0
        numbered = 0
        while True:
            with self._events.transaction(alone="audit.sequence"):
                count = self._next_batch()
            numbered += count
            if count < BATCH_EVENTS:
                return numbered

    def _next_batch(self) -> int:
        batch = self._events.pending(BATCH_EVENTS)
        frontier = self._stored_tree()
        if not batch and self._trees.checkpoint():
            return 0
        size = frontier.size
        hashes = [leaf_hash(entry_of(event)) for _, event in batch]
        self._events.give_leaves({number: size + place for place, (number, _) in enumerate(batch)})
        for (level, index), tile in grow(self._trees.tile, size, hashes).items():
            self._trees.keep_tile(level, index, tile)
        for one in hashes:
            frontier.add(one)
        signed = sign_note(
            Checkpoint(self.key.name, frontier.size, frontier.root()).text(), self.key.name, self._signer
        )
        self._trees.keep_checkpoint(signed)
        return len(batch)

    def _stored_tree(self) -> Frontier:
        """The right edge of the tree, checked against the checkpoint that we signed over it."""
        raw = self._trees.checkpoint()
        if not raw:
            if self._events.last_leaf() >= 0 or self._trees.tile(0, 0):
                raise _damaged("its checkpoint is gone")
            return Frontier()
        note = parse_note(raw)
        checkpoint = read_checkpoint(note)
        if checkpoint.origin != self.key.name or not note.is_signed_by(self.key):
            raise _damaged("its checkpoint is not signed by this installation")
        frontier = frontier_of(self._trees.tile, checkpoint.size)
        if frontier.root() != checkpoint.root:
            raise _damaged("its tiles are not those that its checkpoint signs")
        if self._events.last_leaf() != checkpoint.size - 1:
            raise _damaged("its events and its checkpoint do not end at the same place")
        return frontier


def _damaged(why: str) -> Damaged:
    return Damaged(
        f"the audit log was changed where it is stored: {why}", fix="fabriek audit verify", where="audit log"
    )

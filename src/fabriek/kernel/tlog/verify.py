"""Verifying a log from its export alone: every hash, tile and signature is made again, and what does not hold is named."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fabriek.kernel.errors import Damaged
from fabriek.kernel.tlog.checkpoints import Checkpoint, cosigned_at, read_checkpoint
from fabriek.kernel.tlog.exports import EntryLine, TileLine, read_header, read_line
from fabriek.kernel.tlog.notes import Note, NoteKey, parse_key, parse_note
from fabriek.kernel.tlog.tiles import WIDTH, grow, hashes_of, width_of
from fabriek.kernel.tlog.tree import HASH_BYTES, Frontier, leaf_hash, root_of

FINDINGS_MAX = 20
WITNESS_FRESH_FOR = timedelta(hours=24)
"""An older cosignature says nothing about what was rewritten since."""

NO_HASH = bytes(HASH_BYTES)


@dataclass(frozen=True, slots=True)
class Trust:
    """What the verifier knows from elsewhere. Without `key`, the export's own is taken, which proves only that one key signed it all.

    `kept` are checkpoints of this log that the verifier kept, as signed notes; `witnesses` are keys of kind COSIGNATURE.
    """

    key: NoteKey | None = None
    kept: tuple[str, ...] = ()
    witnesses: tuple[NoteKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Somebody else saw the first `size` entries, at that time, as a log that only grew."""

    size: int
    at: datetime
    name: str


@dataclass(frozen=True, slots=True)
class Report:
    """`findings` is empty when all holds; the first names the first bad place. `pending` are entries that no checkpoint covers yet."""

    key: str
    checkpoint: str
    size: int
    findings: tuple[str, ...]
    pending: tuple[str, ...]
    witnessed: Witnessed | None

    @property
    def sentence(self) -> str:
        if self.findings:
            return f"NOT consistent: {self.findings[0]}"
        if self.witnessed:
            return f"consistent, and witnessed by {self.witnessed.name} up to entry {self.witnessed.size}"
        return "internally consistent, not witnessed"


def verify(lines: Iterable[str], trust: Trust, now: datetime) -> Report:
    """Reads an export once, in memory that does not grow with its entries. Raises InvalidInput when it is not one."""
    rest = iter(lines)
    header = read_header(next(rest, ""))
    claimed = parse_key(header.key)
    key = trust.key or claimed
    findings: list[str] = []
    if claimed != key:
        findings.append(f"the log is signed by another key ({claimed}) than the one that is known for it ({key})")
    note, checkpoint = _signed(header.checkpoint, key, "the checkpoint", findings)
    kept = [_signed(raw, key, "a kept checkpoint", findings) for raw in trust.kept]
    reading = _Reading(checkpoint.size, {one.size for _, one in kept})
    reading.read(rest)
    for _, one in kept:
        if one.size > checkpoint.size:
            findings.append(f"the log was cut: it has {checkpoint.size} entries, and once had {one.size}")
        elif one.root not in reading.roots.get(one.size, ()):
            findings.append(
                f"the first {one.size} entries are not those of the checkpoint that was kept: the log was rewritten"
            )
    findings += reading.findings(checkpoint)
    witnessed = _witnessed([(note, checkpoint), *kept], trust.witnesses, now)
    return Report(
        str(key), header.checkpoint, checkpoint.size, tuple(findings[:FINDINGS_MAX]), tuple(reading.pending), witnessed
    )


def _signed(raw: str, key: NoteKey, what: str, findings: list[str]) -> tuple[Note, Checkpoint]:
    try:
        note = parse_note(raw)
        checkpoint = read_checkpoint(note)
    except Damaged:
        findings.append(f"{what} is not readable")
        return Note("", ()), Checkpoint(key.name, 0, b"")
    if checkpoint.origin != key.name:
        findings.append(f"{what} is of another log, {checkpoint.origin}")
    elif not note.is_signed_by(key):
        findings.append(f"{what} of {checkpoint.size} entries is not signed by the log's key")
    return note, checkpoint


def _witnessed(seen: list[tuple[Note, Checkpoint]], witnesses: tuple[NoteKey, ...], now: datetime) -> Witnessed | None:
    """The cosignature over the most entries that is fresh and not from the future; a bad one counts as none."""
    found = [
        Witnessed(checkpoint.size, at, witness.name)
        for note, checkpoint in seen
        for witness in witnesses
        if (at := cosigned_at(note, witness)) and timedelta(0) <= now - at <= WITNESS_FRESH_FOR
    ]
    return max(found, key=lambda one: (one.size, one.at), default=None)


@dataclass
class _Reading:
    """One pass over tiles and entries. Two trees grow: over the entries themselves, and over the hashes that were stored."""

    size: int
    kept_sizes: set[int]
    pending: list[str] = field(default_factory=list)
    roots: dict[int, list[bytes]] = field(default_factory=dict)
    _entries: Frontier = field(default_factory=Frontier)
    _hashes: Frontier = field(default_factory=Frontier)
    _tile: list[bytes] = field(default_factory=list)
    _tiles_read: int = 0
    _above: list[bytes] = field(default_factory=list)
    _seen_above: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _broken: list[str] = field(default_factory=list)
    _differ: list[tuple[int, str]] = field(default_factory=list)

    def read(self, lines: Iterator[str]) -> None:
        self._keep_root(self._entries)
        for number, raw in enumerate(lines, 2):
            match read_line(raw):
                case TileLine(level=0) as tile:
                    self._miss_until(self._hashes.size)
                    self._leaf_tile(tile)
                case TileLine() as tile:
                    self._seen_above[tile.level, tile.index] = tile.hashes
                case EntryLine(leaf=None) as line:
                    self.pending.append(_name_of(line.entry))
                case EntryLine() as line:
                    self._entry(line.leaf or 0, line.entry)
                case None:
                    self._say(f"line {number} of the export is not readable")
        self._miss_until(self._hashes.size)

    def _leaf_tile(self, tile: TileLine) -> None:
        if tile.index != self._tiles_read or len(tile.hashes) != width_of(0, tile.index, self.size) * HASH_BYTES:
            self._say(f"tile 0/{tile.index} is cut, repeated or out of place")
        self._tiles_read += 1
        self._tile = list(hashes_of(tile.hashes))
        for one in self._tile:
            self._hashes.add(one)
            self._keep_root(self._hashes)
        if len(self._tile) == WIDTH:
            self._above.append(root_of(self._tile))

    def _entry(self, leaf: int, entry: bytes) -> None:
        if not self._entries.size <= leaf < self._tiles_read * WIDTH:
            self._say(f"entry {leaf} ({_name_of(entry)}) is repeated or out of place")
            return
        self._miss_until(leaf)
        found = leaf_hash(entry)
        if self._stored(leaf) != found and len(self._differ) < FINDINGS_MAX:
            self._differ.append((leaf, _name_of(entry)))
        self._entries.add(found)
        self._keep_root(self._entries)

    def _miss_until(self, leaf: int) -> None:
        """Names the entries that did not come, and goes on with their stored hashes, so that the first gap does not hide the rest."""
        while self._entries.size < leaf:
            self._say(f"entry {self._entries.size} is missing")
            self._entries.add(self._stored(self._entries.size))
            self._keep_root(self._entries)

    def _stored(self, leaf: int) -> bytes:
        place = leaf - (self._tiles_read - 1) * WIDTH
        return self._tile[place] if 0 <= place < len(self._tile) else NO_HASH

    def _keep_root(self, tree: Frontier) -> None:
        if tree.size in self.kept_sizes:
            self.roots.setdefault(tree.size, []).append(tree.root())

    def _say(self, finding: str) -> None:
        if len(self._broken) < FINDINGS_MAX:
            self._broken.append(finding)

    def findings(self, checkpoint: Checkpoint) -> list[str]:
        """What does not hold, the first bad place first."""
        hashes_hold, entries_hold = self._hashes.root() == checkpoint.root, self._entries.root() == checkpoint.root
        found = list(self._broken)
        for leaf, name in self._differ:
            if hashes_hold:
                found.append(f"entry {leaf} ({name}) is not what was logged")
            elif entries_hold:
                found.append(f"tile 0/{leaf // WIDTH} does not hold the hash of entry {leaf} ({name})")
            else:
                found.append(f"entry {leaf} ({name}) and its hash in tile 0/{leaf // WIDTH} do not agree")
        if self._entries.size < checkpoint.size:
            found.append(f"entry {self._entries.size} is missing: the checkpoint signs {checkpoint.size}")
        if not (hashes_hold or entries_hold):
            found.append(f"the tree over {self._entries.size} entries is not the one that the checkpoint signs")
        for (level, index), tile in grow(lambda *_: b"", 0, self._above, level=1).items():
            if self._seen_above.pop((level, index), None) != tile:
                found.append(f"tile {level}/{index} does not hold the roots of the tiles below it")
        return found + [f"tile {level}/{index} has no place in this tree" for level, index in self._seen_above]


def _name_of(entry: bytes) -> str:
    """The id that an entry gives itself, cleaned for showing; it may be forged like all of a bad entry."""
    try:
        said = json.loads(entry).get("id")
    except (ValueError, AttributeError, RecursionError):
        said = None
    return "".join(char for char in str(said or "unreadable") if char.isascii() and char.isprintable())[:80]

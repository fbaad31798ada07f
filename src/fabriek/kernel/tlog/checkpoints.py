"""Checkpoints: what a log commits to, signed, and what witnesses say about it. Sources: C2SP tlog-checkpoint, tlog-cosignature."""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from fabriek.kernel.errors import Damaged
from fabriek.kernel.tlog.notes import Note, NoteKey, exact_base64
from fabriek.kernel.tlog.tree import HASH_BYTES

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of a log at one size. `origin` names the log; `root` is 32 bytes."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def read_checkpoint(note: Note) -> Checkpoint:
    """The checkpoint that a note says, signed or not. Raises Damaged when it says none; lines after the third are not ours."""
    origin, _, rest = note.text.partition("\n")
    size, _, rest = rest.partition("\n")
    root, end, _ = rest.partition("\n")
    try:
        raw = exact_base64(root)
    except ValueError:
        raw = b""
    if not origin or not _SIZE.fullmatch(size) or len(raw) != HASH_BYTES or not end:
        raise Damaged("this is not the checkpoint of a log", where="checkpoint")
    return Checkpoint(origin, int(size), raw)


def cosigned_at(note: Note, witness: NoteKey) -> datetime | None:
    """When this witness saw the checkpoint as the newest of a log that only grew; None when it did not sign, or not validly."""
    times: list[datetime] = []
    for signature in note.signatures_of(witness):
        seconds, signed = int.from_bytes(signature[:8], "big"), signature[8:]
        if not witness.holds(f"cosignature/v1\ntime {seconds}\n{note.text}".encode(), signed):
            return None
        try:
            times.append(datetime.fromtimestamp(seconds, UTC))
        except (ValueError, OverflowError, OSError):
            return None
    return max(times, default=None)

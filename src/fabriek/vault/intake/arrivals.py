"""A file on its way in through the server: others' clients send it in plain, and it is sealed in memory as it comes."""

from dataclasses import dataclass
from datetime import datetime

from fabriek.kernel.errors import InvalidInput, QuotaExhausted
from fabriek.kernel.units import shown_bytes
from fabriek.sealing.paths import check_path

FILE_BYTES_MAX = 256 * 2**30
"""The largest file that is sealed here. Larger ones are pushed."""

FILES_MAX = 10_000
"""Files of one upload that come this way: each is a row, and an object."""

STRETCH_SECONDS_MAX = 30.0
"""After so long what has come is made durable, however little it is: no more than that is sent again when the server dies."""

TOLD_CHARACTERS_MAX = 8_192


@dataclass(frozen=True, slots=True)
class Arrival:
    """`upload` is the version in the making that it belongs to. `arrived`: bytes that are durable. `told`: what the client said of the
    file, as it said it; it and `path` are empty once the file is in a version or was given up. `lone`: the upload is this file alone, and
    becomes a version at its last byte. `sha256` and `blocks`: what stands for its content (see `sealing/digests.py`), empty until it is
    known. `given_up`: its bytes are on their way out.
    """

    id: str
    upload: str
    path: str
    size: int
    told: str
    lone: bool
    begun_at: datetime
    arrived: int = 0
    sha256: str = ""
    given_up: bool = False
    blocks: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.arrived == self.size


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of an arrival from `start` on, sealed as one object and durable."""

    arrival: str
    start: int
    length: int
    object_id: str


def check_arrival(path: str, size: int, told: str) -> None:
    """Raises InvalidInput on a path that may not stand in a version, and on a size that no file here has."""
    check_path(path)
    if not 0 <= size <= FILE_BYTES_MAX:
        raise InvalidInput(
            f"a file that is sent here has at most {shown_bytes(FILE_BYTES_MAX)}",
            fix="push it, which has no such limit: fabriek data push",
            limit=FILE_BYTES_MAX,
        )
    if len(told) > TOLD_CHARACTERS_MAX:
        raise InvalidInput(f"what is said of a file has at most {TOLD_CHARACTERS_MAX} characters", fix="say less")


def check_room(size: int, on_the_way: int, bytes_max: int) -> None:
    """`on_the_way`: bytes of the person's files that are announced and in no version yet. Raises QuotaExhausted."""
    if on_the_way + size > bytes_max:
        raise QuotaExhausted(
            f"one person has at most {shown_bytes(bytes_max)} on the way, and {shown_bytes(on_the_way)} are",
            limit=bytes_max,
            used=on_the_way,
            fix="finish or give up the uploads that are open, or push it: fabriek data push",
        )

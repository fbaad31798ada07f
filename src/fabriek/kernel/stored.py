"""What a store of objects says when it took one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes taken, and the SHA-256 of them in hex."""

    size: int
    sha256: str

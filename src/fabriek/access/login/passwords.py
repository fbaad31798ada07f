"""Passwords: what may be one, and the slow hash that is kept of it."""

import re
import threading
from importlib.resources import files

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from fabriek.kernel.errors import InvalidInput, RateLimited

CHARACTERS_MIN = 12
CHARACTERS_MAX = 256
DISTINCT_MIN = 5
NAMED_CHARACTERS_MIN = 4

PASSES = 3
MEMORY_KIB = 64 * 1024
LANES = 1
"""RFC 9106's second recommendation for Argon2id, with one lane: a server with as many guests as cores gains nothing by more."""

HASHED_AT_ONCE = 2
WAITING_MAX = 8
"""Guesses hold 128 MiB at most. Who comes while eight wait is asked to come back: they would hold the threads of everybody else."""

_LEET = str.maketrans("013457@$!", "oieastasi")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "!@#$%^&*()", "azertyuiop")


def _listed() -> tuple[str, ...]:
    text = files("fabriek.access.login").joinpath("common_passwords.txt").read_text("utf-8")
    return tuple(sorted(text.split(), key=len, reverse=True))


COMMON = _listed()


def check_password(password: str, *, name: str, email: str) -> None:
    """Raises InvalidInput on one that is short, common, or about its owner. Never says it."""
    if not CHARACTERS_MIN <= len(password) <= CHARACTERS_MAX:
        raise InvalidInput(
            f"a password has {CHARACTERS_MIN} to {CHARACTERS_MAX} characters",
            fix="choose four words that have nothing to do with each other",
        )
    lower = password.lower()
    for part in re.split(r"[^\w]+|_", f"{name} {email.partition('@')[0]}".lower()):
        if len(part) >= NAMED_CHARACTERS_MIN and (part in lower or part in lower.translate(_LEET)):
            raise InvalidInput("the password holds your name or address", fix="choose one that is not about you")
    left = _without_the_usual(lower)
    if min(len(left), len(set(left))) < DISTINCT_MIN:
        raise InvalidInput("the password is among the first that are guessed", fix="choose four words of your own")


def _without_the_usual(lower: str) -> str:
    """What is left of it without common words and rows of keys: that alone has to be guessed."""
    left = lower.translate(_LEET)
    for word in COMMON:
        left = left.replace(word, "")
    for row in _ROWS:
        for line in (row, row[::-1]):
            for length in range(len(line), 3, -1):
                for start in range(len(line) - length + 1):
                    lower = lower.replace(line[start : start + length], "")
                    left = left.replace(line[start : start + length], "")
    return min(left, lower, key=len)


class Hashing:
    """Argon2id, a few at a time. Slow on purpose: never inside a transaction."""

    def __init__(self, *, passes: int = PASSES, memory_kib: int = MEMORY_KIB, at_once: int = HASHED_AT_ONCE) -> None:
        self._hasher = PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=LANES, hash_len=32, salt_len=16, type=Type.ID
        )
        self._free, self._room = threading.Semaphore(at_once), threading.Semaphore(at_once + WAITING_MAX)
        self._nobodys = ""

    def hash(self, password: str) -> str:
        """Raises RateLimited while too many wait."""
        with self._turn():
            return self._hasher.hash(password)

    def is_of(self, kept: str, password: str) -> bool:
        """Whether the hash is of this password; kept: empty for nobody's, which costs as much. Raises RateLimited."""
        if not self._nobodys:
            self._nobodys = self.hash("nobody's password")
        with self._turn():
            try:
                self._hasher.verify(kept or self._nobodys, password[: CHARACTERS_MAX + 1])
            except (VerificationError, InvalidHashError):
                return False
        return bool(kept)

    def _turn(self) -> "_Turn":
        return _Turn(self._room, self._free)


class _Turn:
    def __init__(self, room: threading.Semaphore, free: threading.Semaphore) -> None:
        self._room, self._free = room, free

    def __enter__(self) -> None:
        if not self._room.acquire(blocking=False):
            raise RateLimited("many are signing in just now", fix="try again in a moment", retry_after_seconds=2)
        self._free.acquire()

    def __exit__(self, *_: object) -> None:
        self._free.release()
        self._room.release()

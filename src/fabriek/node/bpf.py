"""Classic BPF, as the kernel runs it on every system call: a few lines with names for jumps, made into its eight bytes an instruction."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

LOAD_WORD, RETURN = 0x20, 0x06
JUMP_MAX = 255
"""A jump skips at most so many instructions, and only forward."""


class Test(IntEnum):
    """Of what was loaded, against a value."""

    __test__ = False  # for the collector of tests

    EQUAL = 0x15
    AT_LEAST = 0x35
    ANY_BIT = 0x45


@dataclass(frozen=True, slots=True)
class Load:
    """Takes the word at this byte of the system call's description."""

    offset: int


@dataclass(frozen=True, slots=True)
class If:
    """Jumps to a name when the test holds, and goes on, or jumps to `otherwise`, when not."""

    test: Test
    value: int
    then: str
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Ends the program. `name` is where jumps lead."""

    value: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Here:
    """A name for the next instruction."""

    name: str


Line = Load | If | Answer | Here


def assemble(lines: Sequence[Line]) -> bytes:
    """The program in the byte order of this machine. Every name stands after the jumps to it."""
    places: dict[str, int] = {}
    instructions: list[Load | If | Answer] = []
    for line in lines:
        if isinstance(line, Here):
            places[line.name] = len(instructions)
            continue
        if isinstance(line, Answer) and line.name:
            places[line.name] = len(instructions)
        instructions.append(line)
    return b"".join(_encoded(one, number, places) for number, one in enumerate(instructions))


def _encoded(line: Load | If | Answer, number: int, places: dict[str, int]) -> bytes:
    match line:
        case Load(offset):
            return _instruction(LOAD_WORD, 0, 0, offset)
        case If(test, value, then, otherwise):
            ahead = [places[name] - number - 1 if name else 0 for name in (then, otherwise)]
            assert all(0 <= one <= JUMP_MAX for one in ahead), f"the jump to {then} is too far"
            return _instruction(test, ahead[0], ahead[1], value)
        case Answer(value):
            return _instruction(RETURN, 0, 0, value)


def _instruction(code: int, jump_true: int, jump_false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, jump_true, jump_false, value)

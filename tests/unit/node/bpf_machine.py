"""Runs classic BPF as the kernel does, for the handful of instructions that a filter of system calls is made of."""

import struct

LOAD, RETURN = 0x20, 0x06
TESTS = {
    0x15: lambda word, value: word == value,
    0x35: lambda word, value: word >= value,
    0x45: lambda word, value: bool(word & value),
}


def run(program: bytes, number: int, architecture: int, *arguments: int) -> int:
    """What the filter answers to a call. Fails on anything that the kernel would not accept: an unknown instruction, or no answer."""
    call = struct.pack("<iIQ6Q", number, architecture, 0, *(*arguments, *[0] * (6 - len(arguments))))
    instructions = list(struct.iter_unpack("=HBBI", program))
    assert len(instructions) <= 4096
    at, word = 0, 0
    while True:
        code, then, otherwise, value = instructions[at]
        at += 1
        if code == RETURN:
            return int(value)
        if code == LOAD:
            assert value % 4 == 0
            (word,) = struct.unpack_from("<I", call, value)
        else:
            at += then if TESTS[code](word, value) else otherwise

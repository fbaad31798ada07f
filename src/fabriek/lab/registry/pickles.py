"""Whether bytes could be a pickle: by its signs alone, read as a list of instructions of which none is carried out."""

import pickletools

_CALLS = frozenset({
    "GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID",
})  # fmt: skip
"""Instructions by which a pickle names or calls something of the program that opens it."""

PROTOCOL_MAX = 9
"""Five exist. What says a few more is no text, and no file of ours."""


def may_be_pickle(head: bytes, *, whole: bool) -> bool:
    """head: from its first byte on; whole: there is no more of it.

    From protocol 2 on two bytes say it. Older ones begin with any instruction, and may be plain letters: those are read to their end, or
    to the end of the head, and are pickles where each is one and some would call.
    """
    if len(head) > 1 and head[0] == 0x80 and head[1] <= PROTOCOL_MAX:
        return True
    calls, last = False, 0
    try:
        for code, _, at in pickletools.genops(head):
            calls, last = calls or code.name in _CALLS, at or 0
            if code.name == "STOP":
                return calls
    except (ValueError, IndexError, UnicodeError, OverflowError, AttributeError):
        # An instruction that the end of the head cut off is no sign against it.
        return calls and not whole and last > len(head) // 2
    return False

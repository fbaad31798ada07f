"""The filter of system calls: what no job needs is refused before the kernel's own code for it runs.

A list of what is refused, and not of what is let through: jobs run programs that nobody has seen, and the walls stand without it. The
kernel keeps in mind which numbers always pass, so that it costs an ordinary call nothing. `ptrace` passes: debuggers live on it, and it
reaches the job's own processes only.
"""

import errno
import os
from functools import cache

from fabriek.kernel.errors import Unavailable
from fabriek.node.bpf import Answer, Here, If, Line, Load, Test, assemble
from fabriek.node.syscalls import ABIS, CLONE, IOCTL, REFUSED, SOCKET, SOCKETPAIR, UNKNOWN, UNSHARE

KILL, FAIL, ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
"""Where the kernel's description of a call has what."""

NEW_NAMESPACES = 0x7E02_0000
NEW_TIME_NAMESPACE = 0x80
"""A flag of unshare alone: in clone's word that bit is part of a signal."""

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, NETLINK_ROUTE = 1, 2, 10, 16, 0
TYPES_INTO_TERMINAL = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX put words into the terminal of whoever looks at it."""


@cache
def program(machine: str = "") -> bytes:
    """The filter for a machine such as `x86_64`, empty for this one. Raises Unavailable where the numbers of its calls are not known."""
    name = machine or os.uname().machine
    if name not in ABIS:
        raise Unavailable(
            f"system calls of {name} cannot be filtered", fix=f"run jobs on one of {', '.join(sorted(ABIS))}"
        )
    abi = ABIS[name]
    at = abi.column
    lines: list[Line] = [
        Load(ARCHITECTURE_AT),
        If(Test.EQUAL, abi.audit, "number", "kill"),
        Here("number"),
        Load(NUMBER_AT),
        *([If(Test.AT_LEAST, abi.numbers_end, "unknown")] if abi.numbers_end else []),
        *(If(Test.EQUAL, numbers[at], "refuse") for numbers in REFUSED.values() if numbers[at]),
        *(If(Test.EQUAL, numbers[at], "unknown") for numbers in UNKNOWN.values()),
        *(If(Test.EQUAL, numbers[at], then) for numbers, then in _LOOKED_INTO),
        Answer(ALLOW),
        *_ARGUMENTS,
        Answer(ALLOW, "allow"),
        Answer(FAIL | errno.EPERM, "refuse"),
        Answer(FAIL | errno.ENOSYS, "unknown"),
        Answer(FAIL | errno.EAFNOSUPPORT, "no family"),
        Answer(KILL, "kill"),
    ]
    return assemble(lines)


def _argument(number: int) -> Load:
    """Its lower half, where all that is looked at stands."""
    return Load(ARGUMENTS_AT + 8 * number)


_LOOKED_INTO = ((CLONE, "clone"), (UNSHARE, "unshare"), (SOCKET, "socket"), (SOCKETPAIR, "pair"), (IOCTL, "ioctl"))

_ARGUMENTS: tuple[Line, ...] = (
    Here("clone"),
    _argument(0),
    If(Test.ANY_BIT, NEW_NAMESPACES, "refuse", "allow"),
    Here("unshare"),
    _argument(0),
    If(Test.ANY_BIT, NEW_NAMESPACES | NEW_TIME_NAMESPACE, "refuse", "allow"),
    Here("ioctl"),
    _argument(1),
    *(If(Test.EQUAL, request, "refuse") for request in TYPES_INTO_TERMINAL),
    Answer(ALLOW),
    Here("pair"),
    _argument(0),
    If(Test.EQUAL, AF_UNIX, "allow", "no family"),
    Here("socket"),
    _argument(0),
    *(If(Test.EQUAL, family, "allow") for family in (AF_UNIX, AF_INET, AF_INET6)),
    If(Test.EQUAL, AF_NETLINK, "netlink", "no family"),
    Here("netlink"),
    # NCCL, gloo, Ray and psutil ask for the machine's own addresses through this one; it cannot change any.
    _argument(2),
    If(Test.EQUAL, NETLINK_ROUTE, "allow", "no family"),
)

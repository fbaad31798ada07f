"""What the filter answers, call by call, on both machines; tests/unit/compute/executors/test_filter.py asks the kernel."""

import errno
import re
from pathlib import Path

import pytest

from fabriek.kernel.errors import Unavailable
from fabriek.node.bpf import Answer, Here, If, Load, Test, assemble
from fabriek.node.seccomp import program
from fabriek.node.syscalls import ABIS, CLONE, IOCTL, REFUSED, SOCKET, SOCKETPAIR, UNKNOWN, UNSHARE
from tests.unit.node.bpf_machine import run

ALLOWED, KILLED = 0x7FFF_0000, 0x8000_0000
REFUSAL, NO_SUCH_CALL, NO_SUCH_FAMILY = (
    0x5_0000 | number for number in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT)
)
SIGCHLD = 17
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}

machines = pytest.mark.parametrize("machine", ABIS)


def answer(machine: str, number: int, *arguments: int) -> int:
    return run(program(machine), number, ABIS[machine].audit, *arguments)


@machines
def test_calls_that_no_job_needs_are_refused(machine: str) -> None:
    numbers = [both[ABIS[machine].column] for both in REFUSED.values()]
    assert {answer(machine, number) for number in numbers if number} == {REFUSAL}


@machines
def test_calls_with_an_older_way_are_answered_as_by_an_older_kernel(machine: str) -> None:
    assert {answer(machine, both[ABIS[machine].column]) for both in UNKNOWN.values()} == {NO_SUCH_CALL}


@machines
def test_every_other_call_passes(machine: str) -> None:
    column = ABIS[machine].column
    listed = {both[column] for both in (*REFUSED.values(), *UNKNOWN.values(), SOCKET, SOCKETPAIR)}
    assert {answer(machine, number) for number in range(500) if number not in listed} == {ALLOWED}


@machines
def test_a_call_of_another_architecture_kills(machine: str) -> None:
    others = {abi.audit for name, abi in ABIS.items() if name != machine} | {0x4000_0003, 0x4000_0028, 0}
    assert {run(program(machine), 1, other) for other in others} == {KILLED}


def test_the_other_dialect_of_x86_64_is_unknown_here() -> None:
    assert answer("x86_64", 0x4000_0000 | 272) == NO_SUCH_CALL
    assert answer("x86_64", 0x4000_0001) == NO_SUCH_CALL


@machines
@pytest.mark.parametrize("flag", [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
def test_no_flag_makes_a_namespace(machine: str, flag: int) -> None:
    column = ABIS[machine].column
    assert answer(machine, CLONE[column], flag | SIGCHLD) == REFUSAL
    assert answer(machine, UNSHARE[column], flag) == REFUSAL


@machines
def test_threads_and_processes_are_made_as_ever(machine: str) -> None:
    column = ABIS[machine].column
    assert answer(machine, CLONE[column], 0x3D0F00) == ALLOWED
    assert answer(machine, CLONE[column], 0x1200000 | SIGCHLD) == ALLOWED
    assert answer(machine, UNSHARE[column], 0x400) == ALLOWED


@machines
def test_a_namespace_of_time_is_refused_where_its_flag_is_no_signal(machine: str) -> None:
    assert answer(machine, UNSHARE[ABIS[machine].column], 0x80) == REFUSAL


@machines
@pytest.mark.parametrize(
    ("family", "kind", "protocol", "expected"),
    [
        (1, 1, 0, ALLOWED), (2, 1, 0, ALLOWED), (10, 2, 17, ALLOWED), (16, 3, 0, ALLOWED), (16, 3, 12, NO_SUCH_FAMILY),
        (16, 3, 15, NO_SUCH_FAMILY), (16, 3, 16, NO_SUCH_FAMILY), (17, 3, 0, NO_SUCH_FAMILY), (38, 5, 0, NO_SUCH_FAMILY),
        (40, 1, 0, NO_SUCH_FAMILY), (0, 1, 0, NO_SUCH_FAMILY), (2**32 + 17, 3, 0, NO_SUCH_FAMILY),
    ],
    ids=str,
)  # fmt: skip
def test_sockets_are_of_four_kinds(machine: str, family: int, kind: int, protocol: int, expected: int) -> None:
    assert answer(machine, SOCKET[ABIS[machine].column], family, kind, protocol) == expected


@machines
@pytest.mark.parametrize("request_number", [0x5412, 0x541C, 2**32 + 0x5412])
def test_nothing_is_typed_into_anybodys_terminal(machine: str, request_number: int) -> None:
    assert answer(machine, IOCTL[ABIS[machine].column], 0, request_number) == REFUSAL
    assert answer(machine, IOCTL[ABIS[machine].column], 0, 0x5413) == ALLOWED


def test_a_machine_whose_calls_are_not_known_is_refused_by_name() -> None:
    with pytest.raises(Unavailable, match="riscv64"):
        program("riscv64")


@machines
def test_the_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip(f"{HEADERS[machine]} is not installed")
    found = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", HEADERS[machine].read_text()))
    ours = (
        REFUSED
        | UNKNOWN
        | {"clone": CLONE, "unshare": UNSHARE, "socket": SOCKET, "socketpair": SOCKETPAIR, "ioctl": IOCTL}
    )
    newer = {"open_tree_attr"}
    for name, both in ours.items():
        if name not in newer:
            assert both[ABIS[machine].column] == int(found.get(name, "0")), name


def test_a_jump_leads_to_its_name() -> None:
    lines = [Load(0), If(Test.EQUAL, 7, "seven", "other"), Here("other"), Answer(1), Answer(2, "seven")]
    assert run(assemble(lines), 7, 0) == 2
    assert run(assemble(lines), 8, 0) == 1

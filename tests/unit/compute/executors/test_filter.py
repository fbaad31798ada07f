"""What the kernel answers to a job's system calls, asked by a job; which calls they are, test_seccomp.py has."""

import json
import os

import pytest

from fabriek.node.syscalls import ABIS, REFUSED, UNKNOWN
from tests.servers.machine import Machine

pytestmark = pytest.mark.sandbox

MACHINE = os.uname().machine

ASK = """
import ctypes, json, sys
libc = ctypes.CDLL(None, use_errno=True)
said = {}
for name, number in json.loads(sys.argv[1]).items():
    ctypes.set_errno(0)
    libc.syscall(number, *[ctypes.c_long(-1)] * 6)
    said[name] = ctypes.get_errno()
print(json.dumps(said))
"""
OTHER_ARCHITECTURE = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")  # getpid, by the gate of 32 bits
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
print("survived")
"""
SOCKETS = """
import socket
netlink = (16, 3, 0), (16, 3, 12), (16, 3, 15)
for family, kind, protocol in (*netlink, (17, 3, 768), (40, 1, 0), (38, 5, 0), (2, 3, 1), (10, 3, 58), (2, 1, 0), (1, 1, 0)):
    try:
        socket.socket(family, kind, protocol).close()
        print("made", end=" ")
    except OSError as error:
        print(error.errno, end=" ")
"""
TERMINAL = """
import fcntl, os, pty
outer, inner = pty.openpty()
if os.fork() == 0:
    os.setsid()
    fcntl.ioctl(inner, 0x540E, 0)
    try:
        fcntl.ioctl(inner, 0x5412, b"x")
        print("typed")
    except OSError as error:
        print(error.errno)
    os._exit(0)
os.wait()
"""
ORDINARY = """
import asyncio, concurrent.futures, ctypes, multiprocessing, os, signal, socket, subprocess, threading
from multiprocessing import shared_memory
import numpy
print(numpy.linalg.norm(numpy.ones((50, 50)) @ numpy.ones((50, 50))))
with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
    print(list(pool.map(abs, [-1, -2])))
memory = shared_memory.SharedMemory(create=True, size=4096)
memory.close(); memory.unlink()
async def ask():
    return (await (await asyncio.create_subprocess_exec("echo", "asked", stdout=-1)).communicate())[0].decode().strip()
print(asyncio.run(ask()), [name for _, name in socket.if_nameindex()], socket.getaddrinfo("localhost", 80)[0][4][0])
child = os.fork()
if child == 0:
    ctypes.CDLL(None).ptrace(0, 0, 0, 0)  # a debugger's first word
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(0)
print(os.WIFSTOPPED(os.waitpid(child, 0)[1]))
os.kill(child, signal.SIGKILL)
"""


@pytest.mark.skipif(MACHINE not in ABIS, reason=f"the calls of {MACHINE} are not known")
def test_the_kernel_refuses_what_no_job_needs(machine: Machine) -> None:
    column = ABIS[MACHINE].column
    asked = {name: both[column] for name, both in (REFUSED | UNKNOWN).items() if both[column]}
    seen = machine.run("python", "-c", ASK, json.dumps(asked))
    said = json.loads(seen.log)
    assert said == {name: 38 if name in UNKNOWN else 1 for name in asked}


@pytest.mark.skipif(MACHINE != "x86_64", reason="the gate of 32 bits is one of x86_64")
def test_a_program_that_goes_by_the_gate_of_32_bits_dies(machine: Machine) -> None:
    seen = machine.python(OTHER_ARCHITECTURE)
    assert (seen.state.exit_code, "survived" in seen.log) == (128 + 31, False)


def test_a_job_gets_sockets_of_the_internet_and_of_files_alone(machine: Machine) -> None:
    seen = machine.python(SOCKETS)
    assert seen.log.split() == ["made", "97", "97", "97", "97", "97", "1", "1", "made", "made"]


def test_a_job_types_nothing_into_a_terminal(machine: Machine) -> None:
    assert machine.python(TERMINAL).log.split() == ["1"]


def test_libraries_threads_and_debuggers_work_as_ever(machine: Machine) -> None:
    seen = machine.python(ORDINARY, memory_bytes=1 << 30)
    assert seen.log.splitlines() == ["2500.0", "[1, 2]", "asked ['lo'] 127.0.0.1", "True"]


def test_everything_within_the_walls_is_filtered(machine: Machine) -> None:
    seen = machine.run("sh", "-c", "grep -h ^Seccomp: /proc/[0-9]*/status | sort -u")
    assert seen.log.split() == ["Seccomp:", "2"]

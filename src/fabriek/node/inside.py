"""The first process within the walls, seen from outside: whom to tell that the job must stop, and whose end is the end of all."""

import json
import os
import select
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from fabriek.node.forwarder import INSIDE_COMPILED, INSIDE_FORWARD

INFO_BYTES_MAX = 4096
END_SECONDS_MAX = 10.0
FORWARD_WORDS_MAX = 8
"""Among so many words stands the forwarder's own name: what starts an interpreter within an image is longer than its path."""


class First(Protocol):
    """The first process of a job's tree, on which all the others hang."""

    info: int

    def hear(self) -> bool:
        """Takes in what came on `info`; whether more may come."""

    def tell(self, number: int) -> bool:
        """Signals the job; whether there was anybody to hear it."""

    def end(self) -> None:
        """Ends the whole tree; returns when it is gone."""

    def close(self) -> None: ...


def catches(pid: int, number: int) -> bool:
    """Whether the process has a handler for the signal. Raises OSError where it is gone."""
    status = Path(f"/proc/{pid}/status").read_text("ascii", errors="replace")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _is_forwarder(argv: Sequence[str]) -> bool:
    """Whether these words start the forwarder, and not the bubblewrap that is about to become it: that is told its arguments."""
    begins = argv[:FORWARD_WORDS_MAX]
    return bool({INSIDE_FORWARD, INSIDE_COMPILED}.intersection(begins)) and "--args" not in begins


class Inside:
    """Known as soon as bubblewrap has told of it on `info`, the reading end of a pipe that this closes."""

    def __init__(self, _outer: object, info: int) -> None:
        self.info = info
        self._said = b""
        self._pid = 0
        self._descriptor = -1

    def hear(self) -> bool:
        """Takes in what bubblewrap says; whether more may come. It must be heard at once: a number may name another process later."""
        piece = os.read(self.info, INFO_BYTES_MAX)
        self._said += piece
        if not self._said.rstrip().endswith(b"}"):
            return bool(piece)
        told = json.loads(self._said)
        self._pid = int(told["child-pid"])
        try:
            self._descriptor = os.pidfd_open(self._pid)
            # A descriptor that was opened too late would be that of a stranger, who lives in another namespace.
            if f"[{told['pid-namespace']}]" not in str(Path(f"/proc/{self._pid}/ns/pid").readlink()):
                self._forget()
        except (OSError, KeyError):
            self._forget()
        return False

    def tell(self, number: int) -> bool:
        """Signals the forwarder, which passes it on; the first process itself would not heed it. Whether it was there to hear."""
        if self._descriptor < 0:
            return False
        try:
            first = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text("ascii").split()[0]
            # Before it becomes the forwarder, it is one more bubblewrap, which would die of this and take the tree along.
            if not _is_forwarder(Path(f"/proc/{first}/cmdline").read_text("utf-8", "replace").split("\0")):
                return False
            if not catches(int(first), number):  # it is still starting, and would die of it
                return False
            os.kill(int(first), number)
        except (OSError, IndexError):
            return False
        return True

    def end(self) -> None:
        """Kills the first process, and with it the kernel kills all of its namespace; returns when they are gone. bubblewrap leaves
        as soon as the command has ended, when what the command started may still live for a moment.
        """
        if self._descriptor < 0:
            return
        try:
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
        except ProcessLookupError:
            self._forget()
            return
        gone = select.poll()
        gone.register(self._descriptor, select.POLLIN)
        gone.poll(END_SECONDS_MAX * 1000)
        self._forget()

    def close(self) -> None:
        os.close(self.info)
        self._forget()

    def _forget(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

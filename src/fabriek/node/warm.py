"""The warm process: everything imported once, then a fork per attempt, so that a job starts in milliseconds."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from fabriek.node.supervisor import supervise


def serve(run: Callable[[Path], None] = supervise) -> int:
    """Reads a job's folder a line, forks a supervisor for it, answers `forked`; ends when the server that started it is gone."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become_supervisor(Path(line.strip()), run)
        os.waitpid(child, 0)
        sys.stdout.write("forked\n")
        sys.stdout.flush()
    return 0


def _become_supervisor(folder: Path, run: Callable[[Path], None]) -> None:
    """Leaves the server's session and process tree by forking twice, so that nothing that ends there ends this."""
    os.setsid()
    if os.fork():
        os._exit(0)
    errors = os.open(folder / "node.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor, source in ((0, nothing), (1, errors), (2, errors)):
        os.dup2(source, descriptor)
    code = 1
    try:
        run(folder)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)

"""The warm process: everything imported once, then a fork per attempt, so that a job starts in milliseconds."""

import gc
import os
import sys
from contextlib import suppress
from pathlib import Path

from fabriek.kernel.errors import Unavailable
from fabriek.node.bubblewrap import bubblewrap, package_folders, version
from fabriek.node.forwarder import compiled
from fabriek.node.sandbox import prefixes
from fabriek.node.seccomp import program
from fabriek.node.supervisor import Doors, run_attempt
from fabriek.schemas.node import JobSpec

FORKED, FAILED = "forked", "failed"
ERRORS_FILE = "node.log"


def serve(doors: Doors) -> int:
    """Reads the path of a `job.json` a line and forks a supervisor for it. Answers `forked` once the attempt's state is on the disk,
    else `failed`; ends when the server that started it is gone. The supervisors go on.
    """
    _prepare()
    gc.freeze()  # what is imported stays shared with every supervisor, instead of being copied by its first collection
    for line in sys.stdin:
        begun, begins = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(begun)
            _become_supervisor(Path(line.rstrip("\n")), doors, begins)
        os.close(begins)
        os.waitpid(child, 0)
        answer = FORKED if os.read(begun, 1) else FAILED
        os.close(begun)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    return 0


def _prepare() -> None:
    """What every attempt asks for and what is the same for all: found out once, and known to every supervisor."""
    version()
    compiled()
    with suppress(Unavailable):  # said by each job
        program()
    package_folders(Path(bubblewrap()))
    prefixes(sys.executable)
    "".encode("ascii")  # Python looks for an encoding when it is first used


def _become_supervisor(job_file: Path, doors: Doors, begins: int) -> None:
    """Leaves the server's session and process tree by forking twice, so that nothing that ends there ends this."""
    os.setsid()
    if os.fork():
        os._exit(0)
    code = 1
    try:
        job = JobSpec.from_json(job_file.read_text("utf-8"))
        errors = os.open(Path(job.folder) / ERRORS_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor, source in ((0, nothing), (1, errors), (2, errors)):
            os.dup2(source, descriptor)
        run_attempt(job, doors, lambda: _say_begun(begins))
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)


def _say_begun(descriptor: int) -> None:
    try:
        os.write(descriptor, b"1")
    except BrokenPipeError:  # who asked is gone; the attempt goes on without
        return
    finally:
        os.close(descriptor)

"""The process beside a job that answers for its mounted inputs. It holds the job's grants, stays outside the walls, and ends with its
supervisor.
"""

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import NoReturn

from fabriek.kernel.errors import FabriekError
from fabriek.node.mounts.answers import Mounted
from fabriek.node.staging import ends_with_parent
from fabriek.sdk.reading import Reading

LOOK_SECONDS = 20
"""Between looks whether the grants still hold: what was ended is closed within a minute."""

READS_AT_ONCE = 4
STANDS = "stands"


@dataclass(frozen=True, slots=True)
class Told:
    """What went wrong with one input while it was read: files that were damaged, and whether it was closed and still asked for."""

    damaged: Sequence[str] = ()
    refused: bool = False


def serve(devices: Sequence[int], readings: Sequence[Callable[[], Reading]], line: socket.socket) -> NoReturn:
    """Says on the line that it stands, or why not; answers until the line is closed; says what went wrong, and leaves."""
    try:
        ends_with_parent()
        try:
            opened = [make() for make in readings]
        except FabriekError as error:
            line.sendall(json.dumps([error.code, error.detail, error.fix]).encode())
            os._exit(0)
        with ThreadPoolExecutor(READS_AT_ONCE, thread_name_prefix="fabriek-mount") as readers:
            seconds = int(time.time())
            mounted = [Mounted(device, one, readers, seconds) for device, one in zip(devices, opened, strict=True)]
            for one in mounted:
                threading.Thread(target=one.serve, daemon=True).start()
            threading.Thread(target=_look, args=(mounted,), daemon=True).start()
            line.sendall(json.dumps(STANDS).encode())
            line.recv(1)
            line.sendall(json.dumps([asdict(Told(sorted(one.damaged), one.refused)) for one in mounted]).encode())
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stderr.flush()
        os._exit(0)


def _look(mounted: Sequence[Mounted]) -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        for one in mounted:
            one.look()

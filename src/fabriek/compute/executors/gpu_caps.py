"""Bounding what GPUs draw by a command of the operator's: whoever runs the nodes knows who may do that there."""

import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from fabriek.kernel.errors import Unavailable

SECONDS_MAX = 20
AT_ONCE = 8


class CommandCaps:
    """Runs `COMMAND NODE GPU WATTS` for each GPU: both are numbers from 0, and 0 watts takes the bound away. It ends with 0 where that was done."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    def cap(self, node: int, devices: Sequence[int], watts: int) -> None:
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            list(pool.map(lambda device: self._cap(node, device, watts), devices))

    def _cap(self, node: int, device: int, watts: int) -> None:
        try:
            done = subprocess.run(
                [*self._command, str(node), str(device), str(watts)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, timeout=SECONDS_MAX, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _not_capped(type(error).__name__) from None
        if done.returncode:
            raise _not_capped(f"exit code {done.returncode}")


def _not_capped(why: str) -> Unavailable:
    return Unavailable(f"the GPU's draw was not bounded ({why})", fix="run the command of power_cap_command by hand")

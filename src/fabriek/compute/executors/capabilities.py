"""What this machine can do for jobs, as the program beside them finds out by running one that does nothing."""

import json
import subprocess
from collections.abc import Sequence

from fabriek.compute.executors.local import NODE
from fabriek.compute.executors.warm import node_environment
from fabriek.schemas.node import Capabilities

PROBE_SECONDS_MAX = 30


def probe(node: Sequence[str] = NODE) -> Capabilities:
    """Takes some tenths of a second. Never raises: what goes wrong is the answer's `reason`."""
    try:
        done = subprocess.run(
            [*node, "probe"], capture_output=True, text=True, timeout=PROBE_SECONDS_MAX, check=False, cwd="/",
            env=node_environment(), stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Capabilities(**json.loads(done.stdout))
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    except (ValueError, TypeError):
        said = (done.stderr.strip() or "no answer").splitlines()[-1]
    return Capabilities(
        "",
        "",
        sandbox=False,
        limits="",
        reason=f"the program beside the jobs does not run: {said}",
        fix="install Fabriek again",
    )

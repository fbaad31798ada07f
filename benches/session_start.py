"""From the admission of a session until its page answers behind the gate: a notebook, TensorBoard, an app of one's own.

`python -m benches.session_start [--rounds 3]`. The first of a kind, whose environment is built then, is said apart.
"""

import argparse
import http.client
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.factory import Running, quickstarted, why_no_jobs

SECONDS_MAX = 15
KINDS = (
    ("jupyter",),
    ("tensorboard",),
    ("app", "--port", "8000", "--", "python", "-m", "http.server", "--bind", "127.0.0.1", "8000"),
)


def main() -> int:
    """Prints a line a kind; 1 when a promise is not kept."""
    if reason := why_no_jobs():
        print(reason)
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds, late = parser.parse_known_args()[0].rounds, 0
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as named, quickstarted(Path(named, "home")) as running:
        for kind in KINDS:
            building = _began(running, kind)
            took = statistics.median(_began(running, kind) for _ in range(rounds))
            late += took > SECONDS_MAX
            print(
                f"session {kind[0]}: {took:.1f} s from admission until its page answers (at most {SECONDS_MAX}), median of {rounds}; "
                f"{building:.1f} s the first time, with its environment built"
            )
    return int(late > 0)


def _began(running: Running, kind: tuple[str, ...]) -> float:
    """Seconds from its submission, which an idle machine admits at once."""
    where = kind.index("--") if "--" in kind else len(kind)
    started = running.run("session", "start", *kind[:where], "--json", *kind[where:])
    assert started.returncode == 0, started.stderr
    job = json.loads(started.stdout)["job"]
    door = json.loads(running.run("session", "open", job, "--json").stdout)
    cookie = _asked(door["url"], f"/.fabriek/enter?code={door['code']}")[1].partition(";")[0]
    while _asked(door["url"], "/", cookie)[0] not in {200, 302}:
        time.sleep(0.05)  # a bench has no clock to wind
    answered = datetime.now(UTC)
    shown = json.loads(running.run("job", "show", job, "--json").stdout)
    running.run("session", "stop", job)
    running.run("job", "follow", job)
    return (answered - datetime.fromisoformat(shown["submitted_at"])).total_seconds()


def _asked(address: str, path: str, cookie: str = "") -> tuple[int, str]:
    """Status, and the cookie that came."""
    parts = urlsplit(address)
    line = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=20)
    line.request("GET", path, headers={"Host": parts.netloc, "Cookie": cookie})
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer.status, answer.headers.get("set-cookie", "")


if __name__ == "__main__":
    raise SystemExit(main())

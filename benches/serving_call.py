"""What it costs to call a served model through the factory: the same calls to the same server, straight and by its address.

`python -m benches.serving_call`. The server answers at once, so that what is measured is ours: the key looked up, the budget asked, the answer
carried, and counted by a commit that reached the disk.
"""

import contextlib
import io
import sys
import tempfile
import time
from pathlib import Path

import httpx
from tests.factories.serving import FILES, a_counter
from tests.servers.app import serving

from fabriek.adapters.database import metadata, open_database
from fabriek.api import app as api

CALLS = 300
BODY = {"model": "smol", "messages": [{"role": "user", "content": "one two three"}]}


def main() -> int:
    """Prints one line."""
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-", ignore_cleanup_errors=True) as named:
        database = open_database(f"sqlite:///{named}/fabriek.db")
        metadata.create_all(database.engine)
        with a_counter(database, Path(named, "home")) as counter:
            counter.register("smol", FILES)
            app = api.build(counter.town.services)
            with (
                counter.answering(counter.serve()) as door,
                serving(app) as url,
                contextlib.redirect_stdout(io.StringIO()),
            ):
                _, key = counter.key(budget="1G tokens")
                address = f"{url}/serve/{counter.shop.project}/smol/v1/chat/completions"
                with httpx.Client(transport=httpx.HTTPTransport(uds=str(door))) as client:
                    straight = _took(client, "http://model/v1/chat/completions")
                with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {key}"}) as client:
                    served = _took(client, address)
        database.close()
    both = (("straight", straight), ("by its address", served))
    said = " · ".join(f"{name} {_at(took, 0.5):.1f} ms, 95th {_at(took, 0.95):.1f} ms" for name, took in both)
    print(f"a call to a served model: {said}")
    return 0


def _took(client: httpx.Client, address: str) -> list[float]:
    """Milliseconds of each call, in order of length."""
    found = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        answer = client.post(address, json=BODY)
        found.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, answer.text
    return sorted(found)


def _at(took: list[float], part: float) -> float:
    return took[int(len(took) * part)]


if __name__ == "__main__":
    sys.exit(main())

"""What a login at an identity provider costs on our side, against the certified provider: all of it, less the time in which we wait for the provider.

`python -m benches.login [--rounds 40]`.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from tests.factories.providers import a_door
from tests.servers import oidc
from tests.servers.oidc import Visitor

from fabriek.adapters.database import metadata, open_database

MILLISECONDS_MAX = 50
LINES = """admits = "anyone"
scopes = ["openid", "profile", "email", "organisation"]
offline = true
organisation_claim = "schac_home_organization"
"""


def main() -> int:
    """Prints one line; 1 when the promise is not kept."""
    if reason := oidc.why_absent():
        print(reason)
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_known_args()[0].rounds
    waited = [0.0]
    send = httpx.Client.send

    def counted(client: httpx.Client, *given: Any, **named: Any) -> httpx.Response:
        started = time.perf_counter()
        try:
            return send(client, *given, **named)
        finally:
            waited[0] += time.perf_counter() - started

    ours: list[float] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as named, oidc.running() as provider:
        database = open_database(f"sqlite:///{named}/fabriek.db")
        metadata.create_all(database.engine)
        with a_door(database, Path(named, "home"), provider, lines=LINES) as door:
            claims = {
                "name": "A",
                "email": "a@uni.example",
                "email_verified": True,
                "schac_home_organization": "uni.example",
            }
            provider.account("anna", **claims)
            signing_in, callback = door.signing_in, door.callback()
            for _ in range(rounds + 3):  # the first ones fetch what is then known for an hour
                door.on_time()
                visitor = Visitor()
                httpx.Client.send = counted  # type: ignore[method-assign]
                waited[0] = 0.0
                began, begun = _timed(lambda: signing_in.begin("home", callback=callback))
                httpx.Client.send = send  # type: ignore[method-assign]
                answer = httpx.URL(visitor.through(begun.url, "anna", stop=callback)).params
                httpx.Client.send = counted  # type: ignore[method-assign]
                ended, _ = _timed(
                    lambda answer=answer, begun=begun: signing_in.end(
                        "home", dict(answer), browser=begun.browser, by=None
                    )
                )
                httpx.Client.send = send  # type: ignore[method-assign]
                visitor.close()
                ours.append(began + ended - waited[0])
                theirs.append(waited[0])
        database.close()
    ours, theirs = ours[3:], theirs[3:]
    took = 1000 * statistics.median(ours)
    worst = 1000 * sorted(ours)[int(len(ours) * 0.95)]
    print(
        f"login by OpenID Connect: {took:.1f} ms of ours in the median, {worst:.1f} ms at p95 (at most {MILLISECONDS_MAX}), of {rounds}; "
        f"beside them {1000 * statistics.median(theirs):.1f} ms in which the provider answers"
    )
    return int(took > MILLISECONDS_MAX)


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    done = act()
    return time.perf_counter() - started, done


if __name__ == "__main__":
    raise SystemExit(main())

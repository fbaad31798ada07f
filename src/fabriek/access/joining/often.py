"""How often somebody invites, and is invited: each invitation is a mail to whom nobody asked, in this installation's name."""

import hashlib
import hmac
from datetime import timedelta

from fabriek.access.login.throttle import Guesses, GuessStore
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import RateLimited

TO_ONE_MAX = 5
BY_ONE_MAX = 50
DAY = timedelta(hours=24)


class Often:
    """Counted for a day from the first, where wrong guesses are counted, and forgotten with them: under keys that name no address."""

    def __init__(self, store: GuessStore, clock: Clock, secret: bytes) -> None:
        self._store, self._clock, self._secret = store, clock, secret

    def count(self, address: str, inviter: str) -> None:
        """Joins the transaction of the invitation, and is alone with all of them. Raises RateLimited, and then nothing is counted."""
        now, counted = self._clock.now(), []
        for kind, what, most in (("invited", address, TO_ONE_MAX), ("inviter", inviter, BY_ONE_MAX)):
            key = f"{kind}_{hmac.digest(self._secret, f'{kind} {what}'.encode(), hashlib.sha256).hex()[:40]}"
            found = self._store.guesses(key)
            if found is None or now >= found.until:
                found = Guesses(key, 0, now + DAY, now)
            if found.wrong >= most:
                raise RateLimited(
                    f"this address was invited {most} times in a day" if kind == "invited" else f"you invited {most} times in a day",
                    fix=f"invite again from {found.until:%d-%m-%Y %H:%M} UTC on",
                    retry_after_seconds=int((found.until - now).total_seconds()) + 1,
                )  # fmt: skip
            counted.append(Guesses(key, found.wrong + 1, found.until, found.at))
        for one in counted:
            self._store.put_guesses(one)

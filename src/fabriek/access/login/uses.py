"""When credentials were last used: gathered in memory, and written by the worker's rounds, so that no request waits for a write.

Each server gathers what it saw and writes it forwards only, so that any number of them agree within a round. What a server that was killed
had gathered is lost: a last use is then known to be older than it was, by a minute at most.
"""

import threading
from datetime import datetime

from fabriek.access.login.credentials import NOTED_EVERY, Credential


class Uses:
    """Of one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gathered: dict[str, datetime] = {}

    def note(self, credential: Credential, now: datetime) -> None:
        """It was used. Noted once a minute: the common case is one comparison and no lock."""
        last = self._gathered.get(credential.id) or credential.used_at
        if last is None or now - last >= NOTED_EVERY:
            with self._lock:
                self._gathered[credential.id] = now

    def last(self, credential_id: str) -> datetime | None:
        """What this server saw and has not written yet."""
        return self._gathered.get(credential_id)

    def take(self) -> dict[str, datetime]:
        """Everything gathered, and begins anew."""
        with self._lock:
            taken, self._gathered = self._gathered, {}
        return taken

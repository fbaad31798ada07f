"""Whose request it is, which job it is for, and whether it may pass: asked at every request, since a right may end at any moment."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from fabriek.gate.heads import COOKIE, Asked, answer
from fabriek.kernel.errors import NotAuthenticated, NotFound, NotPermitted
from fabriek.web.services import Services

SHELL = "/.fabriek/shell"
_HOST = re.compile(r"(job-[0-9a-z]{26})\.[a-z0-9.-]+(?::\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Visits:
    """Decides in a thread: it reads the database."""

    services: Services

    def enter(self, asked: Asked) -> bytes:
        """The answer to a visitor who comes with a code: a secret of this job's host, and the way to the app. Raises NotAuthenticated."""
        job = self.job_of(asked)
        code = parse_qs(urlsplit(asked.target).query).get("code", [""])[0]
        cookie = self.services.job_secrets.enter(code, job)
        said = f"{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Lax"
        return answer("303 See Other", [("set-cookie", said), ("location", "/"), ("referrer-policy", "no-referrer")])

    def door(self, asked: Asked) -> Path:
        """The socket of the app that the request is for. Raises NotAuthenticated, NotPermitted, NotFound, WrongState."""
        job = self.job_of(asked)
        caller = self.services.identity.caller_at_door(_bearer(asked) or asked.cookie, job)
        if asked.comes_from_elsewhere():
            raise NotPermitted("another site's page asked for this", rule="door.origin", fix="open it from the portal")
        if asked.target.startswith(SHELL):
            return self.services.doors.shell_of(job, by=caller)
        return self.services.doors.behind(job, by=caller)

    def job_of(self, asked: Asked) -> str:
        """The job that the host names. Raises NotFound."""
        found = _HOST.fullmatch(asked.header("host"))
        if found is None:
            raise NotFound("no job has this address")
        return found[1].lower().replace("-", "_", 1)


def _bearer(asked: Asked) -> str:
    scheme, _, secret = asked.header("authorization").partition(" ")
    return secret if scheme == "Fabriek-Door" else ""


def refused(error: Exception) -> str:
    """The status line of a refusal. Who may not know of a job gets what anybody gets for one that never was."""
    return "401 Unauthorized" if isinstance(error, NotAuthenticated) else "404 Not Found"

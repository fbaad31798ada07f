"""Making, listing and ending auditors' links; coming in by one, and every look through it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from fabriek.access.addresses import address_of
from fabriek.access.login.credentials import hash_of, new_token
from fabriek.audit.service import Audit
from fabriek.funding.auditing.links import (
    LOOKS_MAX,
    MINUTE,
    OPEN_FOR_MAX,
    OPEN_MAX,
    VISIT_FOR,
    AuditorLink,
    Visit,
    is_open,
)
from fabriek.funding.giving.quarters import quarter_named
from fabriek.funding.reporting.seeing import require_all
from fabriek.kernel.callers import SYSTEM, Caller, require, require_whole
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotAuthenticated, QuotaExhausted, RateLimited, WrongState, nothing_here
from fabriek.kernel.ids import Ids

NAME_MAX = 200


class Links(Protocol):
    """Storage of links and visits."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]: ...

    def add(self, link: AuditorLink) -> None: ...

    def end(self, link_id: str, at: datetime) -> None:
        """With all its visits."""

    def get(self, link_id: str) -> AuditorLink | None: ...

    def with_hash(self, hashed: str) -> AuditorLink | None: ...

    def listed(self, organisation: str) -> Sequence[AuditorLink]:
        """Newest first; of one organisation, or of all where it is empty."""


class Visits(Protocol):
    """Storage of visits."""

    def put_visit(self, visit: Visit) -> None: ...

    def visit(self, hashed: str) -> Visit | None: ...

    def leave(self, hashed: str) -> None: ...

    def forget_visits(self, before: datetime) -> None: ...


class Auditing:
    """The secret is 256 random bits and begins as tokens do, so that one in an address is known, refused and ended."""

    def __init__(
        self, links: Links, visits: Visits, audit: Audit, clock: Clock, ids: Ids, *, zone: ZoneInfo, may_make: Callable[[str], bool]
    ) -> None:  # fmt: skip
        """may_make: whether a person still may make links: those of one who left open nothing."""
        self._may_make = may_make
        self._links, self._visits, self._audit = links, visits, audit
        self._clock, self._ids, self._zone = clock, ids, zone

    def make(self, name: str, email: str, until: date, *, quarter: str = "", by: Caller) -> tuple[AuditorLink, str]:
        """A link for that person, until the end of that day, and its secret, which is shown once. quarter: the only one it opens.

        Raises NotPermitted, InvalidInput on a day that has passed or lies more than a year ahead, QuotaExhausted. It shows what its maker sees,
        which is all: who sees one share has no more to show, and would see the others by it.
        """
        require(by, "funding.contribute")
        require_all(by)
        require_whole(by)
        now, today, called = self._clock.now(), self._clock.today(), " ".join(name.split())
        if not called or len(called) > NAME_MAX or not called.isprintable():
            raise InvalidInput(f"an auditor has a name of at most {NAME_MAX} signs", fix='--name "A. Auditor"')
        if not today <= until <= today + OPEN_FOR_MAX:
            raise InvalidInput(
                "a link opens until a day of the coming year", fix=f"--until {today + timedelta(days=30)}, or so"
            )
        ends = datetime.combine(until + timedelta(days=1), time(), self._zone)
        secret = new_token(self._ids)
        made = AuditorLink(
            self._ids.new("aud"), hash_of(secret), called, address_of(email), by.organisation,
            str(quarter_named(quarter)) if quarter else "", by.person, now, ends,
        )  # fmt: skip
        with self._links.transaction(alone="auditor-links"):
            used = sum(is_open(one, now) for one in self._links.listed(by.organisation))
            if used >= OPEN_MAX:
                raise QuotaExhausted(
                    "too many auditors' links are open", limit=OPEN_MAX, used=used, fix="fabriek funding auditor-links"
                )
            self._links.add(made)
            self._audit.record("auditor_link.made", made.id, by, until=str(until), quarter=made.quarter or "all")
        return made, secret

    def list(self, *, by: Caller) -> Sequence[AuditorLink]:
        """Those that the caller's organisation made, newest first; all for whoever looks after the installation."""
        require(by, "funding.contribute")
        return self._links.listed("" if by.may("funding.oversee") else by.organisation)

    def end(self, link_id: str, *, by: Caller) -> AuditorLink:
        """It opens nothing any more, in no browser. Raises NotFound, WrongState when it has ended."""
        require(by, "funding.contribute")
        with self._links.transaction(alone="auditor-links"):
            found, now = self._links.get(link_id), self._clock.now()
            if found is None or (found.organisation != by.organisation and not by.may("funding.oversee")):
                raise nothing_here()
            if not is_open(found, now):
                raise WrongState("this link opens nothing any more", fix="fabriek funding auditor-links")
            self._links.end(found.id, now)
            self._audit.record("auditor_link.ended", found.id, by)
        return replace(found, ended_at=now)

    def enter(self, secret: str) -> str:
        """What a cookie holds from then on. Raises NotAuthenticated. The door counts guesses."""
        now = self._clock.now()
        found = self._links.with_hash(hash_of(secret.strip()))
        if found is None or not is_open(found, now) or not self._may_make(found.made_by):
            raise closed()
        cookie = self._ids.secret()
        visit = Visit(hash_of(cookie), found.id, min(now + VISIT_FOR, found.expires_at), now)
        with self._links.transaction():
            self._visits.forget_visits(now)
            self._visits.put_visit(visit)
            self._audit.record("auditor_link.entered", found.id, as_auditor(found))
        return cookie

    def look(self, cookie: str, at: str) -> tuple[AuditorLink, Caller]:
        """Before each page: whose visit it is, and the caller as whom what may be seen is asked for. at: which page, for the log.

        Raises NotAuthenticated, RateLimited.
        """
        hashed, now = hash_of(cookie), self._clock.now()
        with self._links.transaction(alone=f"visit:{hashed}"):
            visit = self._visits.visit(hashed)
            link = self._links.get(visit.link) if visit else None
            if (
                visit is None
                or link is None
                or now >= visit.expires_at
                or not is_open(link, now)
                or not self._may_make(link.made_by)
            ):
                raise closed()
            if now >= visit.minute_at + MINUTE:
                visit = replace(visit, minute_at=now, looks=0)
            if visit.looks >= LOOKS_MAX:
                seconds = int((visit.minute_at + MINUTE - now).total_seconds()) + 1
                raise RateLimited(
                    f"more than {LOOKS_MAX} pages in a minute", fix="take the export", retry_after_seconds=seconds
                )
            self._visits.put_visit(replace(visit, looks=visit.looks + 1))
            by = as_auditor(link)
            self._audit.record("auditor_link.looked", link.id, by, at=at)
        return link, by

    def leave(self, cookie: str) -> None:
        with self._links.transaction():
            self._visits.leave(hash_of(cookie))

    def revoke_leaked(self, secrets: Sequence[str]) -> int:
        """Ends the links whose secrets these are; how many. No right is asked: who says a secret has it."""
        ended = 0
        for secret in secrets:
            found, now = self._links.with_hash(hash_of(secret)), self._clock.now()
            if self._visits.visit(hash_of(secret)) is not None:
                self.leave(secret)
                ended += 1
            if found is None or not is_open(found, now):
                continue
            with self._links.transaction(alone="auditor-links"):
                self._links.end(found.id, now)
                self._audit.record("auditor_link.leaked", found.id, SYSTEM)
                ended += 1
        return ended


def as_auditor(link: AuditorLink) -> Caller:
    """Sees funding, all of it, and nothing else: no page but those of the link knows this caller. The log calls it by the link's id, which the
    list of links says the name of.
    """
    return Caller(
        link.id, link.organisation, link.name, rights=frozenset({"funding.view", "audit.read"}), narrowed=True
    )


def closed() -> NotAuthenticated:
    return NotAuthenticated(
        "this link opens nothing, or nothing any more", rule="auditor.link", fix="ask whoever sent it for another"
    )

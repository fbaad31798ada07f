"""Asking a provider again about people who have something open here, and ending it when they are its people no more."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from fabriek.access.login.id_tokens import LEEWAY, check_logout_token, refused
from fabriek.access.login.identity import Identity
from fabriek.access.login.ports_providers import Issuer
from fabriek.access.login.profiles import affiliations_of, is_affiliated, subject_of
from fabriek.access.login.providers import Provider
from fabriek.access.login.signing_in import SigningIn, SubjectStore, Transaction, sealed_refresh
from fabriek.access.login.subjects import Subject, refresh_context
from fabriek.adapters.oidc import Refused
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import FabriekError
from fabriek.kernel.ids import Ids
from fabriek.kernel.signing import Keys
from fabriek.sealing.keys import unwrap

log = logging.getLogger("fabriek.access")

ASKED_AGAIN_AFTER = timedelta(seconds=25)
"""No server asks about somebody whom another asked about since: rounds are every thirty seconds."""

AT_ONCE = 8

Left = Callable[[str, str], None]
"""Ends what a person has: their id, and why."""


class Affiliations:
    """The rounds of the worker, and what a provider says by itself. `grace`: how long a provider may be silent before doors close."""

    def __init__(
        self, signing_in: SigningIn, issuers: Mapping[str, Issuer], identity: Identity, subjects: SubjectStore, audit: Audit, *,
        left: Left, grace: timedelta, keys: Keys, clock: Clock, ids: Ids, transaction: Transaction,
    ) -> None:  # fmt: skip
        self._signing_in, self._issuers, self._identity, self._subjects = signing_in, issuers, identity, subjects
        self._audit, self._left, self._grace = audit, left, grace
        self._keys, self._clock, self._ids, self._transaction = keys, clock, ids, transaction

    def round(self) -> int:
        """Asks about everybody who has something open, several at once; how many were asked about."""
        now = self._clock.now()
        due = self._subjects.to_ask(now - ASKED_AGAIN_AFTER, now)
        if not due:
            return 0
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fabriek-affiliations") as pool:
            return sum(pool.map(self._tried, due))

    def log_out(self, name: str, token: str) -> int:
        """The provider says that a login ended there (back-channel logout): its sessions here end. Raises NotPermitted."""
        provider, now = self._signing_in.provider(name), self._clock.now()
        claims = self._issuers[name].claims_of(token)
        check_logout_token(claims, issuer=provider.issuer, client_id=provider.client_id, now=now)
        until = datetime.fromtimestamp(claims["exp"], tz=now.tzinfo) + 2 * LEEWAY
        subject, sid = subject_of(provider.profile, claims), str(claims.get("sid") or "")
        if not (subject or sid):
            raise refused("logout", "it names neither a person nor a session that this factory knows by its words")
        with self._transaction(alone=f"logout:{name}"):
            if not self._subjects.see_once(provider.issuer, str(claims["jti"]), until):
                raise refused("replay", "this logout token was seen before")
            ended = self._subjects.sessions_of(provider.issuer, subject, sid)
            self._audit.record("login.ended_by_provider", name, SYSTEM, sessions=str(ended))
        return ended

    def _tried(self, subject: Subject) -> bool:
        try:
            return self._ask(subject)
        except FabriekError as error:
            log.warning("affiliation: %s", error.detail)
        except Exception:
            log.exception("asking about an affiliation failed; the next round tries again")
        return False

    def _ask(self, subject: Subject) -> bool:
        now = self._clock.now()
        with self._transaction():
            if not self._subjects.claim(subject.id, now - ASKED_AGAIN_AFTER, now):
                return False
        if (newest := self._subjects.get(subject.id)) is None:
            return False
        subject = (
            newest  # they may have come in anew since the round began, by which the provider ended the token before
        )
        provider = self._signing_in.provider(subject.provider)
        context = refresh_context(subject.id)
        refresh = unwrap(self._keys.unwrap(subject.wrapped, context), subject.sealed, context).decode()
        try:
            why = self._why_left(provider, subject, refresh)
        except Refused as error:
            why = "invalid_grant" if error.error == "invalid_grant" else ""
            now_kept = self._subjects.get(subject.id)
            if now_kept is None or now_kept.sealed != subject.sealed:
                return False
            if not why:
                self._silent(subject, f"it answers {error.error}")
        except (FabriekError, ValueError) as error:
            self._silent(subject, str(error))
            return True
        if why:
            log.info("a person lost what let them in: %s", why)
            # First they leave: were the token forgotten before, nobody would ask again where that fails.
            self._left(subject.person, why)
            with self._transaction():
                self._audit.record("person.affiliation_lost", subject.person, SYSTEM, provider=provider.name, why=why)
                self._subjects.keep_refresh(subject.id, b"", b"", now)
        return True

    def _why_left(self, provider: Provider, subject: Subject, refresh: str) -> str:
        """Empty where all is well. The token that comes in the old one's place is kept before anything else is asked."""
        issuer = self._issuers[provider.name]
        tokens = issuer.tokens({"grant_type": "refresh_token", "refresh_token": refresh})
        fresh = str(tokens.get("refresh_token") or refresh)
        kept = sealed_refresh(self._keys, self._ids, subject.id, fresh)
        with self._transaction():
            self._subjects.keep_refresh(subject.id, *kept, subject.answered_at)
        said = issuer.userinfo(str(tokens.get("access_token", "")))
        if provider.profile.subject_claim == "sub" and subject_of(provider.profile, said) != subject.key.subject:
            raise refused("userinfo", "the provider speaks of somebody else")
        if provider.profile.requires and not is_affiliated(provider.profile, affiliations_of(provider.profile, said)):
            return "affiliation"
        with self._transaction():
            self._subjects.keep_refresh(subject.id, *kept, self._clock.now())
        return ""

    def _silent(self, subject: Subject, why: str) -> None:
        """A provider that does not answer closes nobody at once; after the grace time everything must be opened anew, at the provider."""
        log.warning("the provider %s says nothing of somebody: %s", subject.provider, why)
        if self._clock.now() < subject.answered_at + self._grace:
            return
        with self._transaction():
            self._audit.record("person.affiliation_unknown", subject.person, SYSTEM, provider=subject.provider)
            self._identity.close_person(subject.person, by=SYSTEM)

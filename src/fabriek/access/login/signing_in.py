"""Signing in at an identity provider from a browser: authorization code with PKCE, state, nonce and the provider's name in its answer."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from fabriek.access.login.arriving import Arriving
from fabriek.access.login.attempts import (
    OPEN_MAX,
    Attempt,
    Purpose,
    challenge_of,
    is_of_browser,
    nonce_of,
    page_of_ours,
    verifier_of,
)
from fabriek.access.login.credentials import CONFIRMED_FOR, hash_of
from fabriek.access.login.id_tokens import check_fresh, check_id_token, refused
from fabriek.access.login.identity import Identity, Shown
from fabriek.access.login.logins import Method
from fabriek.access.login.ports_providers import Attempts, Issuer, Subjects, Watched
from fabriek.access.login.profiles import Described, described, is_affiliated
from fabriek.access.login.providers import Admits, Provider
from fabriek.access.login.subjects import Key, ProviderLogin, Subject, refresh_context
from fabriek.access.people import Person
from fabriek.access.ports import People
from fabriek.adapters.oidc import Refused
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, unconfirmed
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotAuthenticated, NotPermitted, RateLimited, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.kernel.signing import Keys
from fabriek.sealing.keys import NONCE_BYTES, wrap

KEY_BYTES = 32
Transaction = Callable[..., AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Begun:
    """`url`: where the browser goes; `browser`: the cookie with which alone it can end what it began."""

    url: str
    browser: str


@dataclass(frozen=True, slots=True)
class Ended:
    """`cookie`: the session; empty where one was there and goes on. `then`: a page of ours."""

    cookie: str
    then: str


@dataclass(frozen=True, slots=True)
class Proved:
    """Whom a provider vouches for, by a token that was checked."""

    key: Key
    found: Described
    claims: Mapping[str, Any]
    refresh: str = ""

    @property
    def shown(self) -> Shown:
        return Shown(Method.OIDC, self.found.strong, self.key.issuer, self.found.acr, self.found.assurance)


class SubjectStore(Subjects, Watched, Protocol):
    """Storage of subjects, whole."""


class SigningIn:
    """The verbs of who comes by a provider. `providers` and `issuers` by their names here."""

    def __init__(
        self, providers: Sequence[Provider], issuers: Mapping[str, Issuer], identity: Identity, attempts: Attempts,
        subjects: SubjectStore, people: People, arriving: Arriving, audit: Audit, *, keys: Keys, clock: Clock, ids: Ids, transaction: Transaction,
    ) -> None:  # fmt: skip
        self._providers, self._issuers = {one.name: one for one in providers}, issuers
        self._identity, self._attempts, self._subjects, self._arriving = identity, attempts, subjects, arriving
        self._people = people
        self._audit, self._keys, self._clock, self._ids, self._transaction = audit, keys, clock, ids, transaction

    @property
    def providers(self) -> Sequence[Provider]:
        """In the operator's order."""
        return list(self._providers.values())

    def provider(self, name: str) -> Provider:
        """Raises NotFound."""
        if name not in self._providers:
            raise nothing_here()
        return self._providers[name]

    def begin(self, name: str, *, callback: str, then: str = "/", link: str = "") -> Begun:
        """callback: the address of ours that this provider knows. link: the code of a one-time link, which the login will use up."""
        code = hash_of(link) if link else ""
        return self._begun(name, Purpose.SIGN_IN, callback, page_of_ours(then), link=code)

    def begin_link(self, name: str, *, callback: str, then: str, by: Caller) -> Begun:
        """For who is signed in and wants to come by this provider too. Raises NotPermitted: it opens the door for good."""
        if by.narrowed or by.unconfirmed:
            raise unconfirmed()
        return self._begun(name, Purpose.LINK, callback, page_of_ours(then), credential=by.credential)

    def begin_confirm(self, *, callback_of: Callable[[str], str], then: str, by: Caller) -> Begun:
        """A strong factor again, at the provider that the caller came by. Raises NotPermitted where they did not come by one."""
        subject = self.subject_behind(by)
        if subject is None:
            raise refused("confirm", "you did not sign in by a provider")
        name = subject.provider
        return self._begun(name, Purpose.CONFIRM, callback_of(name), page_of_ours(then), credential=by.credential)

    def subject_behind(self, by: Caller) -> Subject | None:
        login = self._identity.login_behind(by)
        found = self._subjects.of_login(login.id) if login is not None else None
        return found if found is not None and found.provider in self._providers else None

    def end(self, name: str, answer: Mapping[str, str], *, browser: str, by: Caller | None) -> Ended:
        """The provider's answer, brought by the browser. by: who is signed in there already, if anybody. Raises NotPermitted, Unavailable."""
        state = answer.get("state", "")
        with self._transaction():
            attempt = self._attempts.take(hash_of(state))
        if attempt is None:
            raise refused("state", "this login was ended before, or never begun")
        try:
            provider = self.provider(attempt.provider)
            if attempt.provider != name or not is_of_browser(attempt, browser, self._clock.now()):
                raise refused("state", "this login was begun in another browser, or too long ago")
            proved = self._proved(provider, attempt, answer, browser, state)
            return self._ended(provider, attempt, proved, by)
        except NotPermitted as error:
            rule = str(error.fields.get("rule", ""))
            with self._transaction():
                self._audit.record("login.refused", attempt.provider, SYSTEM, rule=rule)
            raise

    def prove(self, provider: Provider, tokens: Mapping[str, Any], *, nonce: str | None, subject: str = "") -> Proved:
        """Whom these tokens are about. Raises NotPermitted where they do not hold, or where the person may not come in."""
        issuer, now = self._issuers[provider.name], self._clock.now()
        claims = issuer.claims_of(str(tokens.get("id_token", "")))
        check_id_token(
            claims, issuer=provider.issuer, client_id=provider.client_id, now=now, nonce=nonce, subject=subject
        )
        whole = self._with_userinfo(provider, claims, str(tokens.get("access_token", "")))
        found = described(provider.profile, whole)
        if not is_affiliated(provider.profile, found.affiliations):
            raise refused("affiliation", "the provider does not say that you belong to those who may come in here")
        refresh = str(tokens.get("refresh_token", "")) if provider.profile.offline else ""
        return Proved(Key(provider.issuer, found.subject, found.tenant), found, whole, refresh)

    def sign_in(self, provider: Provider, proved: Proved, *, session: bool, link: str = "") -> tuple[Person, str]:
        """The person of this subject, or a new one, signed in. link: the hash of a one-time link that says who they are."""
        known = self._subjects.with_key(proved.key)
        subject = known or Subject(
            self._ids.new("sub"), "", provider.name, proved.key, self._clock.now(), self._clock.now()
        )
        check_can_be_asked(provider, proved, known)
        kept = self._sealed(subject.id, proved.refresh)
        with self._transaction(alone="sign-in"):
            bound = self._subjects.with_key(proved.key)
            if bound is None:
                bound = self._bound(replace(subject, person=self._person_of(provider, proved, link)))
            elif link and self._identity.use_link(link) != bound.person:
                raise refused("link", "this account belongs to somebody else here")
            try:
                fresh = was_shown_lately(proved.claims, self._clock.now())
                person, secret = self._identity.sign_in(bound.person, proved.shown, session=session, fresh=fresh)
            except NotAuthenticated:
                raise refused("ended", "your access here has ended") from None
            sid = proved.claims.get("sid")
            login = ProviderLogin(self._identity.login_of(secret), bound.id, sid if isinstance(sid, str) else "")
            self._subjects.note_login(login)
            if kept and bound.id == subject.id:
                self._subjects.keep_refresh(bound.id, *kept, self._clock.now())
        return person, secret

    def unlink(self, subject_id: str, *, by: Caller) -> None:
        """Takes the account away from the person, who no longer comes in by it. Raises NotFound, NotPermitted for one by which it is watched
        whether they still belong here: an administrator lets them go.
        """
        if by.narrowed or by.unconfirmed:
            raise unconfirmed()
        with self._transaction():
            theirs = {one.id: one for one in self._subjects.of_person(by.person)}
            if subject_id not in theirs:
                raise nothing_here()
            provider = self._providers.get(theirs[subject_id].provider)
            if provider is not None and provider.profile.requires:
                raise refused("unlink", "by this account it is known that you still belong here")
            self._subjects.remove(subject_id)
            self._audit.record("person.provider_unlinked", by.person, by)

    def linked(self, *, by: Caller) -> Sequence[Subject]:
        """The accounts at providers by which the caller may come in."""
        return self._subjects.of_person(by.person)

    def close(self) -> None:
        for issuer in self._issuers.values():
            issuer.close()

    def forget_expired(self) -> None:
        with self._transaction():
            self._attempts.forget(self._clock.now())

    def _begun(
        self, name: str, purpose: Purpose, callback: str, then: str, *, credential: str = "", link: str = ""
    ) -> Begun:
        provider, state, browser = self.provider(name), self._ids.secret(), self._ids.secret()
        profile = provider.profile
        asked = {
            "response_type": "code", "redirect_uri": callback, "state": state, "nonce": nonce_of(browser, state),
            "scope": " ".join([*profile.scopes, *(["offline_access"] if profile.offline else [])]),
            "code_challenge": challenge_of(verifier_of(browser, state)), "code_challenge_method": "S256",
        }  # fmt: skip
        if purpose is Purpose.CONFIRM:
            asked |= {"acr_values": " ".join(profile.ask_acr), "max_age": "0", "prompt": "login"}
        elif profile.offline:
            asked["prompt"] = "consent"  # without it no provider need give what lets us ask again
        url = self._issuers[name].authorization_url(asked)
        attempt = Attempt(
            hash_of(state), hash_of(browser), name, purpose, self._clock.now(), callback, then, credential, link
        )
        with self._transaction():
            if self._attempts.count() >= OPEN_MAX:
                raise RateLimited(
                    "too many logins are being begun", fix="try again in a minute", retry_after_seconds=60
                )
            self._attempts.add(attempt)
        return Begun(url, browser)

    def _proved(
        self, provider: Provider, attempt: Attempt, answer: Mapping[str, str], browser: str, state: str
    ) -> Proved:
        issuer = self._issuers[provider.name]
        said = answer.get("iss", "")
        if said != provider.issuer and (said or issuer.names_itself_in_answers()):
            raise refused("mix_up", "the answer comes from another provider than the one that was asked")
        if "error" in answer or not answer.get("code"):
            raise refused("denied", f"{provider.title} did not sign you in")
        try:
            tokens = issuer.tokens({
                "grant_type": "authorization_code", "code": answer["code"], "redirect_uri": attempt.callback,
                "code_verifier": verifier_of(browser, state),
            })  # fmt: skip
        except Refused as error:
            raise refused("code", f"{provider.title} does not take its code back ({error.error})") from None
        proved = self.prove(provider, tokens, nonce=nonce_of(browser, state))
        if attempt.purpose is Purpose.CONFIRM:
            check_fresh(proved.claims, since=attempt.begun_at)
        return proved

    def _ended(self, provider: Provider, attempt: Attempt, proved: Proved, by: Caller | None) -> Ended:
        if attempt.purpose is Purpose.SIGN_IN:
            _, cookie = self.sign_in(provider, proved, session=True, link=attempt.link)
            return Ended(cookie, attempt.then)
        if by is None or by.credential != attempt.credential:
            raise refused("state", "somebody else is signed in in this browser now")
        if attempt.purpose is Purpose.CONFIRM:
            subject = self._subjects.with_key(proved.key)
            if subject is None or subject.person != by.person:
                raise refused("subject", "that is the account of somebody else")
            self._identity.confirm(proved.shown, by=by)
        else:
            self._link(provider, proved, by)
        return Ended("", attempt.then)

    def _link(self, provider: Provider, proved: Proved, by: Caller) -> None:
        now = self._clock.now()
        check_can_be_asked(provider, proved, None)
        subject = Subject(self._ids.new("sub"), by.person, provider.name, proved.key, now, now)
        kept = self._sealed(subject.id, proved.refresh)
        with self._transaction(alone="sign-in"):
            there = self._subjects.with_key(proved.key)
            if there is not None:
                if there.person != by.person:
                    raise refused("link", "this account belongs to somebody else here")
                return
            self._bound(subject, by=by)
            if kept:
                self._subjects.keep_refresh(subject.id, *kept, now)

    def _person_of(self, provider: Provider, proved: Proved, link: str) -> str:
        """Who a subject is that nobody knows yet. Never found by an address: it is said by whoever wants to be that person."""
        if link:
            person = self._identity.use_link(link)
            if self._subjects.of_person(person) or self._people.get(person).confirms:
                # An account that is linked opens the door for good, with a strong factor of its own: whoever found a link or a session
                # would make themselves at home.
                raise refused(
                    "link", "you have a way in already: sign in by it, and link this account on your account's page"
                )
            return person
        if provider.admits is Admits.ANYONE:
            return self._arriving.person_for(provider, proved.found).id
        raise NotPermitted(
            "nobody here is known by this account", rule="login.unknown",
            fix="follow the link of your invitation, or sign in as before and link this account on your account's page",
        )  # fmt: skip

    def _bound(self, subject: Subject, *, by: Caller = SYSTEM) -> Subject:
        self._subjects.add(subject)
        self._audit.record("person.provider_linked", subject.person, by, provider=subject.provider, account=subject.id)
        return subject

    def _with_userinfo(self, provider: Provider, claims: Mapping[str, Any], access_token: str) -> Mapping[str, Any]:
        """With what the provider says elsewhere, where the token lacks a claim that the profile reads. The token's own words count first."""
        profile = provider.profile
        read = {profile.subject_claim, profile.tenant_claim, profile.name_claim, profile.email_claim, profile.affiliation_claim,
                profile.organisation_claim, profile.assurance_claim} - {""}  # fmt: skip
        if read <= claims.keys() or not access_token:
            return claims
        try:
            more = self._issuers[provider.name].userinfo(access_token)
        except Refused:
            raise refused("userinfo", "the provider does not say more about you") from None
        if more.get("sub") != claims["sub"]:
            raise refused("subject", "the provider describes somebody else")
        return {**more, **claims}

    def _sealed(self, subject_id: str, refresh: str) -> tuple[bytes, bytes] | None:
        if not refresh:
            return None
        return sealed_refresh(self._keys, self._ids, subject_id, refresh)


def check_can_be_asked(provider: Provider, proved: Proved, known: Subject | None) -> None:
    """Where an affiliation is required, nobody comes in of whom the provider could not be asked again: that is theirs to leave out, in their own
    browser. Raises NotPermitted.
    """
    profile = provider.profile
    if profile.requires and profile.offline and not proved.refresh and not (known is not None and known.sealed):
        raise refused("offline", f"{provider.title} did not let us ask again whether you belong here")


def was_shown_lately(claims: Mapping[str, Any], now: datetime) -> bool:
    """Whether the person did something at the provider just now. One who is signed in there is let through without a question."""
    at = claims.get("auth_time")
    return isinstance(at, int) and not isinstance(at, bool) and now.timestamp() - at < CONFIRMED_FOR.total_seconds()


def sealed_refresh(keys: Keys, ids: Ids, subject_id: str, refresh: str) -> tuple[bytes, bytes]:
    """A refresh token under a key of its own, and that key under the master key. Never inside a transaction."""
    key, context = ids.random(KEY_BYTES), refresh_context(subject_id)
    return wrap(key, refresh.encode(), context, ids.random(NONCE_BYTES)), keys.wrap(key, context)

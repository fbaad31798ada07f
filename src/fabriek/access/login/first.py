"""The first sign-in of an installation: a secret that is printed once, against the first person, who lets everybody else in."""

from datetime import timedelta

from fabriek.access.addresses import address_of
from fabriek.access.login.credentials import TOKEN_FOR, Credential, CredentialKind, hash_of, is_open, new_token
from fabriek.access.login.identity import unknown
from fabriek.access.login.ports import Credentials
from fabriek.access.organisations import Organisation
from fabriek.access.people import Person
from fabriek.access.ports import Organisations, People
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids

BOOTSTRAP_FOR = timedelta(days=7)
FIRST_ROLES = ("administrator", "operator")


class FirstSignIn:
    """Opens for the first person alone."""

    def __init__(
        self, credentials: Credentials, bodies: Organisations, people: People, audit: Audit, clock: Clock, ids: Ids
    ) -> None:
        self._credentials, self._bodies, self._people = credentials, bodies, people
        self._audit, self._clock, self._ids = audit, clock, ids

    def secret(self) -> str:
        """Made anew at each start until somebody has used one; empty from then on."""
        with self._bodies.transaction(alone="bootstrap"):
            if self._people.count():
                return ""
            for old in self._credentials.of_kind(CredentialKind.BOOTSTRAP):
                self._credentials.remove(old.hash)
            return self._issue(CredentialKind.BOOTSTRAP, self._ids.secret(), "", BOOTSTRAP_FOR)

    def use(self, secret: str, organisation: Organisation, name: str, email: str) -> tuple[Person, str]:
        """The first person, an administrator, and their token. Raises NotAuthenticated when the secret was used or there is somebody."""
        with self._bodies.transaction(alone="bootstrap"):
            found = self._credentials.find(hash_of(secret))
            if found is None or found.kind is not CredentialKind.BOOTSTRAP or not is_open(found, self._clock.now()):
                raise unknown()
            if self._people.count() or not self._credentials.remove(found.hash):
                raise unknown()
            return self.person(organisation, name, email, FIRST_ROLES)

    def person(self, organisation: Organisation, name: str, email: str, roles: tuple[str, ...]) -> tuple[Person, str]:
        """Somebody with these roles and a token. For the quick start too; joins that transaction."""
        person = Person(self._ids.new("per"), organisation.id, name, address_of(email), frozenset(roles))
        with self._bodies.transaction():
            self._bodies.add(organisation)
            self._people.add(person)
            self._audit.record("organisation.created", organisation.id, SYSTEM)
            self._audit.record("person.bootstrapped", person.id, SYSTEM, organisation=organisation.id)
            return person, self._issue(CredentialKind.API, new_token(self._ids), person.id, TOKEN_FOR)

    def _issue(self, kind: CredentialKind, secret: str, person: str, lasts: timedelta) -> str:
        now = self._clock.now()
        made = Credential(hash_of(secret), kind, person, now + lasts, id=self._ids.new("crd"), made_at=now)
        self._credentials.add(made)
        self._audit.record(f"credential.{kind}_issued", person or "nobody", SYSTEM)
        return secret

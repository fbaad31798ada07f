"""People who come by a provider that admits anyone of an organisation: a person is made, and the organisation where it is not here yet."""

from fabriek.access import organisations
from fabriek.access.login.id_tokens import refused
from fabriek.access.login.ports_providers import Subjects
from fabriek.access.login.profiles import Described
from fabriek.access.login.providers import Provider
from fabriek.access.organisations import Organisation, OrganisationKind
from fabriek.access.people import Person
from fabriek.access.ports import Organisations, People
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.ids import Ids


class Arriving:
    """Nobody who arrives here has a role, whatever the provider says of them."""

    def __init__(self, bodies: Organisations, people: People, subjects: Subjects, audit: Audit, ids: Ids) -> None:
        self._bodies, self._people, self._subjects, self._audit, self._ids = bodies, people, subjects, audit, ids

    def person_for(self, provider: Provider, found: Described) -> Person:
        """A new person; joins the transaction of their login. Raises NotPermitted where no organisation is named.

        An address that somebody here has is left out: who says it is theirs does not become them, and cannot take it either.
        """
        if not found.organisation:
            raise refused("organisation", "the provider names no organisation of yours")
        body = self._organisation(provider, found.organisation)
        email = "" if self._people.with_email(found.email) else found.email
        person = Person(self._ids.new("per"), body.id, found.name, email)
        self._people.add(person)
        self._audit.record("person.arrived", person.id, SYSTEM, organisation=body.id, provider=provider.name)
        return person

    def _organisation(self, provider: Provider, word: str) -> Organisation:
        """The operator's word first, then the business register's number, then the one that was made for this word before.

        Never by a slug that is like it: a provider's word must not lead into an organisation that was here before it.
        """
        if mapped := provider.organisations.get(word):
            return self._bodies.named(mapped)
        if known := self._subjects.organisation_of(provider.issuer, word):
            return self._bodies.named(known)
        by_number = provider.profile.organisation_by == "kvk"
        there = list(self._bodies.all())
        found = [one for one in there if by_number and one.kvk == word]
        if len(found) > 1:
            raise refused("organisation", "more than one organisation here has your number: an operator says which")
        return found[0] if found else self._made(provider, word, frozenset(one.slug for one in there))

    def _made(self, provider: Provider, word: str, taken: frozenset[str]) -> Organisation:
        profile = provider.profile
        by_number = profile.organisation_by == "kvk"
        name = f"KvK {word}" if by_number else word
        slug = organisations.slug_of(name) or "organisation"
        free = next(one for one in (slug, *(f"{slug[:58]}-{n}" for n in range(2, 10_000))) if one not in taken)
        kind, kvk = OrganisationKind(profile.organisation_kind), word if by_number else ""
        made = Organisation(self._ids.new("org"), free, name, kind, profile.organisation_country, kvk)
        organisations.check(made)
        self._bodies.add(made)
        self._subjects.name_organisation(provider.issuer, word, made.id)
        self._audit.record("organisation.created", made.id, SYSTEM, provider=provider.name)
        return made

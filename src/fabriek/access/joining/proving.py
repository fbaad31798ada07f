"""Showing that an organisation is one, by whichever proof it has: no number in the register is no dead end."""

from collections.abc import Mapping, Sequence

from fabriek.access.joining.ports import Proofs
from fabriek.access.joining.proofs import Proof, due_on, kind_named, read_fields
from fabriek.access.organisations import NUMBERS, Organisation
from fabriek.access.ports import Organisations
from fabriek.access.roles import administers
from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require, require_whole
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists

REGISTERED = "kvk"
"""The kind of proof by whose number a person who arrives is led into an organisation."""


class Proving:
    """An organisation's administrators show it, and the installation's; operators see what is overdue."""

    def __init__(self, kept: Proofs, bodies: Organisations, audit: Audit, clock: Clock) -> None:
        self._kept, self._bodies, self._audit, self._clock = kept, bodies, audit, clock

    def prove(self, organisation: str, kind: str, fields: Mapping[str, str], *, by: Caller) -> Proof:
        """Replaces what was shown before. A number in the register becomes the organisation's own by the word of the installation's administrator
        alone, since it is by that number that people of an identity provider come into it; until then it is what the organisation says of itself.

        Raises InvalidInput naming the field, with an example, AlreadyExists where another organisation has the number.
        """
        require_whole(by)
        body = self._bodies.named(organisation)
        if not administers(by, body.id):
            require(by, "person.invite")
        chosen, today = kind_named(kind), self._clock.today()
        told = read_fields(chosen, fields, today)
        made = Proof(body.id, chosen.name, told, by.person, self._clock.now(), due_on(chosen, told))
        public = {one.name: told[one.name] for one in chosen.fields if not one.free}
        number = told["number"] if chosen.name == REGISTERED else ""
        with self._bodies.transaction(alone=NUMBERS if number else f"proof:{body.id}"):
            if number and any(one.kvk == number and one.id != body.id for one in self._bodies.all()):
                raise AlreadyExists("another organisation has this number", fix="look it over: fabriek org ls")
            self._kept.put(made)
            if number and by.may("person.invite"):
                self._kept.note_number(body.id, number)
            self._audit.record(
                "organisation.proved", body.id, by, kind=chosen.name, **{f"field_{k}": v for k, v in public.items()}
            )
        return made

    def of_organisation(self, organisation: str, *, by: Caller) -> Proof | None:
        """For its own people, and for who may look or invite; None before the first."""
        body = self._bodies.named(organisation)
        if by.organisation != body.id and not by.may("person.view"):
            require(by, "person.invite")
        return self._kept.of_organisation(body.id)

    def is_only_stated(self, proof: Proof) -> bool:
        """Whether it is a number that the organisation says is its own, and no administrator of the installation has looked at."""
        return proof.kind == REGISTERED and self._bodies.named(proof.organisation).kvk != proof.fields["number"]

    def due(self, *, by: Caller) -> Sequence[tuple[Organisation, Proof]]:
        """Those whose day has passed without something better, the longest overdue first."""
        require(by, "person.view")
        return [(self._bodies.named(one.organisation), one) for one in self._kept.due_before(self._clock.today())]

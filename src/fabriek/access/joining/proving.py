"""Showing that an organisation is one, by whichever proof it has: no number in the register is no dead end."""

from collections.abc import Mapping, Sequence

from fabriek.access.joining.ports import Proofs
from fabriek.access.joining.proofs import Proof, due_on, kind_named, read_fields
from fabriek.access.organisations import Organisation
from fabriek.access.ports import Organisations
from fabriek.access.roles import administers
from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require, require_whole
from fabriek.kernel.clock import Clock


class Proving:
    """An organisation's administrators show it, and the installation's; operators see what is overdue."""

    def __init__(self, kept: Proofs, bodies: Organisations, audit: Audit, clock: Clock) -> None:
        self._kept, self._bodies, self._audit, self._clock = kept, bodies, audit, clock

    def prove(self, organisation: str, kind: str, fields: Mapping[str, str], *, by: Caller) -> Proof:
        """Replaces what was shown before. Raises InvalidInput naming the field, with an example."""
        require_whole(by)
        body = self._bodies.named(organisation)
        if not administers(by, body.id):
            require(by, "person.invite")
        chosen, today = kind_named(kind), self._clock.today()
        told = read_fields(chosen, fields, today)
        made = Proof(body.id, chosen.name, told, by.person, self._clock.now(), due_on(chosen, told))
        public = {one.name: told[one.name] for one in chosen.fields if not one.free}
        with self._bodies.transaction(alone=f"proof:{body.id}"):
            self._kept.put(made)
            if chosen.name == "kvk":
                self._kept.note_number(body.id, told["number"])
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

    def due(self, *, by: Caller) -> Sequence[tuple[Organisation, Proof]]:
        """Those whose day has passed without something better, the longest overdue first."""
        require(by, "person.view")
        return [(self._bodies.named(one.organisation), one) for one in self._kept.due_before(self._clock.today())]

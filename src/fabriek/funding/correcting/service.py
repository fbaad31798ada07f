"""What one may do with charges that were wrong: look at one, and set it right."""

from collections.abc import Sequence

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding import ledger
from fabriek.funding.correcting.charges import Charge, Correction, charge_of, correction
from fabriek.funding.correcting.ports import Corrections
from fabriek.funding.ledger import AMOUNT_MAX, Kind, Posting, kind_of
from fabriek.funding.ports import Allocations, Ledger
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.ids import Ids
from fabriek.kernel.units import shown

REASON_MAX = 500


class Correcting:
    """Charges of jobs and of meters, set right by whoever oversees funding and has no part in the project."""

    def __init__(
        self, books: Ledger, allocations: Allocations, corrections: Corrections, *, access: Access, audit: Audit, clock: Clock, ids: Ids
    ) -> None:  # fmt: skip
        self._books, self._allocations, self._corrections = books, allocations, corrections
        self._access, self._audit, self._clock, self._ids = access, audit, clock, ids

    def charge(self, named: str, *, by: Caller) -> tuple[Charge, str]:
        """What a charge stands at, and the slug of the project that pays. `named`: a job, the key of a reading, or a posting; a correction stands for
        what it corrects. Raises NotFound, WrongState.
        """
        require(by, "funding.oversee")
        found = self._charge(named)
        return found, self._access.project(self._project(found)).slug

    def correct(self, named: str, used_micro: int, reason: str, *, by: Caller) -> Charge:
        """The charge comes to `used_micro`, whatever it was corrected to before: the difference goes back to who paid, or is charged to them.

        Raises InvalidInput on an amount that cannot be or no reason, NotPermitted to who works in the project, WrongState where it stands at that
        already or its debt was paid since, CreditsExhausted where the allocation has not that much left.
        """
        require(by, "funding.oversee")
        check_amount(used_micro)
        reason = _checked(reason)
        project = self._project(self._charge(named))
        if by.is_member_of(project):
            raise NotPermitted(
                "nobody corrects what their own project pays", rule="funding.correct_own", fix="ask another operator"
            )
        with self._books.transaction(alone=f"credits:{project}"):
            found = self._charge(named)  # again, now that nobody else corrects it
            if used_micro == found.stands:
                raise WrongState(
                    f"this charge stands at {found.resource.counted(used_micro)} already", fix="fabriek funding entries"
                )
            now = self._clock.now()
            made = correction(self._ids.new("led"), found, used_micro, now)
            self._check_owed(made)
            self._books.post(made)
            # The log keeps no words that somebody wrote.
            self._corrections.add(Correction(made.transaction, found.transaction, reason, by.person, now))
            self._audit.record(
                "funding.corrected", found.transaction, by, project=project, correction=made.transaction, resource=found.resource,
                was=shown(found.stands), becomes=shown(used_micro),
            )  # fmt: skip
            return self._charge(named)

    def why(self, charge: Charge, *, by: Caller) -> Sequence[Correction]:
        """Each of its corrections with the reason, the oldest first."""
        require(by, "funding.oversee")
        return self._corrections.of(charge.transaction)

    def _charge(self, named: str) -> Charge:
        posting, corrections = self._posting(named), list[Posting]()
        while made := self._books.keyed(ledger.correction_key(posting.transaction, len(corrections) + 1)):
            corrections.append(made)
        return charge_of(posting, corrections)

    def _posting(self, named: str) -> Posting:
        for key in (f"settle:{named}", f"meter:{named}", f"meter:{named}:owed"):
            if found := self._books.keyed(key):
                return found
        try:
            found = self._books.posting(named)
        except NotFound:
            raise NotFound(
                "nothing was charged by this name: neither a job, a reading nor a posting",
                fix="fabriek funding entries",
            ) from None
        corrected = ledger.corrected_by(found.key)
        return self._books.posting(corrected) if corrected else found

    def _project(self, charge: Charge) -> str:
        return self._allocations.get(charge.payers[0].allocation).project

    def _check_owed(self, made: Posting) -> None:
        """What is owed no more cannot be taken from the debt: another allocation paid it, and has the use now."""
        for (name, resource), amount in ledger.balances(made.entries).items():
            owed = -self._books.balance(name, resource) if kind_of(name) is Kind.DEBT else amount
            if amount > owed:
                raise WrongState(
                    f"of this only {resource.counted(owed)} are owed still: the rest was paid since",
                    fix=f"take off at most {shown(owed)}",
                )


def check_amount(used_micro: int) -> None:
    """Raises InvalidInput on what no charge can be."""
    if type(used_micro) is not int or not 0 <= used_micro <= AMOUNT_MAX:
        raise InvalidInput(
            f"a charge of {used_micro!r} millionths cannot be", fix=f"give 0 to {shown(AMOUNT_MAX)} units"
        )


def _checked(reason: str) -> str:
    said = " ".join(reason.split())
    if not 1 <= len(said) <= REASON_MAX:
        raise InvalidInput(f"a correction says why, in 1 to {REASON_MAX} letters", fix="give a reason")
    return said

"""The committee: somebody who did not judge decides, with a motive; large awards take a second signature."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fabriek.access.applying.applications import Application, ApplicationState
from fabriek.access.reviewing.conflicts import refuse_conflicts
from fabriek.access.reviewing.decisions import Decision, Verdict, check_motive, check_verdict
from fabriek.access.reviewing.docket import Docket, Part
from fabriek.access.reviewing.history import Shown
from fabriek.access.reviewing.ports import Awards
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotPermitted, WrongState

_S = ApplicationState


class Committee:
    """Decide, sign, rank. `awards` is funding's."""

    def __init__(self, docket: Docket, awards: Awards) -> None:
        self._docket, self._awards = docket, awards

    def decide(
        self,
        application_id: str,
        verdict: str,
        motive: str,
        *,
        gpu_hours: int | None = None,
        share: str = "",
        by: Caller,
    ) -> Decision:
        """Awards, possibly less than was asked, or refuses; what waits for a signature gives way to another member's decision.

        Raises WrongState before all assessments are in, AlreadyExists after a decision.
        """
        docket = self._docket
        word, words = check_verdict(verdict), check_motive(motive)
        with docket.transaction(application_id):
            found = self._decidable(application_id, by)
            before = docket.assignments.decision(found.id)
            if before is not None and (before.stands or before.decided_by == by.person):
                raise AlreadyExists(
                    "there is a decision already", fix=f"another member signs it, or proposes another: fabriek review show {found.id}"
                )  # fmt: skip
            asked = int(found.answers.get("gpu_hours", 0))
            hours = (asked if gpu_hours is None else gpu_hours) if word is Verdict.AWARD else 0
            if word is Verdict.AWARD and not 0 < hours <= asked:
                raise InvalidInput(f"award 1 to {asked} GPU-hours, which is what was asked", fix="--gpu-hours")
            above = docket.rules().second_signature_above
            made = Decision(
                docket.ids.new("dec"), found.id, word, words, by.person, docket.clock.now(), needs_second=0 < above < hours, gpu_hours=hours,
                share=share,
            )  # fmt: skip
            if before is not None:
                made = replace(made, id=before.id)
                docket.step(found, "reproposed", by, "committee", words=words)
            if made.stands:
                return self._carry_out(found, made, by)
            docket.assignments.put_decision(made)
            if before is None:
                docket.step(found, "proposed", by, "committee", words=words)
        return made

    def sign(self, application_id: str, *, by: Caller) -> Decision:
        """The second signature: now the decision counts. Raises NotPermitted for who proposed it."""
        docket = self._docket
        with docket.transaction(application_id):
            found = self._decidable(application_id, by)
            made = docket.assignments.decision(found.id)
            if made is None or made.stands:
                raise WrongState("nothing waits for a signature", fix=f"fabriek review show {found.id}")
            if made.decided_by == by.person:
                raise NotPermitted("a second person signs", rule="decision.same_person", fix="ask another member")
            asked = int(found.answers.get("gpu_hours", 0))
            if made.gpu_hours > asked:
                raise WrongState(
                    f"{made.gpu_hours} GPU-hours were proposed, and {asked} are asked now", fix=f"fabriek review decide {found.id}"
                )  # fmt: skip
            return self._carry_out(found, replace(made, signed_by=by.person, signed_at=docket.clock.now()), by)

    def ranking(self, call: str, *, by: Caller) -> Sequence[tuple[Application, int]]:
        """Those of a call before the committee, by round, best first, with the mean of their totals."""
        require(by, "funding.award")
        docket = self._docket
        found: list[tuple[Any, int, Application]] = []
        for one in docket.applications.in_states([_S.COMMITTEE]):
            if one.call == call and docket.part_of(one, by) is Part.STAFF and docket.all_in(one):
                totals = [each.total for each in docket.assignments.of_application(one.id) if each.total is not None]
                case = docket.case_of(one)
                found.append((case.round_at or case.clock.started_at, round(sum(totals) / len(totals)), one))
        found.sort(key=lambda each: (each[0], -each[1], each[2].id))
        return [(one, total) for _, total, one in found]

    def _decidable(self, application_id: str, by: Caller) -> Application:
        require(by, "funding.award")
        docket = self._docket
        found = docket.found(application_id, by, Part.STAFF, Part.APPLICANT, Part.EXPERT)
        refuse_conflicts(docket.conflicts(docket.people.get(by.person), found), "you may not decide this application")
        judged = {one.person for one in docket.assignments.of_application(found.id)} | {
            docket.case_of(found).checked_by
        }
        if by.person in judged:
            raise NotPermitted("who judged it does not decide it", rule="decision.reviewed", fix="ask another member")
        if found.state is not _S.COMMITTEE or not docket.all_in(found):
            raise WrongState(
                f"application {found.id} is {found.state}: it is decided once all assessments are in",
                fix=f"fabriek review show {found.id}",
            )
        return found

    def _carry_out(self, found: Application, made: Decision, by: Caller) -> Decision:
        docket = self._docket
        made = replace(made, objection_until=docket.objection_until(docket.clock.now()))
        docket.assignments.put_decision(made)
        if made.verdict is Verdict.AWARD:
            docket.step(found, "decided", by, "committee", words=made.motive, shown=Shown.ALL)
            self._awards.award_decided(found, made.gpu_hours, share=made.share, by=by)
        else:
            docket.step(found, "refused", by, "committee", to=_S.REFUSED, words=made.motive, shown=Shown.ALL)
        return made

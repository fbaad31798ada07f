"""What happens at once when an application is submitted: its clock starts, and what needs no person is checked."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from fabriek.access.applying.applications import Application, ApplicationState, Check, technical_check
from fabriek.access.applying.calls import Call
from fabriek.access.organisations import Organisation
from fabriek.access.reviewing.conflicts import refuse_conflicts
from fabriek.access.reviewing.decisions import check_motive
from fabriek.access.reviewing.docket import Docket, Part, shown_to
from fabriek.access.reviewing.history import Shown
from fabriek.access.reviewing.scaling import measured_in, nodes_in
from fabriek.access.reviewing.terms import Route
from fabriek.kernel.callers import SYSTEM, Caller


class Reception:
    """Takes in what was submitted, and says which of them are ready to be awarded by themselves."""

    def __init__(self, docket: Docket) -> None:
        self._docket = docket

    def receive(self, submitted: Application, asked: Call, body: Organisation, *, by: Caller) -> Application:
        """The application with its checks: eligible, or refused with reasons. Joins the transaction of `submit`."""
        docket = self._docket
        case = replace(docket.open_case(submitted), measured=measured_in(submitted), nodes_asked=nodes_in(submitted))
        docket.cases.put(case)
        docket.step(submitted, "submitted", by, "applicant", shown=Shown.ALL)
        checks = technical_check(submitted, asked, body)
        passed = all(one.passed for one in checks)
        to = ApplicationState.ELIGIBLE if passed else ApplicationState.REFUSED
        return docket.step(
            submitted, str(to), SYSTEM, "factory", to=to, words=why_not(checks), shown=Shown.ALL, checks=checks
        )

    def is_ready(self, application: Application) -> bool:
        """Whether nothing but room in a share stands between it and its award. Never so where a committee decides."""
        terms = self._docket.terms_of(application)
        if terms.route is not Route.SHORT:
            return False
        if application.state is ApplicationState.TECHNICAL:
            return True  # somebody looked, whether anybody had to or not
        by_person = self._docket.person_checks or terms.by_person
        return application.state is ApplicationState.ELIGIBLE and not by_person

    def queue(self) -> Sequence[Application]:
        """Those that wait for room, first in first out."""
        waiting = self._docket.applications.in_states([ApplicationState.ELIGIBLE, ApplicationState.TECHNICAL])
        ready = [one for one in waiting if self.is_ready(one)]
        return sorted(ready, key=lambda one: (one.submitted_at or one.made_at, one.id))

    def position(self, application: Application) -> int:
        """1 for the first in the queue; 0 for one that is not in it."""
        ids = [one.id for one in self.queue()]
        return ids.index(application.id) + 1 if application.id in ids else 0

    def seen_by(self, application: Application, by: Caller) -> Application | None:
        """As the desk shows it: whom the applicant excluded and who declined see nothing, and an expert does not read who was not wanted."""
        part = self._docket.part_of(application, by)
        return None if part is Part.NOBODY else shown_to(part, application)

    def check_awarder(self, application: Application, *, by: Caller) -> None:
        """Who awards by hand is held to the rules that who judges is held to."""
        docket = self._docket
        found = docket.found(application.id, by, Part.STAFF, Part.APPLICANT, Part.EXPERT)
        refuse_conflicts(docket.conflicts(docket.people.get(by.person), found), "you may not award this application")

    def passed_over(self, application: Application, earlier: Sequence[str], reason: str, *, by: Caller) -> None:
        """The words stand in its history; the audit log, which no words enter, has how many were passed over and the first of them."""
        words = check_motive(reason)
        self._docket.step(
            application, "out_of_turn", by, "funder", words=f"{words}\nBefore it came {', '.join(earlier)}."
        )
        self._docket.audit.record(
            "allocation.out_of_turn", application.id, by, passed_over=len(earlier), first=earlier[0],
            reason_sha256=sha256(words.encode()).hexdigest(),
        )  # fmt: skip

    def awarded(self, application: Application, project: str, *, by: Caller) -> Application:
        """The step of an award; joins its transaction."""
        part = "factory" if self._docket.terms_of(application).route is Route.SHORT else "committee"
        return self._docket.step(
            application, "awarded", by, part, to=ApplicationState.AWARDED, shown=Shown.ALL, project=project
        )


def why_not(checks: Sequence[Check]) -> str:
    return "; ".join(f"{one.name}: {one.found}" for one in checks if not one.passed)

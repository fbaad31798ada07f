"""The panel: experts are asked, decline or assess, and are blind to each other until all are in."""

from collections.abc import Mapping
from dataclasses import replace

from fabriek.access.applying.applications import ApplicationState
from fabriek.access.finding import person_named
from fabriek.access.people import PersonKind
from fabriek.access.reviewing.assessments import Assignment, Form, assessed
from fabriek.access.reviewing.clocks import ReviewClock, due
from fabriek.access.reviewing.conflicts import refuse_conflicts
from fabriek.access.reviewing.decisions import check_motive
from fabriek.access.reviewing.docket import Docket, Part
from fabriek.access.reviewing.history import Shown
from fabriek.access.reviewing.terms import Route
from fabriek.access.roles import rights_of
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import AlreadyExists, NotFound, NotPermitted, WrongState

JUDGES = frozenset({"reviewer", "expert"})
_S = ApplicationState


class Panel:
    """Assign, decline, assess."""

    def __init__(self, docket: Docket) -> None:
        self._docket = docket

    def form(self) -> Form:
        """What experts are asked today."""
        return self._docket.promises.form_on(self._docket.clock.today())

    def assign(self, application_id: str, person: str, *, by: Caller) -> Assignment:
        """Asks somebody to assess it. Raises NotPermitted naming the rule of conflict, WrongState before the technical check."""
        require(by, "application.review")
        docket, now = self._docket, self._docket.clock.now()
        with docket.transaction(application_id):
            found = docket.found(application_id, by, Part.STAFF)
            refuse_conflicts(
                docket.conflicts(docket.people.get(by.person), found), "you may not judge this application"
            )
            if docket.terms_of(found).route is not Route.COMMITTEE or found.state not in {_S.TECHNICAL, _S.EXPERTS}:
                raise WrongState(
                    f"application {found.id} is {found.state}: experts come after the technical check",
                    fix=f"fabriek review show {found.id}",
                )
            expert = person_named(docket.people, person)
            if not expert.active:
                raise NotFound("there is no such person", fix="fabriek org show ORGANISATION")
            if expert.kind is PersonKind.SERVICE:
                raise NotPermitted("a service judges nothing", rule="review.person", fix="ask a person")
            if not expert.roles & JUDGES:
                raise NotPermitted("they are no reviewer and no expert", rule="review.role", fix="ask somebody who is")
            if "audit.read" in rights_of(expert.roles):
                # The log says when the other one was in, and by whom.
                raise NotPermitted(
                    "they may read the audit log, which tells of the other experts",
                    rule="conflict.reads_log",
                    fix="ask somebody else",
                )
            refuse_conflicts(docket.conflicts(expert, found), "they may not judge this application")
            if expert.id in self._at_desk(found.id, by):
                raise NotPermitted(
                    "whoever handles it, checked it or chooses its experts is none of them", rule="conflict.desk", fix="ask somebody else"
                )  # fmt: skip
            if any(one.person == expert.id for one in docket.assignments.of_application(found.id)):
                raise AlreadyExists("they were asked already", fix=f"fabriek review show {found.id}")
            until = due(ReviewClock(now, docket.rules().expert_days), docket.office)
            assert until is not None, "this clock has no pauses"
            made = Assignment(docket.ids.new("asg"), found.id, expert.id, by.person, now, until)
            docket.assignments.put(made)
            to = _S.EXPERTS if found.state is _S.TECHNICAL else None
            docket.step(found, "assigned", by, "reviewer", to=to, words=expert.id)
            docket.tell([expert.id], found.id, "assigned")
        return made

    def decline(self, application_id: str, reason: str, *, conflict: bool, by: Caller) -> Assignment:
        """The expert does not judge it; with `conflict` they never will."""
        docket = self._docket
        with docket.transaction(application_id):
            own = self._own(application_id, by)
            if not own.is_open:
                raise WrongState("your answer is in already", fix=f"fabriek review show {application_id}")
            declined = replace(own, declined_at=docket.clock.now(), reason=check_motive(reason), conflict=conflict)
            docket.assignments.put(declined)
            found = docket.applications.get(application_id)
            docket.step(found, "declined", by, "expert", words=declined.reason)
            docket.go_on(application_id, by)
        return declined

    def release(self, application_id: str, person: str, motive: str, *, by: Caller) -> Assignment:
        """Takes an assignment back from somebody who does not answer. They are not asked about it again. Raises WrongState once it is in."""
        require(by, "application.review")
        docket = self._docket
        with docket.transaction(application_id):
            found = docket.found(application_id, by, Part.STAFF)
            refuse_conflicts(
                docket.conflicts(docket.people.get(by.person), found), "you may not handle this application"
            )
            expert = docket.people.with_email(person) if "@" in person else docket.people.get(person)
            asked = docket.assignments.of_application(found.id)
            own = next((one for one in asked if expert is not None and one.person == expert.id), None)
            if own is None:
                raise NotFound("they were not asked", fix=f"fabriek review show {found.id}")
            if not own.is_open or found.state not in {_S.EXPERTS, _S.ASKED}:
                raise WrongState("their answer is in already", fix=f"fabriek review show {found.id}")
            freed = replace(own, declined_at=docket.clock.now(), reason=check_motive(motive))
            docket.assignments.put(freed)
            docket.step(found, "released", by, "reviewer", words=f"{freed.person}: {freed.reason}")
            docket.tell([freed.person], found.id, "released")
            docket.go_on(application_id, by)
        return freed

    def assess(
        self, application_id: str, scores: Mapping[str, object], text: str, *, no_conflict: bool, by: Caller
    ) -> Assignment:
        """The expert's scores and words; they do not change any more. Raises InvalidInput naming every score that is wrong."""
        docket = self._docket
        with docket.transaction(application_id):
            own, found = self._own(application_id, by), docket.applications.get(application_id)
            if own.is_open and found.state is not _S.EXPERTS:
                raise WrongState(f"application {found.id} is {found.state}", fix=f"fabriek review show {found.id}")
            if not no_conflict:
                raise NotPermitted(
                    "say first that you have no conflict of interest", rule="conflict.undeclared",
                    fix="--no-conflict, or: fabriek review decline --conflict",
                )  # fmt: skip
            refuse_conflicts(
                docket.conflicts(docket.people.get(by.person), found), "you may not judge this application"
            )
            made = assessed(own, self.form(), scores, text, docket.clock.now())
            docket.assignments.put(made)
            docket.step(found, "assessed", by, "expert", shown=Shown.AUTHOR)
            docket.go_on(application_id, by)
        return made

    def _at_desk(self, application: str, by: Caller) -> frozenset[str]:
        """Who assigns now, and all who acted on it as reviewers."""
        steps = self._docket.cases.steps(application)
        return frozenset({by.person, *(one.person for one in steps if one.part == "reviewer")})

    def _own(self, application_id: str, by: Caller) -> Assignment:
        for one in self._docket.assignments.of_application(application_id):
            if one.person == by.person:
                return one
        raise NotFound("there is no such application", fix="fabriek apply ls")

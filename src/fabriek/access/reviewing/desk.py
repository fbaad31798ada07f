"""The desk: what reviewers and applicants do with an application on its way to the experts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fabriek.access.applying.answers import check_answers
from fabriek.access.applying.applications import GOING, Application, ApplicationState
from fabriek.access.reviewing.assessments import Assignment
from fabriek.access.reviewing.cases import Case, Question
from fabriek.access.reviewing.clocks import due, paused, resumed, started_again, used_percent
from fabriek.access.reviewing.conflicts import refuse_conflicts
from fabriek.access.reviewing.decisions import Decision, check_motive
from fabriek.access.reviewing.docket import EXCLUDED, Docket, Part, shown_to
from fabriek.access.reviewing.history import Reader, Shown, readable
from fabriek.access.reviewing.scaling import Scaling, fault_in, measured_in, nodes_in, read_measured, scaling_of
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import InvalidInput, WrongState

TEXT_MAX = 2_000
STAKES = frozenset({"partners", "team", "investigator", EXCLUDED})
"""Answers that say who has a stake. Experts were chosen by them."""
_S = ApplicationState


@dataclass(frozen=True, slots=True)
class View:
    """One application as one reader may see it. `assessments`: their own, and those of others once all are in.

    `asked_experts`: (id, name, until when), for who judges and is none of them; whether one is in, nobody sees.
    """

    application: Application
    case: Case
    part: Part
    due_at: datetime | None
    percent: int
    questions: Sequence[Question]
    assessments: Sequence[Assignment]
    decision: Decision | None
    names: Mapping[str, str]
    scaling: Scaling | None
    flags: Sequence[str]
    asked_experts: Sequence[tuple[str, str, datetime]]


class Desk:
    """Look, take, ask, answer, check, withdraw."""

    def __init__(self, docket: Docket) -> None:
        self._docket = docket

    def view(self, application_id: str, *, by: Caller) -> View:
        """For applicants, experts who were asked, and who judges. Raises NotFound for everybody else."""
        docket = self._docket
        found = docket.found(application_id, by, Part.APPLICANT, Part.EXPERT, Part.STAFF)
        case, part, now = docket.case_of(found), docket.part_of(found, by), docket.clock.now()
        all_in = docket.all_in(found)
        assignments = docket.assignments.of_application(found.id) if part is not Part.APPLICANT else []
        seen = [one for one in assignments if one.person == by.person or all_in]
        decision = docket.assignments.decision(found.id)
        if decision is not None and not decision.stands and part in {Part.APPLICANT, Part.EXPERT}:
            decision = None
        people = [one.person for one in seen] if part is not Part.APPLICANT else []
        scaling, flags = self._scaling(case, found)
        asked = [one for one in assignments if one.declined_at is None] if part is Part.STAFF else []
        called = docket.names_of([one.person for one in asked])
        return View(
            shown_to(part, found), case, part,
            due(case.clock, docket.office), used_percent(case.clock, docket.office, now), docket.cases.questions(found.id),
            seen, decision, docket.names_of([*people, found.person]) if part is not Part.APPLICANT else {}, scaling, flags,
            [(one.person, called[one.person], one.due_at) for one in asked],
        )  # fmt: skip

    def waiting(self, *, by: Caller) -> Sequence[View]:
        """What waits for this person, the most urgent first: their own assessments, and, for who judges, what is on its way."""
        docket = self._docket
        own = {one.application for one in docket.assignments.of_person(by.person) if one.is_open}
        found = [docket.applications.get(one) for one in own]
        if by.may("application.review") or by.may("funding.award"):
            found += [one for one in docket.applications.in_states([*GOING, _S.ASKED]) if one.id not in own]
        parts = (Part.STAFF, Part.EXPERT)
        views = [self.view(one.id, by=by) for one in found if docket.part_of(one, by) in parts]
        return sorted(
            views, key=lambda one: (one.due_at is None, one.due_at or one.application.made_at, one.application.id)
        )

    def take(self, application_id: str, *, by: Caller) -> Case:
        """Says that the caller sees to it: alarms come to them."""
        with self._docket.transaction(application_id):
            found = self._judged(application_id, by)
            case = replace(self._docket.case_of(found), taken_by=by.person)
            self._docket.cases.put(case)
            self._docket.step(found, "taken", by, "reviewer")
        return case

    def ask(self, application_id: str, text: str, *, fields: Collection[str] = (), by: Caller) -> Question:
        """Asks the applicant something: the clock stands still until they answer. `fields`: the answers that they may change meanwhile."""
        docket = self._docket
        with docket.transaction(application_id):
            found = self._judged(application_id, by)
            if fields and found.state in {_S.EXPERTS, _S.COMMITTEE}:
                raise WrongState(
                    f"application {found.id} is {found.state}: what experts judge does not change under them", fix="ask in words, without a field"
                )  # fmt: skip
            self._check_fields(found, fields)
            made = Question(
                docket.ids.new("ask"),
                found.id,
                _text(text, "a question"),
                by.person,
                docket.clock.now(),
                str(found.state),
                frozenset(fields),
            )
            case = docket.case_of(found)
            docket.cases.put(replace(case, clock=paused(case.clock, made.asked_at)))
            docket.cases.put_question(made)
            docket.step(found, "asked", by, "reviewer", to=_S.ASKED, words=made.text, shown=Shown.ALL)
            docket.tell([found.person], found.id, "asked", turn=made.id)
        return made

    def answer(self, application_id: str, text: str, *, by: Caller) -> Application:
        """The applicant's answer: it goes on from where it was. Raises WrongState where nothing was asked."""
        docket = self._docket
        with docket.transaction(application_id):
            found = docket.found(application_id, by, Part.APPLICANT)
            _require_own(found, by)
            open_ones = [one for one in docket.cases.questions(found.id) if one.answered_at is None]
            if found.state is not _S.ASKED or not open_ones:
                raise WrongState("nothing was asked", fix=f"fabriek review show {found.id}")
            now, case = docket.clock.now(), docket.case_of(found)
            if open_ones[0].fields:
                check_answers(docket.calls.of(found.call), found.answers, complete=True)
                if "scaling" in open_ones[0].fields:
                    case = replace(case, measured=measured_in(found))
                if "partitions" in open_ones[0].fields:
                    case = replace(case, nodes_asked=nodes_in(found))
            asked = replace(open_ones[0], answer=_text(text, "an answer"), answered_by=by.person, answered_at=now)
            docket.cases.put_question(asked)
            docket.cases.put(replace(case, clock=resumed(case.clock, now)))
            docket.tell([asked.asked_by], found.id, "answered", turn=asked.id)
            docket.step(found, "answered", by, "applicant", to=_S(asked.back_to), words=asked.answer, shown=Shown.ALL)
            # Meanwhile an expert may have declined, or been released.
            return docket.go_on(found.id, by)

    def withdraw(self, application_id: str, *, by: Caller) -> Application:
        """The applicant takes it back; nothing of it is decided any more."""
        docket = self._docket
        with docket.transaction(application_id):
            found = docket.found(application_id, by, Part.APPLICANT)
            if by.organisation != found.organisation and by.person != found.person:
                require(by, "application.withdraw")
            return docket.step(found, "withdrawn", by, "applicant", to=_S.WITHDRAWN, shown=Shown.ALL)

    def overrule(self, application_id: str, motive: str, *, by: Caller) -> Application:
        """Makes eligible what the automatic check refused. What people refused stays refused."""
        docket = self._docket
        with docket.transaction(application_id):
            found = self._judged(application_id, by)
            if found.state is not _S.REFUSED or docket.cases.steps(found.id)[-1].part != "factory":
                raise WrongState(
                    "only what the automatic check refused is overruled", fix=f"fabriek review history {found.id}"
                )
            moved = docket.step(
                found, "overruled", by, "reviewer", to=_S.ELIGIBLE, words=check_motive(motive), shown=Shown.ALL
            )
            case = docket.case_of(moved)
            docket.cases.put(replace(case, clock=started_again(case.clock, docket.clock.now()), objection_until=None))
        return moved

    def measure(self, application_id: str, raw: object, nodes_asked: int, *, by: Caller) -> Scaling:
        """Keeps measured times, and how many nodes are wanted: by the applicant, until the technical check is done."""
        docket = self._docket
        docket.found(application_id, by, Part.APPLICANT)
        measured, rules = read_measured(raw), docket.rules()
        made = scaling_of(measured, counts=rules.measured_counts, limit_percent=rules.efficiency_percent)
        if nodes_asked < 0:
            raise InvalidInput("nodes cannot be fewer than none", fix="--nodes 4")
        with docket.transaction(application_id):
            found = docket.found(application_id, by, Part.APPLICANT)
            _require_own(found, by)
            back_to = next((one.back_to for one in docket.cases.questions(found.id) if one.answered_at is None), "")
            if (back_to if found.state is _S.ASKED else found.state) not in {_S.SUBMITTED, _S.ELIGIBLE}:
                raise WrongState(
                    f"application {found.id} is {found.state}: its evidence does not change any more",
                    fix=f"fabriek review show {found.id}",
                )
            docket.cases.put(
                replace(docket.case_of(found), measured=measured, nodes_asked=nodes_asked or nodes_in(found))
            )
            docket.step(found, "measured", by, "applicant", shown=Shown.ALL)
        return made

    def technical(self, application_id: str, motive: str, *, passed: bool, by: Caller) -> Application:
        """A person's technical check, with its motive. Raises WrongState before it is eligible, or after it was checked."""
        docket = self._docket
        with docket.transaction(application_id):
            found = self._judged(application_id, by)
            if found.state is not _S.ELIGIBLE:
                raise WrongState(
                    f"application {found.id} is {found.state}, and an eligible one is checked",
                    fix=f"fabriek review show {found.id}",
                )
            to = _S.TECHNICAL if passed else _S.REFUSED
            words = check_motive(motive)
            moved = docket.step(
                found, str(to), by, "reviewer", to=to, words=words, shown=Shown.STAFF if passed else Shown.ALL
            )
            docket.cases.put(replace(docket.case_of(moved), checked_by=by.person))
        return moved

    def history(self, application_id: str, *, by: Caller) -> Sequence[Mapping[str, str]]:
        """Every step that this reader may know of. An auditor reads all of it once all assessments are in."""
        docket = self._docket
        found = docket.applications.get(application_id)
        part = docket.part_of(found, by)
        if part is Part.NOBODY and by.may("audit.read"):
            part = Part.STAFF
        elif part is Part.NOBODY:
            docket.found(application_id, by)
        steps, staff = docket.cases.steps(found.id), part in {Part.STAFF, Part.EXPERT}
        names = docket.names_of([one.person for one in steps])
        return readable(steps, Reader(by.person, staff, part is Part.EXPERT, docket.all_in(found), names))

    def _judged(self, application_id: str, by: Caller) -> Application:
        """For a reviewer without a stake who is not asked as an expert. Raises NotFound, NotPermitted naming the rule."""
        require(by, "application.review")
        docket = self._docket
        found = docket.found(application_id, by, Part.STAFF, Part.APPLICANT, Part.EXPERT)
        refuse_conflicts(docket.conflicts(docket.people.get(by.person), found), "you may not judge this application")
        return docket.found(application_id, by, Part.STAFF)

    def _check_fields(self, application: Application, fields: Collection[str]) -> None:
        """Raises InvalidInput on what the form does not ask, and on what decides who may judge."""
        if not fields:
            return
        call = self._docket.calls.of(application.call)
        if unknown := sorted(one for one in fields if call.field(one) is None):
            raise InvalidInput(f"the form does not ask {', '.join(unknown)}", fix=f"fabriek apply call {call.name}")
        if fixed := sorted(STAKES & set(fields)):
            raise InvalidInput(
                f"{', '.join(fixed)} cannot be changed: who may judge hangs on it",
                fix="ask in words, without that field",
            )

    def _scaling(self, case: Case, application: Application) -> tuple[Scaling | None, Sequence[str]]:
        rules = self._docket.rules()
        if not case.measured:
            if fault := fault_in(application):
                return None, [f"the scaling table cannot be read: {fault}"]
            return None, ["no scaling was measured"] if case.nodes_asked else []
        try:
            made = scaling_of(case.measured, counts=rules.measured_counts, limit_percent=rules.efficiency_percent)
        except InvalidInput as error:
            return None, [error.detail]
        flags = []
        if case.nodes_asked > made.largest_efficient:
            flags = [f"{case.nodes_asked} nodes are asked, and up to {made.largest_efficient} are used well"]
        return made, flags


def _require_own(application: Application, by: Caller) -> None:
    """Who answers for it: its applicant and their organisation. A partner reads along."""
    if by.organisation != application.organisation and by.person != application.person:
        require(by, "application.answer")


def _text(text: str, what: str) -> str:
    if not 0 < len(text.strip()) <= TEXT_MAX:
        raise InvalidInput(f"{what} has 1 to {TEXT_MAX} characters", fix="write it, or make it shorter")
    return text.strip()

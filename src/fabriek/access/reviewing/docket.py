"""The docket: an application found with all that reviewing keeps of it, who somebody is to it, and how it moves on.

What the services of this room share. Whoever moves an application holds `transaction(application)`.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from fabriek.access.applying.applications import DECIDED, Application, ApplicationState, move
from fabriek.access.applying.calls import Calls
from fabriek.access.applying.ports import Applications, Editings
from fabriek.access.people import Person
from fabriek.access.ports import Organisations, People, Projects
from fabriek.access.reviewing.assessments import Assignment, are_all_in
from fabriek.access.reviewing.cases import Case
from fabriek.access.reviewing.clocks import ReviewClock, stopped
from fabriek.access.reviewing.conflicts import Conflict, Interests, Known, conflicts_of, is_excluded
from fabriek.access.reviewing.decisions import objection_until
from fabriek.access.reviewing.history import Shown, Step
from fabriek.access.reviewing.ports import Assignments, Cases, Notices, Past
from fabriek.access.reviewing.telling import new_told
from fabriek.access.reviewing.terms import Promises, Route, Rules, Terms, round_of, terms_of
from fabriek.access.reviewing.working_days import Calendar
from fabriek.access.roles import rights_of
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotFound, WrongState
from fabriek.kernel.ids import Ids

A_YEAR = timedelta(days=365)
EXCLUDED = "excluded_reviewers"


class Part(StrEnum):
    """What somebody is to an application. Whoever has a stake in it is an applicant to us, whatever else they may do here."""

    APPLICANT = "applicant"
    EXPERT = "expert"
    STAFF = "staff"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Docket:
    """`office` and `law`: when reviews' clocks run, and on which days terms of law end."""

    applications: Applications
    editings: Editings
    bodies: Organisations
    people: People
    projects: Projects
    cases: Cases
    assignments: Assignments
    notices: Notices
    past: Past
    audit: Audit
    clock: Clock
    ids: Ids
    calls: Calls
    promises: Promises
    office: Calendar
    law: Calendar
    person_checks: bool

    def transaction(self, application: str) -> AbstractContextManager[None]:
        return self.bodies.transaction(alone=f"application:{application}")

    def open_case(self, application: Application) -> Case:
        """The case of something submitted today: its round and its clock. Raises WrongState when its call has no further cut-off."""
        now = self.clock.now()
        asked = self.calls.of(application.call)
        round_at = round_of(asked, now)
        return Case(application.id, application.call, ReviewClock(round_at or now, asked.working_days), round_at)

    def found(self, application_id: str, by: Caller, *parts: Part) -> Application:
        """For those of these parts. Raises NotFound for everybody else: they may not know of it."""
        found = self.applications.get(application_id)
        if self.part_of(found, by) not in parts:
            raise NotFound("there is no such application", fix="fabriek apply ls")
        return found

    def case_of(self, application: Application) -> Case:
        """Raises WrongState before it was submitted."""
        case = self.cases.case(application.id)
        if case is None:
            raise WrongState(
                f"application {application.id} was not submitted to review",
                fix=f"fabriek apply submit {application.id}",
            )
        return case

    def terms_of(self, application: Application) -> Terms:
        """By what its call says. One whose call is gone is judged by people, as the most careful way."""
        try:
            return terms_of(self.calls.of(application.call))
        except NotFound:
            return Terms(Route.COMMITTEE)

    def asked_fields(self, application: Application) -> frozenset[str]:
        """The answers that its applicant was asked about and may change; none once they answered."""
        if application.state is not ApplicationState.ASKED:
            return frozenset()
        open_ones = [one for one in self.cases.questions(application.id) if one.answered_at is None]
        return frozenset().union(*(one.fields for one in open_ones))

    def rules(self) -> Rules:
        return self.promises.rules_on(self.clock.today())

    def part_of(self, application: Application, by: Caller) -> Part:
        """Applicant before all else: a reviewer of the same organisation, or of the team, sees what an applicant sees.

        Whom the applicant excluded, and who declined, is nobody here, whatever they may do elsewhere.
        """
        if by is SYSTEM:
            return Part.STAFF
        interests = self.interests_of(application)
        if (
            by.person in {application.person, *interests.team}
            or by.organisation in self._stakes(application)
            or self._email_of(by.person, interests.team) in interests.team
        ):
            return Part.APPLICANT
        own = next((one for one in self.assignments.of_application(application.id) if one.person == by.person), None)
        judges = application.submitted_at is not None and (by.may("application.review") or by.may("funding.award"))
        return self._judging(by, interests, own) if judges or own is not None else Part.NOBODY

    def _judging(self, by: Caller, interests: Interests, own: Assignment | None) -> Part:
        person = self.people.get(by.person)
        if person.name.lower() in interests.team:
            # A name is no proof: it takes a judge's view away, and opens nothing to a stranger.
            return Part.APPLICANT
        if is_excluded(person, interests, self._names_of_body(person.organisation)):
            return Part.NOBODY
        if own is not None:
            return Part.EXPERT if own.declined_at is None else Part.NOBODY
        return Part.STAFF

    def _email_of(self, person: str, team: frozenset[str]) -> str:
        """In small letters; not looked up where the team names no address."""
        return self.people.get(person).email.lower() if any("@" in one for one in team) else ""

    def all_in(self, application: Application) -> bool:
        """Whether every assessment is in, so that they may be read."""
        return are_all_in(self.assignments.of_application(application.id), self.terms_of(application).experts)

    def interests_of(self, application: Application) -> Interests:
        answers = application.answers
        lead = answers.get("investigator")
        members = [*_rows(answers.get("team")), *_rows([lead] if lead else [])]
        team = {one.lower() for one in (*_texts(answers.get("team")), *_cells(members, "email", "name"))}
        # An organisation in a row of the excluded says whose colleague somebody is; only without a name is it the whole of it.
        rows = _rows(answers.get("excluded_reviewers"))
        named = [one for row in rows for one in _cells([row], "name", "email") or _cells([row], "organisation")]
        excluded = {one.lower() for one in (*_texts(answers.get("excluded_reviewers")), *named)}
        partners = {*_texts(answers.get("partners")), *(one.lower() for one in _cells(members, "organisation"))}
        # Who edits along applies, whether a table of the form names them or not.
        if others := self.editings.of(application.id).others:
            team |= set(others)
            partners |= {one.organisation for one in self.people.among(set(others)).values()}
        return Interests(
            application.person, application.organisation, frozenset(partners), frozenset(team), frozenset(excluded)
        )

    def conflicts(self, person: Person, application: Application) -> Sequence[Conflict]:
        """Every rule that keeps this person from judging it."""
        years = self.rules().common_project_years
        assigned = self.assignments.of_application(application.id)
        known = Known(
            organisation_names=self._names_of_body(person.organisation),
            common_projects=len(self._common_projects(person, application, years)),
            declared=any(one.person == person.id and one.conflict for one in assigned),
        )
        return conflicts_of(person, self.interests_of(application), known, years=years)

    def holders(self, right: str) -> Sequence[Person]:
        """Everybody whose roles give this right everywhere."""
        people = (person for body in self.bodies.all() for person in self.people.of_organisation(body.id))
        return [one for one in people if one.active and right in rights_of(one.roles)]

    def step(
        self, application: Application, act: str, by: Caller, part: str, *, to: ApplicationState | None = None, words: str = "",
        shown: Shown = Shown.STAFF, **facts: Any,
    ) -> Application:  # fmt: skip
        """Moves it on by the transition table where `to` says so, writes the step down, and stops its clock at an answer."""
        now = self.clock.now()
        if to is not None:
            application = replace(move(application, to, at=now), **facts)
            self.applications.save(application)
            case = self.cases.case(application.id)
            if to in DECIDED and case is not None:
                until = self.objection_until(now) if to is ApplicationState.REFUSED else None
                self.cases.put(replace(case, clock=stopped(case.clock, now), objection_until=until))
        self.cases.add_step(Step(
            self.ids.new("stp"), application.id, now, act, by.person, part, str(application.state), words, shown,
        ))  # fmt: skip
        self.audit.record(f"review.{act}", application.id, by, state=str(application.state))
        if to in {ApplicationState.AWARDED, ApplicationState.REFUSED}:
            # Whoever ended it. Turns: what was overruled is decided again.
            self.tell([application.person], application.id, "decided", turn=str(len(self.cases.steps(application.id))))
        return application

    def objection_until(self, at: datetime) -> date:
        return objection_until(at, self.rules().objection_days, self.law, self.office.zone)

    def go_on(self, application_id: str, by: Caller) -> Application:
        """To the committee, once all assessments are in; else as it is. Joins the transaction that changed one of them."""
        found = self.applications.get(application_id)
        if found.state is ApplicationState.EXPERTS and self.all_in(found):
            return self.step(found, "all_in", by, "factory", to=ApplicationState.COMMITTEE)
        return found

    def tell(self, people: Sequence[str], application: str, what: str, *, percent: int = 0, turn: str = "") -> None:
        """Each of them, once; joins the open transaction."""
        for person in sorted(set(people)):
            self.notices.add(new_told(person, application, what, self.clock.now(), percent=percent, turn=turn))

    def names_of(self, people: Sequence[str]) -> Mapping[str, str]:
        """Id → name, of those who are people."""
        wanted = {one for one in people if one and one != SYSTEM.person}
        return {key: one.name for key, one in self.people.among(wanted).items()} if wanted else {}

    def _names_of_body(self, organisation: str) -> frozenset[str]:
        body = self.bodies.named(organisation)
        return frozenset({body.id, body.slug, body.name.lower()})

    def _stakes(self, application: Application) -> frozenset[str]:
        partners = [self.bodies.named(one).id for one in _texts(application.answers.get("partners"))]
        return frozenset({application.organisation, *partners})

    def _common_projects(self, person: Person, application: Application, years: int) -> frozenset[str]:
        since = self.clock.now() - A_YEAR * years
        theirs = self._projects_of(person.id, since)
        team = [self._person_called(one) for one in self.interests_of(application).team]
        others = {application.person, *(one.id for one in team if one is not None)} - {person.id}
        return frozenset().union(*(theirs & self._projects_of(one, since) for one in others))

    def _projects_of(self, person: str, since: datetime) -> frozenset[str]:
        """Those they are in, and those that they were added to or taken out of since then."""
        now_in = {one.project for one in self.projects.of_person(person)}
        return frozenset(now_in) | self.past.changed_for(person, since)

    def _person_called(self, name: str) -> Person | None:
        if "@" in name:
            return self.people.with_email(name)
        try:
            return self.people.get(name)
        except NotFound:
            return None


def shown_to(part: Part, application: Application) -> Application:
    """Without the answer that experts do not see: it says of colleagues of theirs that they were not wanted."""
    if part is not Part.EXPERT:
        return application
    return replace(application, answers={name: one for name, one in application.answers.items() if name != EXCLUDED})


def _rows(raw: object) -> list[Mapping[str, Any]]:
    """What a form's table holds."""
    return [one for one in raw if isinstance(one, Mapping)] if isinstance(raw, list | tuple) else []


def _cells(rows: Sequence[Mapping[str, Any]], *columns: str) -> list[str]:
    """The texts of these columns."""
    return [found for row in rows for found in _texts([row.get(column) for column in columns])]


def _texts(raw: object) -> list[str]:
    """What a form's list, or its one text with commas, names."""
    if isinstance(raw, str):
        raw = raw.replace("\n", ",").split(",")
    return [one.strip() for one in raw if isinstance(one, str) and one.strip()] if isinstance(raw, list | tuple) else []

"""Applying: the verbs on applications. Awarding is funding's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fabriek.access.applying.answers import check_answers, cleaned
from fabriek.access.applying.applications import Application, ApplicationState, move
from fabriek.access.applying.calls import Call, Calls
from fabriek.access.applying.editing import (
    OTHERS_MAX,
    AskedAgain,
    Editing,
    check_open,
    check_revision,
    merged,
    nothing_asked,
    open_fields,
)
from fabriek.access.applying.exporting import document
from fabriek.access.applying.faults import Fault, is_empty
from fabriek.access.applying.ports import Applications, Editings, Receives
from fabriek.access.people import Person
from fabriek.access.ports import Organisations, People
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotFound, QuotaExhausted, WrongState
from fabriek.kernel.ids import Ids


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of an edit: the application as it is now, and what is wrong with what was typed."""

    application: Application
    editing: Editing
    faults: Sequence[Fault]


class Intake:
    """File, edit, submit, look. `calls`: those of this installation. `asked_again`: set by whoever reviews, else nothing is."""

    def __init__(
        self, applications: Applications, editings: Editings, bodies: Organisations, people: People, calls: Calls, audit: Audit, clock: Clock,
        ids: Ids, reception: Receives,
    ) -> None:  # fmt: skip
        self._applications, self._editings, self._bodies, self._people = applications, editings, bodies, people
        self._audit, self._clock, self._ids = audit, clock, ids
        self.calls, self._reception = calls, reception
        self.asked_again: AskedAgain = nothing_asked

    def file(self, call_name: str, answers: Mapping[str, Any], *, by: Caller) -> Application:
        """A draft. Raises NotFound on an unknown call, WrongState on a closed one, InvalidInput on answers it did not ask for or cannot
        take.
        """
        require(by, "application.submit")
        asked = self.calls.of(call_name)
        self.check_takes(asked)
        given = {name: one for name, one in cleaned(dict(answers)).items() if not is_empty(one)}
        check_answers(asked, given, complete=False)
        made = Application(self._ids.new("app"), call_name, by.person, by.organisation, given, self._clock.now())
        with self._bodies.transaction():
            self._applications.add(made)
            self._editings.put(Editing(made.id, 1, made.made_at, by.person))
            self._audit.record("application.filed", made.id, by, call=call_name)
        return made

    def edit(
        self, application_id: str, answers: Mapping[str, Any], *, revision: int | None = None, by: Caller
    ) -> Application:
        """Changes these answers; an empty one takes an answer out. Raises Stale, WrongState once it was submitted, InvalidInput on anything
        that is wrong in them: then nothing was changed.
        """
        return self._edit(application_id, answers, revision, by, strict=True).application

    def keep(self, application_id: str, answers: Mapping[str, Any], *, revision: int | None = None, by: Caller) -> Kept:
        """As `edit`, for somebody who is still typing: keeps whatever can be kept, also what is not right yet, and says what is wrong."""
        return self._edit(application_id, answers, revision, by, strict=False)

    def _edit(
        self, application_id: str, answers: Mapping[str, Any], revision: int | None, by: Caller, *, strict: bool
    ) -> Kept:
        require(by, "application.submit")
        given = cleaned(dict(answers))
        with self._bodies.transaction(alone=f"application:{application_id}"):
            filed = self.own(application_id, by=by)
            asked = self.calls.of(filed.call)
            check_open(filed, frozenset(given), open_fields(filed, asked, self.asked_again))
            editing = self._editings.of(application_id)
            check_revision(editing, revision)
            after, faults = merged(asked, filed.answers, given, strict=strict)
            if after == dict(filed.answers):
                return Kept(filed, editing, faults)
            changed = replace(filed, answers=after)
            now = replace(editing, revision=editing.revision + 1, edited_at=self._clock.now(), edited_by=by.person)
            self._applications.save(changed)
            self._editings.put(now)
            self._audit.record("application.edited", filed.id, by, revision=str(now.revision))
        return Kept(changed, now, faults)

    def may_change(self, application: Application) -> frozenset[str]:
        """The questions whose answers may be changed now."""
        return open_fields(application, self.calls.of(application.call), self.asked_again)

    def check_takes(self, asked: Call) -> None:
        """Raises WrongState on a call that is not open."""
        if asked.is_open(self._clock.now(), self._clock.today()):
            return
        opens = asked.opens
        when = f"it opens on {opens}" if opens is not None and opens > self._clock.today() else "it has closed"
        raise WrongState(f"the call {asked.name} is not open: {when}", fix="fabriek apply calls lists those that are")

    def open_calls(self) -> Sequence[Call]:
        """Those to which something may be filed today."""
        return [one for one in self.calls.all() if one.is_open(self._clock.now(), self._clock.today())]

    def share(self, application_id: str, person_id: str, *, by: Caller) -> Person:
        """Lets somebody of another organisation edit along: a co-applicant. Raises NotFound, WrongState once it was submitted,
        QuotaExhausted.
        """
        require(by, "application.submit")
        with self._bodies.transaction(alone=f"application:{application_id}"):
            filed = self.own(application_id, by=by)
            check_open(filed, frozenset(), frozenset())
            person = self._people.get(person_id)
            others = self._editings.of(application_id).others
            if person.organisation != filed.organisation and person.id not in others:
                if len(others) >= OTHERS_MAX:
                    raise QuotaExhausted(
                        f"{OTHERS_MAX} people edit along already", limit=OTHERS_MAX, used=len(others), fix="name them in the team"
                    )  # fmt: skip
                self._editings.put_editor(application_id, person.id)
                self._audit.record("application.shared", filed.id, by, person=person.id)
        return person

    def document(self, application_id: str, language: str, *, by: Caller) -> dict[str, Any]:
        """The application with every question of its call, for whoever may read it. Raises NotFound."""
        found = self.get(application_id, by=by)
        return document(self.calls.of(found.call), found, self._bodies.named(found.organisation).name, language)

    def editing(self, application_id: str, *, by: Caller) -> Editing:
        """Which edit it is at. Raises NotFound as `get` does."""
        return self._editings.of(self.get(application_id, by=by).id)

    def submit(self, application_id: str, *, by: Caller) -> Application:
        """Submits and runs the automatic checks at once: eligible, or refused with what was found. Raises InvalidInput when incomplete."""
        require(by, "application.submit")
        with self._bodies.transaction(alone=f"application:{application_id}"):
            filed = self.own(application_id, by=by)
            asked = self.calls.of(filed.call)
            self.check_takes(asked)
            check_answers(asked, filed.answers, complete=True)
            for partner in filed.answers.get("partners", []):
                self._bodies.named(partner)
            submitted = move(filed, ApplicationState.SUBMITTED, at=self._clock.now())
            self._audit.record("application.submitted", filed.id, by)
            checked = self._reception.receive(submitted, asked, self._bodies.named(filed.organisation), by=by)
            self._audit.record(f"application.{checked.state}", filed.id, SYSTEM)
        return checked

    def is_ready(self, application: Application) -> bool:
        """Whether nothing but room in a share stands between it and its award."""
        return self._reception.is_ready(application)

    def queue(self) -> Sequence[Application]:
        """Those that wait for room in a share, first in first out."""
        return self._reception.queue()

    def position(self, application: Application) -> int:
        """1 for the first in that queue; 0 for one that is not in it."""
        return self._reception.position(application)

    def awarded(self, application_id: str, project: str, *, by: Caller) -> Application:
        """Marks an application as awarded. For funding; joins its transaction. Raises WrongState by the transition table."""
        with self._bodies.transaction(alone=f"application:{application_id}"):
            granted = self._reception.awarded(self._applications.get(application_id), project, by=by)
            self._audit.record("application.awarded", application_id, by, project=project)
        return granted

    def check_awarder(self, application: Application, *, by: Caller) -> None:
        """Raises NotPermitted where whoever would award it by hand has a stake in it, NotFound where they may not know of it."""
        self._reception.check_awarder(application, by=by)

    def passed_over(self, application: Application, earlier: Sequence[str], reason: str, *, by: Caller) -> None:
        """Keeps why it is awarded before others. For funding; joins its transaction."""
        self._reception.passed_over(application, earlier, reason, by=by)

    def get(self, application_id: str, *, by: Caller) -> Application:
        """To read: for who may change it, and, once it was submitted, for who judges, as they may see it. Raises NotFound."""
        found = self._applications.get(application_id)
        seen = found if self._is_own(found, by) else self._judged(found, by)
        if seen is None:
            raise NotFound("there is no such application", fix="fabriek apply ls")
        return seen

    def own(self, application_id: str, *, by: Caller) -> Application:
        """To change: for the applicant's organisation and who edits along, whatever else somebody may do here. Raises NotFound."""
        found = self._applications.get(application_id)
        if not self._is_own(found, by):
            raise NotFound("there is no such application", fix="fabriek apply ls")
        return found

    def _is_own(self, application: Application, by: Caller) -> bool:
        return (
            application.organisation == by.organisation
            or by is SYSTEM
            or by.person in self._editings.of(application.id).others
        )

    def _judged(self, application: Application, by: Caller) -> Application | None:
        """None for whom the applicant excluded, who declined, and who does not judge at all."""
        if application.submitted_at is None or not (by.may("application.review") or by.may("funding.award")):
            return None
        return self._reception.seen_by(application, by)

    def list(self, *, own: bool = False, by: Caller) -> Sequence[Application]:
        """Those of the caller's organisation and those that they edit along, newest first; without `own`, for a reviewer whatever was submitted
        and they may see too.
        """
        theirs = [self._applications.get(one) for one in self._editings.shared_with(by.person)]
        found = [*self._applications.of_organisation(by.organisation), *theirs]
        if by.may("application.review") and not own:
            mine = {one.id for one in found}
            others = [one for one in self._applications.of_organisation("") if one.id not in mine]
            found += [seen for one in others if (seen := self._judged(one, by)) is not None]
        return sorted({one.id: one for one in found}.values(), key=lambda one: one.id, reverse=True)

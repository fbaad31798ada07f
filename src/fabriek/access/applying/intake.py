"""Applying: the verbs on applications. Awarding is funding's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fabriek.access.applying.applications import Application, ApplicationState, move, technical_check
from fabriek.access.applying.calls import call, check_answers
from fabriek.access.applying.ports import Applications
from fabriek.access.ports import Organisations
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotFound
from fabriek.kernel.ids import Ids


class Intake:
    """File, submit, look."""

    def __init__(self, applications: Applications, bodies: Organisations, audit: Audit, clock: Clock, ids: Ids) -> None:
        self._applications, self._bodies, self._audit, self._clock, self._ids = applications, bodies, audit, clock, ids

    def file(self, call_name: str, answers: Mapping[str, Any], *, by: Caller) -> Application:
        """A draft. Raises NotFound on an unknown call, InvalidInput on answers it did not ask for or cannot take."""
        require(by, "application.submit")
        check_answers(call(call_name), answers, complete=False)
        made = Application(
            self._ids.new("app"), call_name, by.person, by.organisation, dict(answers), self._clock.now()
        )
        with self._bodies.transaction():
            self._applications.add(made)
            self._audit.record("application.filed", made.id, by, call=call_name)
        return made

    def submit(self, application_id: str, *, by: Caller) -> Application:
        """Submits and runs the automatic checks at once: eligible, or refused with what was found. Raises InvalidInput when incomplete."""
        require(by, "application.submit")
        with self._bodies.transaction(alone=f"application:{application_id}"):
            filed = self.get(application_id, by=by)
            asked = call(filed.call)
            check_answers(asked, filed.answers, complete=True)
            for partner in filed.answers.get("partners", []):
                self._bodies.named(partner)
            now = self._clock.now()
            submitted = move(filed, ApplicationState.SUBMITTED, at=now)
            self._audit.record("application.submitted", filed.id, by)
            checks = technical_check(submitted, asked, self._bodies.named(filed.organisation))
            passed = all(one.passed for one in checks)
            checked = move(submitted, ApplicationState.ELIGIBLE if passed else ApplicationState.REFUSED, at=now)
            checked = replace(checked, checks=checks)
            self._applications.save(checked)
            self._audit.record(f"application.{checked.state}", filed.id, SYSTEM)
        return checked

    def awarded(self, application_id: str, project: str, *, by: Caller) -> Application:
        """Marks an eligible application as awarded. For funding; joins its transaction."""
        with self._bodies.transaction():
            granted = move(self._applications.get(application_id), ApplicationState.AWARDED, at=self._clock.now())
            granted = replace(granted, project=project)
            self._applications.save(granted)
            self._audit.record("application.awarded", application_id, by, project=project)
        return granted

    def get(self, application_id: str, *, by: Caller) -> Application:
        """For the applicant's organisation and reviewers. Raises NotFound."""
        found = self._applications.get(application_id)
        if found.organisation != by.organisation and not by.may("application.review"):
            raise NotFound("there is no such application", fix="fabriek apply ls")
        return found

    def list(self, *, by: Caller) -> Sequence[Application]:
        """Those of the caller's organisation; all of them for a reviewer."""
        return self._applications.of_organisation("" if by.may("application.review") else by.organisation)

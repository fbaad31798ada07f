"""What applications need kept."""

from collections.abc import Sequence
from typing import Protocol

from fabriek.access.applying.applications import Application, ApplicationState
from fabriek.access.applying.calls import Call
from fabriek.access.applying.editing import Editing
from fabriek.access.organisations import Organisation
from fabriek.kernel.callers import Caller


class Applications(Protocol):
    """Storage of applications."""

    def add(self, application: Application) -> None: ...

    def get(self, application_id: str) -> Application:
        """Raises NotFound."""

    def save(self, application: Application) -> None: ...

    def of_organisation(self, organisation: str) -> Sequence[Application]:
        """Newest first; empty organisation: all."""

    def in_states(self, states: Sequence[ApplicationState]) -> Sequence[Application]:
        """All that are in one of these, by id."""


class Editings(Protocol):
    """Storage of which edit an application is at, and who of other organisations edits along."""

    def of(self, application_id: str) -> Editing:
        """The first edit where there was none yet."""

    def put(self, editing: Editing) -> None:
        """Its revision, time and person."""

    def put_editor(self, application_id: str, person: str) -> None: ...

    def shared_with(self, person: str) -> Sequence[str]:
        """The applications of others that a person edits along."""


class Receives(Protocol):
    """What judges applications: whatever is submitted is handed over to it."""

    def receive(self, submitted: Application, call: Call, organisation: Organisation, *, by: Caller) -> Application:
        """The application after what can be checked at once."""

    def awarded(self, application: Application, project: str, *, by: Caller) -> Application: ...

    def seen_by(self, application: Application, by: Caller) -> Application | None:
        """As somebody who judges may read it; None for whom it is not there."""

    def check_awarder(self, application: Application, *, by: Caller) -> None:
        """Raises NotPermitted naming the rule of conflict, NotFound for whom it is not there."""

    def passed_over(self, application: Application, earlier: Sequence[str], reason: str, *, by: Caller) -> None:
        """Keeps why it goes before those that came earlier. Raises InvalidInput on a reason that is none."""

    def is_ready(self, application: Application) -> bool: ...

    def queue(self) -> Sequence[Application]: ...

    def position(self, application: Application) -> int: ...

"""Changing what a project is: its title and contact by its lead; its purpose and its ceiling by two, of whom one oversees projects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from fabriek.access.people import Person
from fabriek.access.ports import Organisations, People, Projects
from fabriek.access.projects import Project
from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require, require_confirmed, require_whole
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotPermitted, WrongState, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.kernel.purposes import Purpose

TITLE_MAX, REASON_MAX = 200, 2_000
WAITS, SIGNED, REFUSED, REPLACED = "waits", "signed", "refused", "replaced"


@dataclass(frozen=True, slots=True)
class Change:
    """`what`: purpose or ceiling; `value`: what it would become. `decided_by` is empty while it waits."""

    id: str
    project: str
    what: str
    value: str
    why: str
    proposed_by: str
    proposed_at: datetime
    outcome: str = WAITS
    decided_by: str = ""
    decided_at: datetime | None = None


class Changes(Protocol):
    """Storage of what is proposed of projects, and of what their leads set."""

    def put(self, change: Change) -> None:
        """Adds it, or writes its outcome."""

    def get(self, change_id: str) -> Change | None: ...

    def waiting(self, project: str = "") -> Sequence[Change]:
        """Of one project, or of all; oldest first."""

    def apply(self, project: Project) -> None:
        """Its title, purpose and ceiling from now on."""

    def contact_of(self, project: str) -> str: ...

    def set_contact(self, project: str, person: str) -> None: ...


class Steering:
    """check_purpose: (project, purpose), raises NotPermitted where a share that pays for it forbids that. check_ceiling: (project, label) → its
    name; raises InvalidInput on no label, WrongState naming a dataset that lies above it.
    """

    def __init__(
        self, kept: Changes, bodies: Organisations, people: People, projects: Projects, audit: Audit, clock: Clock, ids: Ids,
        *, check_purpose: Callable[[str, Purpose], None], check_ceiling: Callable[[str, str], str],
    ) -> None:  # fmt: skip
        self._kept, self._bodies, self._people, self._projects = kept, bodies, people, projects
        self._audit, self._clock, self._ids = audit, clock, ids
        self._check_purpose, self._check_ceiling = check_purpose, check_ceiling

    def contact(self, project: str, *, by: Caller) -> Person | None:
        """Whom to ask about its data: who was named, while they are a member; else its lead. None where nobody leads."""
        found = self._projects.named(project)
        require(by, "project.view", project=found.id)
        members, named = self._projects.members(found.id), self._kept.contact_of(found.id)
        leads = [one.person for one in members if one.role == "lead"]
        chosen = named if any(one.person == named for one in members) else next(iter(leads), "")
        return self._people.get(chosen) if chosen else None

    def set(self, project: str, *, title: str = "", contact: str = "", by: Caller) -> Project:
        """By a lead. Raises InvalidInput on a title that is none, and for a contact who is no member."""
        found = self._projects.named(project)
        require_whole(by)
        require(by, "project.manage", project=found.id)
        title = title.strip()
        if not title and not contact:
            raise InvalidInput("there is nothing to set", fix="--title TEXT, or --data-contact PERSON")
        if len(title) > TITLE_MAX or not title.isprintable():
            raise InvalidInput("a title is one line of at most 200 characters", fix="shorten it")
        with self._bodies.transaction(alone=f"project:{found.id}"):
            changed = self._projects.named(found.id)
            if contact:
                self._kept.set_contact(found.id, self._member(found.id, contact))
            if title:
                changed = replace(changed, title=title)
                self._kept.apply(changed)
            words = "+".join(name for name, given in (("title", title), ("contact", contact)) if given)
            self._audit.record("project.changed", found.id, by, what=words)
        return changed

    def propose(self, project: str, what: str, value: str, why: str, *, by: Caller) -> Change:
        """By a lead; replaces what waits of the same kind. Checked now, and again when it is signed."""
        found = self._projects.named(project)
        require_whole(by)
        require(by, "project.manage", project=found.id)
        if not 0 < len(why.strip()) <= REASON_MAX:
            raise InvalidInput("say why, in at most 2,000 characters", fix="--why, with what the other can judge by")
        with self._bodies.transaction(alone=f"project:{found.id}"):
            value = self._checked(found, what, value)
            for one in self._kept.waiting(found.id):
                if one.what == what:
                    self._kept.put(replace(one, outcome=REPLACED, decided_by=by.person, decided_at=self._clock.now()))
            made = Change(self._ids.new("chg"), found.id, what, value, why.strip(), by.person, self._clock.now())
            self._kept.put(made)
            self._audit.record("project.change_proposed", made.id, by, project=found.id, what=what, value=value)
        return made

    def decide(self, change_id: str, *, agree: bool, by: Caller) -> Change:
        """By who oversees projects, and did not propose it. Raises NotPermitted (`proposal.second_person`), WrongState where it is decided."""
        require_whole(by)
        require(by, "project.oversee")
        require_confirmed(by)
        if (found := self._kept.get(change_id)) is None:
            raise nothing_here()
        with self._bodies.transaction(alone=f"project:{found.project}"):
            found = self._kept.get(change_id)
            if found is None or found.outcome != WAITS:
                raise WrongState("this proposal is decided already", fix="propose it anew: fabriek project propose")
            if found.proposed_by == by.person:
                raise NotPermitted(
                    "this needs another person than the one who proposed it", rule="proposal.second_person", fix="ask another operator to sign"
                )  # fmt: skip
            if agree:
                project = self._projects.named(found.project)
                value = self._checked(project, found.what, found.value)
                self._kept.apply(
                    replace(project, purpose=Purpose(value))
                    if found.what == "purpose"
                    else replace(project, label_ceiling=value)
                )
            done = replace(
                found, outcome=SIGNED if agree else REFUSED, decided_by=by.person, decided_at=self._clock.now()
            )
            self._kept.put(done)
            self._audit.record(
                f"project.change_{done.outcome}", done.id, by, project=done.project, what=done.what, value=done.value
            )
        return done

    def waiting(self, project: str = "", *, by: Caller) -> Sequence[Change]:
        """Of a project, for its members; without one, all, for who oversees projects."""
        if not project:
            require(by, "project.oversee")
            return self._kept.waiting()
        found = self._projects.named(project)
        require(by, "project.view", project=found.id)
        return self._kept.waiting(found.id)

    def _member(self, project: str, said: str) -> str:
        members = self._projects.members(project)
        found = next((one.person for one in members if said in {one.person, self._people.get(one.person).email}), "")
        if not found:
            raise InvalidInput("the contact for data is a member of the project", fix="fabriek project members")
        return found

    def _checked(self, project: Project, what: str, value: str) -> str:
        """What it would become, if it may."""
        if what == "ceiling":
            value = self._check_ceiling(project.id, value)
        elif what != "purpose" or value not in tuple(Purpose):
            raise InvalidInput(
                "propose a purpose or a ceiling", fix=f"--purpose {'|'.join(Purpose)}, or --ceiling LABEL"
            )
        else:
            self._check_purpose(project.id, Purpose(value))
        if value == (project.label_ceiling if what == "ceiling" else project.purpose):
            raise InvalidInput(f"its {what} is {value} already", fix="fabriek project show")
        return value

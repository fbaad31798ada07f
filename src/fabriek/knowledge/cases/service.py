"""What one may do with cases: open, hand over, raise or lower, talk, solve and close; and write the use-case document."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, QuotaExhausted, Stale, WrongState, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.knowledge.cases import cases, documents
from fabriek.knowledge.cases.cases import OURS_TO_ACT, Case, CaseState, Step
from fabriek.knowledge.cases.documents import Document
from fabriek.knowledge.cases.levels import level_named, levels_on
from fabriek.knowledge.cases.ports import Cases, Documents
from fabriek.knowledge.cases.promises import Office, days_after, days_between
from fabriek.knowledge.desk.ports import Experts, Questions
from fabriek.knowledge.desk.questions import check_text

OPEN_MAX = 50
"""Of one person at a time: a desk is not a place to keep lists."""

LISTED_MAX = 500


@dataclass(frozen=True, slots=True)
class Told:
    """A case with what was done to it, and the newest version of its document."""

    case: Case
    steps: Sequence[Step]
    document: Document | None
    missing: Sequence[str]
    """Heads of the document that say nothing yet; all of them where there is none."""
    acts: bool
    """Whether the caller may hand it over and raise it: somebody of the desk, or who is on it."""


class Casework:
    """A case is known to who asked, their project (or, without one, who administers their organisation), who is on it, and the desk."""

    def __init__(
        self, kept: Cases, written: Documents, asked: Questions, experts: Experts, *, office: Office, access: Access, audit: Audit, clock: Clock,
        ids: Ids,
    ) -> None:  # fmt: skip
        self._cases, self._documents, self._questions, self._experts = kept, written, asked, experts
        self._office, self._access, self._audit, self._clock, self._ids = office, access, audit, clock, ids

    def open(self, title: str, words: str, *, project: str = "", question: str = "", by: Caller) -> Case:
        """A request, or a question of one's own (or, for the desk, of anybody), becomes a case at the lightest level. Raises InvalidInput,
        NotFound, NotPermitted, QuotaExhausted.
        """
        require(by, "knowledge.ask")
        person, organisation = by.person, by.organisation
        if question:
            asked = self._questions.get(question)
            if asked.person != by.person and not by.may("case.handle"):
                raise NotPermitted(
                    "who asked makes a case of a question, or the desk does", rule="question.asker", fix="ask your own: fabriek case new"
                )  # fmt: skip
            person, organisation = asked.person, self._access.person(asked.person).organisation
            title, words = title or asked.text[: cases.TITLE_CHARACTERS_MAX], words or asked.text
        home = self._access.project(project).id if project else ""
        if home:
            require(by, "project.view", project=home)
        today = self._clock.today()
        level = next(iter(levels_on(today).values()))
        made = Case(
            self._ids.new("cas"), person, organisation, home, question, check_text(title, cases.TITLE_CHARACTERS_MAX), level.name,
            self._clock.now(), days_after(self._office, today, level.working_days),
        )  # fmt: skip
        said = check_text(words, cases.WORDS_CHARACTERS_MAX)
        with self._cases.transaction(alone=f"cases:{person}"):
            theirs = [one for one in self._cases.known_to(person, [], "") if one.person == person and not one.is_over]
            if len(theirs) >= OPEN_MAX:
                raise QuotaExhausted(
                    f"{OPEN_MAX} cases of one person are open", limit=OPEN_MAX, used=len(theirs), fix="close those that are solved: fabriek case ls"
                )  # fmt: skip
            self._keep(made, "opened", said, by)
        return made

    def list(self, *, state: str = "", overdue: bool = False, by: Caller) -> Sequence[Case]:
        """Those that one may know of, those that are not closed first. Raises InvalidInput on a word for no state."""
        require(by, "knowledge.view")
        if state:
            cases.state_named(state)
        if by.may("case.handle"):
            found = self._cases.all(limit=LISTED_MAX)
        else:
            organisation = by.organisation if by.may("organisation.manage") else ""
            found = self._cases.known_to(by.person, list(by.project_rights), organisation)
        today = self._clock.today()
        return [one for one in found if (not state or one.state == state) and (not overdue or one.is_overdue(today))]

    def of_project(self, project: str, *, by: Caller) -> Sequence[Case]:
        """Raises NotPermitted for who is not in the project."""
        home = self._access.project(project).id
        require(by, "project.view", project=home)
        return [one for one in self._cases.known_to("", [home], "") if one.project == home]

    def show(self, case_id: str, *, by: Caller) -> Told:
        """Raises NotFound, also for what one may not know of."""
        require(by, "knowledge.view")
        found = self._known(case_id, by)
        newest = next(iter(self._documents.versions(found.id)), None)
        missing = documents.missing_in(documents.unasked(newest.text) if newest else "")
        return Told(found, self._cases.steps(found.id), newest, missing, _acts(found, by))

    def say(self, case_id: str, words: str, *, by: Caller) -> Case:
        """Adds to what was said. Where the asker was asked, and somebody of their side speaks, the case goes on. Raises WrongState once closed."""
        require(by, "knowledge.view")
        said = check_text(words, cases.WORDS_CHARACTERS_MAX)
        with self._cases.transaction(alone=f"case:{case_id}"):
            found = self._not_over(self._known(case_id, by))
            if found.state is CaseState.WAITING_FOR_ASKER and not _acts(found, by):
                found = self._moved(found, CaseState.WITH_EXPERT if found.handler else CaseState.OPEN)
            self._keep(found, "said", said, by)
        return found

    def hand(self, case_id: str, person: str, reason: str, *, by: Caller) -> Case:
        """Gives it to an expert, or to somebody of the desk, who is on it from then on. Raises NotFound, NotPermitted, InvalidInput, WrongState."""
        require(by, "knowledge.view")
        why = check_text(reason, cases.WORDS_CHARACTERS_MAX)
        with self._cases.transaction(alone=f"case:{case_id}"):
            found = self._not_over(self._acting(case_id, by))
            self._check_handler(found, person)
            moved = found if found.state is CaseState.WITH_EXPERT else self._moved(found, CaseState.WITH_EXPERT)
            if moved.handler == person and moved is found:
                raise WrongState("they are on it already", fix=f"fabriek case show {found.id}")
            handed = replace(moved, handler=person)
            self._keep(handed, "handed", f"{self._access.person(person).name}: {why}", by, handler=person)
        return handed

    def raise_to(self, case_id: str, level: str, reason: str, *, by: Caller) -> Case:
        """Another level, up or down, with the promise that goes with it from today on. Raises NotFound, NotPermitted, InvalidInput, WrongState."""
        require(by, "knowledge.view")
        why, today = check_text(reason, cases.WORDS_CHARACTERS_MAX), self._clock.today()
        with self._cases.transaction(alone=f"case:{case_id}"):
            found, wanted = self._acting(case_id, by), level_named(level, today)
            if found.state not in {*OURS_TO_ACT, CaseState.WAITING_FOR_ASKER} or found.level == wanted.name:
                raise WrongState(
                    f"case {found.id} is {found.state} at {found.level}", fix=f"fabriek case show {found.id}"
                )
            waiting = today if found.waiting_since else None
            due = days_after(self._office, today, wanted.working_days)
            raised = replace(found, level=wanted.name, due_on=due, waiting_since=waiting)
            self._keep(raised, "level", f"{found.level} → {wanted.name}: {why}", by, level=wanted.name)
        return raised

    def move(self, case_id: str, state: str, words: str, *, by: Caller) -> Case:
        """A step of the table. Who asked may say that it is solved, open it again, and close it; the rest is the desk's and of who is on it.

        Raises InvalidInput, NotFound, NotPermitted, WrongState: also where its level asks for a document that is not whole yet.
        """
        require(by, "knowledge.view")
        said = check_text(words, cases.WORDS_CHARACTERS_MAX)
        with self._cases.transaction(alone=f"case:{case_id}"):
            found, to = self._known(case_id, by), cases.state_named(state)
            again = to is CaseState.OPEN and found.state is CaseState.SOLVED
            if not (found.person == by.person and (again or to in {CaseState.SOLVED, CaseState.CLOSED})):
                self._check_acts(found, by)
            if to is CaseState.WITH_EXPERT and not found.handler:
                raise WrongState(
                    "nobody is on it yet", fix=f"hand it over: fabriek case hand {found.id} PERSON --why …"
                )
            if to is CaseState.SOLVED:
                self._check_document(found)
            moved = self._moved(found, to)
            if to is CaseState.OPEN:
                moved = replace(moved, handler="")
            self._keep(moved, str(to), said, by)
        return moved

    def write(self, case_id: str, text: str, *, base: int | None = None, by: Caller) -> Document:
        """A new version of its use-case document. base: the number of the version that was changed, 0 for none. Raises InvalidInput, NotFound,
        WrongState once closed, Stale where somebody else wrote one meanwhile.
        """
        require(by, "knowledge.view")
        with self._cases.transaction(alone=f"case:{case_id}"):
            found = self._not_over(self._known(case_id, by))
            kept = documents.check(text)
            newest = next(iter(self._documents.versions(found.id)), None)
            number = newest.number if newest else 0
            if base is not None and base != number:
                raise Stale(
                    f"its newest version is {number}, and this was made of {base}",
                    fix="read the newest, and write again",
                )
            if newest and newest.text == kept:
                return newest
            made = Document(found.id, number + 1, by.person, self._clock.now(), kept)
            self._documents.add(made)
            self._audit.record("case.document_written", found.id, by, number=made.number)
        return made

    def versions(self, case_id: str, *, by: Caller) -> Sequence[Document]:
        """Of its document, newest first. Raises NotFound."""
        require(by, "knowledge.view")
        return self._documents.versions(self._known(case_id, by).id)

    def _moved(self, case: Case, to: CaseState) -> Case:
        """With as many working days more as the asker was waited for."""
        today = self._clock.today()
        moved = cases.move(case, to, today)
        if case.waiting_since is None:
            return moved
        waited = days_between(self._office, case.waiting_since, today)
        return replace(moved, due_on=days_after(self._office, case.due_on, waited))

    def _known(self, case_id: str, by: Caller) -> Case:
        found = self._cases.get(case_id)
        of_body = not found.project and by.organisation == found.organisation and by.may("organisation.manage")
        if found.person == by.person or by.is_member_of(found.project) or of_body or _acts(found, by):
            return found
        raise nothing_here()

    def _acting(self, case_id: str, by: Caller) -> Case:
        found = self._known(case_id, by)
        self._check_acts(found, by)
        return found

    @staticmethod
    def _check_acts(case: Case, by: Caller) -> None:
        if not _acts(case, by):
            raise NotPermitted(
                "the desk does this, and who is on the case", rule="case.handle", fix=f'say what you need: fabriek case say {case.id} "…"'
            )  # fmt: skip

    @staticmethod
    def _not_over(case: Case) -> Case:
        if case.is_over:
            raise WrongState(f"case {case.id} is closed", fix="open a new one: fabriek case new")
        return case

    def _check_handler(self, case: Case, person: str) -> None:
        if person == case.person:
            raise InvalidInput("who asked is not the one to answer", fix="name an expert: fabriek expert ls")
        if person in {one.id for one in self._access.holders("case.handle")}:
            return
        try:
            self._experts.get(person)
        except NotFound:
            raise NotFound(
                "there is no such expert, and nobody of the desk of that id", fix="fabriek expert ls"
            ) from None

    def _check_document(self, case: Case) -> None:
        if not level_named(case.level, self._clock.today()).needs_document:
            return
        newest = next(iter(self._documents.versions(case.id)), None)
        if missing := documents.missing_in(documents.unasked(newest.text) if newest else ""):
            raise WrongState(
                f"at {case.level} it is solved with a whole use-case document; nothing stands under {', '.join(missing)}",
                fix=f"fabriek case document {case.id} --file FILE",
            )

    def _keep(self, case: Case, what: str, words: str, by: Caller, **facts: str) -> None:
        self._cases.put(case)
        number = len(self._cases.steps(case.id)) + 1
        self._cases.add_step(Step(case.id, number, by.person, self._clock.now(), what, words))
        self._audit.record(f"case.{what}", case.id, by, **facts)


def _acts(case: Case, by: Caller) -> bool:
    return by.may("case.handle") or (bool(case.handler) and case.handler == by.person)

"""Verbs of asking: a dataset's terms, who accepted them, and requests for access on their way to an agreement or a refusal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, WrongState, nothing_here
from fabriek.vault.agreeing import agreements, requests, terms
from fabriek.vault.agreeing.agreements import Agreement
from fabriek.vault.agreeing.requests import ASKERS, PENDING, AccessRequest, RequestState, Step, not_yours
from fabriek.vault.agreeing.terms import COMMITTEE_MAX, Acceptance, Terms
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.naming import Naming


class Asking(Naming):
    """Who wants to use the data, and what for."""

    def set_terms(
        self,
        reference: str,
        text: str,
        *,
        questions: Iterable[str] | None = None,
        committee: Iterable[str] | None = None,
        project: str = "",
        by: Caller,
    ) -> Terms:
        """The terms of agreements from now on; those that were signed keep theirs. `committee`: ids of the persons who decide. Of the form
        and the committee, what is not said stays as it was: other words are no reason to decide in another way.

        Raises NotPermitted (`data.owner`), InvalidInput.
        """
        parts = self._parts
        dataset = self._owned(reference, project, by)
        text = terms.read_text(text)
        asked = None if questions is None else terms.read_questions(questions)
        deciding = None if committee is None else self._read_committee(committee)
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            newest = parts.terms.numbered(dataset.id, 0)
            number, now = newest.number + 1 if newest else 1, parts.clock.now()
            if asked is None:
                asked = newest.questions if newest else ()
            if deciding is None:
                deciding = newest.committee if newest else ()
            made = Terms(dataset.id, number, text, terms.hash_of(text), asked, deciding, by.person, now)
            parts.terms.add(made)
            parts.audit.record("terms.set", dataset.id, by, number=number, sha256=made.sha256, committee=len(deciding))
        return made

    def terms_of(self, reference: str, *, number: int = 0, project: str = "", by: Caller) -> Terms:
        """For everybody who may know of the dataset. Raises NotFound where it has none."""
        found = self._parts.terms.numbered(self._find(reference, project, by)[0].id, number)
        if found is None:
            raise NotFound("this dataset has no such terms", fix="its owner sets them: fabriek data terms NAME --file")
        return found

    def terms_to_accept(self, reference: str, *, project: str = "", by: Caller) -> Sequence[Terms]:
        """Those of agreements in force of the caller's projects that the caller has not accepted, oldest first."""
        parts = self._parts
        dataset, _ = self._find(reference, project, by)
        today, accepted = parts.clock.today(), parts.terms.accepted_by(by.person, dataset.id)
        asked = {
            one.terms
            for one in parts.agreements.of_dataset(dataset.id)
            if one.terms and by.is_member_of(one.project) and agreements.is_in_force(one, today)
        }
        found = [parts.terms.numbered(dataset.id, number) for number in sorted(asked - accepted)]
        return [one for one in found if one is not None]

    def accept_terms(
        self, reference: str, sha256: str, *, number: int = 0, project: str = "", by: Caller
    ) -> Acceptance:
        """The caller, and nobody for them, agrees to these very words. Raises WrongState when the hash is of others."""
        parts = self._parts
        wanted = self.terms_of(reference, number=number, project=project, by=by)
        accepted = terms.accept(wanted, sha256, by.person, parts.clock.now())
        with parts.datasets.transaction(alone=f"dataset:{wanted.dataset}"):
            parts.terms.accept(accepted)
            parts.audit.record("terms.accepted", wanted.dataset, by, number=wanted.number, sha256=wanted.sha256)
        return accepted

    def acceptances_on(self, reference: str, *, project: str = "", by: Caller) -> Sequence[Acceptance]:
        """Who accepted which terms, newest first. For the owner."""
        return self._parts.terms.acceptances(self._owned(reference, project, by).id)

    def request_access(
        self,
        reference: str,
        *,
        project: str = "",
        purpose: str,
        right: str = "compute",
        reason: str = "",
        answers: Mapping[str, str] | None = None,
        draft: bool = False,
        by: Caller,
    ) -> AccessRequest:
        """Asks the owner. `project`: where it would be used; empty when the asker has none yet. `draft`: kept, not sent.

        Raises AlreadyExists on a repeat, InvalidInput on a question of the form without an answer.
        """
        parts = self._parts
        require(by, "access.request")
        dataset, _ = self._find(reference, project, by)
        if dataset.kind is not Kind.DATA:
            raise nothing_here()
        acting = self._project(project) if project else None
        if acting and not by.is_member_of(acting.id):
            raise nothing_here()
        state, now = RequestState.DRAFT if draft else RequestState.SENT, parts.clock.now()
        request = AccessRequest(
            id=parts.ids.new("req"),
            dataset=dataset.id,
            project=acting.id if acting else "",
            organisation=by.organisation,
            person=by.person,
            purpose=next(iter(agreements.read_purposes([purpose]))),
            right=agreements.read_right(right),
            reason=requests.read_words(reason),
            asked_at=now,
            state=state,
            answers=requests.read_answers(self._questions(dataset), answers or {}, complete=not draft),
            steps=(Step(state, by.person, now),),
        )
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            for known in parts.requests.of_dataset(dataset.id):
                same = (known.person, known.project, known.right) == (request.person, request.project, request.right)
                if same and known.state in PENDING:
                    raise AlreadyExists(
                        f"you have asked for this: {known.id} is {known.state}",
                        fix=f"wait for the answer, or take it back: fabriek data move {known.id} closed",
                    )
            parts.requests.add(request)
            parts.audit.record("access.requested", request.id, by, dataset=dataset.id, right=request.right.value)
        return request

    def request(self, request_id: str, *, by: Caller) -> AccessRequest:
        """For the asker and for whoever decides. Raises NotFound for everyone else."""
        request = self._parts.requests.get(request_id)
        if request.person != by.person and not self._decides(self._parts.datasets.get(request.dataset), by):
            raise nothing_here()
        return request

    def move_request(
        self, request_id: str, to: str, *, words: str = "", answers: Mapping[str, str] | None = None, by: Caller
    ) -> AccessRequest:
        """The asker sends and closes; who decides reviews, returns, rejects and closes. Approval has a verb of its own.

        Raises WrongState where the table has no such way, NotPermitted for the other side's moves.
        """
        parts = self._parts
        with self._alone_with(request_id, by) as (request, dataset):
            state = _read_state(to)
            mine, decides = request.person == by.person, self._decides(dataset, by, request)
            if not (mine and state in ASKERS) and not (decides and state is not RequestState.SENT):
                raise not_yours()
            moved = requests.move(request, state, by.person, parts.clock.now(), words)
            if state is RequestState.SENT:
                said = {**request.answers, **(answers or {})}
                asked = self._questions(dataset)
                kept = requests.read_answers(asked, {one: said[one] for one in said if one in asked}, complete=True)
                moved = requests.answered(moved, kept)
            parts.requests.save(moved)
            parts.audit.record(f"access.{state}", request_id, by, dataset=dataset.id)
        return moved

    def approve_request(
        self, request_id: str, *, until: date, places: Iterable[str] = (), words: str = "", by: Caller
    ) -> Agreement:
        """Who decides says yes: an agreement for the asker's project, purpose and right. Raises WrongState without a project."""
        parts = self._parts
        with self._alone_with(request_id, by) as (request, dataset):
            if not self._decides(dataset, by, request):
                raise not_yours()
            if not request.project:
                raise WrongState(
                    "whoever asked has no project yet in which the data could be used",
                    fix="return it: they ask again from their project",
                )
            approved = requests.move(request, RequestState.APPROVED, by.person, parts.clock.now(), words)
            parts.requests.save(approved)
            return self._sign_agreement(
                self._labelled(dataset), request.project, purposes=frozenset({request.purpose}), right=request.right, until=until,
                places=places, by=by,
            )  # fmt: skip

    def requests_on(self, reference: str, *, project: str = "", by: Caller) -> Sequence[AccessRequest]:
        """What was asked, oldest first, drafts left out. For whoever decides: raises NotPermitted (`data.owner`)."""
        dataset, _ = self._find(reference, project, by)
        if not self._decides(dataset, by):
            self._require_owner(dataset, by)
        found = self._parts.requests.of_dataset(dataset.id)
        return [one for one in found if one.state is not RequestState.DRAFT]

    def requests_by(self, *, by: Caller) -> Sequence[AccessRequest]:
        """The caller's own, newest first."""
        return self._parts.requests.of_person(by.person)

    @contextmanager
    def _alone_with(self, request_id: str, by: Caller) -> Iterator[tuple[AccessRequest, Dataset]]:
        """A request and its dataset, in a transaction in which nobody else decides about either. Raises NotFound."""
        dataset_id = self.request(request_id, by=by).dataset
        with self._parts.datasets.transaction(alone=f"dataset:{dataset_id}"):
            yield self.request(request_id, by=by), self._parts.datasets.get(dataset_id)

    def _read_committee(self, persons: Iterable[str]) -> tuple[str, ...]:
        """Each once. Raises InvalidInput on too many, NotFound or NotAuthenticated on somebody who is not here."""
        named = tuple(dict.fromkeys(persons))
        if len(named) > COMMITTEE_MAX:
            raise InvalidInput(f"a committee has at most {COMMITTEE_MAX} people", fix="name fewer")
        for person in named:
            self._parts.people.caller_for(person)
        return named

    def _questions(self, dataset: Dataset) -> Sequence[str]:
        newest = self._parts.terms.numbered(dataset.id, 0)
        return newest.questions if newest else ()


def _read_state(text: str) -> RequestState:
    try:
        state = RequestState(text)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is no state of a request", fix=f"one of {', '.join(RequestState)}") from None
    if state in {RequestState.APPROVED, RequestState.DRAFT}:
        raise InvalidInput(
            f"a request does not become {state} by itself", fix="fabriek data approve REQUEST --until DATE"
        )
    return state

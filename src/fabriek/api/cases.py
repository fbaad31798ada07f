"""Cases of the desk over HTTP."""

from fastapi import Query

from fabriek.knowledge.cases import documents
from fabriek.knowledge.cases.cases import Case
from fabriek.knowledge.cases.documents import Document
from fabriek.knowledge.cases.service import Told
from fabriek.schemas.base import PageOut
from fabriek.schemas.cases import (
    CaseIn,
    CaseOut,
    CaseStepOut,
    CaseWholeOut,
    DocumentIn,
    DocumentOut,
    HandIn,
    LevelIn,
    SaidIn,
    StateIn,
    TemplateOut,
)
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["knowledge"])


def _name(person: str, services: Services) -> str:
    return services.access.person(person).name if person else ""


def case_out(case: Case, services: Services) -> CaseOut:
    return CaseOut(
        id=case.id, title=case.title, level=case.level, state=case.state, by=_name(case.person, services),
        project=services.access.project(case.project).slug if case.project else "", question=case.question, handler=_name(case.handler, services),
        opened_at=case.opened_at, due_on=case.due_on, overdue=case.is_overdue(services.clock.today()),
    )  # fmt: skip


def _whole(told: Told, services: Services) -> CaseWholeOut:
    steps = [
        CaseStepOut(number=one.number, by=_name(one.person, services), at=one.at, what=one.what, words=one.words)
        for one in told.steps
    ]
    return CaseWholeOut(
        case=case_out(told.case, services), steps=steps, document=told.document.number if told.document else 0, missing=list(told.missing),
        acts=told.acts,
    )  # fmt: skip


def _document(one: Document, services: Services) -> DocumentOut:
    missing = documents.missing_in(documents.unasked(one.text))
    return DocumentOut(
        number=one.number, by=_name(one.person, services), at=one.at, text=one.text, missing=list(missing)
    )


@router.post("/cases", access=Right("knowledge.ask"), status_code=201)
def open_case(asked: CaseIn, caller: CallerDep, factory: FactoryDep) -> CaseOut:
    """Ask the desk for something, or make a case of a question. Your project, who is on it and the desk read it, and nobody else."""
    made = factory.casework.open(asked.title, asked.words, project=asked.project, question=asked.question, by=caller)
    return case_out(made, factory)


@router.get("/cases", access=SIGNED_IN)
def list_cases(
    caller: CallerDep, factory: FactoryDep, state: str = Query("", max_length=30), *, overdue: bool = False
) -> PageOut[CaseOut]:
    """Those that you may know of; what is due first stands first, and what is closed last."""
    found = factory.casework.list(state=state, overdue=overdue, by=caller)
    return PageOut[CaseOut](items=[case_out(one, factory) for one in found])


@router.get("/cases/{case}", access=SIGNED_IN)
def show_case(case: str, caller: CallerDep, factory: FactoryDep) -> CaseWholeOut:
    """One case with everything that was done to it."""
    return _whole(factory.casework.show(case, by=caller), factory)


@router.get("/use-case-template", access=SIGNED_IN)
def template(language: str = Query("en", max_length=5)) -> TemplateOut:
    """All heads of a use-case document, each with what it asks, in Dutch or English."""
    return TemplateOut(language=language, text=documents.template(language))


@router.post("/cases/{case}/words", access=SIGNED_IN, status_code=201)
def say(case: str, asked: SaidIn, caller: CallerDep, factory: FactoryDep) -> CaseOut:
    """Add to what was said. Where you were asked something, the case goes on."""
    return case_out(factory.casework.say(case, asked.words, by=caller), factory)


@router.post("/cases/{case}/handler", access=SIGNED_IN)
def hand(case: str, asked: HandIn, caller: CallerDep, factory: FactoryDep) -> CaseOut:
    """Give it to an expert or to somebody of the desk."""
    return case_out(factory.casework.hand(case, asked.person, asked.reason, by=caller), factory)


@router.post("/cases/{case}/level", access=SIGNED_IN)
def raise_to(case: str, asked: LevelIn, caller: CallerDep, factory: FactoryDep) -> CaseOut:
    """Raise or lower it; what is promised goes with the level."""
    return case_out(factory.casework.raise_to(case, asked.level, asked.reason, by=caller), factory)


@router.post("/cases/{case}/state", access=SIGNED_IN)
def move(case: str, asked: StateIn, caller: CallerDep, factory: FactoryDep) -> CaseOut:
    """Ask the asker, solve, close, or open again."""
    return case_out(factory.casework.move(case, asked.state, asked.words, by=caller), factory)


@router.post("/cases/{case}/documents", access=SIGNED_IN, status_code=201)
def write(case: str, asked: DocumentIn, caller: CallerDep, factory: FactoryDep) -> DocumentOut:
    """A new version of its use-case document; earlier ones are kept."""
    return _document(factory.casework.write(case, asked.text, base=asked.base, by=caller), factory)


@router.get("/cases/{case}/documents", access=SIGNED_IN)
def versions(case: str, caller: CallerDep, factory: FactoryDep) -> PageOut[DocumentOut]:
    """Every version of its use-case document, newest first."""
    found = factory.casework.versions(case, by=caller)
    return PageOut[DocumentOut](items=[_document(one, factory) for one in found])

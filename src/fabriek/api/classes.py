"""Classes over HTTP. Who may is asked by the verbs, since a class is its project's and its name stands in no path of that project."""

from fastapi import Request

from fabriek.api.access import sign_in_address
from fabriek.schemas.base import DoneOut, PageOut
from fabriek.schemas.classes import ClassIn, ClassOut, ExtendIn, StudentsIn
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.teaching import class_out

router = Router(prefix="/api/v1", tags=["access"])
TEACHES = Right("project.manage")


@router.post("/classes", access=TEACHES, status_code=201, once=False)
def create_class(asked: ClassIn, request: Request, caller: CallerDep, factory: FactoryDep) -> ClassOut:
    """A class out of a project's hours: every student of the list, or none. The links of new students are said here and never again."""
    course, seats = factory.teaching.create(
        asked.title, asked.project, asked.students, asked.gpu_hours_each, asked.ends_on, asked.cpu_hours_each, by=caller
    )
    return class_out(course, seats, factory, sign_in_address(request, ""))


@router.get("/classes", access=TEACHES)
def list_classes(caller: CallerDep, factory: FactoryDep) -> PageOut[ClassOut]:
    """Those of the projects that you lead, without their students."""
    return PageOut[ClassOut](items=[class_out(one, (), factory) for one in factory.teaching.list(by=caller)])


@router.get("/classes/{course}", access=TEACHES)
def show_class(course: str, caller: CallerDep, factory: FactoryDep) -> ClassOut:
    """One class with its students: who came, what they used, what they have left."""
    found = factory.teaching.get(course, by=caller)
    return class_out(found, factory.teaching.seats(course, by=caller), factory)


@router.post("/classes/{course}/students", access=TEACHES, status_code=201, once=False)
def add_students(course: str, asked: StudentsIn, request: Request, caller: CallerDep, factory: FactoryDep) -> ClassOut:
    """More students, all or none; answers those that were added."""
    seats = factory.teaching.add(course, asked.students, by=caller)
    return class_out(factory.teaching.get(course, by=caller), seats, factory, sign_in_address(request, ""))


@router.delete("/classes/{course}/students/{person}", access=TEACHES)
def drop_student(course: str, person: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """Takes a student out, by id or address."""
    factory.teaching.drop(course, person, by=caller)
    return DoneOut()


@router.post("/classes/{course}/extend", access=TEACHES)
def extend_class(course: str, asked: ExtendIn, caller: CallerDep, factory: FactoryDep) -> ClassOut:
    """A later last day."""
    return class_out(factory.teaching.extend(course, asked.ends_on, by=caller), (), factory)


@router.post("/classes/{course}/end", access=TEACHES)
def end_class(course: str, caller: CallerDep, factory: FactoryDep) -> ClassOut:
    """Ends the term now: budgets go back, and results stay for some weeks."""
    return class_out(factory.teaching.end(course, by=caller), (), factory)

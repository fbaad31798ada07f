"""Classes on the wire."""

from datetime import date
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Title, Wire

Students = Annotated[str, Field(max_length=300_000)]


class ClassIn(Wire):
    """`students`: a CSV with a head of email, name and perhaps organisation. Without `cpu_hours_each` they go with the GPU-hours in proportion."""

    title: Title
    project: Annotated[str, Field(min_length=1, max_length=63)]
    students: Students
    gpu_hours_each: Annotated[int, Field(ge=1, le=1_000_000)]
    cpu_hours_each: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    ends_on: date


class StudentsIn(Wire):
    students: Students


class ExtendIn(Wire):
    ends_on: date


class StudentOut(Wire):
    """`sign_in`: the address that signs them in once, said only when they were added and only of who is new. Hours are of GPUs."""

    number: int
    person: str
    name: str
    email: str
    organisation: str
    project: str
    state: str
    joined: bool
    granted: float
    used: float
    left: float
    sign_in: str = ""


class ClassOut(Wire):
    """Both days count; on `closes_on` students are taken out of their projects."""

    id: str
    slug: str
    title: str
    project: str
    state: str
    starts_on: date
    ends_on: date
    closes_on: date
    gpu_hours_each: float
    students: list[StudentOut] = Field(default_factory=list)

"""A class as both edges show it: each student with what they used and have left."""

from collections.abc import Sequence

from fabriek.access.joining.classes import Class, closes_on
from fabriek.funding.classes.places import Seated
from fabriek.funding.resources import Resource
from fabriek.kernel.units import MICRO
from fabriek.schemas.classes import ClassOut, StudentOut
from fabriek.web.services import Services


def class_out(course: Class, seats: Sequence[Seated], services: Services, links: str = "") -> ClassOut:
    """links: the address that a new student's code is put behind."""
    return ClassOut(
        id=course.id, slug=course.slug, title=course.title, project=services.access.project(course.project).slug, state=course.state,
        starts_on=course.starts_on, ends_on=course.ends_on, closes_on=closes_on(course), gpu_hours_each=course.gpu_micro_each / MICRO,
        students=[student_out(one, services, links) for one in seats],
    )  # fmt: skip


def student_out(seat: Seated, services: Services, links: str = "") -> StudentOut:
    spent = services.teaching.places.spent(seat.place).get(Resource.GPU_HOUR)
    return StudentOut(
        number=seat.place.number, person=seat.person.id, name=seat.person.name, email=seat.person.email,
        organisation=services.access.organisation(seat.person.organisation).slug, project=seat.project.slug, state=seat.place.state,
        joined=services.identity.has_come(seat.person.id), granted=spent.granted / MICRO if spent else 0,
        used=spent.used / MICRO if spent else 0, left=spent.left / MICRO if spent else 0, sign_in=links + seat.code if seat.code else "",
    )  # fmt: skip

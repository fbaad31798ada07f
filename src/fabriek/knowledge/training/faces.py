"""The courses as the catalogue tells of them, in each language."""

from collections.abc import Mapping

from fabriek.kernel.languages import LANGUAGES
from fabriek.knowledge.catalogue.entries import Face
from fabriek.knowledge.training.courses import Course

LASTS = {"en": "A certificate counts for {days} days.", "nl": "Een certificaat geldt {days} dagen."}
NEEDS = {"en": "It asks for a certificate of: {names}.", "nl": "Er is een certificaat voor nodig van: {names}."}
BEGIN = {
    "en": "Lessons are at /training, or `fabriek training ls`.",
    "nl": "Lessen staan bij /training, of `fabriek training ls`.",
}


def taught(courses: Mapping[str, Course]) -> Mapping[str, Face]:
    """Name of the course and language → what its entry says."""
    return {f"{name}:{lang}": _face(course, lang) for name, course in courses.items() for lang in LANGUAGES}


def _face(course: Course, lang: str) -> Face:
    said = [BEGIN[lang]]
    if course.needs:
        said.append(NEEDS[lang].format(names=", ".join(course.needs)))
    if course.valid_days:
        said.append(LASTS[lang].format(days=course.valid_days))
    return Face(course.title[lang], course.says[lang], keywords=(course.name,), language=lang, text="\n\n".join(said))

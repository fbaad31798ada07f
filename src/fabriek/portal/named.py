"""What people, projects and organisations are called on a page, each asked for once, however many rows name them."""

from collections.abc import Iterable, Mapping, Sequence

from fabriek.web.services import Services


def names_of(services: Services, persons: Iterable[str]) -> Mapping[str, str]:
    """What each person is called; empty for nobody in particular."""
    found = services.access.people_among({one for one in persons if one})
    return {"": ""} | {person: one.name for person, one in found.items()}


def titles_of(services: Services, projects: Iterable[str]) -> Mapping[str, str]:
    """The title of each project; empty for none."""
    found = services.access.projects_among({one for one in projects if one})
    return {"": ""} | {project: one.title for project, one in found.items()}


def organisations_named(services: Services, organisations: Iterable[str]) -> Sequence[str]:
    """What these are called, in the order of the alphabet. They are the few that own what one job read."""
    return sorted(services.access.organisation(one).name for one in organisations)

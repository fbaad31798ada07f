"""Packages for tests: two people of the operator, and what they put on the index."""

from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.packages.requests import Request
from tests.factories.services import Town
from tests.factories.wheels import a_wheel, wheel_name


def bring(town: Town, request: Request, *wheels: tuple[str, bytes], by: Caller = SYSTEM) -> Request:
    """The files of a request, as the factory's own worker brings them, or an operator."""
    for name, raw in wheels:
        town.services.packages.take(request.id, name, [raw], by=by)
    return town.services.packages.ready(request.id, by=by)


def another_operator(town: Town) -> Caller:
    return town.person("factory", "operator")


def put_on_index(town: Town, name: str = "greeter", version: str = "1.0", *, asked_by: Caller, project: str) -> Request:
    """A wheel that a project asked for and got."""
    asked = town.services.packages.ask(project, f"{name}=={version}", "for a test", by=asked_by)
    bring(town, asked, (wheel_name(name, version), a_wheel(name, version)))
    return town.services.packages.approve(asked.id, by=town.operator)

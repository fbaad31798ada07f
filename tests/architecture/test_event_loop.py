"""Nothing slow happens in the event loop: what is `async` reads its request, and leaves what asks the database to threads."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "fabriek"
EDGES = ("portal", "api")
SERVICES = frozenset({"services", "factory"})
QUICK = frozenset({"clock", "ids", "settings", "access_log"})
"""Parts of the services that ask no database."""

MAY = {
    f"portal/pages/providers.py: {name}": "the providers that the operator named are in memory, and so is the title that is shown"
    for name in ("begin", "link")
}
"""What may touch services in the loop all the same, and why."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def touching(source: str) -> set[str]:
    """The async functions of a module that use a service in the loop: by themselves, or through a function of the same module."""
    tree = ast.parse(source)
    functions = [one for one in ast.walk(tree) if isinstance(one, Function)]
    known = SERVICES | _aliases(tree)
    slow = {one.name for one in functions if isinstance(one, ast.FunctionDef) and _uses(one, known, frozenset())}
    while (
        more := {
            one.name
            for one in functions
            if isinstance(one, ast.FunctionDef) and _uses(one, frozenset(), frozenset(slow))
        }
        - slow
    ):
        slow |= more
    return {
        one.name for one in functions if isinstance(one, ast.AsyncFunctionDef) and _uses(one, known, frozenset(slow))
    }


def _aliases(tree: ast.Module) -> frozenset[str]:
    """Names that stand for a service in a module: `intake = services.intake`, also as attributes of something."""
    found: set[str] = set()
    for one in ast.walk(tree):
        if not isinstance(one, ast.Assign) or len(one.targets) != 1:
            continue
        names = one.targets[0].elts if isinstance(one.targets[0], ast.Tuple) else [one.targets[0]]
        values = one.value.elts if isinstance(one.value, ast.Tuple) else [one.value] * len(names)
        for name, value in zip(names, values, strict=False):
            path = _path(value)
            if len(path) > 1 and path[0] in SERVICES and not QUICK & set(path) and not isinstance(value, ast.Call):
                found |= (
                    {name.id}
                    if isinstance(name, ast.Name)
                    else {name.attr}
                    if isinstance(name, ast.Attribute)
                    else set()
                )
    return frozenset(found)


def _uses(function: Function, known: frozenset[str], slow: frozenset[str]) -> bool:
    awaited = {id(one.value) for one in _within(function) if isinstance(one, ast.Await)}
    for one in _within(function):
        if isinstance(one, ast.Call) and id(one) not in awaited:
            path = _path(one.func)
            reached = [name for name in path[:2] if name in known]
            if (reached and len(path) > 1 and path[-1] not in known and not QUICK & set(path)) or (
                path[-1:] and path[-1] in slow
            ):
                return True
    return False


def _within(function: Function) -> Iterator[ast.AST]:
    """What runs when the function does; not what it only makes, as for a thread."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        one = waiting.pop()
        yield one
        if not isinstance(one, Function | ast.Lambda):
            waiting += ast.iter_child_nodes(one)


def _path(node: ast.expr) -> list[str]:
    """`services.access.project(x).slug` → services, access, project, slug."""
    found: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            found.insert(0, node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Name):
            return [node.id, *found]
        else:
            return found


def test_no_async_handler_asks_the_database_in_the_event_loop() -> None:
    guilty = {
        f"{file.relative_to(SOURCE)}: {name}"
        for edge in EDGES
        for file in sorted((SOURCE / edge).rglob("*.py"))
        for name in touching(file.read_text("utf-8"))
    }
    assert guilty == set(MAY)


@pytest.mark.parametrize(
    "body",
    [
        "return services.access.project(name)",
        "return inviting.look(name)",
        "return self.intake.get(name)",
        "return list_of(name)",
        "return twice(name)",
        "return [one.slug for one in services.access.all()]",
        "return await run_in_threadpool(act, services.access.project(name))",
    ],
)
def test_the_rule_sees_each_way_to_say_it(body: str) -> None:
    around = """
inviting = services.joining.inviting
class Forms:
    def __init__(self, services):
        self.services, self.intake = services, services.intake
def list_of(name):
    return services.access.project(name)
def twice(name):
    return list_of(name)
async def handler(self, name):
    {body}
"""
    assert touching(around.format(body=body)) == {"handler"}


@pytest.mark.parametrize(
    "body",
    [
        "return await run_in_threadpool(services.access.project, name)",
        "return await run_in_threadpool(lambda: services.access.project(name))",
        "return await run_in_threadpool(list_of, name)",
        "return services.clock.now()",
        "return other(name)",
    ],
)
def test_the_rule_leaves_threads_alone(body: str) -> None:
    around = """
def list_of(name):
    return services.access.project(name)
def other(name):
    return name.upper()
async def handler(name):
    {body}
"""
    assert touching(around.format(body=body)) == set()

"""Every endpoint of the installed MLflow, read from its own package: its service descriptions, and the routes that its server's files write.

The server's own libraries are not installed here, so that its files are read and not run.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from mlflow.protos import databricks_pb2, mlflow_artifacts_pb2, model_registry_pb2, service_pb2, webhooks_pb2

from fabriek.api.mlflow.endpoints import Verdict, rule_of
from fabriek.web.router import access_table

SERVICES = (
    (service_pb2, "MlflowService"), (model_registry_pb2, "ModelRegistryService"),
    (mlflow_artifacts_pb2, "MlflowArtifactsService"), (webhooks_pb2, "WebhookService"),
)  # fmt: skip
METHODS = frozenset({"get", "post", "put", "patch", "delete"})
ROUTERS = {"mcp_server_router": "/api/3.0/mlflow/mcp-servers"}
"""Of routers that are mounted below a prefix which is worked out when the server runs."""

Endpoint = tuple[str, str]
"""Method and path; what a path takes is written `{}`."""


@cache
def endpoints() -> list[Endpoint]:
    return sorted({*_described(), *_written()}, key=lambda one: (one[1], one[0]))


def _described() -> Iterator[Endpoint]:
    for module, name in SERVICES:
        for method in module.DESCRIPTOR.services_by_name[name].methods:
            for one in method.GetOptions().Extensions[databricks_pb2.rpc].endpoints:
                yield one.method, f"/api/{one.since.major}.0{plain(one.path)}"


def _written() -> Iterator[Endpoint]:
    spec = find_spec("mlflow")
    assert spec is not None
    assert spec.submodule_search_locations
    for file in sorted(Path(spec.submodule_search_locations[0], "server").rglob("*.py")):
        text = file.read_text()
        if not any(word in text for word in (".route(", "APIRouter(", "_get_ajax_path(")):
            continue
        tree: list[ast.AST] = [
            one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Call | ast.Tuple | ast.Assign)
        ]
        yield from _flask_routes(tree)
        yield from _table_rows(tree)
        yield from _fastapi_routes(tree)


def _flask_routes(tree: list[ast.AST]) -> Iterator[Endpoint]:
    """`@app.route(_add_static_prefix("/path"), methods=[...])`"""
    for call in _calls(tree, "route"):
        for path in _texts(call.args[:1]):
            for method in _methods(call) or ["GET"]:
                yield method, plain(path)


def _table_rows(tree: list[ast.AST]) -> Iterator[Endpoint]:
    """`(_get_ajax_path("/path", version=3), handler, ["GET"])`"""
    ways = {"_get_rest_path": ("api",), "_get_ajax_path": ("ajax-api",), "_get_paths": ("api", "ajax-api")}
    for row in (one for one in tree if isinstance(one, ast.Tuple) and len(one.elts) == 3):
        call, _, listed = row.elts
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ways:
            number = next((_constant(word.value) for word in call.keywords if word.arg == "version"), 2)
            for path in _texts(call.args[:1]):
                for side in ways[call.func.id]:
                    for method in _texts([listed]):
                        yield method, f"/{side}/{number}.0{plain(path)}"


def _fastapi_routes(tree: list[ast.AST]) -> Iterator[Endpoint]:
    """`router = APIRouter(prefix="/x")` and `@router.get("/path")`; a path that is worked out counts as all below the prefix."""
    prefixes = dict(ROUTERS)
    for one in tree:
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Call) and _named(one.value.func) == "APIRouter":
            told = next((word.value for word in one.value.keywords if word.arg == "prefix"), None)
            known = {"OTLP_TRACES_PATH": "/v1/traces"}
            prefix = (
                _constant(told) if told is not None and not isinstance(told, ast.Name) else known.get(_named(told), "")
            )
            for target in one.targets:
                prefixes.setdefault(_named(target), str(prefix))
    for word in METHODS:
        for call in _calls(tree, word):
            owner = call.func.value if isinstance(call.func, ast.Attribute) else None
            if _named(owner) in prefixes and call.args:
                written = list(_texts(call.args[:1])) or ["/{}"]
                yield word.upper(), prefixes[_named(owner)] + plain(written[0])


def _calls(tree: list[ast.AST], name: str) -> Iterator[ast.Call]:
    for one in tree:
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == name:
            yield one


def _methods(call: ast.Call) -> list[str]:
    return [text for word in call.keywords if word.arg == "methods" for text in _texts([word.value])]


def _texts(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        for one in ast.walk(node):
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                yield one.value


def _constant(node: ast.AST | None) -> object:
    return node.value if isinstance(node, ast.Constant) else ""


def _named(node: ast.AST | None) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}|<[^>]*>", "{}", path)


def spoken(app: FastAPI) -> frozenset[Endpoint]:
    """What the server routes for a project, without what it routes only to refuse it."""
    prefix = "/lab/{project}"
    return frozenset(
        (method, plain(path.removeprefix(prefix)))
        for method, path, _ in access_table(app.routes)
        if path.startswith(prefix) and "{rest:path}" not in path
    )


def verdicts(app: FastAPI) -> list[tuple[Endpoint, Verdict | None, str]]:
    """Each endpoint with what is said of it, and why; None where neither a route nor a rule says anything."""
    routed = spoken(app)
    found: list[tuple[Endpoint, Verdict | None, str]] = []
    for one in endpoints():
        rule = rule_of(one[1].replace("{}", "x"))
        if rule is not None and not (one in routed and rule.verdict is Verdict.NOT_OURS):
            found.append((one, rule.verdict, rule.reason))
        else:
            found.append((one, Verdict.DONE if one in routed else None, ""))
    return found


def page(app: FastAPI, head: str) -> str:
    """docs/reference/mlflow.md: what people wrote, up to the tables, and the tables."""
    text = head.partition("## Every endpoint")[0].rstrip() + "\n\n## Every endpoint\n\n"
    text += f"Of MLflow {version('mlflow-skinny')}, read from its package. What takes a name is written `{{}}`. *refused* answers 501 with "
    text += (
        "`NOT_IMPLEMENTED` and the reason (a stage: 400), *not ours* 404 with `ENDPOINT_NOT_FOUND` and the reason.\n"
    )
    said = verdicts(app)
    for verdict in Verdict:
        rows = [(endpoint, why) for endpoint, one, why in said if one is verdict]
        text += f"\n### {str(verdict).capitalize()} ({len(rows)})\n\n"
        text += (
            "| | endpoint |\n| --- | --- |\n"
            if verdict is Verdict.DONE
            else "| | endpoint | why |\n| --- | --- | --- |\n"
        )
        for (method, path), why in rows:
            text += f"| {method} | `{path}` |" + (f" {why} |\n" if why else "\n")
    return text

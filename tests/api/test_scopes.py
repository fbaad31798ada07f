"""Every scope against every route, from the access table: a token opens what its scope says, and widens nothing by itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from fabriek.access.login.scopes import SCOPES, WIDEST, kept_by
from fabriek.access.login.tokens import Wanted
from fabriek.access.roles import GLOBAL
from fabriek.api import app as api
from fabriek.kernel.callers import HIGH, Right
from fabriek.portal import app as portal
from fabriek.web.router import ANY_TOKEN, HOLDER, LOOKS, SIGNED_IN, Access, access_table
from tests.factories.services import Town
from tests.servers.app import serving

ACTS_OF_ANY_TOKEN = {
    "/api/v1/sign-out": "ends nothing but itself",
    "/api/v1/datasets/{dataset}/versions/{version}/grants": "the vault asks for the right to data in the project",
}
"""What no right stands for and a narrowed token may do all the same, with the reason."""

TELLS_NOTHING = ("/runs/search", "/api/whoami-v2")
"""Calls of dialects that answer without a look at anything: a search in no experiment, and who one is."""

ONLY_SAYS = {"grid", "meter"}
"""Scopes of programs that say what they know, and see nothing."""

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Place:
    town: Town
    slug: str
    client: httpx.Client
    table: list[tuple[str, str, Access | None]]
    tokens: dict[str, str]

    def ask(self, scope: str, method: str, path: str) -> httpx.Response:
        filled = re.sub(r"{project(:path)?}", self.slug, path)
        filled = re.sub(r"{\w+(:path)?}", "x", filled)
        return self.client.request(method, filled, headers={"Authorization": f"Bearer {self.tokens[scope]}"})


@pytest.fixture(scope="module")
def place(town: Town) -> Iterator[Place]:
    lead = town.person("weefsel", *(GLOBAL.keys() - {"auditor"}))
    slug = town.project(lead)
    lead, services = town.again(lead), town.services
    tokens = {scope: services.tokens.create(Wanted(scope, [scope]), by=lead)[1] for scope in SCOPES}
    tokens["project"] = services.tokens.create(Wanted("project", project=slug), by=lead)[1]
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield Place(town, slug, client, access_table(app.routes), tokens)


def held(scope: str) -> frozenset[str]:
    return WIDEST if scope == "project" else kept_by(frozenset({scope}))


def rule_of(answer: httpx.Response) -> str:
    """Of a refusal; empty for whatever is none of ours."""
    kind = answer.headers.get("content-type", "")
    return str(answer.json().get("rule", "")) if kind.startswith("application/problem+json") else ""


@pytest.mark.parametrize("scope", [*SCOPES, "project"])
def test_a_token_gets_not_permitted_at_each_route_whose_right_is_outside_its_scope(place: Place, scope: str) -> None:
    asked, wrong = 0, []
    for method, path, access in place.table:
        if method not in METHODS or not isinstance(access, Right):
            continue
        outside = access.name not in held(scope) or (scope == "project" and "{project}" not in path)
        if not outside:
            continue
        answer = place.ask(scope, method, path)
        asked += 1
        if scope == "project" and access.name in held(scope):  # held in the project, and the service asks where
            continue
        # The dialects' calls are judged by their verbs, once their bodies were read; some that POST only look.
        if path.startswith(("/lab/", "/hub/")):
            looks = "lab.view" in held(scope) and re.search("/(search|get|list|batch-get)", path)
            if answer.status_code < 400 and not looks and not path.endswith(TELLS_NOTHING):
                wrong.append(f"{method} {path}: {answer.status_code}")
            continue
        if answer.status_code != 403 or (rule_of(answer) not in {access.name, ""}):
            wrong.append(f"{method} {path} ({access}): {answer.status_code} {rule_of(answer)}")
    assert not wrong, "\n".join(wrong)
    assert asked > 50


@pytest.mark.parametrize("scope", SCOPES)
def test_only_a_token_for_the_lab_logs_to_it(place: Place, scope: str) -> None:
    headers = {"Authorization": f"Bearer {place.tokens[scope]}"}
    run = place.client.post(
        f"/lab/{place.slug}/api/2.0/mlflow/runs/create", json={"experiment_id": "0"},
        headers={"Authorization": f"Bearer {place.tokens['lab']}"},
    ).json()["run"]["info"]["run_id"]  # fmt: skip
    body = {"run_id": run, "key": "loss", "value": 1.0, "timestamp": 1, "step": 0}
    for _ in range(2):
        logged = place.client.post(f"/lab/{place.slug}/api/2.0/mlflow/runs/log-metric", json=body, headers=headers)
        assert logged.status_code == (200 if scope == "lab" else 403), logged.text


@pytest.mark.parametrize("scope", [*SCOPES, "project"])
def test_where_no_right_stands_for_an_act_a_narrowed_token_only_looks(place: Place, scope: str) -> None:
    asked, wrong = 0, []
    for method, path, access in place.table:
        if method in METHODS - LOOKS and access is SIGNED_IN:
            answer = place.ask(scope, method, path)
            asked += 1
            if answer.status_code != 403 or rule_of(answer) not in {"token.narrowed", "form.seal"}:
                wrong.append(f"{method} {path}: {answer.status_code} {rule_of(answer)}")
    assert not wrong, "\n".join(wrong)
    assert asked > 15


def test_what_any_token_may_do_is_a_short_list_with_reasons(place: Place) -> None:
    assert {path for method, path, access in place.table if access is ANY_TOKEN} == ACTS_OF_ANY_TOKEN.keys()


@pytest.mark.parametrize("scope", ["lab", "audit", "operations"])
def test_a_token_without_data_holds_no_grant_and_no_upload(place: Place, scope: str) -> None:
    paths = [
        (method, path)
        for method, path, access in place.table
        if access is HOLDER and re.match("/api/v1/(grants|uploads)", path)
    ]
    assert len(paths) > 10
    for method, path in paths:
        answer = place.ask(scope, method, path)
        assert (answer.status_code, rule_of(answer)) == (403, "token.narrowed"), f"{method} {path}"


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_is_not_stopped_at_the_door_of_what_its_scope_says(place: Place, scope: str) -> None:
    opened, wrong = 0, []
    for method, path, access in place.table:
        if (
            (method == "GET" or (method == "POST" and scope in ONLY_SAYS))
            and isinstance(access, Right)
            and access.name in held(scope)
            and not path.endswith("/events")
        ):
            answer = place.ask(scope, method, path)
            opened += 1
            if rule_of(answer) == access.name:
                wrong.append(f"{path}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    assert opened > 0


def test_no_scope_holds_what_could_be_used_to_get_more() -> None:
    more = HIGH | {
        "project.manage", "person.invite", "person.doors", "organisation.create", "data.manage", "vault.seal", "ops.backup",
        "funding.award", "application.review", "package.approve",
    }  # fmt: skip
    assert WIDEST & more == frozenset()


@pytest.mark.parametrize("one", SCOPES)
@pytest.mark.parametrize("other", SCOPES)
def test_two_scopes_open_what_both_say_and_nothing_beside(one: str, other: str) -> None:
    assert kept_by(frozenset({one, other})) == SCOPES[one].rights | SCOPES[other].rights


def test_a_scope_that_is_no_longer_known_opens_nothing() -> None:
    assert kept_by(frozenset({"of-an-older-release"})) == frozenset()

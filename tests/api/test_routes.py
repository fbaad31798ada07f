"""Every route of the server, taken from the access table: nobody comes in unasked, and what belongs to others reads like nothing."""

import base64
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from fabriek.access.login.tokens import Wanted
from fabriek.api import app as api
from fabriek.compute.requests import JobAsked
from fabriek.compute.serving.service import ServeAsked
from fabriek.kernel.callers import Caller
from fabriek.knowledge.catalogue.entries import Face, Reach
from fabriek.portal import app as portal
from fabriek.web.router import PUBLIC, Access, access_table
from fabriek.web.services import Services
from tests.factories.base_models import a_base_model
from tests.factories.packages import put_on_index
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.servers.app import serving

KNOWN_TO_ALL = {
    "name",
    "code",
    "question",
    "level",
    "place",
    "rest",
    "limit",
    "organisation",
    "person",
    "key",
    "dump",
    "alias",
    "contribution",
    "quarter",
    "link",
    "change",
    "charge",
    "share",
    "year",
    "lesson",
    "source",
}
"""Placeholders that name nobody's own thing: published, public, or the operator's. `organisation` and `person` have their own test."""

SERVED = "/serve/"
"""Below this is what holders of keys call."""

FOR_NODES = "/api/v1/jobs/{job}/secrets$"
"""What a job's own node gets, and no person at all."""

SAMPLES = {
    r"^(steps:)?(HUP|INT|TERM|CONT|USR1|USR2)$": "USR1",
    "date": "2027-01-01", "date-time": "2027-01-01T00:00:00Z", "base64": base64.b64encode(bytes(32)).decode(), "^[0-9a-f]{64}$": "0" * 64,
    "^ver_[0-9a-z]{1,26}$": "ver_1",
    "^obj_[0-9a-z]{1,26}$": "obj_1",
}  # fmt: skip


@dataclass
class Place:
    """A town with a project full of everything, and a neighbour who has a project too."""

    town: Town
    url: str
    app: Any
    owner: Caller
    neighbour: Caller
    client: httpx.Client
    things: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(self, token: str, method: str, path: str, ids: Mapping[str, str]) -> tuple[int, str]:
        """Status and body, with the ids that were asked for and the request's own id masked."""
        filled = re.sub(r"{(\w+)(:path)?}", lambda match: ids.get(match[1], "x"), path)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = None if method == "GET" else _fields_for(self.app, method, path, ids)
        answer = self.client.request(
            method, f"{self.url}{filled}", json=body, params=_query_for(path, ids), headers=headers
        )
        text = re.sub(r"req_[0-9a-z]+", "REQUEST", answer.text)
        for name, value in sorted(ids.items(), key=lambda one: -len(one[1])):
            text = text.replace(value, f"<{name}>")
        return answer.status_code, text


def _query_for(path: str, ids: Mapping[str, str]) -> dict[str, str | list[str]] | None:
    """What a path asks for behind its question mark."""
    run = ids.get("run", "")
    if "/mlflow" in path:
        return {"run_id": run, "path": f"0/{run}/artifacts"}
    return {"run": [run, ids.get("child", "")], "metric": "loss"} if re.search("/runs-|/compare$", path) else None


def _fields_for(app: Any, method: str, path: str, ids: Mapping[str, str]) -> Any:
    """The smallest body that the API's own description takes, so that the question reaches the service."""
    described = app.openapi()
    operation = described["paths"].get(path, {}).get(method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return _sample(content["schema"], described) if content else {"run_id": ids.get("run", ""), "key": "a", "value": 1}


def _sample(schema: Mapping[str, Any], described: Mapping[str, Any]) -> Any:  # noqa: PLR0911  # one kind of schema after another
    if "$ref" in schema:
        return _sample(described["components"]["schemas"][schema["$ref"].rpartition("/")[2]], described)
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0], described)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            wanted = schema.get("required", [])
            return {name: _sample(schema["properties"][name], described) for name in wanted}
        case "array":
            return [_sample(schema["items"], described)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return False
        case _:
            return _text(schema)


def _text(schema: Mapping[str, Any]) -> str:
    for pattern_or_format, sample in SAMPLES.items():
        if pattern_or_format in {schema.get("pattern"), schema.get("format")}:
            return sample
    return "x" * max(1, schema.get("minLength", 1))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    database = a_database(folder / "fabriek.db")
    town = a_town(database, folder / "home")
    owner, neighbour = town.person("hospital"), town.person("startup")
    project, other = town.project(owner), town.project(neighbour)
    owner, neighbour = town.again(owner), town.again(neighbour)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app) as url, httpx.Client(trust_env=False) as client:
        made = Place(town, url, app, owner, neighbour, client)
        made.things = _everything(town, project, owner) | {"other_project": other}
        for name, person in (("owner", owner), ("neighbour", neighbour)):
            made.tokens[name] = town.services.identity.issue_token(person.person, by=person)
        yield made
    database.close()


def _everything(town: Town, project: str, owner: Caller) -> dict[str, str]:
    """One of each thing that belongs to the project; placeholder → what it is called in a path."""
    services = town.services
    home = services.access.project(project)
    dataset = services.vault.create(project, "biopsies", label="personal", by=owner)
    upload = services.vault.open_upload(project, "biopsies", label="", by=owner)
    arrival = services.vault.arriving.begin(upload.id, "scan.tif", 5, by=owner)
    erasure, _ = services.vault.erasing.ask(dataset.id, "to see who may confirm it", by=owner)
    agreement = services.vault.agree(
        dataset.id, project=project, purposes=["civilian"], right="compute", until=date(2027, 6, 1), by=owner
    )
    run = services.lab.create_run(home.id, "0", name="x", person="", started_ms=0, tags={}, by=owner).run.id
    child = services.lab.create_run(home.id, "0", name="y", person="", started_ms=0, tags={}, by=owner).run.id
    group = services.grouping.make(home.id, "both", [run, child], by=owner)
    note = services.notes.write(home.id, run, "as it should be", by=owner)
    services.lab.update_run(home.id, run, status="FINISHED", ended_ms=1, name="", by=owner)
    empty: dict[str, str] = {}
    model = services.registry.log_model(home.id, "0", run, name="m", model_type="", tags=empty, params=empty, by=owner)
    services.keeping.put(home.id, f"0/models/{model.id}/artifacts/README.md", [b"# Tree"], by=owner)
    services.registry.register(home.id, "tree-of-theirs", by=owner)
    told = {"source": "", "run_id": run, "model_id": model.id, "description": "", "tags": empty}
    services.registry.add_version(home.id, "tree-of-theirs", by=owner, **told)  # type: ignore[arg-type]
    services.promoting.set_rule(home.id, "champion", by=owner)
    promotion = services.promoting.propose(home.id, "tree-of-theirs", "1", "champion", "to see who may agree", by=owner)
    served = services.serving.serve(
        project, ServeAsked("tree-of-theirs@1", kind="scoring"), JobAsked(("serve",)), by=owner
    )
    serving_key, _ = services.serving.create_key(project, served.name, budget="9 requests", days=9, by=owner)
    token, _ = services.tokens.create(Wanted("night-of-theirs"), by=owner)
    service = services.service_identities.create(project, "program-of-theirs", by=owner)
    services.strongbox.set(project, "TOKEN_OF_THEIRS", "a value", by=owner)
    job = services.compute.submit(project, JobAsked(("true",)), by=owner)
    array = services.compute.submit(project, JobAsked(("true",), array="0-1"), by=owner)
    pack = services.packing.pack(project, JobAsked(("true",)), by=owner)
    services.assurance.state_pack(services.packing.seal(project, pack.id, "0" * 64, by=owner))
    expert = town.person("centre", "expert")
    services.desk.offer("trees", by=expert)
    booking = services.desk.book(expert.person, project, 1, "help", by=owner)
    filed = services.intake.list(by=owner)[0]
    wanted = put_on_index(town, asked_by=owner, project=project)
    services.vault.set_terms("biopsies", "Be kind.", project=project, by=owner)
    lowering = services.vault.propose_lowering("biopsies", "internal", "made anonymous", project=project, by=owner)
    base = [
        a_base_model(services, home.id, name, by=owner, parts__notes_txt=b"theirs")
        for name in ("their-model", "their-house/their-model")
    ]
    student = services.access.person(town.person("hospital").person)
    listed = f"email,name\n{student.email},New\n"
    course, _ = services.teaching.create("Class of theirs", project, listed, 1, services.clock.today(), by=owner)
    asked = services.vault.request_access("biopsies", project=project, purpose="civilian", by=owner)
    sent = services.joining.inviting.to_project(project, "invited@theirs.example", by=owner)
    services.vault.create(project, "known-to-few", label="internal", by=owner)
    hidden = services.catalogue.publish(
        project, "dataset", "known-to-few", Face("Theirs", "Of theirs."), reach=Reach.PROJECT, by=owner
    )
    kept = services.saved_searches.save("search-of-theirs", "scans", {}, by=owner)
    (owed,) = services.duties.reporting.of_project(project, by=owner)
    return {
        "course": course.slug, "lowering": lowering.id, "invitation": sent.invitation.id, "access_request": asked.id, "release": "rel_1",
        "project": project, "dataset": dataset.id, "upload": upload.id, "agreement": agreement.id, "run": run, "model": model.id,
        "served": served.name, "serving_key": serving_key.id, "child": child, "group": group.id, "note": note.id,
        "job": job.id, "arrival": arrival.id,
        "booking": booking.id, **_at_the_desk(services, project, owner, expert),
        "array": array.array, "application": filed.id, "version": "1", "object_id": "obj_1", "grant": "grt_1",
        "secret": "TOKEN_OF_THEIRS", "token": token.name, "door": token.id, "service": service.person.name,
        "package_request": wanted.id, "filename": wanted.files[0],
        "card": hidden.id, "search": kept.search.name, "pack": pack.id, "duty": owed.id, "erasure": erasure.id,
        "registered": "tree-of-theirs", "which": "1", "number": "1", "promotion": promotion.id,
        "org": "their-house", "base_model": "their-model", "revision": base[0].commit, "model_file": "parts/notes.txt", "model_folder": "parts",
    }  # fmt: skip


def _at_the_desk(services: Services, project: str, owner: Caller, expert: Caller) -> dict[str, str]:
    case = services.casework.open("Theirs", "Of theirs.", project=project, by=owner)
    services.casework.write(case.id, "# Value\n\nTheirs.", by=owner)
    listing = services.matching.post("need", "Theirs.", skills=["statistics"], by=owner)
    services.matching.post("offer", "Of a third.", skills=["statistics"], by=expert)
    (found,) = services.matching.matches(by=owner)
    return {"case": case.id, "listing": listing.id, "match": found.match.id}


def routes(place: Place) -> list[tuple[str, str, Access]]:
    """Method, path and rule of each route, those that only answer for another left out."""
    found = [(method, path, rule) for method, path, rule in access_table(place.app.routes) if method != "HEAD"]
    assert len(found) > 120
    assert all(rule is not None for _, _, rule in found)
    return found  # type: ignore[return-value]  # None was ruled out


def placeholders(path: str) -> set[str]:
    return set(re.findall(r"{(\w+)", path))


def test_nobody_comes_in_without_a_token(place: Place) -> None:
    """No token, one that nobody has, and one for each kind of work that is not a person's."""
    services = place.town.services
    project = services.access.project(place.things["project"])
    ends = services.clock.now() + timedelta(hours=1)
    lab = services.job_secrets.issue("job_1", project.id, "lab", ends)
    asked = [(method, path, rule) for method, path, rule in routes(place) if rule is not PUBLIC]
    opened = [
        f"{method} {path} with {kind}: {status}"
        for method, path, _ in asked
        for kind, token in (("nothing", ""), ("a guess", secrets.token_urlsafe(32)), ("a lab token", lab))
        if (status := place.ask(token, method, path, place.things)[0]) != 401
    ]
    assert opened == []


def test_a_node_reaches_what_it_holds_and_nothing_else(place: Place) -> None:
    services = place.town.services
    project = services.access.project(place.things["project"])
    node = services.job_secrets.issue("job_1", project.id, "node", services.clock.now() + timedelta(hours=1))
    opened = [
        f"{method} {path}: {status}"
        for method, path, rule in routes(place)
        if rule is not PUBLIC and (status := place.ask(node, method, path, place.things)[0]) not in {401, 404}
    ]
    assert opened == []


def test_what_belongs_to_others_reads_like_what_is_not_there(place: Place) -> None:
    """Each route with the ids of somebody else's things, and with ids that nobody has: one answer, to the byte, and never a yes."""
    nothing = {name: _unlike(value) for name, value in place.things.items()}
    checked, told = 0, []
    for method, path, rule in routes(place):
        if rule is PUBLIC or not placeholders(path) - KNOWN_TO_ALL:
            continue
        theirs = place.ask(place.tokens["neighbour"], method, path, place.things)
        nobodys = place.ask(place.tokens["neighbour"], method, path, nothing)
        checked += 1
        # A served model is called with a key of its own, and no token says more than another.
        refused = {401} if path.startswith(SERVED) else {403, 404}
        if theirs != nobodys or theirs[0] not in refused:
            told.append(f"{method} {path}: {theirs} against {nobodys}")
    assert checked > 90
    assert told == []


def test_what_belongs_to_others_is_not_reached_through_ones_own_project(place: Place) -> None:
    """Ids swapped: the neighbour's own project in the path, the other's dataset, job, run, model and upload behind it."""
    through = place.things | {"project": place.things["other_project"]}
    nothing = {name: _unlike(value) for name, value in place.things.items()} | {"project": through["project"]}
    checked, told = 0, []
    for method, path, rule in routes(place):
        if rule is PUBLIC or "project" not in placeholders(path) or not placeholders(path) - KNOWN_TO_ALL - {"project"}:
            continue
        theirs = place.ask(place.tokens["neighbour"], method, path, through)
        nobodys = place.ask(place.tokens["neighbour"], method, path, nothing)
        checked += 1
        if theirs != nobodys or theirs[0] < 400:
            told.append(f"{method} {path}: {theirs} against {nobodys}")
    assert checked > 20
    assert told == []


def test_lists_hold_ones_own_alone(place: Place) -> None:
    """Every list and search without a project in its path: nothing of the other house, in body or count."""
    found = []
    for method, path, rule in routes(place):
        if method == "GET" and rule is not PUBLIC and not placeholders(path):
            status, text = place.ask(place.tokens["neighbour"], method, path, place.things)
            named = [name for name in place.things if name not in {"other_project", "version"} and f"<{name}>" in text]
            if status == 200 and named:
                found.append(f"{path}: {named}")
    assert found == []


def test_the_people_of_a_house_are_its_own(place: Place) -> None:
    status, _ = place.ask(place.tokens["neighbour"], "GET", "/api/v1/organisations/hospital/people", {})
    assert status == 403
    assert place.ask(place.tokens["owner"], "GET", "/api/v1/organisations/hospital/people", {})[0] == 200


def test_the_owner_is_served(place: Place) -> None:
    """The other side of the same coin: what is hidden from the neighbour is there for its owner."""
    missing = []
    for method, path, rule in routes(place):
        hidden = placeholders(path) - KNOWN_TO_ALL
        if (
            method == "GET"
            and rule is not PUBLIC
            and hidden
            and not hidden & {"grant", "version"}
            and "/mlflow" not in path
            and not path.startswith(SERVED)
        ):
            status, text = place.ask(place.tokens["owner"], method, path, place.things)
            if status not in {200, 303} and not re.search(
                rf"/statement|/metrics/|/parts/|/outcomes/|/review$|/open$|/certificate$|\{{rest:path\}}$|{FOR_NODES}",
                path,
            ):
                missing.append(f"{path}: {status} {text[:200]}")
    assert missing == []


def _unlike(value: str) -> str:
    """An id of the same make that nobody has."""
    kind, underscore, _ = value.partition("_")
    if underscore:
        return f"{kind}_{'0' * 26}"
    return "0" * len(value) if re.fullmatch(r"[0-9a-f]{32}", value) else f"no-such-{len(value)}"


def test_no_word_of_an_address_hides_a_project_or_an_organisation_of_that_name(place: Place) -> None:
    """One called `new` has its pages: beside a slug no route has a word of its own."""
    paths = {path for _, path, _ in routes(place)}
    for head, slug in (("/projects/", "{project}"), ("/organisations/", "{organisation}")):
        below = {path.partition(head)[2].split("/")[0] for path in paths if re.match(rf"(/api/v1)?{head}", path)}
        assert below == {slug}, head

"""Registered models, versions and aliases, through MLflow's released client."""

from typing import Any

import httpx
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.api.mlflow.conftest import Door, JobDoor


@pytest.fixture
def model(mlflow: MlflowClient, run: str) -> str:
    return str(mlflow.create_logged_model("0", name="tree", source_run_id=run).model_id)


def versioned(mlflow: MlflowClient, name: str, model: str, *, times: int = 1, **more: Any) -> None:
    mlflow.create_registered_model(name)
    for _ in range(times):
        mlflow.create_model_version(name, f"models:/{model}", model_id=model, **more)


def test_a_registered_model_is_made_changed_and_taken_away(mlflow: MlflowClient) -> None:
    mlflow.create_registered_model("tree", tags={"team": "a", "phase": "1"}, description="first")
    mlflow.update_registered_model("tree", "second")
    mlflow.set_registered_model_tag("tree", "team", "b")
    mlflow.delete_registered_model_tag("tree", "phase")
    mlflow.delete_registered_model_tag("tree", "absent")
    read = mlflow.get_registered_model("tree")
    assert (read.description, read.tags, read.latest_versions) == ("second", {"team": "b"}, [])
    with pytest.raises(MlflowException) as twice:
        mlflow.create_registered_model("tree")
    assert twice.value.error_code == "RESOURCE_ALREADY_EXISTS"
    mlflow.delete_registered_model("tree")
    with pytest.raises(MlflowException, match="Registered Model with name=tree not found") as gone:
        mlflow.get_registered_model("tree")
    assert gone.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_a_renamed_model_takes_its_versions_and_aliases_along(mlflow: MlflowClient, model: str) -> None:
    versioned(mlflow, "tree", model, times=2)
    mlflow.set_registered_model_alias("tree", "champion", "1")
    mlflow.create_registered_model("taken")
    mlflow.rename_registered_model("tree", "bush")
    assert str(mlflow.get_model_version_by_alias("bush", "champion").version) == "1"
    assert [str(one.version) for one in mlflow.search_model_versions("name = 'bush'")] == ["2", "1"]
    cannot = [
        ("bush", "taken", "RESOURCE_ALREADY_EXISTS"), ("tree", "x", "RESOURCE_DOES_NOT_EXIST"), ("bush", "a/b", "INVALID_PARAMETER_VALUE"),
    ]  # fmt: skip
    for name, new_name, word in cannot:
        with pytest.raises(MlflowException) as refused:
            mlflow.rename_registered_model(name, new_name)
        assert refused.value.error_code == word


def test_a_version_is_said_more_of_and_withdrawn(mlflow: MlflowClient, model: str, run: str) -> None:
    versioned(mlflow, "tree", model, times=2, description="first", tags={"a": "1"}, run_id=run, run_link="https://x/y")
    mlflow.update_model_version("tree", "1", "better")
    mlflow.set_model_version_tag("tree", "1", "b", "2")
    mlflow.delete_model_version_tag("tree", "1", "a")
    read = mlflow.get_model_version("tree", "1")
    assert (read.description, read.tags, read.run_id, read.status, read.current_stage) == ("better", {"b": "2"}, run, "READY", "None")  # fmt: skip
    assert (read.run_link, read.source) == ("https://x/y", f"models:/{model}")
    mlflow.set_registered_model_alias("tree", "champion", "2")
    mlflow.delete_model_version("tree", "2")
    with pytest.raises(MlflowException, match=r"Model Version \(name=tree, version=2\) not found"):
        mlflow.get_model_version("tree", "2")
    with pytest.raises(MlflowException, match=r"Registered model alias champion not found\.") as unaliased:
        mlflow.get_model_version_by_alias("tree", "champion")
    assert unaliased.value.error_code == "INVALID_PARAMETER_VALUE"
    assert str(mlflow.create_model_version("tree", f"models:/{model}", model_id=model).version) == "3"
    assert [str(one.version) for one in mlflow.search_model_versions("name = 'tree'")] == ["3", "1"]


def test_a_number_is_never_given_twice_not_even_when_its_model_was_deleted(mlflow: MlflowClient, model: str) -> None:
    """Statements and approvals name a version by its number: it must not come to mean another one."""
    versioned(mlflow, "tree", model, times=2)
    mlflow.delete_registered_model("tree")
    assert mlflow.search_model_versions("name = 'tree'") == []
    versioned(mlflow, "tree", model)
    assert [str(one.version) for one in mlflow.search_model_versions("name = 'tree'")] == ["3"]
    versioned(mlflow, "other", model)
    mlflow.delete_registered_model("tree")
    with pytest.raises(MlflowException) as refused:
        mlflow.rename_registered_model("other", "tree")
    assert refused.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_aliases_point_move_and_go(mlflow: MlflowClient, model: str) -> None:
    versioned(mlflow, "tree", model, times=2)
    mlflow.set_registered_model_alias("tree", "champion", "1")
    mlflow.set_registered_model_alias("tree", "champion", "2")
    mlflow.set_registered_model_alias("tree", "old", "1")
    assert mlflow.get_registered_model("tree").aliases == {"champion": "2", "old": "1"}
    assert mlflow.get_model_version("tree", "2").aliases == ["champion"]
    assert str(mlflow.get_model_version_by_alias("tree", "latest").version) == "2"
    mlflow.delete_registered_model_alias("tree", "old")
    mlflow.delete_registered_model_alias("tree", "old")
    assert mlflow.get_registered_model("tree").aliases == {"champion": "2"}


@pytest.mark.parametrize(
    ("alias", "version", "said"),
    [
        ("latest", "1", "'latest' alias name (case insensitive) is reserved."), ("V1", "1", "Version alias name 'V1' is reserved."),
        ("a b", "1", "Invalid alias name: 'a b'. Names may only contain alphanumerics, underscores (_), and dashes (-)."),
        ("champion", "99", "Model Version (name=tree, version=99) not found"), ("x" * 256, "1", "exceeds the maximum length of 255"),
        ("champion", "9" * 30, "not found"), ("champion", "one", "Parameter 'version' must be an integer, got 'one'."),
    ],
)  # fmt: skip
def test_an_alias_that_cannot_be_is_refused(
    mlflow: MlflowClient, model: str, alias: str, version: str, said: str
) -> None:
    versioned(mlflow, "tree", model)
    with pytest.raises(MlflowException) as refused:
        mlflow.set_registered_model_alias("tree", alias, version)
    assert said in refused.value.message
    assert mlflow.get_registered_model("tree").aliases == {}


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_stages_are_refused_with_what_does_the_same(mlflow: MlflowClient, model: str) -> None:
    versioned(mlflow, "tree", model)
    with pytest.raises(MlflowException, match="set_registered_model_alias") as refused:
        mlflow.transition_model_version_stage("tree", "1", "Production")
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert [str(one.version) for one in mlflow.get_latest_versions("tree")] == ["1"]
    assert mlflow.get_latest_versions("tree", ["Production"]) == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name = 'tree'", ["tree"]), ("name LIKE 'TR%'", []), ("name ILIKE 'TR%'", ["tree"]), ("tags.team = 'a'", ["bush", "tree"]),
        ("tags.team != 'a'", ["fern"]), ("tag.`team` LIKE 'b%'", ["fern"]), ("name LIKE '%e%' AND tags.team = 'a'", ["tree"]),
        ("name != 'tree'", ["bush", "fern", "moss"]), ("name IN ('fern', 'tree')", ["fern", "tree"]), ("name LIKE '_e_n'", ["fern"]),
        ("", ["bush", "fern", "moss", "tree"]),
    ],
)  # fmt: skip
def test_registered_models_are_found(mlflow: MlflowClient, condition: str, expected: list[str]) -> None:
    for name, team in (("tree", "a"), ("fern", "b"), ("moss", ""), ("bush", "a")):
        mlflow.create_registered_model(name, tags={"team": team} if team else {})
    assert [one.name for one in mlflow.search_registered_models(condition)] == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name = 'tree'", "321"), ("version_number > 1 AND name = 'tree'", "32"), ("run_id = '{run}'", "321"), ("run_id IN ('{run}', 'x')", "321"),
        ("source_path LIKE 'runs:%'", "3"), ("version_number = '2'", "2"), ("tags.kind = 'odd' AND version_number <= 2", "1"),
        ("run_id = 'x'", ""), ("tags.absent != 'x'", ""),
    ],
)  # fmt: skip
def test_versions_are_found(mlflow: MlflowClient, run: str, model: str, condition: str, expected: str) -> None:
    mlflow.create_registered_model("tree")
    for number in (1, 2):
        tags = {"kind": "odd" if number % 2 else "even"}
        mlflow.create_model_version("tree", f"models:/{model}", model_id=model, tags=tags)
    mlflow.create_model_version("tree", f"runs:/{run}/folder", run_id=run)
    assert "".join(str(one.version) for one in mlflow.search_model_versions(condition.format(run=run))) == expected


def test_what_is_found_comes_in_pages_and_in_order(mlflow: MlflowClient, model: str) -> None:
    for name in "abcde":
        versioned(mlflow, name, model)
    seen: dict[str, list[str]] = {}
    for kind, search in (("models", mlflow.search_registered_models), ("versions", mlflow.search_model_versions)):
        token = None
        while True:
            page = search(max_results=2, order_by=["name DESC"], page_token=token)
            seen.setdefault(kind, []).extend(one.name for one in page)
            assert len(page) <= 2
            token = page.token
            if not token:
                break
    assert seen == {"models": list("edcba"), "versions": list("edcba")}


def test_a_page_of_one_search_is_none_of_another(mlflow: MlflowClient, door: Door, model: str) -> None:
    for name in ("a", "b"):
        versioned(mlflow, name, model)
    token = mlflow.search_registered_models(max_results=1).token
    for search, more in ((mlflow.search_registered_models, {"filter_string": "name = 'a'"}), (mlflow.search_model_versions, {})):  # fmt: skip
        with pytest.raises(MlflowException) as refused:
            search(max_results=1, page_token=token, **more)
        assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


NO_FILTERS = [
    "nam = 'x'", "params.a = '1'", "name > 'a'", "name = 'a' OR name = 'b'", "name", "name IN ()", "name = x", "1=1; drop table lab_models",
    "name = 'a'; drop table lab_models", "name = '", "(" * 5_000, "name LIKE '" + "%a" * 5_000 + "'", "name = 'a' AND " * 200 + "name = 'a'",
    "tags.`a = '1'", "name = 'a' UNION SELECT 1",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["registered-models", "model-versions"])
def test_a_filter_that_is_none_is_refused(web: httpx.Client, kind: str) -> None:
    for condition in NO_FILTERS:
        answer = web.get(f"/{kind}/search", params={"filter": condition})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), condition[:100]


BAD: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "registered-models/create", {}, "Missing value for required parameter 'name'."),
    ("POST", "registered-models/create", {"name": 3}, "Invalid value 3 for parameter 'name' supplied:"),
    ("POST", "registered-models/create", {"name": ["a"]}, "Invalid value [\"a\"] for parameter 'name'"),
    ("POST", "registered-models/create", {"name": "a/b"}, "Invalid model name 'a/b'. Names cannot contain '/' or ':'."),
    ("POST", "registered-models/create", {"name": ".."}, "must not resolve to other names"),
    ("POST", "registered-models/create", {"name": "  "}, "Missing value for required parameter 'name'."),
    ("POST", "registered-models/create", {"name": "a\x00b"}, "control characters"),
    ("POST", "registered-models/create", {"name": "x" * 1_000_000}, "'name' exceeds the maximum length of 256 characters"),
    ("POST", "registered-models/create", {"name": "x", "description": "x" * 100_001}, "'description' exceeds the maximum length"),
    ("POST", "registered-models/create", {"name": "x", "tags": [{"key": "k" * 251, "value": ""}]}, "'key' exceeds the maximum length of 250"),
    ("POST", "registered-models/create", {"name": "x", "tags": [{"key": "k", "value": "v" * 100_001}]}, "'value' exceeds the maximum"),
    ("POST", "registered-models/create", {"name": "x", "tags": [{"key": "../up", "value": ""}]}, "must not resolve to other names"),
    ("POST", "registered-models/create", {"name": "x", "tags": [{"key": f"k{n}", "value": ""} for n in range(100_000)]}, "at most 1000 tags"),
    ("POST", "registered-models/create", {"name": "x", "tags": "y"}, "parameter 'tags"),
    ("POST", "registered-models/set-tag", {"name": "tree"}, "Missing value for required parameter 'key'."),
    ("POST", "registered-models/set-tag", {"name": "tree", "key": "k\x00"}, "Names may only contain alphanumerics"),
    ("POST", "model-versions/create", {"name": "tree"}, "Missing value for required parameter 'source'."),
    ("PATCH", "model-versions/update", {"name": "tree"}, "Missing value for required parameter 'version'."),
    ("PATCH", "model-versions/update", {"name": "tree", "version": {"a": 1}}, "Parameter 'version' must be an integer"),
    ("PATCH", "model-versions/update", {"name": "tree", "version": "9" * 5_000}, "Parameter 'version' must be an integer"),
    ("POST", "registered-models/get-latest-versions", {"name": "tree", "stages": ["Foo"]}, "Invalid Model Version stage: Foo."),
    ("POST", "logged-models", {"experiment_id": "0", "name": "a/b"}, "Invalid model name ('a/b') provided."),
    ("POST", "logged-models", {"experiment_id": "0", "name": "x" * 1_000_000}, "'name' exceeds the maximum length"),
    ("POST", "logged-models", {"experiment_id": "0", "params": [{"key": f"p{n}", "value": "1"} for n in range(2_001)]}, "at most 2000 parameters"),
    ("POST", "logged-models/search", {}, "Missing value for required parameter 'experiment_ids'."),
    ("POST", "logged-models/search", {"experiment_ids": ["x"]}, "Invalid experiment ID 'x'."),
    ("POST", "logged-models/search", {"experiment_ids": ["0"], "max_results": "many"}, "parameter 'max_results'"),
    ("POST", "logged-models/search", {"experiment_ids": ["0"], "order_by": ["name"]}, "`order_by` must be a list of dictionaries."),
    ("POST", "logged-models/search", {"experiment_ids": ["0"], "order_by": [{"field_name": "params.x"}]}, "Only metrics are supported."),
    ("POST", "logged-models/search", {"experiment_ids": ["0"], "datasets": [{}]}, "`dataset_name` in the `datasets` clause must be specified."),
    ("POST", "logged-models/search", {"experiment_ids": ["0"], "filter": "metrics.x > 'a'"}, "numeric"),
]  # fmt: skip


def test_what_cannot_be_is_refused_in_mlflows_words(mlflow: MlflowClient, web: httpx.Client) -> None:
    mlflow.create_registered_model("tree")
    for method, path, body, said in BAD:
        answer = web.request(method, f"/{path}", json=body)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), answer.text[:300]
        assert said in answer.json()["message"]
        assert len(answer.text) < 2_000, "a refusal does not send back what was too long"
    assert [one.name for one in mlflow.search_registered_models()] == ["tree"]


@pytest.mark.parametrize("path", ["registered-models/create", "model-versions/create", "logged-models", "logged-models/search"])  # fmt: skip
def test_json_that_is_nested_beyond_reason_is_refused(web: httpx.Client, path: str) -> None:
    for body in (b"[" * 100_000, b'{"name":' * 60 + b"1" + b"}" * 60, b'{"tags":[' + b"[" * 90_000):
        answer = web.post(f"/{path}", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_a_prompt_is_kept_as_the_client_keeps_it(mlflow: MlflowClient, door: Door, model: str) -> None:
    mlflow.register_prompt("greeting", "Say {{ word }}", commit_message="first", tags={"tone": "mild"})
    second = mlflow.register_prompt("greeting", "Shout {{ word }}")
    assert (second.version, second.template) == (2, "Shout {{ word }}")
    mlflow.set_prompt_alias("greeting", "live", 1)
    mlflow.set_prompt_version_tag("greeting", "1", "seen", "yes")
    assert mlflow.get_prompt_version("greeting", "1").template == "Say {{ word }}"
    assert mlflow.get_prompt_version_by_alias("greeting", "live").version == 1
    assert [one.name for one in mlflow.search_prompts()] == ["greeting"]
    assert [one.version for one in mlflow.search_prompt_versions("greeting")] == [2, 1]
    assert list(mlflow.search_registered_models()) == []
    assert list(mlflow.search_model_versions()) == []
    with pytest.raises(MlflowException, match="already taken by a prompt"):
        mlflow.create_registered_model("greeting")
    with pytest.raises(MlflowException, match="is registered as a prompt, not a model"):
        mlflow.create_model_version("greeting", f"models:/{model}", model_id=model)
    mlflow.delete_prompt_version("greeting", "1")
    mlflow.delete_prompt_version("greeting", "2")
    mlflow.delete_prompt("greeting")
    assert list(mlflow.search_prompts()) == []


def test_a_strangers_models_read_like_none(mlflow: MlflowClient, door: Door, model: str, environment: pytest.MonkeyPatch) -> None:  # fmt: skip
    versioned(mlflow, "tree", model)
    other = door.beside()
    environment.setenv("MLFLOW_TRACKING_TOKEN", other.token)
    stranger = MlflowClient(other.url, other.url)
    said = []
    for name, one in (("tree", model), ("none", f"m-{'0' * 32}")):
        for act in (
            lambda name=name: stranger.get_registered_model(name),
            lambda name=name: stranger.get_model_version(name, "1"),
            lambda name=name: stranger.delete_registered_model(name),
            lambda one=one: stranger.get_logged_model(one),
            lambda one=one: stranger.delete_logged_model(one),
            lambda one=one: stranger.set_logged_model_tags(one, {"a": "b"}),
        ):
            with pytest.raises(MlflowException) as refused:
                act()
            said.append(refused.value.message.replace(name, "NAME").replace(one, "MODEL"))
    assert said[:6] == said[6:]
    assert list(stranger.search_registered_models()) == list(stranger.search_model_versions()) == []


def test_a_job_registers_what_it_made_and_touches_nothing_else(
    mlflow: MlflowClient, job_door: JobDoor, model: str, environment: pytest.MonkeyPatch
) -> None:
    versioned(mlflow, "tree", model)
    environment.setenv("MLFLOW_TRACKING_TOKEN", job_door.token)
    job = MlflowClient(job_door.url, job_door.url)
    own = job.create_logged_model("0", name="mine")
    assert own.source_run_id == job_door.run
    made = job.create_model_version("tree", f"models:/{own.model_id}", model_id=own.model_id)
    job.set_registered_model_alias("tree", "candidate", str(made.version))
    assert [str(one.version) for one in job.search_model_versions("name = 'tree'")] == ["2"]
    for act in (
        lambda: job.get_model_version("tree", "1"),
        lambda: job.delete_model_version("tree", "1"),
        lambda: job.set_registered_model_alias("tree", "champion", "1"),
        lambda: job.create_model_version("tree", "models:/tree/1"),
        lambda: job.create_model_version("tree", f"models:/{model}", model_id=model),
        lambda: job.get_logged_model(model),
        lambda: job.delete_registered_model("tree"),
        lambda: job.rename_registered_model("tree", "bush"),
    ):
        with pytest.raises(MlflowException) as refused:
            act()
        assert refused.value.error_code in {"RESOURCE_DOES_NOT_EXIST", "PERMISSION_DENIED"}

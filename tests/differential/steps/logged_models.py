"""Logged models: made, finished, tagged, measured, searched and removed."""

from tests.differential.session import Step, client, raw

BEGAN = 1_740_000_000_000
ABSENT = "m-" + "0" * 32


def names(found: list) -> list:
    return [one.name for one in found]


NAMED = {"alpha", "beta", "gamma"}
"""Who has no name is given one, and each server has its own for it."""

FILTERS = [
    "name = 'alpha'", "name != 'alpha'", "name LIKE 'al%'", "name ILIKE 'AL%'", "attributes.name = 'alpha'", "attribute.model_type = 'tree'", "model_type = 'tree'",
    "status = 'READY'", "attributes.status = 'FAILED'", "status != 'READY'", "creation_timestamp > 0", "creation_time > 0", "last_updated_timestamp > 0",
    "creation_timestamp < 10", "tags.team = 'a'", "tags.team != 'a'", "tags.team LIKE 'a%'", "params.depth = '3'", "params.depth != '3'", "params.depth LIKE '3%'",
    "metrics.acc > 0.5", "metrics.acc < 0.5", "metrics.acc = 0.75", "metrics.absent > 0", "name = 'alpha' AND tags.team = 'a'", "source_run_id = '$trains'",
    "experiment_id = '1'", "model_id = '$alpha'", "name IN ('alpha', 'beta')", "name NOT IN ('alpha')", "name", "name = alpha", "name > 'a'", "absent = 'x'",
    "name = 'a' OR name = 'b'", "", "tags.team = 'a'; DROP TABLE x", "metrics.acc > 'x'", "1 = 1",
]  # fmt: skip
ORDERS = [
    [{"field_name": "name"}], [{"field_name": "name", "ascending": False}], [{"field_name": "creation_time", "ascending": True}],
    [{"field_name": "creation_timestamp"}], [{"field_name": "metrics.acc"}], [{"field_name": "metrics.acc", "ascending": False}], [{"field_name": "metrics.absent"}],
    [{"field_name": "attributes.name"}], [{"field_name": "params.depth"}], [{"field_name": "tags.team"}], [{"field_name": "absent"}], [{"field_name": "last_updated_timestamp"}],
    [{"field_name": "metrics.acc", "dataset_name": "wine"}], [{"field_name": "metrics.acc", "dataset_name": "wine", "dataset_digest": "d1"}], [{}],
    [{"ascending": True}], [{"field_name": "status"}], [{"field_name": "model_type"}],
]  # fmt: skip


def _order(order: list[dict]) -> Step:
    """Two models in the order that they come in; by an id that each server makes up, only which they are."""

    def two(found: list) -> list:
        seen = [one for one in names(found) if one in {"beta", "gamma"}]
        return sorted(seen) if order[0].get("field_name") == "model_id" else seen

    return client(
        f"models by {order}", "search_logged_models", ["$models"], "name != 'alpha'", order_by=order, show=two
    )


STEPS: list[Step] = [
    client("an experiment for models", "create_experiment", "models", keep="models"),
    client("a run that trains", "create_run", "$models", start_time=BEGAN, run_name="trains", keep="trains"),
    client("a model", "create_logged_model", "$models", "alpha", "$trains", {"team": "a"}, {"depth": "3"}, "tree", keep="alpha"),
    client("a second model", "create_logged_model", "$models", "beta", "$trains", {"team": "b"}, {"depth": "5"}, "net", keep="beta"),
    client("a model of no run", "create_logged_model", "$models", "gamma", keep="gamma"),
    client("a model of a name that is there", "create_logged_model", "$models", "alpha", keep="alpha_too"),
    client("a model without a name", "create_logged_model", "$models", keep="nameless", show=lambda model: bool(model.name)),
    client("a model of no experiment", "create_logged_model", "999999999999", "x"),
    client("an experiment beside it, for models that are refused here", "create_experiment", "models-beside", keep="models_beside"),
    client("a model of a run that is not there", "create_logged_model", "$models_beside", "x", "0" * 32, show=lambda model: model.name),
    client("a model with a bad name", "create_logged_model", "$models", "a/b"),
    client("a model with another bad name", "create_logged_model", "$models", "a:b"),
    client("a model with a blank name", "create_logged_model", "$models", "   "),
    raw("a model without an experiment", "POST", "logged-models", {"name": "x"}),
    raw("a model with a number for a name", "POST", "logged-models", {"experiment_id": "$models", "name": 3}),
    client("a model read", "get_logged_model", "$alpha"),
    raw("a model read, raw", "GET", "logged-models/$alpha"),
    client("a model that is not there", "get_logged_model", ABSENT),
    client("a model ready", "finalize_logged_model", "$alpha", "READY"),
    client("a model that failed", "finalize_logged_model", "$beta", "FAILED"),
    client("a model ready again", "finalize_logged_model", "$alpha", "READY"),
    client("a model finished that is not there", "finalize_logged_model", ABSENT, "READY"),
    raw("a model with a status that is none", "PATCH", "logged-models/$gamma", {"model_id": "$gamma", "status": "DONE"}),
    raw("a model with a status as a number", "PATCH", "logged-models/$gamma", {"model_id": "$gamma", "status": 2}),
    raw("a model without a status", "PATCH", "logged-models/$gamma", {"model_id": "$gamma"}),
    client("tags of a model", "set_logged_model_tags", "$alpha", {"note": "good", "depth": "deep"}),
    client("a tag of a model again", "set_logged_model_tags", "$alpha", {"note": "better"}),
    client("a tag of a model with a long key", "set_logged_model_tags", "$alpha", {"k" * 251: "x"}),
    client("a tag of a model with a long value", "set_logged_model_tags", "$alpha", {"long": "x" * 9000}),
    client("tags of a model that is not there", "set_logged_model_tags", ABSENT, {"a": "b"}),
    client("a tag of a model is taken away", "delete_logged_model_tag", "$alpha", "depth"),
    client("a tag of a model is taken away twice", "delete_logged_model_tag", "$alpha", "depth"),
    client("a tag is taken from a model that is not there", "delete_logged_model_tag", ABSENT, "a"),
    client("params of a model", "log_model_params", "$alpha", {"width": "7"}),
    client("a param of a model again", "log_model_params", "$alpha", {"width": "7"}),
    client("a param of a model with another value", "log_model_params", "$alpha", {"width": "8"}),
    client("a param of a model that is long", "log_model_params", "$alpha", {"long": "x" * 6001}),
    client("params of a model that is not there", "log_model_params", ABSENT, {"a": "b"}),
    client("a metric of a model", "log_metric", "$trains", "acc", 0.75, timestamp=BEGAN, step=1, model_id="$alpha", dataset_name="wine", dataset_digest="d1"),
    client("a metric of another model", "log_metric", "$trains", "acc", 0.25, timestamp=BEGAN, step=2, model_id="$beta"),
    client("a newer metric of a model", "log_metric", "$trains", "acc", 0.8, timestamp=BEGAN + 5, step=3, model_id="$alpha", dataset_name="wine", dataset_digest="d1"),
    client("a metric of a model that is not there", "log_metric", "$trains", "acc", 0.1, timestamp=BEGAN, step=4, model_id=ABSENT),
    raw("a batch with a metric of a model", "POST", "runs/log-batch", {"run_id": "$trains", "metrics": [{"key": "f1", "value": 0.5, "timestamp": BEGAN, "step": 1, "model_id": "$beta"}]}),
    client("a model with its metrics", "get_logged_model", "$alpha"),
    client("another model with its metrics", "get_logged_model", "$beta"),
    client("the run of models", "get_run", "$trains"),
    *(client(f"models where {text!r}", "search_logged_models", ["$models"], text, order_by=[{"field_name": "name"}], show=lambda found: sorted(one for one in names(found) if one in NAMED)) for text in FILTERS),
    *(_order(order) for order in ORDERS),
    client("models of a dataset", "search_logged_models", ["$models"], "metrics.acc > 0.5", [{"dataset_name": "wine"}], show=names),
    client("models of a dataset of a digest", "search_logged_models", ["$models"], "metrics.acc > 0.5", [{"dataset_name": "wine", "dataset_digest": "d2"}], show=names),
    client("models of no experiment", "search_logged_models", [], show=names),
    client("models of an experiment that is not there", "search_logged_models", ["999999999999"], show=names),
    client("a page of models", "search_logged_models", ["$models"], max_results=2, order_by=[{"field_name": "creation_time"}], keep="models_page", show=lambda found: (len(found), bool(found.token))),
    client("the page of models after it", "search_logged_models", ["$models"], max_results=2, order_by=[{"field_name": "creation_time"}], page_token="$models_page", show=lambda found: (len(found), bool(found.token))),
    client("a page token of models that is none", "search_logged_models", ["$models"], page_token="nonsense"),
    raw("models searched without a body", "POST", "logged-models/search", {}),
    client("a model is removed", "delete_logged_model", "$gamma"),
    client("a model is removed twice", "delete_logged_model", "$gamma"),
    client("a removed model is read", "get_logged_model", "$gamma"),
    client("a removed model is not found", "search_logged_models", ["$models"], "name = 'gamma'", show=names),
    client("a model is removed that is not there", "delete_logged_model", ABSENT),
    client("files of a model", "list_logged_model_artifacts", "$alpha"),
    raw("folders of a model", "GET", "logged-models/$alpha/artifacts/directories"),
]  # fmt: skip

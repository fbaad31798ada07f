"""Searching runs: the whole grammar of filters and orders, pages, views, and what is refused."""

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

from tests.differential.session import Step, World, act, client, raw

BEGAN = 1_740_000_000_000
RUNS = 12


def names(found: list) -> list:
    return [run.info.run_name for run in found]


def _fill(world: World) -> str:
    """Twelve runs that differ in everything that can be asked for."""
    for number in range(RUNS):
        tags = {"team": f"t{number % 3}", "mlflow.user": f"user{number % 2}", "mlflow.source.name": "train.py"} | (
            {"rare": "yes"} if number == 7 else {}
        )  # fmt: skip
        run = world.client.create_run(
            world.known["searched"], BEGAN + number * 1000, tags, f"run-{number:02d}"
        ).info.run_id
        world.known[f"s{number}"] = run
        metrics = [Metric("acc", (number * 5 % 12) / 10, BEGAN, 0), Metric("val loss", float(number), BEGAN, 0)]
        params = [
            Param("lr", str(10.0 ** -(number % 4))),
            Param("Model", "Net" if number % 2 else "tree"),
            Param("a.b-c", "dotted"),
        ]
        world.client.log_batch(
            run, metrics if number != 5 else [], params if number != 6 else [], [RunTag("batch", "it's")]
        )
        if number in {3, 4}:
            data = Dataset(f"data{number}", f"digest{number}", "local", "{}")
            world.client.log_inputs(
                run, [DatasetInput(data, [InputTag("mlflow.data.context", "training" if number == 3 else "eval")])]
            )
        if number % 4 == 1:
            world.client.set_terminated(run, "FAILED" if number == 9 else "FINISHED", BEGAN + number * 1000 + 500)
    for number, value in ((0, "nan"), (1, "inf"), (2, "-inf"), (3, "1")):
        world.client.log_metric(world.known[f"s{number}"], "odd", float(value), BEGAN, 0)
    world.client.delete_run(world.known["s11"])
    return world.known["s0"]


FILTERS = [
    # Metrics: every comparator, numbers in every form
    "metrics.acc > 0.5", "metrics.acc >= 0.5", "metrics.acc < 0.5", "metrics.acc <= 0.5", "metrics.acc = 0.5", "metrics.acc != 0.5",
    "metric.acc > .5", "metrics.acc > 5e-1", "metrics.acc > -1", "metrics.acc > 1", "metrics.`val loss` > 7", 'metrics."val loss" > 7',
    "metrics.absent > 0", "metrics.odd > 0", "metrics.odd < 0", "metrics.odd = 1", "metrics.odd != 1", "metrics.acc > '0.5'", "metrics.acc > high",
    "metrics.acc LIKE '0%'", "metrics.acc IN (0.5)", "metrics.acc > NaN", "metrics.acc > Infinity", "metrics.acc IS NULL", "metrics.acc > 1e400",
    # Params
    "params.lr = '0.1'", "params.lr != '0.1'", "params.lr LIKE '0.0%'", "params.lr ILIKE '0.0%'", "params.Model = 'Net'", "params.Model LIKE 'net'",
    "params.Model ILIKE 'net'", "params.model = 'Net'", "param.lr = '0.1'", "parameter.lr = '0.1'", "parameters.lr = '0.1'", 'params.lr = "0.1"',
    "params.`a.b-c` = 'dotted'", "params.a.b-c = 'dotted'", 'params."a.b-c" = \'dotted\'', "params.lr = 0.1", "params.lr > '0.1'", "params.lr < '1'",
    "params.lr IN ('0.1', '1.0')", "params.lr NOT IN ('0.1')", "params.absent = 'x'", "params.absent != 'x'", "params.lr IS NULL", "params.lr IS NOT NULL",
    "params.lr is null", "params.Model LIKE '%e%'", "params.Model LIKE '_et'", "params.Model LIKE '%'", "params.Model LIKE ''", "params.Model = `Net`",
    # Tags
    "tags.team = 't1'", "tags.team != 't1'", "tags.team LIKE 't%'", "tags.team ILIKE 'T1'", "tag.team = 't1'", "tags.`mlflow.source.name` = 'train.py'",
    "tags.mlflow.source.name = 'train.py'", "tags.rare = 'yes'", "tags.rare != 'yes'", "tags.rare IS NULL", "tags.rare IS NOT NULL", "tags.team IN ('t1', 't2')",
    "tags.batch = 'it''s'", "tags.batch = \"it's\"", "tags.batch LIKE 'it%'", "tags.`mlflow.runName` = 'run-03'", "tags.team = 't1' AND tags.rare = 'yes'",
    # Attributes
    "attributes.run_name = 'run-03'", "attribute.run_name = 'run-03'", "attr.run_name = 'run-03'", "run.run_name = 'run-03'", "run_name = 'run-03'",
    "run_name LIKE 'run-0%'", "run_name ILIKE 'RUN-0%'", "run_name != 'run-03'", "attributes.`run name` = 'run-03'", "attributes.`Run name` = 'run-03'",
    "run_name IN ('run-03', 'run-04')", "status = 'RUNNING'", "attributes.status = 'FINISHED'", "attributes.status != 'RUNNING'", "status LIKE 'F%'",
    "status = 'running'", "status = 'NONSENSE'", "status IN ('FAILED', 'FINISHED')", "attributes.start_time > 1740000005000", "start_time >= 1740000005000",
    "start_time = 1740000005000", "start_time != 1740000005000", "start_time < 1740000005000", "start_time <= 1740000005000", "attributes.created > 1740000005000",
    "attributes.Created > 1740000005000", "end_time > 0", "end_time = 1740000005500", "end_time < 1740000005000", "start_time > 1740000005000.5",
    "start_time > '1740000005000'", "start_time > '2025-02-19'", "start_time LIKE '17%'", "start_time IN (1740000005000)", "attributes.user_id = 'user1'",
    "user_id LIKE 'user%'", "attributes.artifact_uri LIKE 'mlflow%'", "attributes.lifecycle_stage = 'active'", "attributes.experiment_id = '1'",
    "run_id = '$s3'", "attributes.run_id IN ('$s3', '$s4')", "attributes.run_id NOT IN ('$s3', '$s4')", "run_id LIKE '%'", "run_id IN ('$s3',)", "run_id IN ()",
    "run_id IN ('$s3' '$s4')", "run_id IN $s3", "run_id IN (3)", "run_id IN ('a', 3)", "run_id != '$s3'", "attributes.absent = 'x'", "absent = 'x'",
    # Datasets
    "dataset.name = 'data3'", "datasets.name = 'data3'", "dataset.digest = 'digest4'", "dataset.context = 'training'", "dataset.name LIKE 'data%'",
    "dataset.name IN ('data3', 'data4')", "dataset.name NOT IN ('data3')", "dataset.name != 'data3'", "dataset.absent = 'x'", "dataset.name = data3",
    "dataset.context ILIKE 'TRAIN%'", "dataset.name > 'a'",
    # Joined, spaced, cased
    "metrics.acc > 0.2 and params.Model = 'Net'", "metrics.acc > 0.2 AND params.Model = 'Net' AND tags.team = 't1'", "metrics.acc>0.2 AND params.Model='Net'",
    "  metrics.acc   >   0.2  ", "metrics.acc > 0.2\nAND params.Model = 'Net'", "metrics.acc > 0.2 And metrics.acc < 0.8", "", "   ", "METRICS.acc > 0.2",
    "metrics.ACC > 0.2", "metrics.acc > 0.2 AND", "AND metrics.acc > 0.2", "metrics.acc > 0.2 AND AND metrics.acc < 0.8",
    # Wrong
    "metrics.acc > 0.2 OR params.Model = 'Net'", "NOT metrics.acc > 0.2", "(metrics.acc > 0.2)", "(metrics.acc > 0.2) AND (params.lr = '1')", "metrics.acc",
    "metrics.acc >", "> 0.5", "0.5 < metrics.acc", "metrics.acc 0.5", "metrics.acc == 0.5", "metrics.acc <> 0.5", "metrics.acc > 0.5; DROP TABLE runs",
    "metrics.acc > 0.5 -- x", "acc > 0.5", "models.acc > 0.5", "metrics. > 0.5", ".acc > 0.5", "metrics.acc > 0.5 metrics.acc < 0.8", "params.lr = '0.1",
    "params.lr = 0.1'", "params.lr = ''", "params.lr = 'x' 'y'", "params.'lr' = '0.1'", "'lr' = '0.1'", "1 = 1", "true", "params.lr = '1' UNION SELECT 1",
    "params.lr = NULL", "params.lr LIKE", "params.lr RLIKE '0'", "params.lr BETWEEN '0' AND '1'", "metrics.acc > 0.5,", "params.lr = \"it's\"",
    "params.lr = '\u00fc'", "params.`stra\u00dfe` = 'x'", "params.lr = '%'", "params.lr = '\\'", "params.lr = 'a' AND params.lr = 'b'",
]  # fmt: skip
ORDERS = [
    ["metrics.acc"], ["metrics.acc ASC"], ["metrics.acc DESC"], ["metrics.acc asc"], ["metrics.acc desc"], ["metrics.`val loss` DESC"], ["metrics.absent"],
    ["metrics.odd"], ["metrics.odd DESC"], ["params.lr"], ["params.lr DESC", "metrics.acc"], ["params.Model ASC", "run_name DESC"], ["params.absent DESC"],
    ["tags.team", "run_name"], ["tags.rare DESC"], ["tags.`mlflow.source.name`"], ["attributes.start_time"], ["attributes.start_time DESC"], ["start_time ASC"],
    ["start_time DESC"], ["attributes.end_time"], ["end_time DESC"], ["attributes.status"], ["status DESC", "start_time"], ["run_name"], ["attributes.run_name DESC"],
    ["attributes.`Run name` DESC"], ["created DESC"], ["attributes.Created"], ["run_id"], ["attributes.run_id DESC"], ["user_id", "run_name"],
    ["artifact_uri"], ["attributes.artifact_uri"], ["lifecycle_stage"], ["experiment_id"], ["absent"], ["attributes.absent"], ["metrics.acc SIDEWAYS"],
    ["metrics.acc DESC ASC"], ["metrics"], [""], ["models.acc"], ["metrics.acc; DROP TABLE runs"], ["metrics.acc", "metrics.acc"], ["metrics.acc DESC", "metrics.acc ASC"],
    ["dataset.name"], ["metrics.acc,params.lr"], ["1"], ["param.lr"], ["tag.team DESC"], ["metric.acc   DESC"], ["ASC"], ["run_name desc"], ["metrics.'acc'"],
    ["start_time", "start_time DESC"],
]  # fmt: skip


def _order(order: list[str]) -> Step:
    ids = {"run_id", "attributes.run_id DESC", "artifact_uri", "attributes.artifact_uri"}
    show = len if set(order) & ids else names
    return client(f"runs by {order}", "search_runs", ["$searched"], order_by=order, show=show)


STEPS: list[Step] = [
    client("an experiment to search", "create_experiment", "searched", keep="searched"),
    client("an experiment beside it", "create_experiment", "searched-too", keep="beside"),
    act("twelve runs", _fill),
    client("a run beside them", "create_run", "$beside", BEGAN + 500, {"team": "t1"}, "beside", keep="in_beside"),
    client("all of them", "search_runs", ["$searched"], show=names),
    client("one of them, whole", "search_runs", ["$searched"], "run_name = 'run-03'"),
    raw("one of them, whole and raw", "POST", "runs/search", {"experiment_ids": ["$searched"], "filter": "run_name = 'run-04'"}),
    *(client(f"runs where {text!r}", "search_runs", ["$searched"], text, show=names) for text in FILTERS),
    *(_order(order) for order in ORDERS),
    client("those that are deleted", "search_runs", ["$searched"], run_view_type=2, show=names),
    client("those and the others", "search_runs", ["$searched"], run_view_type=3, show=names),
    client("a filter among the deleted", "search_runs", ["$searched"], "tags.team = 't2'", run_view_type=2, show=names),
    client("in two experiments", "search_runs", ["$searched", "$beside"], "tags.team = 't1'", order_by=["start_time"], show=names),
    client("in no experiment", "search_runs", []),
    client("in an experiment that is not there", "search_runs", ["999999999999"], show=names),
    client("in one that is there and one that is not", "search_runs", ["$beside", "999999999999"], show=names),
    client("a page of five", "search_runs", ["$searched"], max_results=5, order_by=["run_name"], keep="five", show=names),
    client("the next five", "search_runs", ["$searched"], max_results=5, order_by=["run_name"], page_token="$five", keep="ten", show=names),
    client("the last", "search_runs", ["$searched"], max_results=5, order_by=["run_name"], page_token="$ten"),
    client("a page that ends with the last", "search_runs", ["$searched"], max_results=11, show=lambda found: bool(found.token)),
    client("a page by a metric that many lack", "search_runs", ["$searched"], max_results=6, order_by=["metrics.odd DESC"], keep="by_odd", show=names),
    client("the page after it by that metric", "search_runs", ["$searched"], max_results=6, order_by=["metrics.odd DESC"], page_token="$by_odd", show=names),
    client("a page token of runs that is none", "search_runs", ["$searched"], page_token="nonsense"),
    client("a page of no run", "search_runs", ["$searched"], max_results=0, show=names),
    raw("a page of fewer than no run", "POST", "runs/search", {"experiment_ids": ["$searched"], "max_results": -1}),
    raw("a page of 50,001 runs", "POST", "runs/search", {"experiment_ids": ["$searched"], "max_results": 50_001}),
    raw("a page of a word of runs", "POST", "runs/search", {"experiment_ids": ["$searched"], "max_results": "all"}),
    raw("experiments that are a word", "POST", "runs/search", {"experiment_ids": "$searched"}),
    raw("experiments that are numbers", "POST", "runs/search", {"experiment_ids": [1]}),
    raw("no experiments named", "POST", "runs/search", {}),
    raw("a filter of runs that is a number", "POST", "runs/search", {"experiment_ids": ["$searched"], "filter": 3}),
    raw("an order of runs that is a word", "POST", "runs/search", {"experiment_ids": ["$searched"], "order_by": "run_name"}),
    raw("a view of runs that is none", "POST", "runs/search", {"experiment_ids": ["$searched"], "run_view_type": "SOME"}),
    raw("a view of runs as a number", "POST", "runs/search", {"experiment_ids": ["$searched"], "run_view_type": 2}),
    raw("a field of a search that nobody knows", "POST", "runs/search", {"experiment_ids": ["$beside"], "colour": "blue"}),
]  # fmt: skip

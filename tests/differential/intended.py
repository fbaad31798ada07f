"""The differences that are meant, each with its reason. One that is not here fails a test; one that is here and no longer occurs does too."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """steps, fields: patterns as of a shell, of `noun: step` (`?` for a bracket) and of a path in the answer."""

    reason: str
    steps: Sequence[str]
    fields: Sequence[str] = ("*",)


INTENDED: Sequence[Difference] = (
    # How it is said
    Difference(
        "what a refusal says to people is in our words and names no table of a database; its code and its status are MLflow's",
        ["experiments: *", "runs: *", "metrics: *", "search: *", "inputs: *", "artifacts: *", "logged models: *", "registry: *", "doors: *"],
        ["message", "body.message"],
    ),
    Difference(
        "MLflow says its code a second time, in two more fields that its client does not read",
        ["experiments: *", "runs: *", "metrics: *", "search: *", "inputs: *", "artifacts: *", "logged models: *", "registry: *", "doors: *"],
        ["body.sqlstate", "body.error_class"],
    ),
    Difference(
        "an empty list or mapping is written out, where MLflow leaves the field away: its client reads both alike",
        ["runs: *", "search: *", "metrics: a chart of a metric that is not there", "artifacts: a list where nothing is, raw"],
        ["body.run.data.metrics", "body.run.data.params", "body.run.outputs", "body.runs", "body.runs?0?.data.*", "body.runs?0?.outputs", "body.metrics", "body.files"],
    ),
    Difference("an experiment is of a project here, and no workspace is named", ["experiments: read raw"], ["body.experiment.workspace"]),
    Difference("nothing is said of a file that was put, in JSON", ["artifacts: a file is put, raw"], ["body"]),
    Difference("the size of an empty file is 0, which MLflow leaves away", ["artifacts: what is kept"], ["*file_size"]),
    Difference("a version is plain text and not a page", ["doors: the version of MLflow"], ["body"]),
    Difference(
        "a path that is none is refused in MLflow's own form, which its client shows, and not as a page; a wrong method is no path either",
        ["doors: a path that is none*", "doors: a call by the wrong method", "doors: a read by the wrong method", "doors: a key twice in a body"],
        ["status", "body"],
    ),
    # Who did it
    Difference(
        "a run is that of whoever began it, where the script does not say: nobody is anonymous here",
        ["runs: a run that began before time", "runs: a run with a tag without a value"], ["body.run.info.user_id"],
    ),
    # Where MLflow's server breaks
    Difference(
        "MLflow answers 500 to what is only wrong input",
        ["runs: a batch with a metric that is a word", "runs: a batch that is no JSON", "runs: a batch that is a list", "metrics: a value that is a list",
         "doors: a body that is a text", "experiments: a deleted one is renamed", "search: runs by ?'metrics.acc', 'metrics.acc'?",
         "search: runs by ?'metrics.acc DESC', 'metrics.acc ASC'?", "search: runs by ?'start_time', 'start_time DESC'?"],
        ["status", "body", "refused"],
    ),
    Difference("MLflow passes on what its database says of a name that is taken", ["experiments: renamed to a name that is taken"], ["refused"]),
    # Where MLflow takes what is not what it seems
    Difference(
        "infinity stays infinity; MLflow keeps the largest number instead",
        ["metrics: the history of odd values*", "metrics: all last values"], ["items*.value", "body.metrics*.value", "texts"],
    ),
    Difference(
        "a number that is none, or is larger than 64 bits, is refused; MLflow keeps 0, or the nearest that fits, without a word",
        ["metrics: a step beyond 2^63", "metrics: a step far beyond 2^63", "metrics: a step that is a fraction", "metrics: a step that is true",
         "metrics: a time beyond 2^63", "metrics: nan in small letters", "metrics: inf as text", "metrics: a value that is true",
         "metrics: a batch with a value that is a word", "metrics: a history in pages of a word"],
        ["status", "body.*"],
    ),
    Difference("what was refused is not kept", ["metrics: all last values"], ["raw", "a"]),
    Difference(
        "a word for something else is refused; MLflow takes it for the first that there is",
        ["experiments: a view that is none", "search: a view of runs that is none", "runs: a run with tags that are none", "runs: a status of a number"],
        ["status", "body.*"],
    ),
    Difference("because that status was refused", ["runs: a change of nothing"], ["body.run_info.status"]),
    Difference(
        "a dataset that cannot be told from others is refused; MLflow keeps it without its name, digest or source",
        ["inputs: a dataset without a *", "inputs: a dataset with an empty name", "inputs: a dataset with a name of a number"],
        ["status", "body.*"],
    ),
    Difference(
        "a dataset of a run is as this run described it; MLflow keeps what the first run of the experiment said of it",
        ["inputs: what the other read", "inputs: what they read, searched"], ["*.dataset.schema", "*.dataset.profile"],
    ),
    Difference("because those datasets were refused", ["inputs: what it read and made"], ["inputs.dataset_inputs"]),
    Difference("params and tags are kept whole up to 65,536 characters; MLflow cuts them without a word", ["runs: after *"], ["data.params.longer", "data.tags.longer"]),
    Difference("a name with a NUL cannot be told from one without by every program", ["artifacts: a file is put with a name of a NUL"], ["status", "body"]),
    Difference("a path up is refused by any slash", ["artifacts: a file a way up by another slash"], ["status", "body.*"]),
    # What does not exist
    Difference(
        "what no experiment has for an id is not found, whatever it looks like",
        ["experiments: an id that is no number", "runs: a run of an experiment that is a word", "runs: a run with a number for an experiment"],
        ["status", "refused", "body.*"],
    ),
    Difference(
        "a run that is not there has no history: whoever asks for it is told so, and not that it has no points",
        ["metrics: the history of a run that is not there", "metrics: a chart of a run that is not there"], ["*"],
    ),
    Difference("a run that names no experiment is of the one that every project has", ["runs: a run without an experiment"], ["status", "body.*"]),
    # The grammar takes a little more, and never by accident
    Difference(
        "IN and NOT IN are of every text, <> is another spelling, dots need no quotes, every name of a field may be used everywhere, and nothing but blanks asks for nothing",
        ["search: runs where \"params.a.b-c = 'dotted'\"", 'search: runs where "params.lr IN*', 'search: runs where "params.lr NOT IN*', 'search: runs where "tags.team IN*',
         "search: runs where '   '", "search: runs where 'metrics.acc <> 0.5'", "search: runs by ?'attributes.`Run name` DESC'?",
         'experiments: experiments where "attributes.name*', 'experiments: experiments where "attr.name*', "experiments: experiments where '   '",
         "experiments: experiments by ?'tags.team'?"],
    ),
    Difference("one text where a list may stand is a list of one", ["search: experiments that are a word", "search: an order of runs that is a word"], ["status", "body.*"]),
    Difference("a body is JSON, whatever its type is called", ["doors: a body without a type"], ["status", "body.*"]),
    Difference(
        "what MLflow takes by accident of its parser is refused: AND that joins nothing, nothing that joins, names that are empty or quoted as values, a list with a hole",
        ["search: runs where 'metrics.acc > 0.2 AND'", "search: runs where 'AND metrics.acc > 0.2'", "search: runs where 'metrics.acc > 0.2 AND AND*",
         "search: runs where 'metrics. > 0.5'", "search: runs where 'metrics.acc > 0.5 metrics.acc < 0.8'", "search: runs where \"params.'lr'*",
         "search: runs by ?\"metrics.'acc'\"?", "search: runs where \"run_id IN ('$s3',)\"", "search: runs where \"run_id IN ('$s3' '$s4')\""],
    ),
    Difference("an order that names one field twice is a mistake", ["experiments: experiments by ?'name DESC', 'name ASC'?"]),
    Difference("points of a chart are as far apart as they can be; MLflow counts steps and adds the last", ["metrics: the points of a chart of two runs"], ["body.metrics*"]),
    Difference("because that file was refused", ["artifacts: the list of a run, raw"], ["body.files"]),
    # Models
    Difference(
        "an empty list or mapping is written out, of models too",
        ["logged models: a model read, raw", "logged models: a model with a status as a number", "logged models: folders of a model", "registry: *, raw"],
        ["body.model.data.*", "body.model.info.tags", "body.files", "body.registered_model.latest_versions", "body.registered_model.aliases",
         "body.model_version.aliases", "body.model_version.model_id"],
    ),
    Difference("a version is that of whoever made it", ["registry: *"], ["*user_id"]),
    Difference(
        "a model of a run that is not there has no label and no lineage: it is refused",
        ["logged models: a model of a run that is not there", "registry: a version of a run that is not there"],
    ),
    Difference("stages are refused: aliases have taken their place", ["registry: a version moves to a stage"]),
    Difference("where a version is is said of its files, and not as it was written", ["registry: where a version is"]),
    Difference("the number of a version is never given twice, not even after its model was removed", ["registry: numbers begin anew"], ["version"]),
    Difference(
        "names and values of models have limits: MLflow forgets them here, or leaves them to its database",
        ["logged models: a tag of a model with a long key", "registry: a registered name of 257 characters",
         "registry: a page of fewer than no registered model"],
    ),
    Difference("because those were refused", ["logged models: a model with its metrics"], ["tags.kkk*"]),
    Difference("a model has the newest of each of its metrics, as a run has", ["logged models: a model with its metrics", "logged models: models where 'metrics.acc = 0.75'"], ["metrics", ""]),
    Difference("the same value of a param again is no change", ["logged models: a param of a model again"]),
    Difference("a refusal of MLflow's database is one of ours", ["logged models: a param of a model with another value"], ["refused"]),
    Difference(
        "a point of a model that is not there is one of its run all the same",
        ["logged models: a metric of a model that is not there", "logged models: the run of models"], ["", "data.metrics.acc"],
    ),
    Difference("a status is found by its name; MLflow compares it with a number", ["logged models: models where ?status*"]),
    Difference("a dataset is found by its name alone; MLflow looks for one without a digest then", ["logged models: models of a dataset"]),
    Difference("a word for no status is refused", ["logged models: a model with a status that is none"], ["status", "body.*"]),
    Difference(
        "the grammar of models is that of runs: the same names, the same quotes, and numbers are numbers",
        ["logged models: models where ?attribute.model_type*", "logged models: models where 'name = alpha'", "registry: registered models where ?tags.team IN*"],
    ),
    Difference(
        "MLflow answers 500 to a question about models that is only wrong",
        ["logged models: models where ?absent*", "logged models: models where ?metrics.acc > 'x'?", "logged models: models where '1 = 1'",
         "logged models: a page token of models that is none", "registry: registered models by ?'name', 'name DESC'?"],
        ["status", "refused"],
    ),
    Difference("an order of nothing asks for nothing", ["registry: registered models by ?''?", "registry: versions by ?''?"]),
)  # fmt: skip

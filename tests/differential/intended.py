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
        ["experiments: *", "runs: *", "metrics: *", "search: *", "inputs: *", "artifacts: *", "doors: *", "registry: *", "logged models: *"],
        ["message", "body.message"],
    ),
    Difference(
        "MLflow says its code a second time, in two more fields that its client does not read",
        ["experiments: *", "runs: *", "metrics: *", "search: *", "inputs: *", "artifacts: *", "doors: *", "registry: *", "logged models: *"],
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
    # Models
    Difference(
        "an empty list is written out here as well, and a model is said with whom it is of",
        ["registry: *", "logged models: *"],
        ["*latest_versions", "*aliases", "*.data.metrics", "*.data.params", "*.info.tags", "*model_id", "*user_id", "body.files"],
    ),
    Difference(
        "a name has at most 256 characters, as MLflow's own tables say; a key of a logged model's tags 250, as everywhere",
        ["registry: a registered name of 257 characters", "logged models: a tag of a model with a long key"],
    ),
    Difference("because that tag was refused", ["logged models: a model with its metrics"], ["tags.kkk*"]),
    Difference(
        "what is of a run, is of a run that there is",
        ["registry: a version of a run that is not there", "logged models: a model of a run that is not there"],
    ),
    Difference(
        "because that version was refused",
        ["registry: a registered model with its aliases", "registry: registered models by ?'timestamp*", "registry: registered models by ?'last_updated*",
         "registry: versions where *", "registry: versions by *", "registry: the page of versions after it", "registry: a version after one was removed",
         "registry: its alias went with it"],
    ),
    Difference("because that model was refused; and one without a name is called model", ["logged models: models where *"]),
    Difference("a number is given once: what a deleted model's versions were called is never said of others", ["registry: numbers begin anew"], ["version"]),
    Difference("where a version is, is where its files are, and not what it was registered by", ["registry: where a version is"]),
    Difference(
        "the grammar of the lab is one: IN is of every text, no order is none, a text stands in quotes, and a status is a word",
        ["registry: registered models where \"tags.team IN ('a')\"", "registry: *s by ?''?",
         'logged models: models where "status*', "logged models: models where 'name = alpha'", 'logged models: models where "attribute.model_type*'],
    ),
    Difference(
        "MLflow answers 500 to what is only wrong input",
        ["registry: registered models by ?'name', 'name DESC'?", "logged models: models where \"absent = 'x'\"", "logged models: models where \"metrics.acc > 'x'\"",
         "logged models: models where '1 = 1'", "logged models: a page token of models that is none"],
    ),
    Difference("a page of fewer than none is refused", ["registry: a page of fewer than no registered model"]),
    Difference("a word that is no status is refused", ["logged models: a model with a status that is none"]),
    Difference(
        "a parameter of a model may be said again; another value is wrong input, and not a fault of the database",
        ["logged models: a param of a model again", "logged models: a param of a model with another value"],
    ),
    Difference(
        "of what a run measured of a model on one dataset the newest value is kept, and a metric of a model that is not there is the run's",
        ["logged models: a metric of a model that is not there", "logged models: a model with its metrics", "logged models: the run of models",
         "logged models: models where 'metrics.acc = 0.75'"],
    ),
    Difference("a dataset without a digest is any of that name; MLflow looks for one that has none", ["logged models: models of a dataset"]),
    Difference("because that file was refused", ["artifacts: the list of a run, raw"], ["body.files"]),
)  # fmt: skip

"""What is asked beside the nouns: who answers, what does not exist, bodies that are none."""

from tests.differential.session import Step, raw

JSON = {"Content-Type": "application/json"}

STEPS: list[Step] = [
    raw("the version of MLflow", "GET", "/version"),
    raw("whether it is well", "GET", "/health"),
    raw("a path that is none", "GET", "nothing/here"),
    raw("a path that is none, posted", "POST", "nothing/here", {}),
    raw("a call by the wrong method", "GET", "runs/create"),
    raw("a read by the wrong method", "POST", "runs/get", {"run_id": "x"}),
    raw("an empty body", "POST", "experiments/create", content=b"", headers=JSON),
    raw("a body that is no JSON", "POST", "experiments/create", content=b"{", headers=JSON),
    raw("a body that is null", "POST", "experiments/create", content=b"null", headers=JSON),
    raw("a body that is a text", "POST", "experiments/create", content=b'"name"', headers=JSON),
    raw("a body in another encoding", "POST", "experiments/create", content=b'{"name": "\xff\xfe"}', headers=JSON),
    raw("a body of another type", "POST", "experiments/create", content=b"name=x", headers={"Content-Type": "application/x-www-form-urlencoded"}),
    raw("a body without a type", "POST", "experiments/create", content=b'{"name": "typeless"}'),
    raw("a name with a NUL", "POST", "experiments/create", {"name": "a\x00b"}),
    raw("a name of half a letter", "POST", "experiments/create", content=b'{"name": "\\ud800"}', headers=JSON),
    raw("a key twice in a body", "POST", "experiments/get-by-name", content=b'{"experiment_name": "a", "experiment_name": "b"}', headers=JSON),
]  # fmt: skip

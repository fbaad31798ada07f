"""The catalogue of MLflow's endpoints: what this server does not speak, and why. What no rule here names is spoken, or unknown.

A test reads every endpoint of the pinned release from its own package, asks for a verdict on each, and writes docs/reference/mlflow.md.
A call of one that is not spoken is answered in MLflow's shape, with the reason: a script that fails says what to do instead.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """`REFUSED`: within what the lab is for, and left out on purpose. `NOT_OURS`: another product's task."""

    DONE = "done"
    REFUSED = "refused"
    NOT_OURS = "not ours"


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` is of a path below the tracking address. `message`: what a client reads, where it compares the words; else the reason."""

    pattern: re.Pattern[str]
    verdict: Verdict
    reason: str
    message: str = ""

    @property
    def status(self) -> int:
        """MLflow's own for the word: a client tries neither of them again."""
        return 501 if self.verdict is Verdict.REFUSED else 404

    @property
    def word(self) -> str:
        return "NOT_IMPLEMENTED" if self.verdict is Verdict.REFUSED else "ENDPOINT_NOT_FOUND"


def _refused(pattern: str, reason: str, message: str = "") -> Rule:
    return Rule(re.compile(pattern), Verdict.REFUSED, reason, message)


def _elsewhere(pattern: str, reason: str) -> Rule:
    return Rule(re.compile(pattern), Verdict.NOT_OURS, reason)


_API = r"/(?:ajax-)?api/[0-9]\.0"
_MULTIPART = "Multipart upload is not supported for the current artifact repository"
_PRESIGNED = "Presigned download is not supported for the current artifact repository"

RULES: tuple[Rule, ...] = (
    _refused(
        rf"{_API}/mlflow/model-versions/transition-stage", "stages are not kept: an alias says the same, for any word"
    ),
    _refused(
        rf"{_API}/mlflow/webhooks(?:/.*)?",
        "webhooks are off: the server sends nothing to addresses that a caller names; a job tells whom it should with `fabriek run --notify`",
    ),
    _refused(
        rf"{_API}/mlflow-artifacts/mpu/.*",
        "a file is sealed while it streams, in one piece of any size: the client falls back to that by itself",
        f"{_MULTIPART}: a file is sealed while it streams, in one piece of any size",
    ),
    _refused(
        rf"{_API}/mlflow-artifacts/presigned/.*",
        "what is sealed is opened by the server alone: the client falls back to a plain download by itself",
        f"{_PRESIGNED}: what is sealed is opened by the server alone",
    ),
    _refused(
        rf"{_API}/mlflow/artifacts/presigned-(?:upload|download)-url",
        "no address opens a sealed file to whoever holds it: files go through `mlflow-artifacts`",
    ),
    _elsewhere(
        rf"{_API}/mlflow/(?:traces|unified-traces|get-online-trace-details|get-trace-artifact)(?:/.*)?|/v1/traces",
        "traces of language models are not kept: prompts and answers stay with whoever asked",
    ),
    _elsewhere(
        rf"{_API}/mlflow/datasets(?:/.*)?", "evaluation datasets: data lies in the vault, with its label and its terms"
    ),
    _elsewhere(
        rf"{_API}/?mlflow/experiments/search-datasets", "a list for MLflow's own pages; a run says itself what it read"
    ),
    _elsewhere(
        rf"{_API}/mlflow/gateway(?:-proxy|/.*)|/gateway(?:/.*)?",
        "the gateway passes calls on to models elsewhere, and what is asked would leave the building with them",
    ),
    _elsewhere(rf"{_API}/mlflow/scorers?(?:/.*)?", "scorers: judges that are models elsewhere"),
    _elsewhere(rf"{_API}/mlflow/genai(?:/.*)?", "judges that are models elsewhere"),
    _elsewhere(rf"{_API}/mlflow/issues(?:/.*)?", "issues found in traces, which are not kept"),
    _elsewhere(
        rf"{_API}/mlflow/(?:label-schemas|review-queues)(?:/.*)?", "people's reviews of traces, which are not kept"
    ),
    _elsewhere(rf"{_API}/mlflow/prompt-optimization(?:/.*)?", "prompt optimisation calls models elsewhere"),
    _elsewhere(rf"{_API}/(?:mlflow/)?jobs(?:/.*)?", "MLflow's own work in the background: `fabriek job` has jobs"),
    _elsewhere(rf"{_API}/mlflow/mcp-servers(?:/.*)?|/mcp-servers(?:/.*)?", "a list of tools for assistants"),
    _elsewhere(rf"{_API}/mlflow/workspaces(?:/.*)?", "a project is the workspace, and the tracking address names it"),
    _elsewhere(rf"{_API}/mlflow/(?:assistant|demo)(?:/.*)?", "MLflow's own pages: the portal has ours"),
    _elsewhere(r"/ajax-api/3\.0/mlflow/ui-telemetry", "nothing is told to MLflow's makers"),
    _elsewhere(
        r"/ajax-api/.*|/graphql|/get-artifact|/model-versions/get-artifact|/static-files/.*|/|"
        r"/(?:api/3\.0/)?mlflow/assistant.*",
        "the side doors of MLflow's own pages: the portal has ours",
    ),
)


def rule_of(path: str) -> Rule | None:
    """What the catalogue says of a path; None of one that is spoken, or that MLflow does not have either."""
    return next((rule for rule in RULES if rule.pattern.fullmatch(path)), None)


def refusal(method: str, path: str) -> tuple[int, dict[str, str]]:
    """(status, body) for a call that no route takes."""
    rule = rule_of(path)
    if rule is None:
        said = f"{method} {path[:300]} is not part of what this server speaks"
        return 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": said}
    message = rule.message or f"{method} {path[:300]} is not spoken here: {rule.reason}"
    return rule.status, {"error_code": rule.word, "message": message}

"""Where a model version comes from: what a caller writes is read as a name of something that the lab keeps, and never opened as a place.

MLflow's server has had this wrong in many spellings (`file:`, `..`, `%2e`, fragments, backslashes). So nothing is unquoted, resolved or
normalised here: a source is one of four plain forms, character by character, or it is refused.
"""

import re
from dataclasses import dataclass

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.artifacts import PATH_CHARACTERS_MAX

_MODEL = re.compile(r"models:/(m-[0-9a-f]{32})/?")
_VERSION = re.compile(r"models:/([^/@]+)(?:/([0-9]{1,10}|latest)|@([\w\-]{1,255}))")
_RUN = re.compile(r"runs:/([0-9a-f]{32})((?:/[^/]+)*)/?")
_KEPT_OF_RUN = re.compile(r"mlflow-artifacts:/([0-9]{1,18})/([0-9a-f]{32})/artifacts((?:/[^/]+)*)/?")
_KEPT_OF_MODEL = re.compile(r"mlflow-artifacts:/([0-9]{1,18})/models/(m-[0-9a-f]{32})/artifacts/?")
_NEVER = re.compile(r"[%\\?#*\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Source:
    """What a source names: a logged model, another version (`name` with `number` or `alias`), or a folder of a run.

    `experiment` is what the caller says where the form has one: it must be the thing's own.
    """

    text: str
    model_id: str = ""
    name: str = ""
    number: str = ""
    alias: str = ""
    run: str = ""
    path: str = ""
    experiment: str = ""


def read_source(text: str) -> Source:
    """Raises InvalidInput on everything that is not one of the forms."""
    if len(text) > PATH_CHARACTERS_MAX or _NEVER.search(text) or any(part in {".", ".."} for part in text.split("/")):
        raise invalid(text)
    if found := _MODEL.fullmatch(text):
        return Source(text, model_id=found[1])
    if found := _KEPT_OF_MODEL.fullmatch(text):
        return Source(text, model_id=found[2], experiment=found[1])
    if found := _RUN.fullmatch(text):
        return Source(text, run=found[1], path=found[2].strip("/"))
    if found := _KEPT_OF_RUN.fullmatch(text):
        return Source(text, run=found[2], path=found[3].strip("/"), experiment=found[1])
    if found := _VERSION.fullmatch(text):
        return Source(text, name=found[1], number=found[2] or "", alias=found[3] or "")
    raise invalid(text)


def invalid(text: str) -> InvalidInput:
    return InvalidInput(
        f"Invalid model version source: '{text[:300]}'. It must be a model that a run of this project logged, artifacts below such a "
        "run, or another version: models:/MODEL_ID, runs:/RUN_ID/PATH, or models:/NAME/VERSION."
    )


def misnamed(text: str, field: str) -> InvalidInput:
    """In MLflow's words: what the source names is not what the other field names."""
    return InvalidInput(
        f"Invalid model version source: '{text[:300]}'. The {field} request parameter must identify the resource that contains the source."
    )

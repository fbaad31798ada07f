"""Models as things one can answer for, on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire

LATEST = "latest"
"""What names the newest version in an address: no alias may be called so."""


class ModelBriefOut(Wire):
    """`mark`: `data`, `unknown`, or `code` where opening one of its files runs something. `licence`: SPDX, or a name of its own. `aliases`:
    those of this version. `points`: every alias of the model, and its version.
    """

    name: str
    version: int
    aliases: list[str]
    points: dict[str, int]
    label: str
    mark: str
    licence: str
    run: str
    sha256: str
    created_at: datetime


class ModelFileOut(Wire):
    path: str
    bytes: int
    sha256: str
    format: str
    mark: str
    why: str


class ModelInputOut(Wire):
    """A version that the model's job was given, from what the factory knows; `content_hash` is empty for one that was removed since."""

    name: str
    version: int
    version_id: str
    label: str
    content_hash: str


class BaseModelReadOut(Wire):
    """A base model that the model's job read."""

    name: str
    commit: str
    sha256: str
    licence: str
    label: str


class ModelColumnOut(Wire):
    name: str
    kind: str
    required: bool


class ModelSignatureOut(Wire):
    inputs: list[ModelColumnOut]
    outputs: list[ModelColumnOut]
    params: list[ModelColumnOut]


class ModelCardOut(Wire):
    """`trouble`: why its front matter could not be read. `written_by` is empty for one that lies among the model's files."""

    text: str
    licence: str
    licence_link: str
    trouble: str
    written_by: str
    written_at: datetime | None


class ModelCardIn(Wire):
    text: Annotated[str, Field(min_length=1, max_length=100_000)]


class ModelLicenceIn(Wire):
    """`licence`: of SPDX, such as `Apache-2.0`, or `other` with a name."""

    licence: Annotated[str, Field(min_length=1, max_length=200)]
    name: Annotated[str, Field(max_length=200)] = ""
    link: Annotated[str, Field(max_length=500)] = ""


class CheckOut(Wire):
    asked: str
    found: str
    passed: bool


class PromotionOut(Wire):
    id: str
    model: str
    version: int
    alias: str
    outcome: str
    reason: str
    proposed_by: str
    proposed_by_name: str
    proposed_at: datetime
    decided_by: str
    decided_by_name: str
    decided_at: datetime | None
    words: str
    checks: list[CheckOut]


class PromotionIn(Wire):
    alias: Annotated[str, Field(min_length=1, max_length=255)]
    reason: Annotated[str, Field(min_length=1, max_length=2_000)]


class WordsIn(Wire):
    reason: Annotated[str, Field(min_length=1, max_length=2_000)]


class PromotionRuleIn(Wire):
    """`metrics`: such as `test_auc>=0.9`. `jobs`: names, of each of which one must have succeeded on the version: with
    `models:/NAME/N` in its command, or given what the model's own job left.
    """

    metrics: list[str] = Field(default_factory=list, max_length=20)
    jobs: list[str] = Field(default_factory=list, max_length=20)
    second_person: bool = True
    allows_code: bool = False


class PromotionRuleOut(Wire):
    alias: str
    metrics: list[str]
    jobs: list[str]
    second_person: bool
    allows_code: bool
    asks: str
    set_by_name: str
    set_at: datetime


class ModelOut(Wire):
    """Everything of one version. `intact`: its files are those that were registered. `withheld`: its label keeps metrics and card back.

    `metrics`: null where it is not a finite number.
    """

    name: str
    version: int
    aliases: list[str]
    label: str
    mark: str
    licence: str
    intact: bool
    run: str
    job: str
    sha256: str
    created_at: datetime
    registered_by_names: list[str]
    withheld: bool
    metrics: dict[str, float | None]
    inputs: list[ModelInputOut]
    base_models: list[BaseModelReadOut]
    signature: ModelSignatureOut | None
    files: list[ModelFileOut]
    promotions: list[PromotionOut]

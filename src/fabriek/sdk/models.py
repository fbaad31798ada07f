"""Models, for the client: what is known of a version, its card, its promotion, its passport."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.base import PageOut
from fabriek.schemas.models import (
    LATEST,
    ModelBriefOut,
    ModelCardOut,
    ModelOut,
    PromotionOut,
    PromotionRuleOut,
)
from fabriek.schemas.passport import PassportKeyOut
from fabriek.sdk.client import Client


def read_model(said: str) -> tuple[str, str]:
    """`NAME`, `NAME@3`, `NAME/3`, `NAME@alias` → (name, number, alias or `latest`). Raises InvalidInput."""
    found = re.fullmatch(
        r"([^/:@\x00-\x1f]+)|([^/:@\x00-\x1f][^/:\x00-\x1f]*)[@/]([\w\-]{1,255})", said.removeprefix("models:/")
    )
    if found is None:
        raise InvalidInput(f"{said[:80]!r} does not name a model", fix="write NAME, NAME@3 or NAME@ALIAS")
    return found[1] or found[2], found[3] or LATEST


class Models:
    """Registered models as things one can answer for. A model is named NAME, NAME@3 or NAME@ALIAS."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def newest(self, *, project: str = "") -> Sequence[ModelBriefOut]:
        """The newest version of each, by name."""
        return PageOut[ModelBriefOut].model_validate(self._client.get(self._path(project, "models/newest"))).items

    def show(self, model: str, *, project: str = "") -> ModelOut:
        return ModelOut.model_validate(self._client.get(self._version(project, model)))

    def card(self, model: str, *, project: str = "") -> ModelCardOut:
        """Raises NotFound where it has none."""
        return ModelCardOut.model_validate(self._client.get(f"{self._version(project, model)}/card"))

    def write_card(self, model: str, text: str, *, project: str = "") -> ModelCardOut:
        """Raises InvalidInput on front matter or a licence that is none."""
        body = {"text": text}
        return ModelCardOut.model_validate(self._client.put(f"{self._version(project, model)}/card", json=body))

    def write_licence(
        self, model: str, licence: str, *, name: str = "", link: str = "", project: str = ""
    ) -> ModelCardOut:
        """Of SPDX, or `other` with a name. Raises InvalidInput."""
        body = {"licence": licence, "name": name, "link": link}
        return ModelCardOut.model_validate(self._client.put(f"{self._version(project, model)}/licence", json=body))

    def promote(self, model: str, alias: str, reason: str, *, project: str = "") -> PromotionOut:
        """Proposes it. Raises NotPermitted naming what the rule asks for and does not hold."""
        body = {"alias": alias, "reason": reason}
        return PromotionOut.model_validate(self._client.post(f"{self._version(project, model)}/promotions", json=body))

    def promotions(self, model: str = "", *, project: str = "") -> Sequence[PromotionOut]:
        """Newest first."""
        params = {"model": model} if model else None
        return PageOut[PromotionOut].model_validate(self._client.get(self._path(project, "promotions"), params=params)).items  # fmt: skip

    def agree(self, promotion: str) -> PromotionOut:
        """As the second person."""
        return PromotionOut.model_validate(self._client.post(f"/api/v1/promotions/{quote(promotion, safe='')}/agree"))

    def refuse(self, promotion: str, reason: str) -> PromotionOut:
        path = f"/api/v1/promotions/{quote(promotion, safe='')}/refuse"
        return PromotionOut.model_validate(self._client.post(path, json={"reason": reason}))

    def rules(self, *, project: str = "") -> Sequence[PromotionRuleOut]:
        return PageOut[PromotionRuleOut].model_validate(self._client.get(self._path(project, "promotion-rules"))).items

    def set_rule(
        self, alias: str, *, metrics: Sequence[str] = (), jobs: Sequence[str] = (), second_person: bool = True,
        allows_code: bool = False, project: str = "",
    ) -> PromotionRuleOut:  # fmt: skip
        """For a lead of the project."""
        body = {
            "metrics": list(metrics),
            "jobs": list(jobs),
            "second_person": second_person,
            "allows_code": allows_code,
        }
        return PromotionRuleOut.model_validate(self._client.put(self._rule(project, alias), json=body))

    def remove_rule(self, alias: str, *, project: str = "") -> None:
        self._client.delete(self._rule(project, alias))

    def passport(self, model: str, *, project: str = "") -> tuple[str, bytes]:
        """(what the file is called, the page)."""
        name, which = read_model(model)
        page = self._client.get_bytes(f"{self._version(project, model)}/passport")
        found = re.search(rb"fabriek passport verify (passport-[A-Za-z0-9.-]+\.html) ", page)
        return found[1].decode() if found else f"passport-{re.sub(r'[^A-Za-z0-9]+', '-', f'{name}-{which}')}.html", page

    def passport_key(self) -> PassportKeyOut:
        """What passports of this installation are verified with. Give it to customers by another way than the passport."""
        return PassportKeyOut.model_validate(self._client.get("/api/v1/passport-key"))

    def _version(self, project: str, model: str) -> str:
        name, which = read_model(model)
        return self._path(project, f"models/{quote(name, safe='')}/versions/{quote(which, safe='')}")

    def _rule(self, project: str, alias: str) -> str:
        return self._path(project, f"promotion-rules/{quote(alias, safe='')}")

    def _path(self, project: str, rest: str) -> str:
        return f"/api/v1/projects/{self._client.the_project(project)}/{rest}"

"""The door to a factory: one object with a part per area."""

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fabriek.sdk.client import Client
from fabriek.sdk.environment import read_context

if TYPE_CHECKING:
    from fabriek.sdk.access import Access
    from fabriek.sdk.agreements import Agreements
    from fabriek.sdk.assurance import Assurance
    from fabriek.sdk.audit import Audit
    from fabriek.sdk.auditing import Auditing
    from fabriek.sdk.base_models import BaseModels
    from fabriek.sdk.cases import Cases
    from fabriek.sdk.catalogue import Catalogue
    from fabriek.sdk.classes import Classes
    from fabriek.sdk.compute import Compute
    from fabriek.sdk.desk import Desk
    from fabriek.sdk.duties import Duties
    from fabriek.sdk.erasing import Erasing
    from fabriek.sdk.exchange import Exchange
    from fabriek.sdk.foreign import Foreign
    from fabriek.sdk.funding import Funding
    from fabriek.sdk.guide import Guide
    from fabriek.sdk.harvest import Harvest
    from fabriek.sdk.joining import Joining
    from fabriek.sdk.keys import Keys
    from fabriek.sdk.lab import Lab
    from fabriek.sdk.matching import Matching
    from fabriek.sdk.models import Models
    from fabriek.sdk.packages import Packages
    from fabriek.sdk.packs import Packs
    from fabriek.sdk.recipes import Recipes
    from fabriek.sdk.reporting import Reporting
    from fabriek.sdk.reviewing import Reviewing
    from fabriek.sdk.secrets import Secrets
    from fabriek.sdk.service_identities import ServiceIdentities
    from fabriek.sdk.serving import Serving
    from fabriek.sdk.store import Store
    from fabriek.sdk.tokens import Tokens
    from fabriek.sdk.training import Training
    from fabriek.sdk.vault import Vault


class Fabriek:
    """A factory as one caller sees it.

    >>> factory = Fabriek("http://localhost:8470", token="…", project="playground")
    >>> factory.vault.push("measurements/", "biopsies")
    """

    def __init__(self, url: str, token: str = "", project: str = "") -> None:
        self.client = Client(url, token, project)

    @classmethod
    def from_environment(cls, *, project: str = "") -> "Fabriek":
        """From `FABRIEK_URL`, `FABRIEK_TOKEN`, `FABRIEK_PROJECT`, or the context file. Raises NotAuthenticated when neither says where."""
        context = read_context()
        return cls(context.url, context.token, project or context.project)

    def close(self) -> None:
        self.client.close()

    def __enter__(self) -> "Fabriek":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Parts are imported when first used: a command that lists jobs need not pay for the vault's cryptography.

    @cached_property
    def access(self) -> "Access":
        return self._part("access", "Access")  # type: ignore[no-any-return]

    @cached_property
    def reviewing(self) -> "Reviewing":
        return self._part("reviewing", "Reviewing")  # type: ignore[no-any-return]

    @cached_property
    def tokens(self) -> "Tokens":
        return self._part("tokens", "Tokens")  # type: ignore[no-any-return]

    @cached_property
    def guide(self) -> "Guide":
        return self._part("guide", "Guide")  # type: ignore[no-any-return]

    @cached_property
    def service_identities(self) -> "ServiceIdentities":
        return self._part("service_identities", "ServiceIdentities")  # type: ignore[no-any-return]

    @cached_property
    def classes(self) -> "Classes":
        return self._part("classes", "Classes")  # type: ignore[no-any-return]

    @cached_property
    def joining(self) -> "Joining":
        return self._part("joining", "Joining")  # type: ignore[no-any-return]

    @cached_property
    def funding(self) -> "Funding":
        return self._part("funding", "Funding")  # type: ignore[no-any-return]

    @cached_property
    def duties(self) -> "Duties":
        return self._part("duties", "Duties")  # type: ignore[no-any-return]

    @cached_property
    def auditing(self) -> "Auditing":
        return self._part("auditing", "Auditing")  # type: ignore[no-any-return]

    @cached_property
    def reporting(self) -> "Reporting":
        return self._part("reporting", "Reporting")  # type: ignore[no-any-return]

    @cached_property
    def foreign(self) -> "Foreign":
        return self._part("foreign", "Foreign")  # type: ignore[no-any-return]

    @cached_property
    def vault(self) -> "Vault":
        return self._part("vault", "Vault")  # type: ignore[no-any-return]

    @cached_property
    def exchange(self) -> "Exchange":
        return self._part("exchange", "Exchange")  # type: ignore[no-any-return]

    @cached_property
    def keys(self) -> "Keys":
        return self._part("keys", "Keys")  # type: ignore[no-any-return]

    @cached_property
    def erasing(self) -> "Erasing":
        return self._part("erasing", "Erasing")  # type: ignore[no-any-return]

    @cached_property
    def agreements(self) -> "Agreements":
        return self._part("agreements", "Agreements")  # type: ignore[no-any-return]

    @cached_property
    def store(self) -> "Store":
        return self._part("store", "Store")  # type: ignore[no-any-return]

    @cached_property
    def packages(self) -> "Packages":
        return self._part("packages", "Packages")  # type: ignore[no-any-return]

    @cached_property
    def jobs(self) -> "Compute":
        return self._part("compute", "Compute")  # type: ignore[no-any-return]

    @cached_property
    def secrets(self) -> "Secrets":
        return self._part("secrets", "Secrets")  # type: ignore[no-any-return]

    @cached_property
    def serving(self) -> "Serving":
        return self._part("serving", "Serving")  # type: ignore[no-any-return]

    @cached_property
    def packs(self) -> "Packs":
        return self._part("packs", "Packs")  # type: ignore[no-any-return]

    @cached_property
    def lab(self) -> "Lab":
        return self._part("lab", "Lab")  # type: ignore[no-any-return]

    @cached_property
    def models(self) -> "Models":
        return self._part("models", "Models")  # type: ignore[no-any-return]

    @property
    def base_models(self) -> "BaseModels":
        return self._part("base_models", "BaseModels")  # type: ignore[no-any-return]

    @cached_property
    def catalogue(self) -> "Catalogue":
        return self._part("catalogue", "Catalogue")  # type: ignore[no-any-return]

    @cached_property
    def cases(self) -> "Cases":
        return self._part("cases", "Cases")  # type: ignore[no-any-return]

    @cached_property
    def matching(self) -> "Matching":
        return self._part("matching", "Matching")  # type: ignore[no-any-return]

    @cached_property
    def training(self) -> "Training":
        return self._part("training", "Training")  # type: ignore[no-any-return]

    @cached_property
    def harvest(self) -> "Harvest":
        return self._part("harvest", "Harvest")  # type: ignore[no-any-return]

    @cached_property
    def recipes(self) -> "Recipes":
        return self._part("recipes", "Recipes")  # type: ignore[no-any-return]

    @cached_property
    def desk(self) -> "Desk":
        return self._part("desk", "Desk")  # type: ignore[no-any-return]

    @cached_property
    def assurance(self) -> "Assurance":
        return self._part("assurance", "Assurance")  # type: ignore[no-any-return]

    @cached_property
    def audit(self) -> "Audit":
        return self._part("audit", "Audit")  # type: ignore[no-any-return]

    def _part(self, module: str, name: str) -> Any:
        return getattr(import_module(f"fabriek.sdk.{module}"), name)(self.client)

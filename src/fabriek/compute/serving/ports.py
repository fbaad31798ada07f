"""What serving needs kept: served models and the keys to them."""

from collections.abc import Sequence
from typing import Protocol

from fabriek.compute.serving.keys import ServingKey
from fabriek.compute.serving.served import Served


class ServedModels(Protocol):
    """Storage of served models. Every change joins the transaction that is open."""

    def put(self, served: Served) -> None: ...

    def get(self, served_id: str) -> Served:
        """Raises NotFound."""

    def named(self, project: str, name: str) -> Served | None: ...

    def of_project(self, project: str) -> Sequence[Served]:
        """By name."""


class ServingKeys(Protocol):
    """Storage of their keys."""

    def put(self, key: ServingKey) -> None: ...

    def get(self, key_id: str) -> ServingKey:
        """Raises NotFound."""

    def hashed(self, hash_: str) -> ServingKey | None: ...

    def of_served(self, served: str) -> Sequence[ServingKey]:
        """Newest first."""

    def to_settle(self) -> Sequence[str]:
        """Ids of those that another project pays for and that have counted tokens since they were settled."""

    def holders(self) -> Sequence[tuple[str, str]]:
        """(project, person) of each key that was not ended, each pair once."""

    def of_holder(self, project: str, person: str) -> Sequence[ServingKey]:
        """Those that were not ended."""

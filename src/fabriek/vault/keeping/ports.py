"""What keeping keys needs: storage of holds, erasures, rotations, and of all that is wrapped under the master key."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from fabriek.kernel.signing import MasterKeys
from fabriek.vault.keeping.erasures import Erasure
from fabriek.vault.keeping.holds import Hold
from fabriek.vault.keeping.homes import OrganisationKeys
from fabriek.vault.keeping.rotations import Rotation, WrappedKey
from fabriek.vault.ports import Expiring


class Holds(Protocol):
    """Storage of legal holds. They are lifted, never deleted."""

    def add(self, hold: Hold) -> None: ...

    def of_dataset(self, dataset: str) -> Sequence[Hold]:
        """Oldest first, lifted ones too."""

    def standing_on(self, datasets: Collection[str]) -> frozenset[str]:
        """Those of the datasets on which one stands."""

    def save(self, hold: Hold) -> None: ...


class Erasures(Protocol):
    """Storage of erasures and their certificates."""

    def add(self, erasure: Erasure) -> None: ...

    def get(self, erasure_id: str) -> Erasure:
        """Raises NotFound."""

    def save(self, erasure: Erasure) -> None: ...

    def of_dataset(self, dataset: str) -> Erasure | None:
        """The one that was confirmed."""

    def to_sweep(self) -> Sequence[Erasure]:
        """Confirmed, and objects may be left."""


class Rotations(Protocol):
    """Storage of rotations."""

    def add(self, rotation: Rotation) -> None: ...

    def save(self, rotation: Rotation) -> None: ...

    def unfinished(self, what: str = "") -> Sequence[Rotation]:
        """Oldest first."""

    def newest(self, what: str) -> Rotation | None: ...


class UnderMaster(Protocol):
    """Whatever keeps keys that are wrapped under the master key."""

    def not_under(self, master: str) -> Sequence[WrappedKey]:
        """Those under another master key than this one, or the first of them. Empty: none is left."""

    def rewrap(self, key: WrappedKey, fresh: bytes) -> None:
        """Nothing where it was replaced meanwhile."""


class OrganisationKeyStore(UnderMaster, Protocol):
    """Storage of how organisations' own keys are asked. Each change is a new row."""

    def add(self, keys: OrganisationKeys) -> None: ...

    def newest(self, organisation: str) -> OrganisationKeys | None: ...

    def save(self, keys: OrganisationKeys) -> None:
        """Its withdrawal; nothing else of it ever changes."""


@dataclass(frozen=True, slots=True)
class KeyStores:
    """What the verbs of keeping keys stand on, beside the vault's own parts."""

    holds: Holds
    erasures: Erasures
    rotations: Rotations
    expiring: Expiring
    masters: MasterKeys
    under_master: Sequence[UnderMaster]

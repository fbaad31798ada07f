"""What one may do in the vault. The verbs stand in groups, each on the one before: holding, pushing, opening, addressing, sharing, naming,
asking, closing, lowering. Those of keys stand beside them: erasing, rotating; and those of files that others' clients send: arriving.
"""

from fabriek.vault.care.checking import Checking
from fabriek.vault.care.collecting import Collecting
from fabriek.vault.care.scrubbing import Scrubbing
from fabriek.vault.desk import Parts
from fabriek.vault.intake.arriving import Arriving
from fabriek.vault.intake.bringing import Bringing
from fabriek.vault.keeping.erasing import Erasing
from fabriek.vault.keeping.ports import KeyStores
from fabriek.vault.keeping.rotating import Rotating
from fabriek.vault.labelling.lowering import Lowering
from fabriek.vault.labelling.waiting import Waiting
from fabriek.vault.looking import Looking
from fabriek.vault.safe import Safe
from fabriek.vault.versions import Version


class Vault(Lowering):
    """The vault of one installation. `safe` seals for the dialects, `erasing` and `rotating` keep its keys, `arriving` takes files in plain,
    `bringing` code of ours, `collecting`, `checking` and `scrubbing` care for its store. `waiting` lists what waits for somebody's word,
    and `looking` tells what a version holds to who may take it away.
    """

    def __init__(self, parts: Parts, keeping: KeyStores, *, scrub_days: int = 0) -> None:
        super().__init__(parts)
        self.safe = Safe(parts)
        self.erasing = Erasing(parts, keeping)
        self.rotating = Rotating(parts, keeping)
        self.arriving = Arriving(parts, self, self.erasing)
        self.bringing = Bringing(parts, self, self.arriving)
        self.collecting = Collecting(parts, self.erasing)
        self.checking = Checking(parts)
        self.scrubbing = Scrubbing(parts, self.checking, days=scrub_days)
        self.waiting = Waiting(parts)
        self.looking = Looking(parts, self)

    def _check_free(self, version: Version) -> None:
        """A version that is held, or kept until a day, is not removed either."""
        self.erasing.check_removable(version.dataset)
        super()._check_free(version)

"""Care of the store, beside the worker's rounds since stores are slow: reading again what lies there, collecting, and telling of damage."""

import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from fabriek.adapters.mail import NotTaken
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.errors import NotFound, Unavailable
from fabriek.vault.care.damage import Damage
from fabriek.web.services import Services
from fabriek.worker.beside import Beside, tried
from fabriek.worker.rhythm import Rhythm

log = logging.getLogger("fabriek.worker")

LOOK_SECONDS = timedelta(minutes=10).total_seconds()
"""Between two looks at whether the pass is behind: so much at a time that opening a large manifest once is worth it."""


class Care:
    """Any number of workers may do this; each act is idempotent."""

    def __init__(self, services: Services) -> None:
        self._services, self.beside = services, Beside("care")
        self._looking = Rhythm(services.clock, LOOK_SECONDS)
        self._collecting = Rhythm(services.clock, timedelta(hours=services.settings.collect_hours).total_seconds())
        self._looking.due()  # a server that has just started has its jobs to look after

    def round(self) -> bool:
        """Begins what is due; whether anything was begun."""
        if not self.beside.is_free() or not self._looking.due():
            return False
        # The first collection is at the first look: a server that is started anew every day would never come to one otherwise.
        collects = self._services.settings.collect_hours > 0 and self._collecting.due()
        self.beside.begin(lambda: self._care(collects=collects))
        return True

    def scrub(self) -> None:
        while not self.beside.stop.is_set() and self._services.vault.scrubbing.go_on():
            continue

    def collect(self) -> None:
        listing = True
        while not self.beside.stop.is_set():
            found = self._services.vault.collecting.collect(listing=listing, by=SYSTEM)
            if found.doubted:
                log.error(
                    "%d objects in the store have no record, more than have one: is this its database? none was removed",
                    found.doubted,
                )
            if not found.more:
                return
            listing = False

    def tell(self) -> None:
        """Tells the owner and the operators of damage that nobody was told of, once for a dataset; by mail where there is a relay.

        Told is what one of them was, and what nobody's address will ever take: one that refuses must not have the others hear the same every
        ten minutes. Raises Unavailable for what is tried again.
        """
        services = self._services
        fresh = services.vault.checking.untold()
        later: Unavailable | None = None
        for dataset, found in groupby(sorted(fresh, key=lambda one: one.dataset), key=lambda one: one.dataset):
            those = list(found)
            log.error("%s is damaged in %d places: fabriek admin check", dataset, len(those))
            if services.relay.host and (waits := self._mail(dataset, those)):
                later = waits
                continue
            services.vault.checking.told(those)
        if later is not None:
            raise later

    def _care(self, *, collects: bool) -> None:
        tried("scrub", self.scrub)
        tried("tell of damage", self.tell)
        if collects and not tried("collect", self.collect):
            self._collecting.again()  # at the next look: a backup that was being taken refuses it, and is over long before a day is

    def _mail(self, dataset_id: str, those: Sequence[Damage]) -> NotTaken | None:
        """Ids and a link: names of data do not leave the house. Why it must be tried again, where nobody took it and somebody may later.

        Raises Unavailable when the relay is away, before anybody took it.
        """
        services = self._services
        dataset = services.vault.find(dataset_id, by=SYSTEM)
        called = hashlib.sha256("\n".join(sorted(f"{one.place}" for one in those)).encode()).hexdigest()[:26]
        base = services.settings.portal_url or f"http://localhost:{services.settings.port}"
        link = base
        owners: set[str] = set()
        try:
            project = services.access.project(dataset.project)
            link = f"{base}/projects/{project.slug}/datasets/{dataset.id}"
            people = [person for _, person in services.access.members(project.id, by=SYSTEM)]
            owners = {
                one.email for one in people if one.active and one.email and one.organisation == dataset.organisation
            }
        except NotFound:
            pass  # what the installation keeps for itself belongs to no project
        operators = {one.email for one in services.access.holders("vault.check") if one.email}
        text = (
            f"Stored data is damaged.\n\ndataset: {dataset_id}\nplaces: {len(those)}\nlink: {link}\n\n"
            "Its owner: fabriek data verify NAME names the files; push them again.\nAn operator: fabriek admin check.\n"
        )
        taken, later = 0, None
        for address in sorted(owners | operators):
            try:
                services.relay.send(address, "Stored data is damaged", text, name=f"dmg_{called}")
            except NotTaken as error:
                log.warning("a mail about damage in %s was not taken: %s", dataset_id, error.detail)
                later = later if error.for_good else error
            except Unavailable as error:
                if not taken:
                    raise
                log.warning("not everybody was told of damage in %s: %s", dataset_id, error.detail)
                break
            else:
                taken += 1
        return None if taken else later

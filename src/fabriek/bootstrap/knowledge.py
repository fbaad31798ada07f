"""The catalogue, what finds in it, and the desk."""

from typing import TypedDict

from fabriek.access.describing import Describing
from fabriek.access.reviewing.docket import Docket
from fabriek.access.service import Access
from fabriek.adapters.database import Database
from fabriek.adapters.outbound import Hosts
from fabriek.adapters.public_web import PublicWeb
from fabriek.audit.service import Audit
from fabriek.funding.service import Funding
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids
from fabriek.knowledge.catalogue.service import Catalogue
from fabriek.knowledge.catalogue.store import SqlEntries
from fabriek.knowledge.desk.service import Desk
from fabriek.knowledge.desk.store import SqlExperts, SqlQuestions
from fabriek.knowledge.exchange.telling import Telling
from fabriek.knowledge.harvest.service import Harvesting
from fabriek.knowledge.harvest.store import SqlHarvests, SqlSources
from fabriek.knowledge.offers.service import Offering
from fabriek.knowledge.search.finding import Finding
from fabriek.knowledge.search.store import index_of
from fabriek.lab.base_models.service import BaseModels
from fabriek.lab.registry.service import Registry
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.service import Vault


class KnowledgeServices(TypedDict):
    catalogue: Catalogue
    finding: Finding
    desk: Desk
    offering: Offering
    telling: Telling
    harvesting: Harvesting


def knowledge_of(
    database: Database, *, access: Access, funding: Funding, vault: Vault, registry: Registry, base_models: BaseModels, labels: Labels,
    docket: Docket, describing: Describing, audit: Audit, clock: Clock, ids: Ids, zone: str, harvest_hosts: str, base: str,
) -> KnowledgeServices:  # fmt: skip
    """Over one table of entries. harvest_hosts: the setting of that name. base: where people reach the portal."""

    def countries() -> frozenset[str]:
        return frozenset(country for call in docket.calls.all() for country in call.countries)

    entries = SqlEntries(database)
    catalogue = Catalogue(
        entries,
        access=access,
        vault=vault,
        registry=registry,
        base_models=base_models,
        labels=labels,
        audit=audit,
        clock=clock,
        ids=ids,
    )
    return {
        "catalogue": catalogue,
        "finding": Finding(index_of(database), access=access, clock=clock),
        "desk": Desk(
            SqlQuestions(database), SqlExperts(database), catalogue, access=access, funding=funding, audit=audit, clock=clock, ids=ids
        ),
        "offering": Offering(docket.office, countries, access=access, describing=describing, clock=clock, zone=zone),
        "harvesting": Harvesting(
            SqlSources(database), SqlHarvests(database), entries, PublicWeb(Hosts.read(harvest_hosts), says="harvest_hosts"), base=base,
            audit=audit, clock=clock, ids=ids,
        ),
        "telling": Telling(catalogue, vault.looking, access=access),
    }  # fmt: skip

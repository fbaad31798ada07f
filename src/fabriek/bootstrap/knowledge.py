"""The catalogue, what finds in it, and the desk."""

from typing import TypedDict

from fabriek.access.describing import Describing
from fabriek.access.reviewing.docket import Docket
from fabriek.access.service import Access
from fabriek.adapters.database import Database
from fabriek.audit.service import Audit
from fabriek.compute.store import SqlJobs
from fabriek.funding.service import Funding
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids
from fabriek.knowledge.catalogue.history import History
from fabriek.knowledge.catalogue.service import Catalogue
from fabriek.knowledge.catalogue.store import SqlEntries
from fabriek.knowledge.desk.service import Desk
from fabriek.knowledge.desk.store import SqlExperts, SqlQuestions
from fabriek.knowledge.meaning.encoder import encoder_here
from fabriek.knowledge.meaning.service import Meaning
from fabriek.knowledge.meaning.store import SqlMeanings
from fabriek.knowledge.offers.service import Offering
from fabriek.knowledge.saving.service import Saving
from fabriek.knowledge.saving.store import SqlSearches
from fabriek.knowledge.search.finding import Finding
from fabriek.knowledge.search.store import index_of
from fabriek.lab.registry.service import Registry
from fabriek.lab.store import SqlRuns
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.service import Vault


class KnowledgeServices(TypedDict):
    catalogue: Catalogue
    finding: Finding
    meaning: Meaning
    saving: Saving
    desk: Desk
    offering: Offering


def knowledge_of(
    database: Database, *, access: Access, funding: Funding, vault: Vault, registry: Registry, labels: Labels, docket: Docket, describing: Describing,
    audit: Audit, clock: Clock, ids: Ids, zone: str, by_meaning: bool,
) -> KnowledgeServices:  # fmt: skip
    """Over one table of entries. by_meaning: whether entries are read for their meaning, where there is what reads them."""

    def countries() -> frozenset[str]:
        return frozenset(country for call in docket.calls.all() for country in call.countries)

    entries = SqlEntries(database)
    history = History(
        entries, access=access, vault=vault, registry=registry, runs=SqlRuns(database), jobs=SqlJobs(database)
    )
    catalogue = Catalogue(
        entries,
        history,
        access=access,
        vault=vault,
        registry=registry,
        labels=labels,
        audit=audit,
        clock=clock,
        ids=ids,
    )
    meaning = Meaning(encoder_here() if by_meaning else None, SqlMeanings(database))
    finding = Finding(index_of(database), meaning, access=access, clock=clock)
    return {
        "catalogue": catalogue,
        "finding": finding,
        "saving": Saving(SqlSearches(database), finding, clock=clock, ids=ids),
        "meaning": meaning,
        "desk": Desk(
            SqlQuestions(database), SqlExperts(database), catalogue, access=access, funding=funding, audit=audit, clock=clock, ids=ids
        ),
        "offering": Offering(docket.office, countries, access=access, describing=describing, clock=clock, zone=zone),
    }  # fmt: skip

"""The catalogue, what finds in it, and the desk."""

from typing import TypedDict

from fabriek.access.describing import Describing
from fabriek.access.reviewing.docket import Docket
from fabriek.access.service import Access
from fabriek.adapters.database import Database
from fabriek.adapters.outbound import Hosts
from fabriek.adapters.public_web import PublicWeb
from fabriek.audit.service import Audit
from fabriek.compute.executors.environments import Environments
from fabriek.compute.machine import Machine
from fabriek.compute.planning import Planner
from fabriek.compute.service import Compute
from fabriek.compute.store import SqlJobs
from fabriek.funding.service import Funding
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.ids import Ids
from fabriek.knowledge.cases.service import Casework
from fabriek.knowledge.cases.store import SqlCases, SqlDocuments
from fabriek.knowledge.catalogue.history import History
from fabriek.knowledge.catalogue.service import Catalogue
from fabriek.knowledge.catalogue.store import SqlEntries
from fabriek.knowledge.desk.service import Desk
from fabriek.knowledge.desk.store import SqlExperts, SqlQuestions
from fabriek.knowledge.exchange.telling import Telling
from fabriek.knowledge.harvest.service import Harvesting
from fabriek.knowledge.harvest.store import SqlHarvests, SqlSources
from fabriek.knowledge.matching.service import Matching
from fabriek.knowledge.matching.store import SqlListings
from fabriek.knowledge.meaning.encoder import encoder_here
from fabriek.knowledge.meaning.service import Meaning
from fabriek.knowledge.meaning.store import SqlMeanings
from fabriek.knowledge.offers.service import Offering
from fabriek.knowledge.recipes.models import Models
from fabriek.knowledge.recipes.service import Recipes
from fabriek.knowledge.recipes.shelf import shipped_recipes
from fabriek.knowledge.saved_searches.service import SavedSearches
from fabriek.knowledge.saved_searches.store import SqlSearches
from fabriek.knowledge.search.finding import Finding
from fabriek.knowledge.search.store import index_of
from fabriek.knowledge.training.service import Training
from fabriek.knowledge.training.store import SqlCertificates, SqlLessons
from fabriek.lab.base_models.service import BaseModels
from fabriek.lab.registry.service import Registry
from fabriek.lab.service import Lab
from fabriek.lab.store import SqlRuns
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.service import Vault


class KnowledgeServices(TypedDict):
    catalogue: Catalogue
    finding: Finding
    meaning: Meaning
    saved_searches: SavedSearches
    desk: Desk
    offering: Offering
    casework: Casework
    matching: Matching
    telling: Telling
    harvesting: Harvesting
    recipes: Recipes


def knowledge_of(
    database: Database, *, access: Access, funding: Funding, vault: Vault, registry: Registry, base_models: BaseModels, labels: Labels,
    docket: Docket, describing: Describing, audit: Audit, clock: Clock, ids: Ids, zone: str, by_meaning: bool, harvest_hosts: str, base: str,
    compute: Compute, planner: Planner, lab: Lab, machine: Machine, environments: Environments,
) -> KnowledgeServices:  # fmt: skip
    """Over one table of entries. by_meaning: whether entries are read for their meaning, where there is what reads them. harvest_hosts: the
    setting of that name. base: where people reach the portal.
    """

    def countries() -> frozenset[str]:
        return frozenset(country for call in docket.calls.all() for country in call.countries)

    entries, asked, experts = SqlEntries(database), SqlQuestions(database), SqlExperts(database)
    history = History(
        entries, access=access, vault=vault, registry=registry, runs=SqlRuns(database), jobs=SqlJobs(database)
    )
    catalogue = Catalogue(
        entries, history, access=access, vault=vault, registry=registry, base_models=base_models, labels=labels, audit=audit, clock=clock, ids=ids
    )  # fmt: skip
    meaning = Meaning(encoder_here() if by_meaning else None, SqlMeanings(database))
    finding = Finding(index_of(database), meaning, access=access, clock=clock)
    return {
        "catalogue": catalogue,
        "finding": finding,
        "saved_searches": SavedSearches(SqlSearches(database), finding, clock=clock, ids=ids),
        "meaning": meaning,
        "desk": Desk(asked, experts, catalogue, access=access, funding=funding, audit=audit, clock=clock, ids=ids),
        "casework": Casework(
            SqlCases(database), SqlDocuments(database), asked, experts, office=docket.office, access=access, audit=audit, clock=clock, ids=ids
        ),
        "matching": Matching(SqlListings(database), access=access, audit=audit, clock=clock, ids=ids),
        "offering": Offering(docket.office, countries, access=access, describing=describing, clock=clock, zone=zone),
        "harvesting": Harvesting(
            SqlSources(database), SqlHarvests(database), entries, PublicWeb(Hosts.read(harvest_hosts), says="harvest_hosts"), base=base,
            audit=audit, clock=clock, ids=ids,
        ),
        "telling": Telling(catalogue, vault.looking),
        "recipes": Recipes(
            shipped_recipes(), compute=compute, planner=planner, lab=lab, models=Models(compute, registry, lab), vault=vault, access=access,
            machine=machine, clock=clock, installed=lambda: environments.installed,
        ),
    }  # fmt: skip


def training_of(database: Database, *, labels: Labels, audit: Audit, clock: Clock, ids: Ids) -> Training:
    """Raises InvalidInput where a label asks for a course that nobody teaches: its data could never be opened."""
    training = Training(SqlLessons(database), SqlCertificates(database), audit, clock, ids)
    asked = {course: name for name in reversed(labels.names) for course in labels.training(name)}
    if unknown := sorted(asked.keys() - training.courses().keys()):
        raise InvalidInput(
            f"the label {asked[unknown[0]]} asks for the course {unknown[0]!r}, which is none",
            fix=f"mend training in labels.toml: one of {', '.join(training.courses())}",
        )
    return training

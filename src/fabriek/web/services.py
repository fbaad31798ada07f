"""Everything that a request may need, in one frozen object that bootstrap fills."""

from dataclasses import dataclass

from fabriek.access.applying.intake import Intake
from fabriek.access.describing import Describing
from fabriek.access.joining.desk import Joining
from fabriek.access.login.accounts import Accounts
from fabriek.access.login.doors import OpenDoors
from fabriek.access.login.first import FirstSignIn
from fabriek.access.login.identity import Identity
from fabriek.access.login.job_secrets import JobSecrets
from fabriek.access.login.passkeys import Passkeys
from fabriek.access.login.provider_services import ByProvider
from fabriek.access.login.services import ServiceIdentities
from fabriek.access.login.throttle import Throttle
from fabriek.access.login.tokens import Tokens
from fabriek.access.reviewing.service import Reviewing
from fabriek.access.service import Access
from fabriek.adapters.database import Database
from fabriek.adapters.mail import Relay
from fabriek.adapters.outbound import Outbound
from fabriek.assurance.passport_service import Passports
from fabriek.assurance.service import Assurance
from fabriek.audit.service import Audit
from fabriek.compute.accounts.service import ClusterAccounts
from fabriek.compute.doors import Doors
from fabriek.compute.executors.contract import Executor
from fabriek.compute.forecasting.keeping import Foretelling
from fabriek.compute.forecasting.service import Forecasting
from fabriek.compute.logs import Logs
from fabriek.compute.notices.outbox import Outbox
from fabriek.compute.packs.packing import Packing
from fabriek.compute.planning import Planner
from fabriek.compute.powering.desk import GridDesk
from fabriek.compute.powering.guard import PowerGuard
from fabriek.compute.powering.recording import Recorder
from fabriek.compute.progress import Progress
from fabriek.compute.queue import Queueing
from fabriek.compute.reaching import Reaching
from fabriek.compute.receipts import Receipts
from fabriek.compute.releasing import Releasing
from fabriek.compute.secrets.strongbox import Strongbox
from fabriek.compute.service import Compute
from fabriek.compute.serving.admitting import Admitting
from fabriek.compute.serving.service import Serving
from fabriek.compute.simulator.service import Simulator
from fabriek.funding.auditing.service import Auditing
from fabriek.funding.awarding import Awarding
from fabriek.funding.classes.teaching import Teaching
from fabriek.funding.correcting.service import Correcting
from fabriek.funding.duties.service import Duties
from fabriek.funding.elsewhere.bridge import Bridge
from fabriek.funding.exporting.service import Exporting
from fabriek.funding.giving.service import Giving
from fabriek.funding.giving.standing import Standings
from fabriek.funding.metering.service import Metering
from fabriek.funding.policy.book import PolicyBook
from fabriek.funding.policy.capping import Capping
from fabriek.funding.policy.changing import Changing
from fabriek.funding.reporting.service import Reporting
from fabriek.funding.service import Funding
from fabriek.funding.spending.billing import Billing
from fabriek.funding.spending.ending import Ending
from fabriek.funding.spending.running_out import RunningOut
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids
from fabriek.kernel.pages import Cursors
from fabriek.knowledge.cases.service import Casework
from fabriek.knowledge.catalogue.service import Catalogue
from fabriek.knowledge.desk.service import Desk
from fabriek.knowledge.exchange.telling import Telling
from fabriek.knowledge.harvest.service import Harvesting
from fabriek.knowledge.matching.service import Matching
from fabriek.knowledge.meaning.service import Meaning
from fabriek.knowledge.offers.service import Offering
from fabriek.knowledge.recipes.service import Recipes
from fabriek.knowledge.saved_searches.service import SavedSearches
from fabriek.knowledge.search.finding import Finding
from fabriek.knowledge.training.service import Training
from fabriek.lab.adopting import Adopting
from fabriek.lab.appending import Appending
from fabriek.lab.base_models.service import BaseModels
from fabriek.lab.comparing import Comparing
from fabriek.lab.grouping import Grouping
from fabriek.lab.keeping import Keeping
from fabriek.lab.links import Linking
from fabriek.lab.live import Live
from fabriek.lab.notes import Notes
from fabriek.lab.registry.facts import Facts
from fabriek.lab.registry.promoting import Promoting
from fabriek.lab.registry.service import Registry
from fabriek.lab.service import Lab
from fabriek.packages.service import Packages
from fabriek.settings import Settings
from fabriek.vault.keeping.own_keys import OwnKeys
from fabriek.vault.keeping.seals import Seal
from fabriek.vault.service import Vault
from fabriek.web.store import SqlAnswers


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one installation, the same for the API, the portal and the worker."""

    settings: Settings
    clock: Clock
    ids: Ids
    database: Database
    cursors: Cursors
    answers: SqlAnswers
    audit: Audit
    access: Access
    identity: Identity
    job_secrets: JobSecrets
    first_sign_in: FirstSignIn
    tokens: Tokens
    open_doors: OpenDoors
    service_identities: ServiceIdentities
    by_provider: ByProvider
    accounts: Accounts
    passkeys: Passkeys
    throttle: Throttle
    joining: Joining
    intake: Intake
    reviewing: Reviewing
    describing: Describing
    policy: PolicyBook
    capping: Capping
    changing: Changing
    giving: Giving
    standings: Standings
    exporting: Exporting
    auditing: Auditing
    awarding: Awarding
    correcting: Correcting
    billing: Billing
    funding: Funding
    bridge: Bridge
    ending: Ending
    running_out: RunningOut
    metering: Metering
    duties: Duties
    reporting: Reporting
    teaching: Teaching
    vault: Vault
    own_keys: OwnKeys
    seal: Seal
    packages: Packages
    lab: Lab
    adopting: Adopting
    appending: Appending
    registry: Registry
    facts: Facts
    promoting: Promoting
    keeping: Keeping
    base_models: BaseModels
    comparing: Comparing
    grouping: Grouping
    notes: Notes
    linking: Linking
    live: Live
    compute: Compute
    releasing: Releasing
    receipts: Receipts
    cluster_accounts: ClusterAccounts
    progress: Progress
    power_guard: PowerGuard
    grid_desk: GridDesk
    power_record: Recorder
    planner: Planner
    queueing: Queueing
    forecasting: Forecasting
    foretelling: Foretelling
    packing: Packing
    logs: Logs
    reaching: Reaching
    doors: Doors
    strongbox: Strongbox
    outbox: Outbox
    relay: Relay
    outbound: Outbound
    simulator: Simulator
    executor: Executor
    assurance: Assurance
    passports: Passports
    catalogue: Catalogue
    finding: Finding
    meaning: Meaning
    saved_searches: SavedSearches
    desk: Desk
    offering: Offering
    casework: Casework
    matching: Matching
    training: Training
    telling: Telling
    harvesting: Harvesting
    recipes: Recipes
    serving: Serving
    admitting: Admitting

"""Money: who gives, under which policy, what is awarded and spent."""

from dataclasses import replace
from typing import TypedDict
from zoneinfo import ZoneInfo

from fabriek.access.applying.intake import Intake
from fabriek.access.describing import Describing
from fabriek.access.ports import Organisations
from fabriek.access.roles import rights_of
from fabriek.access.service import Access
from fabriek.access.store_descriptions import SqlDescriptions
from fabriek.adapters.database import Database
from fabriek.audit.service import Audit
from fabriek.bootstrap.machinery import rates_for
from fabriek.bootstrap.spending import running_out_services
from fabriek.funding.auditing.service import Auditing
from fabriek.funding.auditing.store import SqlAuditorLinks
from fabriek.funding.awarding import Awarding
from fabriek.funding.correcting.service import Correcting
from fabriek.funding.correcting.store import SqlCorrections
from fabriek.funding.elsewhere.bridge import Bridge
from fabriek.funding.elsewhere.store import SqlDumps, SqlForeignJobs
from fabriek.funding.exporting.service import Exporting
from fabriek.funding.exporting.store import SqlExports
from fabriek.funding.giving.service import Giving
from fabriek.funding.giving.standing import Standings
from fabriek.funding.giving.store import SqlEntitlements, SqlFlows
from fabriek.funding.metering.service import Metering
from fabriek.funding.metering.store import SqlDebts, SqlReadings, SqlStorages
from fabriek.funding.policy.agreed import Agreed, check_start
from fabriek.funding.policy.book import PolicyBook
from fabriek.funding.policy.capping import Capping
from fabriek.funding.policy.changing import Changing
from fabriek.funding.policy.policy import Policy
from fabriek.funding.policy.ports import Rehearsal
from fabriek.funding.policy.proposals import terms_of
from fabriek.funding.policy.store import SqlAwardTotals
from fabriek.funding.policy.store_proposals import SqlPolicyProposals
from fabriek.funding.reporting.store import SqlUses
from fabriek.funding.reports import totals
from fabriek.funding.service import Funding
from fabriek.funding.spending.billing import Billing
from fabriek.funding.spending.ending import Ending, graces_of
from fabriek.funding.spending.running_out import RunningOut
from fabriek.funding.store import SqlAllocations, SqlFunds, SqlLedger
from fabriek.kernel.clock import Clock
from fabriek.kernel.dated import shipped
from fabriek.kernel.ids import Ids
from fabriek.settings import Settings
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.store_uploads import SqlUploads


class Money(TypedDict):
    policy: PolicyBook
    describing: Describing
    capping: Capping
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


def funding_services(
    database: Database, *, access: Access, bodies: Organisations, intake: Intake, audit: Audit, clock: Clock, ids: Ids, labels: Labels,
    settings: Settings, policy: Policy,
) -> Money:  # fmt: skip
    books, funds, allocations = SqlLedger(database), SqlFunds(database), SqlAllocations(database)
    book = policy_book(database, replace(policy, rates=rates_for(settings)), clock)
    describing = Describing(SqlDescriptions(database), bodies, audit)
    capping = Capping(SqlAwardTotals(database), lambda: book.now().caps)
    giving = Giving(
        books, funds, SqlEntitlements(database), capping, book, access=access, audit=audit, clock=clock, ids=ids
    )
    awarding = Awarding(
        books, funds, allocations, capping=capping, access=access, describing=describing, intake=intake, audit=audit, clock=clock, ids=ids,
        rules=book.rules, ceiling=lambda said: labels.of(said or labels.usual_ceiling).name,
    )  # fmt: skip
    funding = Funding(
        books, funds, allocations, giving=giving, access=access, clock=clock, ids=ids, rules=book.rules, uses=SqlUses(database)
    )  # fmt: skip
    bridge = Bridge(
        books, funds, allocations, SqlForeignJobs(database), SqlDumps(database), access=access, audit=audit, clock=clock, ids=ids,
        rules=book.rules, rates=book.rates, zone=ZoneInfo(settings.zone),
    )  # fmt: skip
    graces = graces_of(shipped("fabriek.funding", "ending.toml"))
    ending = Ending(books, allocations, capping, graces, audit=audit, clock=clock, ids=ids)
    metering = Metering(
        books, funds, allocations, SqlReadings(database), SqlStorages(database), SqlDebts(database), held=SqlUploads(database).held,
        access=access, audit=audit, clock=clock, ids=ids, policy=book, zone=ZoneInfo(settings.zone),
    )  # fmt: skip
    standings = Standings(SqlFlows(database), funds, giving, capping, clock=clock, zone=ZoneInfo(settings.zone))
    exporting = Exporting(SqlExports(database), books, audit, clock, zone=ZoneInfo(settings.zone))
    auditing = Auditing(
        SqlAuditorLinks(database),
        SqlAuditorLinks(database),
        audit,
        clock,
        ids,
        zone=ZoneInfo(settings.zone),
        may_make=lambda person: may_make_links(access, person),
    )
    return Money(
        policy=book,
        describing=describing,
        capping=capping,
        giving=giving,
        standings=standings,
        exporting=exporting,
        auditing=auditing,
        awarding=awarding,
        correcting=Correcting(
            books, allocations, SqlCorrections(database), access=access, audit=audit, clock=clock, ids=ids
        ),
        billing=Billing(books, allocations, SqlCorrections(database)),
        funding=funding,
        bridge=bridge,
        ending=ending,
        running_out=running_out_services(
            settings, database, access=access, capping=capping, audit=audit, clock=clock, ids=ids
        ),
        metering=metering,
    )


def policy_book(database: Database, start: Policy, clock: Clock) -> PolicyBook:
    """The start, and all that was agreed on since. Raises WrongState where a change was agreed on and the start is another than then."""
    kept = SqlPolicyProposals(database)
    check_start(kept, start)
    agreed = Agreed(kept, clock)
    return PolicyBook(start, agreed, agreed.renew)


def may_make_links(access: Access, person: str) -> bool:
    """Whether they are here still, with the rights that it takes."""
    found = access.person(person)
    rights = rights_of(frozenset(found.roles))
    return found.active and "funding.contribute" in rights and "audit.read" in rights


def standing_shares(database: Database) -> frozenset[str]:
    """Those of which credits stand that nobody has spent."""
    rows = totals(SqlLedger(database).balances(), {one.id: one.share for one in SqlAllocations(database).all()})
    return frozenset(one.share for one in rows if one.unawarded or one.unspent or one.held)


def changing_of(
    database: Database, money: Money, rehearsal: Rehearsal, *, access: Access, audit: Audit, clock: Clock, ids: Ids
) -> Changing:
    kept = SqlPolicyProposals(database)
    return Changing(
        kept, kept, money["policy"], money["giving"], SqlFunds(database), rehearsal, access=access, audit=audit, clock=clock, ids=ids,
        terms=terms_of(shipped("fabriek.funding", "steering.toml")), standing=lambda: standing_shares(database),
    )  # fmt: skip

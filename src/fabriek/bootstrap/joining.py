"""From a database to the services of coming in and going out."""

from fabriek.access.joining.appointing import Appointing
from fabriek.access.joining.desk import Joining
from fabriek.access.joining.inviting import Inviting
from fabriek.access.joining.leaving import Leavers
from fabriek.access.joining.often import Often
from fabriek.access.joining.ports import Post
from fabriek.access.joining.proving import Proving
from fabriek.access.joining.quarterly import Quarterly
from fabriek.access.joining.reminding import Reminding
from fabriek.access.joining.steering import Steering
from fabriek.access.joining.store import SqlInvitations, SqlLeavings, SqlStandings
from fabriek.access.joining.store_classes import SqlClasses
from fabriek.access.joining.store_proofs import SqlProofs
from fabriek.access.joining.store_reviews import SqlReminders, SqlReviews, SqlSuspended
from fabriek.access.joining.store_steering import SqlChanges
from fabriek.access.login.identity import Identity
from fabriek.access.login.store_factors import SqlGuesses
from fabriek.access.service import Access
from fabriek.access.store import SqlOrganisations, SqlPeople, SqlProjects
from fabriek.adapters.database import Database
from fabriek.audit.service import Audit
from fabriek.funding.classes.places import Places
from fabriek.funding.classes.teaching import Teaching
from fabriek.funding.service import Funding
from fabriek.funding.store import SqlAllocations, SqlLedger
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import WrongState
from fabriek.kernel.ids import Ids
from fabriek.vault.datasets import Kind
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.service import Vault
from fabriek.vault.store import SqlDatasets


def joining_services(
    database: Database, *, identity: Identity, audit: Audit, clock: Clock, ids: Ids, rooms: Vault, post: Post | None, base: str, funding: Funding,
    labels: Labels, secret: bytes,
) -> Joining:  # fmt: skip
    """secret: under which addresses are counted. rooms: the vault. post: None where no mail can be sent; base: where people reach the portal."""
    bodies, people, projects = SqlOrganisations(database), SqlPeople(database), SqlProjects(database)
    standings = SqlStandings(database)
    check_purpose = funding.check_purpose

    def check_ceiling(project: str, said: str) -> str:
        ceiling, held = labels.of(said).name, SqlDatasets(database)
        for kind in Kind:
            for one in held.of_project(project, kind, limit=100_000, after=""):
                if labels.exceeds(one.label, ceiling):
                    raise WrongState(
                        f"{one.name} is in the project, with the label {one.label}, which lies above {ceiling}",
                        fix="choose a ceiling that holds it, or lower that label first: fabriek data lower",
                    )
        return ceiling

    appointing = Appointing(standings, bodies, people, projects, audit, clock)
    return Joining(
        Inviting(
            SqlInvitations(database), standings, bodies, people, projects, identity, audit, clock, ids,
            often=Often(SqlGuesses(database), clock, secret),
            post=post, base=base,
        ),
        appointing,
        Leavers(
            SqlLeavings(database), standings, bodies, people, projects, appointing, identity, audit, clock, ids, rooms=rooms
        ),
        Quarterly(SqlReviews(database), SqlSuspended(database), standings, bodies, people, projects, appointing, audit, clock, ids, rooms=rooms),
        Proving(SqlProofs(database), bodies, audit, clock),
        Steering(SqlChanges(database), bodies, people, projects, audit, clock, ids, check_purpose=check_purpose, check_ceiling=check_ceiling),
        Reminding(SqlReminders(database), SqlReviews(database), standings, bodies, people, projects, clock, base=base),
    )  # fmt: skip


def teaching_of(
    database: Database, *, access: Access, identity: Identity, rooms: Vault, audit: Audit, clock: Clock, ids: Ids
) -> Teaching:
    """Classes, whose money is on the ledger."""
    classes, books, allocations = SqlClasses(database), SqlLedger(database), SqlAllocations(database)
    places = Places(
        classes, books, allocations, access=access, links=identity, rooms=rooms, audit=audit, clock=clock, ids=ids
    )
    return Teaching(classes, places, books, allocations, access=access, audit=audit, clock=clock, ids=ids)

"""A town in which storage and tokens are given and read."""

from fabriek.funding import ledger
from fabriek.funding.ledger import Kind, account
from fabriek.funding.metering.readings import Storage
from fabriek.funding.metering.store import SqlStorages
from fabriek.funding.resources import Resource
from fabriek.funding.service import Left
from fabriek.funding.store import SqlAllocations, SqlFunds, SqlLedger
from fabriek.kernel.units import MICRO
from tests.factories.services import Town


def give(town: Town, slug: str, resource: Resource, amount: int) -> str:
    """So many units more for a project, out of the nation's share, to its first allocation; that one's id."""
    database, services = town.services.database, town.services
    services.giving.contribute("factory", "national", 1, {str(resource): amount}, by=town.operator)
    books, project = SqlLedger(database), services.access.project(slug).id
    first = SqlAllocations(database).of_project(project)[0].id
    share = next(one.id for one in SqlFunds(database).shares() if one.name == "nation")
    transaction = services.ids.new("led")
    move = (account(Kind.SHARE, share), account(Kind.ALLOCATION, first), resource, amount * MICRO)
    with database.transaction():
        books.post(ledger.compose(transaction, f"given:{transaction}", [move], services.clock.now(), "award"))
    return first


def credits_of(town: Town, slug: str, resource: Resource) -> Left | None:
    found = town.services.funding.left(town.services.access.project(slug).id)
    return next((one for one in found if one.resource is resource), None)


def used(town: Town, slug: str, resource: Resource) -> int:
    found = credits_of(town, slug, resource)
    return 0 if found is None else found.used


def stored(town: Town, slug: str) -> Storage | None:

    return SqlStorages(town.services.database).get(town.services.access.project(slug).id)

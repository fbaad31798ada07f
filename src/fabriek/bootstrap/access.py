"""From a database to the services of the front door."""

from datetime import timedelta
from typing import TypedDict

from fabriek.access.applying.calls import Calls
from fabriek.access.applying.editing import AskedAgain
from fabriek.access.applying.intake import Intake
from fabriek.access.applying.ports import Receives
from fabriek.access.applying.store import SqlApplications
from fabriek.access.applying.store_editing import SqlEditings
from fabriek.access.login.doors import OpenDoors
from fabriek.access.login.first import FirstSignIn
from fabriek.access.login.identity import Confirming, Identity
from fabriek.access.login.job_secrets import JobSecrets
from fabriek.access.login.services import ServiceIdentities
from fabriek.access.login.store import SqlCredentials, SqlLogins
from fabriek.access.login.store_services import SqlServices
from fabriek.access.login.tokens import Tokens
from fabriek.access.login.uses import Uses
from fabriek.access.ports import Organisations, People
from fabriek.access.store import SqlOrganisations, SqlPeople, SqlProjects
from fabriek.adapters.database import Database
from fabriek.audit.service import Audit
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids
from fabriek.settings import Settings


class LoginServices(TypedDict):
    """What `web/services.py` takes of them, by its names."""

    identity: Identity
    job_secrets: JobSecrets
    first_sign_in: FirstSignIn
    tokens: Tokens
    open_doors: OpenDoors
    service_identities: ServiceIdentities


def login_services(settings: Settings, database: Database, *, audit: Audit, clock: Clock, ids: Ids) -> LoginServices:
    """Who is behind a request, and what people have open."""
    credentials, logins, uses = SqlCredentials(database), SqlLogins(database), Uses()
    bodies, people, projects = SqlOrganisations(database), SqlPeople(database), SqlProjects(database)
    identity = Identity(
        credentials, logins, bodies, people, projects, audit, clock, ids, Confirming(settings.confirming), uses=uses,
        idle_for=timedelta(minutes=settings.session_idle_minutes),
    )  # fmt: skip
    tokens = Tokens(credentials, credentials, bodies, projects, audit, clock, ids, days_max=settings.token_days_max)
    return LoginServices(
        identity=identity,
        job_secrets=JobSecrets(credentials, bodies, clock, ids),
        first_sign_in=FirstSignIn(credentials, bodies, people, audit, clock, ids),
        tokens=tokens,
        service_identities=ServiceIdentities(
            SqlServices(database), credentials, tokens, bodies, people, projects, audit, clock, ids
        ),
        open_doors=OpenDoors(credentials, logins, bodies, people, uses, audit, clock),
    )


def intake_of(
    database: Database, bodies: Organisations, people: People, calls: Calls, audit: Audit, clock: Clock, ids: Ids,
    reception: Receives, asked_again: AskedAgain,
) -> Intake:  # fmt: skip
    """Applications, to the calls that this installation has."""
    intake = Intake(
        SqlApplications(database), SqlEditings(database), bodies, people, calls, audit, clock, ids, reception
    )
    intake.asked_again = asked_again
    return intake

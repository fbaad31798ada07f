"""The wiring of who comes by an identity provider."""

from collections.abc import Sequence
from datetime import timedelta

from fabriek.access.login.affiliations import Affiliations, Left
from fabriek.access.login.arriving import Arriving
from fabriek.access.login.device_login import DeviceLogin
from fabriek.access.login.identity import Identity
from fabriek.access.login.provider_services import ByProvider
from fabriek.access.login.providers import read_providers
from fabriek.access.login.signing_in import SigningIn
from fabriek.access.login.store_providers import SqlAttempts, SqlDevices, SqlSubjects
from fabriek.access.login.subjects import refresh_context
from fabriek.access.store import SqlOrganisations, SqlPeople
from fabriek.adapters.database import Database
from fabriek.adapters.oidc import OidcIssuer
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids
from fabriek.kernel.signing import Keys, wrapped_under
from fabriek.settings import Settings
from fabriek.vault.keeping.rotations import WrappedKey


def provider_services(
    settings: Settings,
    database: Database,
    *,
    identity: Identity,
    audit: Audit,
    keys: Keys,
    clock: Clock,
    ids: Ids,
    left: Left | None = None,
) -> ByProvider:
    """left: what ends everything of who is let go by their provider. Raises InvalidInput on a file of providers that cannot be read."""
    providers = read_providers(settings.identity_providers)
    issuers = {one.name: OidcIssuer(one.issuer, one.client_id, one.secret, clock) for one in providers}
    bodies, people, subjects = SqlOrganisations(database), SqlPeople(database), SqlSubjects(database)
    signing_in = SigningIn(
        providers, issuers, identity, SqlAttempts(database), subjects, people, Arriving(bodies, people, subjects, audit, ids), audit,
        keys=keys, clock=clock, ids=ids, transaction=database.transaction,
    )  # fmt: skip
    devices = DeviceLogin(
        signing_in,
        issuers,
        identity,
        SqlDevices(database),
        audit,
        clock=clock,
        ids=ids,
        transaction=database.transaction,
    )

    def closed(person: str, why: str) -> None:
        with database.transaction():
            subjects.set_inactive(person)
            audit.record("person.let_go", person, SYSTEM, why=why)
            identity.close_person(person, by=SYSTEM)

    affiliations = Affiliations(
        signing_in, issuers, identity, subjects, audit, left=left or closed, grace=timedelta(minutes=settings.identity_grace_minutes),
        keys=keys, clock=clock, ids=ids, transaction=database.transaction,
    )  # fmt: skip
    return ByProvider(signing_in, devices, affiliations)


class RefreshKeys:
    """The keys of refresh tokens, for moving under a new master key."""

    def __init__(self, database: Database) -> None:
        self._subjects = SqlSubjects(database)

    def not_under(self, master: str) -> Sequence[WrappedKey]:
        """Those under another one."""
        return [
            WrappedKey((subject,), refresh_context(subject), wrapped)
            for subject, wrapped in self._subjects.wrapped_keys()
            if wrapped_under(wrapped) != master
        ]

    def rewrap(self, key: WrappedKey, fresh: bytes) -> None:
        """Nothing where it was replaced meanwhile."""
        self._subjects.rewrap(key.place[0], key.wrapped, fresh)

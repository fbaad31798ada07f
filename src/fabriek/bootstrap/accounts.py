"""Built-in accounts, wired."""

from collections.abc import Sequence
from typing import TypedDict

from fabriek.access.login.accounts import Accounts
from fabriek.access.login.identity import Identity
from fabriek.access.login.passkeys import Passkeys
from fabriek.access.login.passwords import Hashing
from fabriek.access.login.store_factors import SqlFactors, SqlGuesses
from fabriek.access.login.store_providers import SqlSubjects
from fabriek.access.login.throttle import Throttle
from fabriek.access.ports import People
from fabriek.adapters.database import Database
from fabriek.audit.service import Audit
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids
from fabriek.kernel.signing import Keys
from fabriek.vault.keeping.rotations import WrappedKey


class Built(TypedDict):
    accounts: Accounts
    passkeys: Passkeys
    throttle: Throttle


class AppKeys:
    """The keys of apps, for rotations of the master key that wraps them."""

    def __init__(self, database: Database) -> None:
        self._store = SqlFactors(database)

    def not_under(self, master: str) -> Sequence[WrappedKey]:
        return [WrappedKey(*found) for found in self._store.app_keys_not_under(master)]

    def rewrap(self, key: WrappedKey, fresh: bytes) -> None:
        self._store.rewrap_app_key(key.place, key.wrapped, fresh)


def account_services(
    database: Database,
    people: People,
    identity: Identity,
    audit: Audit,
    *,
    keys: Keys,
    secret: bytes,
    clock: Clock,
    ids: Ids,
) -> Built:
    """secret: under which accounts and networks are counted without being named."""
    store, throttle = SqlFactors(database), Throttle(SqlGuesses(database), audit, clock, secret)
    accounts = Accounts(
        store, people, identity, throttle, Hashing(), SqlSubjects(database), audit, keys=keys, clock=clock, ids=ids
    )
    return {
        "accounts": accounts,
        "passkeys": Passkeys(store, people, identity, accounts, audit, clock, ids),
        "throttle": throttle,
    }

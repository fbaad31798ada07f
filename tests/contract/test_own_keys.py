"""Organisations' own keys, in a real OpenBao and a real token: their data opens with them alone, and not after they are withdrawn."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fabriek.adapters.database import metadata
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, Unavailable, WrongState
from fabriek.kernel.signing import wrapped_under
from fabriek.vault.care.damage import Position
from fabriek.vault.care.examining import CHANGED
from fabriek.vault.care.stretches import Sample
from fabriek.vault.keeping.own_keys import Told
from fabriek.web.services import Services
from tests.factories.keyring import MemoryKeyring
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.factories.vault import fill
from tests.servers.openbao import OpenBao
from tests.servers.softhsm import PIN, SoftHsm

FILES = {"a.csv": b"theirs"}


@dataclass(frozen=True)
class House:
    """A hospital with its own key, a project, and a master key that counts."""

    town: Town
    services: Services
    master: MemoryKeyring
    holder: Caller
    project: str
    server: OpenBao
    token: str

    def told(self, **changed: str) -> Told:
        told = Told("openbao", self.server.url, self.token, "hospital", "transit", self.server.ca)
        return replace(told, **changed)

    def set(self) -> None:
        self.services.own_keys.set(self.holder.organisation, self.told(), by=self.holder)

    def push(self, name: str = "biopsies") -> str:
        vault = self.services.vault
        vault.create(self.project, name, key_home="organisation", by=self.holder)
        return fill(self.services, vault.open_upload(self.project, name, by=self.holder), FILES, by=self.holder).id

    def opens(self) -> bytes:
        return self.services.vault.open("biopsies", project=self.project, by=self.holder).manifest_key


@pytest.fixture
def house(tmp_path: Path, openbao_server: OpenBao) -> Iterator[House]:
    database = a_database(tmp_path / "fabriek.db")
    master = MemoryKeyring(open_transaction=database.in_transaction)
    host = openbao_server.url.removeprefix("https://")
    town = a_town(database, tmp_path / "home", keys=master, keys_hosts=host)
    holder = town.person("hospital", "key_holder")
    project = town.project(holder)
    yield House(
        town, town.services, master, town.again(holder), project, openbao_server, openbao_server.owner("hospital")
    )
    database.close()


def test_data_whose_key_home_is_its_owner_is_wrapped_by_the_owners_key(house: House) -> None:
    house.set()
    version = house.services.vault._parts.versions.get(house.push())
    epoch = house.services.vault._parts.epoch_keys.get(version.dataset, version.epoch)
    assert epoch.home == house.holder.organisation
    assert wrapped_under(epoch.wrapped) == "openbao/1"
    assert house.opens()


def test_once_the_owner_withdraws_here_no_new_grant_opens_and_again_when_it_is_given_back(house: House) -> None:
    house.set()
    version = house.push()
    key = house.opens()
    house.services.own_keys.withdraw(house.holder.organisation, by=house.holder)
    for act in (house.opens, lambda: house.services.vault.check_openable([version])):
        with pytest.raises(NotPermitted) as refused:
            act()
        assert refused.value.fields["rule"] == "key_home.withdrawn"
    house.set()
    assert house.opens() == key


def test_once_the_owner_revokes_the_token_at_its_own_server_no_new_grant_opens_at_once(house: House) -> None:
    house.set()
    house.push()
    house.opens()
    house.server.revoke(house.token)
    with pytest.raises(NotPermitted) as refused:
        house.opens()
    assert refused.value.fields["rule"] == "keys.refused"


def test_an_owners_server_that_is_away_is_unavailable_and_comes_back(house: House) -> None:
    house.set()
    house.push()
    house.server.seal()
    try:
        with pytest.raises(Unavailable):
            house.opens()
    finally:
        house.server.unseal()
    assert house.opens()


def test_the_owners_key_can_be_rotated_at_its_own_server(house: House) -> None:
    house.set()
    house.push()
    key = house.opens()
    house.server.ask("POST", "transit/keys/hospital/rotate", {})
    assert house.opens() == key


def test_without_a_key_of_ones_own_nothing_is_pushed_under_it(house: House) -> None:
    with pytest.raises(WrongState, match="no key of its own"):
        house.push()


def test_what_was_told_is_tried_first_and_only_listed_hosts_are_asked(house: House) -> None:
    own, organisation = house.services.own_keys, house.holder.organisation
    with pytest.raises(NotPermitted, match="refuses our token"):
        own.set(organisation, house.told(credential="another"), by=house.holder)
    with pytest.raises(NotPermitted) as refused:
        own.set(organisation, house.told(place="https://169.254.169.254"), by=house.holder)
    assert refused.value.fix.endswith("keys_hosts")
    for changed in ({"kind": "paper"}, {"credential": ""}, {"place": ""}):
        with pytest.raises(InvalidInput):
            own.set(organisation, house.told(**changed), by=house.holder)
    with pytest.raises(NotFound):
        own.show(organisation, by=house.holder)


def test_another_house_neither_sets_nor_sees_nor_withdraws_it(house: House) -> None:
    house.set()
    other = house.town.person("startup", "key_holder")
    organisation = house.holder.organisation
    for act in (
        lambda: house.services.own_keys.set(organisation, house.told(), by=other),
        lambda: house.services.own_keys.withdraw(organisation, by=other),
        lambda: house.services.own_keys.show(organisation, by=other),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(NotPermitted, match=r"organisation\.keys"):
        house.services.own_keys.withdraw(organisation, by=house.town.operator)


def test_the_credential_is_nowhere_in_plain_and_outlives_a_rotation_of_the_master_key(house: House) -> None:
    house.set()
    house.push()
    database = house.services.database
    rows = database.rows(metadata.tables["vault_organisation_keys"].select())
    assert house.token.encode() not in b"".join(str(tuple(row)).encode() + bytes(row.sealed) for row in rows)
    house.services.vault.rotating.rotate_master(by=house.town.operator)
    house.services.own_keys.forget_all()
    assert house.opens()
    kept = database.rows(metadata.tables["vault_organisation_keys"].select())
    assert {wrapped_under(bytes(row.wrapped)) for row in kept} == {"memory/2"}


def test_an_organisations_own_token_in_this_machine_will_do(tmp_path: Path, soft_hsm: SoftHsm) -> None:
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home", keys_module=soft_hsm.module, keys_token="the-installations")
    holder = town.person("hospital", "key_holder")
    project = town.project(holder)
    holder = town.again(holder)
    told = Told("pkcs11", soft_hsm.token("the-hospitals"), PIN, "ours")
    with pytest.raises(NotPermitted, match="the installation's own"):
        town.services.own_keys.set(holder.organisation, replace(told, place="the-installations"), by=holder)
    town.services.own_keys.set(holder.organisation, told, by=holder)
    vault = town.services.vault
    vault.create(project, "biopsies", key_home="organisation", by=holder)
    fill(town.services, vault.open_upload(project, "biopsies", by=holder), FILES, by=holder)
    assert vault.open("biopsies", project=project, by=holder).manifest_key
    database.close()


def test_a_check_compares_what_only_its_owner_opens_by_hash_and_asks_nothing_of_the_owners_key(house: House) -> None:
    house.set()
    version = house.services.vault._parts.versions.get(house.push())
    house.services.own_keys.withdraw(house.holder.organisation, by=house.holder)
    checking, blobs = house.services.vault.checking, house.services.vault._parts.blobs
    found = checking.check(Position(), Sample(1), by=house.town.operator)
    assert (found.versions, found.read_objects, found.authenticated, found.by_hash) == (1, 2, 0, 2)
    assert found.damage == ()
    for name in sorted(house.services.vault._parts.versions.objects(version.id)):
        whole = b"".join(blobs.get(name))
        blobs.delete(name)
        blobs.put(name, [whole[:-1] + bytes([whole[-1] ^ 1])])
        (damage,) = checking.check(Position(), Sample(1), by=house.town.operator).damage
        assert (damage.object_id, damage.why) == (name, CHANGED)
        blobs.delete(name)
        blobs.put(name, [whole])
        assert checking.check(Position(), Sample(0), by=house.town.operator).damage == ()

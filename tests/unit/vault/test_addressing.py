"""Addresses are given by the rules of grants and uploads: for what was granted or announced, while it lives, and to who holds it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.stored import Stored
from fabriek.vault.addressing import ASKED_MAX, LASTS, Addressed
from fabriek.vault.pushing import Committed
from fabriek.vault.service import Vault
from fabriek.vault.uploads import OBJECT_BYTES_MAX, Upload
from fabriek.vault.versions import Version
from tests.factories.blobs import MemoryAddresses
from tests.factories.vault import World, a_push

FILES = {"a.csv": b"1,2,3", "b.csv": b"4,5,6"}


@dataclass
class Reach:
    """A world whose store clients reach themselves."""

    world: World
    store: MemoryAddresses
    vault: Vault

    def push(self, files: dict[str, bytes] = FILES) -> Version:
        return a_push(self.world, "biopsies", files)

    def grant(self, version: Version) -> str:
        opened = self.vault.open(version.id, project="lab", by=self.world.hanna)
        assert opened.at_store
        return opened.grant.id

    def upload(self) -> tuple[Upload, list[str]]:
        self.vault.create("lab", "fresh", by=self.world.hanna)
        upload = self.vault.open_upload("lab", "fresh", by=self.world.hanna)
        return upload, list(self.vault.mint(upload.id, 3, by=self.world.hanna))

    def to_get(self, grant: str, *names: str, by: Caller | None = None) -> Addressed:
        return self.vault.addresses_to_get(grant, names, by=by or self.world.hanna)

    def to_put(self, upload: str, *names: str, by: Caller | None = None) -> Addressed:
        return self.vault.addresses_to_put(upload, names, by=by or self.world.hanna)

    def take(self, upload: str, name: str, body: bytes, by: Caller | None = None) -> Stored:
        sent = Stored(len(body), hashlib.sha256(body).hexdigest())
        return self.vault.take(upload, name, sent, by=by or self.world.hanna)

    def objects(self, version: Version) -> list[str]:
        return sorted(self.world.parts.versions.objects(version.id))


@pytest.fixture
def reach(world: World) -> Reach:
    store = MemoryAddresses(world.blobs, world.clock)
    return Reach(world, store, Vault(replace(world.parts, addresses=store), world.keeping))


def test_a_grant_gives_addresses_of_every_object_of_its_version(reach: Reach) -> None:
    version = reach.push()
    given = reach.to_get(reach.grant(version), *reach.objects(version))
    assert {name: reach.store.get(address) for name, address in given.addresses.items()} == {
        name: (200, reach.world.blobs.objects[name]) for name in reach.objects(version)
    }


def test_an_object_of_another_version_has_no_address_under_this_grant(reach: Reach) -> None:
    first = reach.push()
    second = reach.push({"a.csv": b"other"})
    only_second = sorted(set(reach.objects(second)) - set(reach.objects(first)))
    grant = reach.grant(first)
    for asked in ([only_second[0]], [*reach.objects(first), only_second[0]], ["obj_0"]):
        with pytest.raises(NotFound):
            reach.to_get(grant, *asked)


def test_nobody_but_the_holder_of_a_grant_is_given_an_address(reach: Reach) -> None:
    version = reach.push()
    grant = reach.grant(version)
    node = reach.world.directory.add_node("job_1", "prj_1")
    for other in (reach.world.stef, reach.world.uma, node, replace(reach.world.hanna, job="job_1")):
        with pytest.raises(NotFound):
            reach.to_get(grant, *reach.objects(version), by=other)


def test_a_grant_that_has_ended_gives_no_address(reach: Reach) -> None:
    version = reach.push()
    given_back, left_alone = reach.grant(version), reach.grant(version)
    reach.vault.end_grant(given_back, by=reach.world.hanna)
    reach.world.clock.move(timedelta(hours=12))
    for grant in (given_back, left_alone):
        with pytest.raises(NotPermitted) as refused:
            reach.to_get(grant, *reach.objects(version))
        assert refused.value.fields["rule"] == "grant.ended"


def test_a_grant_whose_agreement_ended_gives_a_job_no_address(reach: Reach) -> None:
    """Ended by its owner, at once; run out, at the worker's next round. The job itself goes on."""
    version = a_push(reach.world, "biopsies", FILES, label="special-category")
    node = reach.world.directory.add_node("job_1", "prj_1")

    def refused(until: date, end: Callable[[str], object]) -> object:
        agreement = reach.vault.agree(
            "biopsies", home="lab", project="lab", purposes=["civilian"], right="compute", until=until, by=reach.world.hanna
        )  # fmt: skip
        grant = reach.vault.grant_to_job(version.id, "job_1", project="prj_1", purpose="civilian")
        assert reach.to_get(grant.id, *reach.objects(version), by=node).addresses
        end(agreement.id)
        with pytest.raises(NotPermitted) as error:
            reach.to_get(grant.id, *reach.objects(version), by=node)
        return error.value.fields["rule"]

    def run_out(_: str) -> None:
        reach.world.clock.move(timedelta(days=1))
        assert reach.vault.close_what_ended() == 1

    today = reach.world.clock.today()
    assert refused(today, lambda one: reach.vault.end_agreement(one, by=reach.world.hanna)) == "grant.ended"
    assert refused(today, run_out) == "grant.ended"


def test_an_address_lasts_for_minutes_and_never_beyond_its_grant(reach: Reach) -> None:
    version = reach.push()
    grant, name = reach.grant(version), reach.objects(version)[0]
    address = reach.to_get(grant, name).addresses[name]
    reach.world.clock.move(LASTS)
    assert reach.store.get(address)[0] == 403
    assert reach.store.get(reach.to_get(grant, name).addresses[name])[0] == 200
    reach.world.clock.move(timedelta(hours=12) - LASTS - timedelta(seconds=10))
    assert reach.to_get(grant, name).lasts == timedelta(seconds=10)


def test_only_what_an_upload_announced_has_an_address_to_be_sent_to(reach: Reach) -> None:
    version = reach.push()
    upload, names = reach.upload()
    other = reach.vault.open_upload("lab", "fresh", by=reach.world.hanna)
    for asked in (["obj_0"], [names[0], "obj_0"], [reach.objects(version)[0]]):
        with pytest.raises(NotFound):
            reach.to_put(upload.id, *asked)
    with pytest.raises(NotFound):
        reach.to_put(other.id, names[0])
    assert reach.to_put(upload.id, *names).addresses.keys() == set(names)


def test_nobody_but_the_holder_of_an_upload_sends_to_it_or_has_something_taken(reach: Reach) -> None:
    upload, names = reach.upload()
    reach.store.put(reach.to_put(upload.id, names[0]).addresses[names[0]], b"sealed")
    node = reach.world.directory.add_node("job_1", "prj_1")
    for other in (reach.world.stef, reach.world.uma, node):
        with pytest.raises(NotFound):
            reach.to_put(upload.id, names[0], by=other)
        with pytest.raises(NotFound):
            reach.take(upload.id, names[0], b"sealed", by=other)


def test_an_object_that_was_taken_has_no_address_any_more_and_the_old_one_changes_nothing(reach: Reach) -> None:
    upload, names = reach.upload()
    address = reach.to_put(upload.id, names[0]).addresses[names[0]]
    reach.store.put(address, b"sealed")
    assert reach.take(upload.id, names[0], b"sealed") == reach.take(upload.id, names[0], b"sealed")
    with pytest.raises(AlreadyExists):
        reach.to_put(upload.id, names[0])
    assert reach.store.put(address, b"forged") == 200
    with pytest.raises(AlreadyExists):
        reach.take(upload.id, names[0], b"forged")
    assert reach.world.blobs.objects[names[0]] == b"sealed"


def test_what_has_not_arrived_whole_is_not_taken_and_not_committed(reach: Reach) -> None:
    upload, names = reach.upload()
    with pytest.raises(NotFound):
        reach.take(upload.id, names[0], b"sealed")
    reach.store.put(reach.to_put(upload.id, names[0]).addresses[names[0]], b"seal")
    with pytest.raises(InvalidInput):
        reach.take(upload.id, names[0], b"sealed")
    with pytest.raises(InvalidInput, match="has not arrived"):
        reach.vault.commit(upload.id, Committed(names[0], bytes(32), 0, 0, "0" * 64, 0), by=reach.world.hanna)


def test_an_object_over_the_limit_is_not_taken(reach: Reach) -> None:
    upload, names = reach.upload()
    with pytest.raises(InvalidInput):
        reach.vault.take(upload.id, names[0], Stored(OBJECT_BYTES_MAX + 1, "0" * 64), by=reach.world.hanna)


def test_an_upload_that_is_over_gives_no_address_and_takes_nothing(reach: Reach) -> None:
    upload, names = reach.upload()
    reach.store.put(reach.to_put(upload.id, names[0]).addresses[names[0]], b"sealed")
    reach.world.clock.move(timedelta(days=7))
    for act in (lambda: reach.to_put(upload.id, names[1]), lambda: reach.take(upload.id, names[0], b"sealed")):
        with pytest.raises(WrongState):
            act()
    reach.vault.clear_arrivals()
    assert reach.store.arrived.keys() == {names[0]}
    reach.world.clock.move(timedelta(hours=1))
    reach.vault.clear_arrivals()
    assert reach.store.arrived == {}


def test_addresses_are_asked_for_within_bounds(reach: Reach) -> None:
    version = reach.push()
    grant, upload = reach.grant(version), reach.upload()[0]
    for names in ([], ["obj_0"] * (ASKED_MAX + 1)):
        with pytest.raises(InvalidInput):
            reach.to_get(grant, *names)
        with pytest.raises(InvalidInput):
            reach.to_put(upload.id, *names)


def test_where_bytes_go_through_the_server_there_are_no_addresses(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    opened = world.vault.open("biopsies", project="lab", by=world.hanna)
    assert not opened.at_store
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    (name,) = world.vault.mint(upload.id, 1, by=world.hanna)
    acts: list[Callable[[], object]] = [
        lambda: world.vault.addresses_to_get(opened.grant.id, [opened.facts.manifest], by=world.hanna),
        lambda: world.vault.addresses_to_put(upload.id, [name], by=world.hanna),
        lambda: world.vault.take(upload.id, name, Stored(1, "0" * 64), by=world.hanna),
    ]
    for act in acts:
        with pytest.raises(WrongState):
            act()
    world.vault.clear_arrivals()
    assert version.number == 1

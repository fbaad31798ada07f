"""Push, pull and reading in place where the store is S3: sealed bytes go straight there and back, and not one object through the server."""

import hashlib
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from fabriek.adapters.addresses_s3 import S3Addresses
from fabriek.adapters.blobs_s3 import S3Blobs
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import Damaged, NotPermitted
from fabriek.kernel.stored import Stored
from fabriek.schemas.vault import GrantOut
from fabriek.sdk import addresses, at_store
from fabriek.sdk.opened import OpenedVersion
from fabriek.sdk.reading import Reading
from fabriek.vault import addressing
from fabriek.vault.care import stretches
from fabriek.vault.care.damage import Damage, Position
from fabriek.vault.care.examining import CHANGED
from fabriek.vault.service import Vault
from tests.factories.tables import a_database
from tests.factories.vault import Doors, World, a_world
from tests.servers.seaweed import S3Server

pytestmark = pytest.mark.xdist_group("s3")

OBJECT_ROUTES = re.compile(r"(GET /api/v1/grants|PUT /api/v1/uploads)/[^/]+/objects/")
_numbers = itertools.count()
BIG = os.urandom(70 * 2**20 + 13)


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FABRIEK_CONTEXT", str(tmp_path / "client" / "context.json"))


@pytest.fixture
def world(tmp_path: Path, s3_server: S3Server) -> Iterator[World]:
    database = a_database(tmp_path / "fabriek.db")
    bucket, number = s3_server.bucket(), next(_numbers)
    objects, arriving = f"at{number}/", f"coming{number}/"
    where = S3Addresses(bucket, prefix=objects, arriving=arriving)
    yield a_world(database, blobs=S3Blobs(bucket, objects), addresses=where)
    database.close()


@pytest.fixture
def doors(world: World) -> Iterator[Doors]:
    with world.served() as served:
        yield served


@pytest.fixture
def asked(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Fills with what the server was asked, line by line."""
    caplog.set_level("INFO", logger="fabriek.request")
    lines: list[str] = []
    handler = caplog.handler
    emit = handler.emit

    def noted(record: object) -> None:
        lines.append(record.getMessage())  # type: ignore[attr-defined]
        emit(record)  # type: ignore[arg-type]

    handler.emit = noted  # type: ignore[method-assign]
    return lines


def a_folder(place: Path) -> Path:
    place.mkdir()
    (place / "big.bin").write_bytes(BIG)
    for number in range(20):
        (place / f"{number}.txt").write_text(f"small {number}")
    return place


def test_a_folder_goes_to_the_store_and_comes_back_and_the_server_carries_none_of_it(
    doors: Doors, tmp_path: Path, asked: list[str]
) -> None:
    vault = doors.vault("hanna")
    folder = a_folder(tmp_path / "in")
    assert vault.push(folder, "scans").sent_bytes > len(BIG)
    vault.pull("scans", tmp_path / "out")
    assert (tmp_path / "out" / "big.bin").read_bytes() == BIG
    assert (tmp_path / "out" / "7.txt").read_text() == "small 7"
    assert b"".join(vault.read("scans", "big.bin", start=65 * 2**20, stop=66 * 2**20)) == BIG[65 * 2**20 : 66 * 2**20]
    assert vault.verify("scans") == []
    (folder / "7.txt").write_text("changed")
    assert 0 < vault.push(folder, "scans").sent_bytes < 2**20
    with vault.opened("scans") as opened:
        reading = Reading(opened)
        file = reading.file("big.bin")
        assert reading.read(file, 2**26 - 5, 2**26 + 5) == BIG[2**26 - 5 : 2**26 + 5]
    assert any("/addresses" in line for line in asked)
    assert [line for line in asked if OBJECT_ROUTES.match(line)] == []


def test_where_the_store_is_not_for_clients_the_server_carries_everything(
    world: World, tmp_path: Path, asked: list[str]
) -> None:
    apart = replace(world, vault=Vault(replace(world.parts, addresses=None), world.keeping))
    with apart.served() as doors:
        vault = doors.vault("hanna")
        vault.push(a_folder(tmp_path / "in"), "scans")
        vault.pull("scans", tmp_path / "out")
    assert (tmp_path / "out" / "big.bin").read_bytes() == BIG
    carried = [line for line in asked if OBJECT_ROUTES.match(line)]
    assert {line.partition(" ")[0] for line in carried} == {"GET", "PUT"}
    assert not any("/addresses" in line for line in asked)


def plain_ones(world: World) -> tuple[set[str], set[str]]:
    """(every object of the store, those that hold the canary)."""
    names = set(world.parts.blobs.names())
    return names, {name for name in names if b"canary" in b"".join(world.parts.blobs.get(name))}


def test_nothing_plain_and_no_token_reaches_the_store(
    world: World, doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fabriek.sdk.lines import Lines  # noqa: PLC0415

    told: list[tuple[str, dict[str, str]]] = []
    begin = Lines._begin

    def noted(self: Lines, line: object, headers: dict[str, str]) -> None:
        told.append((self._at.netloc, self._headers | dict(headers)))
        begin(self, line, headers)  # type: ignore[arg-type]

    monkeypatch.setattr(Lines, "_begin", noted)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "canary.txt").write_bytes(b"canary " * 1_000)
    vault = doors.vault("hanna")
    vault.push(tmp_path / "in", "scans")
    vault.pull("scans", tmp_path / "out")
    at_store = [headers for place, headers in told if place not in doors.url]
    assert at_store
    assert not any("authorization" in {name.lower() for name in headers} for headers in at_store)
    (version,) = vault.versions("scans")
    ours = set(world.parts.versions.objects(version.id))
    assert len(ours) == 2
    assert plain_ones(world) == (ours, set())
    world.parts.blobs.put("obj_planted", [b"and here it is: canary"])
    assert plain_ones(world) == (ours | {"obj_planted"}, {"obj_planted"})  # who looks would see it


def test_an_address_that_ran_out_is_asked_for_again(
    doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addressing, "LASTS", timedelta(seconds=1))
    monkeypatch.setattr(addresses, "KEPT_PART", 10_000.0)
    vault = doors.vault("hanna")
    vault.push(a_folder(tmp_path / "in"), "scans")
    with vault.opened("scans") as opened:
        file = opened.file("big.bin")
        assert b"".join(opened.read(file, 0, 10)) == BIG[:10]
        first = dict(opened._objects._addresses._kept)  # type: ignore[attr-defined]
        _wait_until_refused(first[file.parts[0].object_id][0])
        assert b"".join(opened.read(file, 10 * 2**20, 10 * 2**20 + 10)) == BIG[10 * 2**20 : 10 * 2**20 + 10]
        assert opened._objects._addresses._kept != first  # type: ignore[attr-defined]


def test_after_the_end_of_a_grant_no_new_address_is_given_and_the_old_ones_run_out(
    world: World, doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addressing, "LASTS", timedelta(seconds=1))
    vault = doors.vault("hanna")
    vault.push(a_folder(tmp_path / "in"), "scans")
    client = doors.client("hanna")
    grant = GrantOut.model_validate(client.post("/api/v1/projects/lab/datasets/scans/versions/newest/grants"))
    opened = OpenedVersion(client, grant)
    file = opened.file("big.bin")
    list(opened.read(file, 0, 10))
    kept = opened._objects._addresses._kept[file.parts[0].object_id][0]  # type: ignore[attr-defined]
    world.vault.end_grant(grant.grant, by=world.hanna)
    _wait_until_refused(kept)
    with pytest.raises(NotPermitted) as refused:
        list(opened.read(file, 30 * 2**20, 30 * 2**20 + 10))
    assert refused.value.fields["rule"] == "grant.ended"


def test_an_object_gone_from_the_store_is_damage_and_named(world: World, doors: Doors, tmp_path: Path) -> None:
    vault = doors.vault("hanna")
    vault.push(a_folder(tmp_path / "in"), "scans")
    with vault.opened("scans") as opened:
        gone = opened.file("big.bin").parts[0].object_id
        world.parts.blobs.delete(gone)
        with pytest.raises(Damaged) as error:
            list(opened.read(opened.file("big.bin"), 0, 10))
        assert error.value.fields["where"] == gone
    assert [one.file.path for one in vault.verify("scans")] == ["big.bin"]


def test_of_an_object_without_end_no_more_is_held_than_one_can_have(
    world: World, doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outermost page is held in memory before anybody can say whose it is."""
    vault = doors.vault("hanna")
    version = vault.push(a_folder(tmp_path / "in"), "scans").version.id
    manifest = world.parts.versions.get(version).facts.manifest
    world.blobs.delete(manifest)
    world.blobs.put(manifest, [bytes(at_store.WHOLE_BYTES_MAX + 3 * 2**20)])
    stream, held = at_store.AtStore.stream, list[int]()

    def counted(self: at_store.AtStore, object_id: str, piece_bytes: int) -> Iterator[bytes | memoryview]:
        held.append(0)
        for piece in stream(self, object_id, piece_bytes):
            held[-1] += len(piece)
            yield piece

    monkeypatch.setattr(at_store.AtStore, "stream", counted)
    with pytest.raises(Damaged, match="larger"):
        vault.pull("scans", tmp_path / "out")
    assert held
    assert max(held) <= at_store.WHOLE_BYTES_MAX + 2**20


def test_a_hash_that_the_pusher_made_up_is_taken_and_told_by_the_first_check_that_reads(
    world: World, doors: Doors, tmp_path: Path
) -> None:
    """The server carries no byte, and so has the client's word only: it hides nothing from readers, and stands as damage."""
    take, lies = world.vault.take, list[str]()

    def lied(upload: str, object_id: str, sent: Stored, *, by: Caller) -> Stored:
        if sent.size > 2**20 and not lies:
            lies.append(object_id)
            sent = Stored(sent.size, "0" * 64)
        return take(upload, object_id, sent, by=by)

    world.vault.take = lied  # type: ignore[method-assign]
    vault = doors.vault("hanna")
    vault.push(a_folder(tmp_path / "in"), "scans")
    assert vault.verify("scans") == []
    operator, found = Caller("per_olga", "org_factory", rights=frozenset({"vault.check"})), list[Damage]()
    for share in (0.0, 1.0):
        assert found == [], "by its length alone nothing is wrong"
        at: Position | None = Position()
        while at is not None:
            looked = world.vault.checking.check(at, stretches.Sample(share, "seed"), by=operator)
            found, at = [*found, *looked.damage], looked.next
    assert [(one.object_id, one.why) for one in found] == [(lies[0], CHANGED)]


def test_a_second_client_needs_the_specification_alone(doors: Doors) -> None:
    """docs/spec/vault.md, with a plain HTTP client: an object sent, taken, and read in part."""
    sealed = os.urandom(5_000)
    with httpx.Client(base_url=doors.url, headers={"Authorization": "Bearer hanna"}, trust_env=False) as server:
        base = "/api/v1/projects/lab/datasets"
        assert server.post(base, json={"name": "plain"}).status_code == 201
        upload = f"/api/v1/uploads/{server.post(f'{base}/plain/uploads', json={}).json()['upload']}"
        minted = server.post(f"{upload}/objects", json={"count": 2}).json()
        assert minted["at_store"] is True
        manifest, other = minted["objects"]
        given = server.post(f"{upload}/addresses", json={"objects": minted["objects"]}).json()
        assert given["lasts_seconds"] == 300
        for name in (manifest, other):
            assert httpx.put(given["addresses"][name], content=sealed, trust_env=False).status_code == 200
        said = {"size": len(sealed), "sha256": hashlib.sha256(sealed).hexdigest()}
        short = server.post(f"{upload}/objects/{other}/taken", json=said | {"size": 4_999})
        assert (short.status_code, short.json()["code"]) == (422, "invalid_input")
        for _ in range(2):
            assert server.post(f"{upload}/objects/{manifest}/taken", json=said).json() == said
        else_ = server.post(f"{upload}/objects/{manifest}/taken", json=said | {"sha256": "0" * 64})
        assert (else_.status_code, else_.json()["code"]) == (409, "already_exists")
        taken = {
            "manifest_object": manifest,
            "manifest_key": "A" * 43 + "=",
            "files": 0,
            "size_bytes": 0,
            "content_hash": "0" * 64,
            "count": 0,
        }
        early = server.post(f"{upload}/commit", json=taken | {"objects": [other], "count": 1})
        assert (early.status_code, "has not arrived" in early.json()["detail"]) == (422, True)
        assert server.post(f"{upload}/commit", json=taken).status_code == 201
        assert httpx.put(given["addresses"][manifest], content=bytes(5_000), trust_env=False).status_code == 200
        grant = server.post(f"{base}/plain/versions/newest/grants").json()
        assert grant["at_store"] is True
        asked = f"/api/v1/grants/{grant['grant']}/addresses"
        assert server.post(asked, json={"objects": [other]}).status_code == 404
        address = server.post(asked, json={"objects": [manifest]}).json()["addresses"][manifest]
        part = httpx.get(address, headers={"Range": "bytes=1000-1999"}, trust_env=False)
        assert (part.status_code, part.content) == (206, sealed[1000:2000])


def _wait_until_refused(address: str) -> None:
    while httpx.get(address, trust_env=False, headers={"Range": "bytes=0-0"}).status_code != 403:
        pass

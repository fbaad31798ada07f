"""tus 1.0.0, header by header, over a real port."""

import base64
import hashlib
import os
import socket
from collections.abc import Iterator, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from fabriek.api.tus_said import path_of
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput
from fabriek.vault.uploads import OPEN_FOR
from tests.factories.tables import a_database
from tests.factories.vault import Doors, World, a_push, a_world

HERE = "/api/v1/projects/lab/datasets/scans/files"
BYTES = {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = a_database(tmp_path / "vault.db")
    made = a_world(database)
    made.vault.create("lab", "scans", by=made.hanna)
    yield made
    database.close()


@pytest.fixture
def doors(world: World) -> Iterator[Doors]:
    with world.served() as doors:
        yield doors


@pytest.fixture
def client(doors: Doors) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer hanna", "Tus-Resumable": "1.0.0"}
    with httpx.Client(base_url=doors.url, headers=headers, trust_env=False) as client:
        yield client


def named(**said: str) -> dict[str, str]:
    """`Upload-Metadata` of a file."""
    pairs = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
    return {"Upload-Metadata": pairs}


def announced(client: httpx.Client, size: int, where: str = HERE, **more: str) -> str:
    answer = client.post(where, headers={"Upload-Length": str(size)} | named(filename="a.bin") | more)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def newest(client: httpx.Client) -> Mapping[str, object]:
    return client.get("/api/v1/projects/lab/datasets/scans/versions").json()[0]


def test_what_is_spoken_is_told_to_everybody(doors: Doors) -> None:
    for place in (HERE, "/api/v1/uploads/upl_1/files", "/api/v1/arrivals/arr_1"):
        answer = httpx.options(f"{doors.url}{place}", trust_env=False)
        assert answer.status_code == 204
        assert answer.headers["tus-version"] == "1.0.0"
        assert answer.headers["tus-extension"] == "creation,creation-with-upload,expiration,checksum,termination"
        assert (answer.headers["tus-max-size"], answer.headers["tus-resumable"]) == (str(256 * 2**30), "1.0.0")


def test_a_file_is_announced_sent_in_parts_and_becomes_a_version(client: httpx.Client, world: World) -> None:
    body = os.urandom(300_000)
    place = announced(client, len(body))
    asked = client.head(place)
    assert (asked.status_code, asked.headers["upload-offset"], asked.headers["upload-length"]) == (200, "0", "300000")
    assert asked.headers["cache-control"] == "no-store"
    assert asked.headers["upload-metadata"] == named(filename="a.bin")["Upload-Metadata"]
    assert parsedate_to_datetime(asked.headers["upload-expires"]) == world.clock.now() + OPEN_FOR
    first = client.patch(place, content=body[:100_000], headers=BYTES | {"Upload-Offset": "0"})
    assert (first.status_code, first.headers["upload-offset"], first.headers["tus-resumable"]) == (
        204,
        "100000",
        "1.0.0",
    )
    last = client.patch(place, content=body[100_000:], headers=BYTES | {"Upload-Offset": "100000"})
    assert (last.status_code, last.headers["upload-offset"]) == (204, "300000")
    assert last.headers["fabriek-version"] == client.head(place).headers["fabriek-version"] == newest(client)["id"]
    assert newest(client)["size_bytes"] == 300_000


def test_first_bytes_may_come_with_the_announcement(client: httpx.Client) -> None:
    answer = client.post(HERE, content=b"abc", headers=BYTES | named(filename="a") | {"Upload-Length": "3"})
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "3")
    assert newest(client)["files"] == 1
    empty = client.post(HERE, headers=named(filename="empty") | {"Upload-Length": "0"})
    assert (empty.status_code, empty.headers["upload-offset"], newest(client)["files"]) == (201, "0", 2)


def test_several_files_of_one_upload_are_one_version(client: httpx.Client) -> None:
    upload = client.post("/api/v1/projects/lab/datasets/scans/file-uploads").json()["upload"]
    for path in ("a", "b/c"):
        answer = client.post(
            f"/api/v1/uploads/{upload}/files", content=b"abc", headers=BYTES | named(path=path) | {"Upload-Length": "3"}
        )
        assert answer.status_code == 201
    told = client.get(f"/api/v1/uploads/{upload}/files").json()
    assert [(one["path"], one["size_bytes"], one["arrived_bytes"]) for one in told["files"]] == [
        ("a", 3, 3),
        ("b/c", 3, 3),
    ]
    made = client.post(f"/api/v1/uploads/{upload}/finish")
    assert (made.status_code, made.json()["files"], made.json()["number"]) == (201, 2, 1)
    assert client.post(f"/api/v1/uploads/{upload}/finish").json() == made.json()
    late = client.post(f"/api/v1/uploads/{upload}/files", headers=named(path="late") | {"Upload-Length": "3"})
    assert late.status_code == 410


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Tus-Resumable": ""}, 412),
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Upload-Length": ""}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "1e3"}, 400),
        ({"Upload-Length": str(256 * 2**30 + 1)}, 413),
        ({"Upload-Metadata": ""}, 400),
        ({"Upload-Metadata": "filename !!!"}, 400),
        ({"Upload-Metadata": "filename gICA"}, 400),
        (named(filename="../up"), 422),
        (named(filename="/abs"), 422),
        (named(filename="nul\0"), 422),
        (named(filename="a", path="../up"), 422),
    ],
)
def test_an_announcement_that_will_not_do_is_refused_and_leaves_nothing(
    client: httpx.Client, world: World, changed: dict[str, str], status: int
) -> None:
    answer = client.post(HERE, headers={"Upload-Length": "3"} | named(filename="a") | changed)
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == status
    assert answer.json()["detail"]
    assert answer.json()["fix"]
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert ("tus-version" in answer.headers) == (status == 412)
    assert world.parts.arrivals.on_the_way(world.hanna.person, world.clock.now()) == 0


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Tus-Resumable": "2.0.0"}, 412),
        ({"Content-Type": "application/octet-stream"}, 415),
        ({"Upload-Offset": ""}, 400),
        ({"Upload-Offset": "2"}, 409),
        ({"Upload-Checksum": "sha1 AAAA"}, 460),
        ({"Upload-Checksum": "crc32 AAAA"}, 400),
        ({"Upload-Checksum": "sha1 ???"}, 400),
    ],
)
def test_bytes_that_are_not_rightly_announced_are_refused_and_none_is_kept(
    client: httpx.Client, world: World, changed: dict[str, str], status: int
) -> None:
    place = announced(client, 3)
    answer = client.patch(place, content=b"abc", headers=BYTES | {"Upload-Offset": "0"} | changed)
    assert answer.status_code == status, answer.text
    assert client.head(place).headers["upload-offset"] == "0"
    assert world.blobs.objects == {}


def test_more_bytes_than_were_announced_are_refused(client: httpx.Client) -> None:
    place = announced(client, 3)
    assert client.patch(place, content=b"abcd", headers=BYTES | {"Upload-Offset": "0"}).status_code == 422
    assert client.head(place).headers["upload-offset"] == "0"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_checksum_that_holds_is_believed(client: httpx.Client, algorithm: str) -> None:
    digest = base64.b64encode(hashlib.new(algorithm, b"abc", usedforsecurity=False).digest()).decode()
    more = {"Upload-Offset": "0", "Upload-Checksum": f"{algorithm} {digest}"}
    assert client.patch(announced(client, 3), content=b"abc", headers=BYTES | more).status_code == 204


def test_what_arrived_before_the_line_broke_is_kept(client: httpx.Client, doors: Doors) -> None:
    place, body = announced(client, 3_000_000), os.urandom(3_000_000)
    url = urlsplit(doors.url)
    with socket.create_connection((url.hostname, url.port)) as line:
        line.sendall(
            f"PATCH {place} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer hanna\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
            f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        line.sendall(body[:2_000_000])
    offset = 0
    for _ in range(200):  # the server hears of the break a little later
        if offset := int(client.head(place).headers["upload-offset"]):
            break
    assert 0 < offset <= 2_000_000
    done = client.patch(place, content=body[offset:], headers=BYTES | {"Upload-Offset": str(offset)})
    assert (done.status_code, newest(client)["size_bytes"]) == (204, 3_000_000)


def test_a_file_is_given_up(client: httpx.Client, world: World) -> None:
    place = announced(client, 5)
    client.patch(place, content=b"abc", headers=BYTES | {"Upload-Offset": "0"})
    gone = client.delete(place)
    assert (gone.status_code, gone.content, client.head(place).status_code) == (204, b"", 404)
    assert world.blobs.objects == {}
    kept = announced(client, 3)
    client.patch(kept, content=b"abc", headers=BYTES | {"Upload-Offset": "0"})
    assert client.delete(kept).status_code == 410


def test_a_file_of_data_under_a_legal_hold_is_not_given_up(client: httpx.Client, world: World) -> None:
    place = announced(client, 5)
    client.patch(place, content=b"abc", headers=BYTES | {"Upload-Offset": "0"})
    officer = Caller("per_sofie", "org_factory", rights=frozenset({"data.hold"}))
    world.vault.erasing.hold("scans", "a court asked", project="lab", by=officer)
    refused = client.delete(place)
    assert (refused.status_code, refused.json()["rule"]) == (403, "hold")
    assert client.head(place).headers["upload-offset"] == "3"


def test_a_file_that_fits_nowhere_is_told_so_and_can_be_given_up(client: httpx.Client, world: World) -> None:
    """A file where the newest version has a folder: its bytes stay until somebody decides."""
    a_push(world, "scans", {"a.bin/b": b"there"})
    place = announced(client, 3)
    last = client.patch(place, content=b"abc", headers=BYTES | {"Upload-Offset": "0"})
    assert (last.status_code, "both a file and a folder" in last.json()["detail"]) == (422, True)
    assert client.head(place).status_code == 422
    assert client.delete(place).status_code == 204
    assert client.head(place).status_code == 404


def test_post_stands_in_for_other_methods(client: httpx.Client) -> None:
    place = announced(client, 3)
    more = {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert client.post(place, content=b"ab", headers=BYTES | more).headers["upload-offset"] == "2"
    assert client.post(place).status_code == 405
    assert client.post(place, headers={"X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert client.head(place).status_code == 404


def test_an_upload_whose_time_is_over_is_gone(client: httpx.Client, world: World) -> None:
    place = announced(client, 3)
    world.clock.move(OPEN_FOR + timedelta(seconds=1))
    assert client.head(place).status_code == 410
    assert client.patch(place, content=b"abc", headers=BYTES | {"Upload-Offset": "0"}).status_code == 410


@pytest.mark.parametrize("who", ["stef", "uma", "nobody", ""])
def test_others_find_nothing(client: httpx.Client, doors: Doors, who: str) -> None:
    place = announced(client, 3)
    headers = {"Authorization": f"Bearer {who}"} if who else {}
    status = 404 if who in {"stef", "uma"} else 401
    for method in ("HEAD", "PATCH", "DELETE", "POST"):
        answer = httpx.request(
            method, f"{doors.url}{place}", headers=headers | {"Tus-Resumable": "1.0.0"}, trust_env=False
        )
        assert answer.status_code == status
        assert answer.headers["tus-resumable"] == "1.0.0"


def test_a_person_has_only_so_much_on_the_way(client: httpx.Client) -> None:
    sizes = [200 * 2**30] * 5
    places = [announced(client, size) for size in sizes]
    answer = client.post(HERE, headers={"Upload-Length": str(200 * 2**30)} | named(filename="a"))
    assert (answer.status_code, answer.json()["code"]) == (413, "quota_exhausted")
    client.delete(places[0])
    announced(client, 100 * 2**30)


def test_a_files_path_is_what_its_client_calls_it() -> None:
    def told(**said: str) -> str:
        return named(**said)["Upload-Metadata"]

    assert path_of(told(filename="a.txt", filetype="text/plain")) == "a.txt"
    assert path_of(told(name="a.txt", relativePath="null")) == "a.txt"
    assert path_of(told(filename="a.txt", relativePath="b/a.txt")) == "b/a.txt"
    assert path_of(told(filename="a.txt", path="c/d")) == "c/d"
    assert path_of(told(filename="caf\u00e9\n")) == "caf\u00e9\n"
    for nothing in ("", "filename", "is_confidential", told(filename="")):
        with pytest.raises(InvalidInput):
            path_of(nothing)

"""docs/spec/passport.md is enough: a verification written from it alone, without a line of ours, says what ours says."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.factories.models import House, safetensors
from tests.factories.services import a_town
from tests.factories.tables import a_database

OPEN, CLOSE = b'<script type="application/json" id="fabriek-passport">', b"</script>"


def opened(text: str, key: bytes) -> tuple[dict[str, Any], bytes]:
    envelope = json.loads(text)
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(envelope["signatures"][0]["sig"]), message)
    assert json.dumps(envelope) == text
    return json.loads(payload), payload


def verified(page: bytes, key: bytes) -> dict[str, Any]:
    before, rest = page.split(OPEN)
    held, _, after = rest.partition(CLOSE)
    both = json.loads(held)
    assert json.dumps(both).replace("<", "\\u003c").encode() == held
    said, _ = opened(both["passport"], key)
    assert said["predicateType"] == "urn:fabriek:passport:v1"
    assert hashlib.sha256(before + b"\0" + after).hexdigest() == said["predicate"]["page"]["sha256"]
    if both["origin"]:
        origin, payload = opened(both["origin"], key)
        assert hashlib.sha256(payload).hexdigest() == said["predicate"]["made"]["statement"]["sha256"]
        assert said["subject"][0] in origin["subject"]
    return said


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    room = tmp_path_factory.mktemp("passport")
    database = a_database(room / "fabriek.db")
    house = House(a_town(database, room / "home"))
    job = house.job(house.max)
    house.version(
        house.max, {"model.safetensors": safetensors(), "README.md": b"# Tree"}, metrics={"auc": 0.9}, job=job
    )
    house.settle(job)
    _, page = house.services.passports.issue(house.slug, "tree", by=house.lena)
    key = base64.b64decode(house.services.passports.key())
    database.close()
    return page.encode(), key


def test_the_specification_is_enough_to_verify_one(issued: tuple[bytes, bytes]) -> None:
    page, key = issued
    said = verified(page, key)
    listed = said["predicate"]["files"]["list"]
    lines = "\n".join(f"{one['sha256']}  {one['path']}" for one in sorted(listed, key=lambda one: one["path"]))
    assert hashlib.sha256(lines.encode()).hexdigest() == said["subject"][0]["digest"]["sha256"]
    for changed in (page.replace(b"0.9", b"1.0"), page.replace(b"tree", b"bush", 1), page + b"\n"):
        with pytest.raises((AssertionError, ValueError, InvalidSignature)):
            verified(changed, key)


def test_the_specification_names_what_stands_in_the_page(issued: tuple[bytes, bytes]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "spec" / "passport.md").read_text("utf-8")
    for word in (OPEN.decode(), "application/vnd.in-toto+json", "urn:fabriek:passport:v1"):
        assert word in text
    assert OPEN in issued[0]

"""Envelopes: whatever was changed after signing is seen."""

import base64
import json

import pytest

from fabriek.kernel.dsse import envelope, opened, pre_authentication
from fabriek.kernel.errors import Damaged
from tests.factories.keyring import MemoryKeyring

SIGNER = MemoryKeyring()
PAYLOAD = b'{"subject":"model:tree@1","label":"special-category"}'


def test_the_bytes_that_are_signed_are_those_of_the_protocol() -> None:
    """The example of the DSSE protocol itself."""
    said = pre_authentication("http://example.com/HelloWorld", b"hello world")
    assert said == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_what_was_signed_opens() -> None:
    assert opened(envelope(PAYLOAD, SIGNER), SIGNER.public_key_bytes())["label"] == "special-category"


@pytest.mark.parametrize("place", range(0, len(PAYLOAD), 3))
def test_a_changed_payload_does_not_open(place: int) -> None:
    plain = json.loads(envelope(PAYLOAD, SIGNER))
    changed = bytearray(PAYLOAD)
    changed[place] ^= 1
    plain["payload"] = base64.b64encode(changed).decode()
    with pytest.raises(Damaged):
        opened(json.dumps(plain), SIGNER.public_key_bytes())


def test_another_type_does_not_open() -> None:
    plain = json.loads(envelope(PAYLOAD, SIGNER)) | {"payloadType": "text/plain"}
    with pytest.raises(Damaged):
        opened(json.dumps(plain), SIGNER.public_key_bytes())


def test_another_signer_does_not_open() -> None:
    with pytest.raises(Damaged):
        opened(envelope(PAYLOAD, MemoryKeyring(b"other")), SIGNER.public_key_bytes())


NO_ENVELOPES = [
    "", "[]", "{}", "null", '{"payload": "%%"}', '{"payload": "", "payloadType": 1, "signatures": [{}]}',
    '{"payload": "", "payloadType": "x", "signatures": []}',
]  # fmt: skip


@pytest.mark.parametrize("text", NO_ENVELOPES)
def test_what_is_no_envelope_is_damaged(text: str) -> None:
    with pytest.raises(Damaged):
        opened(text, SIGNER.public_key_bytes())

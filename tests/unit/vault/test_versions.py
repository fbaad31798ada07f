import json
from dataclasses import replace

import pytest

from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import Damaged
from fabriek.vault.versions import Facts, Record, Version, check_record, sign_record
from tests.factories.keyring import MemoryKeyring

KEYRING = MemoryKeyring()
FACTS = Facts(
    dataset="ds_1", version="ver_1", number=1, sequence=4, label="personal", organisation="org_1", manifest="obj_1",
    manifest_sha256="0" * 64, parent="", content_hash="1" * 64, files=2, size_bytes=10,
)  # fmt: skip


def a_version(record: Record) -> Version:
    return Version("ver_1", "ds_1", 1, FakeClock().now(), "per_1", record, 1, b"wrapped")


def checked(version: Version, sequence: int = 4) -> Facts:
    return check_record(version, KEYRING.public_key_bytes(), sequence)


def test_a_signed_record_is_believed() -> None:
    assert checked(a_version(sign_record(FACTS, KEYRING))) == FACTS


def test_every_changed_bit_of_a_record_is_seen() -> None:
    record = sign_record(FACTS, KEYRING)
    raw = record.text.encode()
    for position in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(Damaged):
            checked(a_version(replace(record, text=changed.decode("utf-8", "replace"))))
    for position in range(len(record.signature) * 8):
        forged = bytearray(record.signature)
        forged[position // 8] ^= 1 << position % 8
        with pytest.raises(Damaged):
            checked(a_version(replace(record, signature=bytes(forged))))


def test_a_record_with_a_lowered_label_is_seen() -> None:
    record = sign_record(FACTS, KEYRING)
    with pytest.raises(Damaged, match="not signed here"):
        checked(a_version(replace(record, text=record.text.replace("personal", "internal"))))


def test_a_record_of_another_installation_is_refused() -> None:
    with pytest.raises(Damaged, match="not signed here"):
        checked(a_version(sign_record(FACTS, MemoryKeyring(b"another"))))


@pytest.mark.parametrize("changed", [{"version": "ver_2"}, {"dataset": "ds_2"}, {"number": 2}])
def test_a_record_of_another_version_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(Damaged, match="another version"):
        checked(a_version(sign_record(replace(FACTS, **changed), KEYRING)))  # type: ignore[arg-type]


@pytest.mark.parametrize("newest", [3, 5])
def test_a_record_that_is_not_the_newest_is_refused(newest: int) -> None:
    with pytest.raises(Damaged, match="old copy"):
        checked(a_version(sign_record(FACTS, KEYRING)), newest)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"form": "fabriek-version-record-1"}', "{", '"form"', "1"])
def test_what_is_no_record_is_damaged_and_no_fault(text: str) -> None:
    with pytest.raises(Damaged):
        checked(a_version(Record(text, b"")))


def test_a_record_of_another_form_or_with_more_fields_is_not_readable() -> None:
    said = json.loads(sign_record(FACTS, KEYRING).text)
    for changed in ({**said, "form": "fabriek-version-record-2"}, {**said, "extra": 1}):
        with pytest.raises(Damaged, match="not readable"):
            checked(a_version(Record(json.dumps(changed), b"")))

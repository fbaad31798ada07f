"""A version: one immutable state of a dataset, and the signed record that says so."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from fabriek.kernel.errors import Damaged
from fabriek.kernel.signing import Signer, is_signed

FORM = "fabriek-version-record-1"
_PREFIX = b"fabriek/version-record\n"
"""In front of what is signed, so that a signature over a checkpoint or a statement is never one over a record."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the record says. `manifest_sha256` is of the sealed manifest, `content_hash` of what the files are, whatever the keys.

    `parent` is the version whose objects it reuses, or empty. `sequence` counts the records of a dataset and is repeated in the
    audit log: a record put back from an old copy has one that is too low.
    """

    dataset: str
    version: str
    number: int
    sequence: int
    label: str
    organisation: str
    manifest: str
    manifest_sha256: str
    parent: str
    content_hash: str
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Record:
    """The facts as they were signed. `text` is canonical JSON; it is compared and parsed, never rewritten."""

    text: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Version:
    """`wrapped_key` is the manifest's key under the dataset's epoch key number `epoch`; empty once the version was removed. `verified_at`: by
    then every byte of it had been read again and was sound.
    """

    id: str
    dataset: str
    number: int
    created_at: datetime
    created_by: str
    record: Record
    epoch: int
    wrapped_key: bytes
    removed_at: datetime | None = None
    verified_at: datetime | None = None

    @property
    def facts(self) -> Facts:
        """What the stored record says; whether it may be believed is `check_record`'s question. Raises Damaged."""
        return read_record(self.record.text)


def sign_record(facts: Facts, signer: Signer) -> Record:
    text = json.dumps({"form": FORM, **asdict(facts)}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Record(text, signer.sign(_PREFIX + text.encode()))


def read_record(text: str) -> Facts:
    """The facts, unchecked. Raises Damaged on what is not a record."""
    try:
        said = json.loads(text)
        return Facts(**{name: said[name] for name in said if name != "form" or said[name] != FORM})
    except (TypeError, ValueError):
        raise Damaged(
            "a version record is not readable", fix="restore it from a backup", where="version record"
        ) from None


def check_record(version: Version, public_key: bytes, newest_sequence: int) -> Facts:
    """The facts, if this installation signed them for this version and no newer record is known.

    `newest_sequence` is what the audit log says. Raises Damaged, naming what does not hold.
    """
    facts = read_record(version.record.text)
    where = f"{facts.version} record"
    if not is_signed(public_key, _PREFIX + version.record.text.encode(), version.record.signature):
        raise Damaged("a version record was not signed here", fix="fabriek audit verify", where=where)
    if (facts.version, facts.dataset, facts.number) != (version.id, version.dataset, version.number):
        raise Damaged("a version record belongs to another version", fix="fabriek audit verify", where=where)
    if facts.sequence != newest_sequence:
        raise Damaged(
            "a version record is not the newest: an old copy was put back", fix="fabriek audit verify", where=where
        )
    return facts

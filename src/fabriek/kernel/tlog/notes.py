"""Signed notes: text, and lines with signatures beneath it. Source: C2SP signed-note."""

import base64
import hashlib
from dataclasses import dataclass

from fabriek.kernel.errors import Damaged, InvalidInput
from fabriek.kernel.signing import Signer, is_signed

ED25519 = 1
COSIGNATURE = 4
"""Kinds of signature: a log's own, and a witness's with its time (C2SP tlog-cosignature)."""

SIGNATURES_MAX = 64
_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key that may sign notes, under a name."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart; not a fingerprint to trust."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        """As people pass it around: `name+id+key`."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def holds(self, message: bytes, signature: bytes) -> bool:
        return is_signed(self.public, message, signature)


@dataclass(frozen=True, slots=True)
class Note:
    """Text, which ends in a newline, and its signatures: (name, key id, signature)."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def signatures_of(self, key: NoteKey) -> list[bytes]:
        """What claims to be this key's: the caller verifies it over the message that its kind asks for."""
        return [signature for name, key_id, signature in self.signatures if (name, key_id) == (key.name, key.id)]

    def is_signed_by(self, key: NoteKey) -> bool:
        """Whether an Ed25519 signature of this key holds over the text. One bad signature of a known key spoils the note."""
        found = self.signatures_of(key)
        return bool(found) and all(key.holds(self.text.encode(), signature) for signature in found)


def parse_key(text: str) -> NoteKey:
    """Raises InvalidInput on what is not `name+id+key`, is of a kind we do not know, or does not match its id."""
    parts = text.strip().split("+", 2)
    try:
        raw = exact_base64(parts[2])
        key = NoteKey(parts[0], raw[0], raw[1:])
    except (IndexError, ValueError):
        raise InvalidInput(
            "this is not a verifier key", fix="give it as name+id+key, as `fabriek audit checkpoint --json` shows it"
        ) from None
    if (
        key.kind not in {ED25519, COSIGNATURE}
        or len(key.public) != 32
        or not _is_name(key.name)
        or str(key) != text.strip()
    ):
        raise InvalidInput("this verifier key does not match its own id", fix="copy the whole key again")
    return key


def sign_note(text: str, name: str, signer: Signer) -> str:
    """The note with one Ed25519 signature."""
    key = NoteKey(name, ED25519, signer.public_key_bytes())
    return f"{text}\n{signature_line(key, signer.sign(text.encode()))}"


def signature_line(key: NoteKey, signature: bytes) -> str:
    return f"{_DASH}{key.name} {base64.b64encode(key.id + signature).decode()}\n"


def parse_note(raw: str) -> Note:
    """The note without judging its signatures. Raises Damaged on what is not one."""
    text, gap, tail = raw.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or not text or lines.pop() != "" or not lines or len(lines) > SIGNATURES_MAX or not _is_plain(raw):
        raise Damaged("this is not a signed note", where="note")
    return Note(text + "\n", tuple(_signature(line) for line in lines))


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        raw = exact_base64(encoded)
    except ValueError:
        raw = b""
    if not line.startswith(_DASH) or not _is_name(name) or len(raw) < 5:
        raise Damaged("a signature line of the note is not readable", where="note")
    return name, raw[:4], raw[4:]


def exact_base64(text: str) -> bytes:
    """Raises ValueError on any spelling but the one that encoding writes: a signed thing has one form."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError(text)
    return raw


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(char.isspace() for char in name)


def _is_plain(raw: str) -> bool:
    return all(char >= " " or char == "\n" for char in raw)

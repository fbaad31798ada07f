import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fabriek.kernel.errors import Damaged, InvalidInput
from fabriek.kernel.tlog.checkpoints import Checkpoint, cosigned_at, read_checkpoint
from fabriek.kernel.tlog.notes import COSIGNATURE, ED25519, NoteKey, parse_key, parse_note, sign_note, signature_line
from tests.factories.keyring import MemoryKeyring

# The reference vector of signed notes, which every implementation checks itself against (Go module golang.org/x/mod, sumdb/note).
KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
WITNESS_KEY = NoteKey("witness.example/w1", COSIGNATURE, WITNESS.public_key().public_bytes_raw())


def cosigned(note: str, seconds: int) -> str:
    text = parse_note(note).text
    signed = WITNESS.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    return note + signature_line(WITNESS_KEY, seconds.to_bytes(8, "big") + signed)


def a_checkpoint() -> str:
    signer = MemoryKeyring()
    return sign_note(Checkpoint("fabriek/fab_test", 3, bytes(32)).text(), "fabriek/fab_test", signer)


def log_key() -> NoteKey:
    return NoteKey("fabriek/fab_test", ED25519, MemoryKeyring().public_key_bytes())


def test_the_reference_note_holds_and_its_key_reads_back() -> None:
    key = parse_key(KEY)
    assert str(key) == KEY
    assert parse_note(NOTE).is_signed_by(key)


def test_a_note_that_we_sign_has_the_form_of_the_specification() -> None:
    origin, size, root, empty, line, end = a_checkpoint().split("\n")
    assert (origin, size, base64.b64decode(root), empty, end) == ("fabriek/fab_test", "3", bytes(32), "", "")
    assert line.startswith("— fabriek/fab_test ")
    assert base64.b64decode(line.split(" ")[2])[:4] == log_key().id


def test_every_changed_bit_of_a_note_is_refused() -> None:
    raw = a_checkpoint().encode()
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            assert not parse_note(changed.decode()).is_signed_by(log_key())
        except (Damaged, UnicodeDecodeError):
            continue


def test_unknown_signatures_are_ignored_and_a_bad_one_of_a_known_key_spoils_the_note() -> None:
    stranger = NoteKey("fabriek/fab_test", ED25519, bytes(32))
    assert parse_note(a_checkpoint() + signature_line(stranger, bytes(64))).is_signed_by(log_key())
    assert not parse_note(a_checkpoint() + signature_line(log_key(), bytes(64))).is_signed_by(log_key())
    assert not parse_note(a_checkpoint()).is_signed_by(stranger)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "text\n",
        "text\n\n",
        "\n\n",
        "a\n\n— x AAAA",
        "a\n\n- x AAAAAAAA\n",
        "a\n\n— x  AAAAAAAA\n",
        "a\n\n— x !\n",
        "a\r\n\n— x AAAAAAAA\n",
        "a\n\n" + "— x AAAAAAAA\n" * 65,
    ],
)
def test_what_is_no_note_is_damaged(raw: str) -> None:
    with pytest.raises(Damaged):
        parse_note(raw)


@pytest.mark.parametrize(
    "text",
    ["", "x", "a+b", "a+00000000+AQ==", KEY[:-1], KEY.replace("c74f", "c74e"), "x y" + KEY, KEY.replace("+A", "+g")],
)
def test_a_key_that_does_not_match_its_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "o\n01\nAAAA\n",
        "o\n-1\n",
        "\n1\n",
        "o\n1\nAAAA\n",
        "o\n1\n" + base64.b64encode(bytes(31)).decode() + "\n",
        "o\n1\u0663\n" + "A" * 43 + "=\n",
    ],
)
def test_what_is_no_checkpoint_is_damaged(text: str) -> None:
    with pytest.raises(Damaged):
        read_checkpoint(parse_note(sign_note(text, "o", MemoryKeyring())))


def test_a_witness_says_when_it_saw_the_checkpoint() -> None:
    note = parse_note(cosigned(a_checkpoint(), 1_795_000_000))
    assert note.is_signed_by(log_key())
    assert cosigned_at(note, WITNESS_KEY) == datetime.fromtimestamp(1_795_000_000, UTC)


def test_a_witness_that_did_not_sign_this_is_none() -> None:
    assert cosigned_at(parse_note(a_checkpoint()), WITNESS_KEY) is None
    for changed in (
        cosigned(a_checkpoint(), 1_795_000_000).replace("\n3\n", "\n4\n"),
        a_checkpoint() + signature_line(WITNESS_KEY, bytes(72)),
        a_checkpoint() + signature_line(WITNESS_KEY, b"short"),
        cosigned(a_checkpoint(), 2**63),
    ):
        assert cosigned_at(parse_note(changed), WITNESS_KEY) is None

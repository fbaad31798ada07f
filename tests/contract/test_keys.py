"""What every holder of keys must do. The keyring file is the first; what differs between holders is in their unit tests."""

import multiprocessing
import stat
from pathlib import Path

import pytest

from fabriek.adapters.keys import KEYRING_FILE, FileKeyring
from fabriek.kernel.errors import Damaged, NotFound, WrongState
from fabriek.kernel.signing import is_signed
from tests.factories.keyring import MemoryKeyring

KEY = bytes(range(32))
Keyring = FileKeyring | MemoryKeyring


@pytest.fixture(params=["file", "memory"])
def keyring(request: pytest.FixtureRequest, tmp_path: Path) -> Keyring:
    return FileKeyring(tmp_path / "keys") if request.param == "file" else MemoryKeyring()


def test_a_wrapped_key_opens_with_its_context_and_no_other(keyring: Keyring) -> None:
    wrapped = keyring.wrap(KEY, b"epoch 1")
    assert KEY not in wrapped
    assert keyring.unwrap(wrapped, b"epoch 1") == KEY
    with pytest.raises(Damaged):
        keyring.unwrap(wrapped, b"epoch 2")


def test_every_changed_bit_of_a_wrapped_key_is_seen(keyring: Keyring) -> None:
    wrapped = keyring.wrap(KEY, b"here")
    for position in range(len(wrapped) * 8):
        changed = bytearray(wrapped)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(Damaged):
            keyring.unwrap(bytes(changed), b"here")


@pytest.mark.parametrize("stump", [b"", b"short", b"\0" * 12, b"\0" * 27])
def test_a_stump_of_a_wrapped_key_is_damaged_and_no_fault(keyring: Keyring, stump: bytes) -> None:
    with pytest.raises(Damaged):
        keyring.unwrap(stump, b"here")


def test_two_wraps_of_one_key_differ(keyring: Keyring) -> None:
    assert keyring.wrap(KEY, b"here") != keyring.wrap(KEY, b"here")


def test_a_signature_holds_for_its_message_and_key_only(keyring: Keyring) -> None:
    signature = keyring.sign(b"message")
    assert is_signed(keyring.public_key_bytes(), b"message", signature)
    assert not is_signed(keyring.public_key_bytes(), b"massage", signature)
    assert not is_signed(MemoryKeyring(seed=b"another").public_key_bytes(), b"message", signature)
    assert not is_signed(b"no key", b"message", signature)
    assert not is_signed(keyring.public_key_bytes(), b"message", b"no signature")


def test_the_keys_are_found_again_at_the_next_start(tmp_path: Path) -> None:
    first = FileKeyring(tmp_path / "keys")
    again = FileKeyring(tmp_path / "keys", create=False)
    assert again.unwrap(first.wrap(KEY, b"here"), b"here") == KEY
    assert again.installation_id == first.installation_id
    assert again.public_key_bytes() == first.public_key_bytes()


def test_only_the_owner_can_read_the_keys(tmp_path: Path) -> None:
    FileKeyring(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "keys" / KEYRING_FILE).stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "keys").iterdir()] == [KEYRING_FILE]


@pytest.mark.parametrize(("name", "mode"), [("", 0o750), (KEYRING_FILE, 0o640), (KEYRING_FILE, 0o604)])
def test_keys_that_others_can_read_are_refused(tmp_path: Path, name: str, mode: int) -> None:
    FileKeyring(tmp_path / "keys")
    (tmp_path / "keys" / name).chmod(mode)
    with pytest.raises(WrongState, match="open to other users"):
        FileKeyring(tmp_path / "keys")


def test_a_link_in_place_of_the_keyring_is_refused(tmp_path: Path) -> None:
    FileKeyring(tmp_path / "elsewhere")
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / KEYRING_FILE).symlink_to(tmp_path / "elsewhere" / KEYRING_FILE)
    with pytest.raises(WrongState):
        FileKeyring(tmp_path / "keys")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"form": "fabriek-keyring-1"}', '{"form": "another"}', "\0"])
def test_a_broken_keyring_is_damaged_and_is_not_replaced(tmp_path: Path, text: str) -> None:
    FileKeyring(tmp_path / "keys")
    (tmp_path / "keys" / KEYRING_FILE).write_text(text)
    with pytest.raises(Damaged):
        FileKeyring(tmp_path / "keys")
    assert (tmp_path / "keys" / KEYRING_FILE).read_text() == text


def test_a_home_that_lost_its_keys_does_not_quietly_get_new_ones(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        FileKeyring(tmp_path / "keys", create=False)
    assert not (tmp_path / "keys").exists()


def _public_key(folder: Path) -> bytes:
    return FileKeyring(folder).public_key_bytes()


def test_two_servers_that_start_at_once_end_with_the_same_keys(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert len(set(pool.map(_public_key, [tmp_path / "keys"] * 8, chunksize=1))) == 1

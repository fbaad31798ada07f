"""What every holder of keys must do, and below it what each does in its own way. Tokens and key servers are real ones."""

import base64
import itertools
import json
import multiprocessing
import stat
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from fabriek.adapters.keys import KEYRING_FILE, FileKeyring
from fabriek.adapters.keys_openbao import OpenBaoKeys
from fabriek.adapters.keys_pkcs11 import Pkcs11Keys
from fabriek.kernel.errors import Damaged, InvalidInput, NotFound, NotPermitted, Unavailable, WrongState
from fabriek.kernel.signing import is_signed, wrapped_under
from tests.factories.keyring import MemoryKeyring
from tests.servers.openbao import OpenBao
from tests.servers.softhsm import PIN, SoftHsm

KEY = bytes(range(32))
Keyring = FileKeyring | MemoryKeyring | Pkcs11Keys | OpenBaoKeys

_numbers = itertools.count()


@pytest.fixture(params=["file", "under a passphrase", "memory", "pkcs11", "openbao"])
def keyring(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keyring]:
    match request.param:
        case "file":
            yield FileKeyring(tmp_path / "keys")
        case "under a passphrase":
            made = FileKeyring(tmp_path / "keys")
            made.set_passphrase("correct horse")
            yield FileKeyring(tmp_path / "keys", passphrase="correct horse")
        case "memory":
            yield MemoryKeyring()
        case "pkcs11":
            hsm = request.getfixturevalue("soft_hsm")
            yield Pkcs11Keys(hsm.module, hsm.token(f"token-{next(_numbers)}"), PIN)
        case _:
            server, name = request.getfixturevalue("openbao_server"), f"key-{next(_numbers)}"
            token = server.owner(name)
            keys = OpenBaoKeys(server.url, lambda: token, name=name, ca=server.ca)
            yield keys
            keys.close()


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
    whose = keyring.current().encode() + b"\0"
    for wrapped in (stump, whose + stump, b"another/1\0" + stump, whose[:-1] + b"9\0" + stump):
        with pytest.raises(Damaged):
            keyring.unwrap(wrapped, b"here")


def test_two_wraps_of_one_key_differ(keyring: Keyring) -> None:
    assert keyring.wrap(KEY, b"here") != keyring.wrap(KEY, b"here")


def test_a_new_master_key_wraps_from_now_on_and_the_old_one_still_opens(keyring: Keyring) -> None:
    before, old = keyring.current(), keyring.wrap(KEY, b"here")
    assert wrapped_under(old) == before
    made = keyring.renew()
    assert made != before
    assert keyring.current() == made
    assert list(keyring.names()) == [before, made]
    assert wrapped_under(keyring.wrap(KEY, b"here")) == made
    assert keyring.unwrap(old, b"here") == KEY


def test_what_is_wrapped_under_a_destroyed_master_key_opens_nowhere(keyring: Keyring) -> None:
    before, old = keyring.current(), keyring.wrap(KEY, b"here")
    with pytest.raises(WrongState):
        keyring.destroy(before)
    keyring.renew()
    fresh = keyring.wrap(KEY, b"here")
    keyring.destroy(before)
    keyring.destroy(before)
    assert before not in keyring.names()
    with pytest.raises(Damaged):
        keyring.unwrap(old, b"here")
    assert keyring.unwrap(fresh, b"here") == KEY


def test_a_signature_holds_for_its_message_and_key_only() -> None:
    keyring = MemoryKeyring()
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
    # Its processes are told to end and waited for; a Pool's are killed at the exit, which may wait for ever.
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        assert len(set(pool.map(_public_key, [tmp_path / "keys"] * 8))) == 1


def test_a_keyring_under_a_passphrase_opens_with_it_alone(tmp_path: Path) -> None:
    keys = FileKeyring(tmp_path / "keys")
    wrapped, plain = keys.wrap(KEY, b"here"), (tmp_path / "keys" / KEYRING_FILE).read_text()
    keys.set_passphrase("correct horse")
    kept = (tmp_path / "keys" / KEYRING_FILE).read_text()
    assert json.loads(plain)["masters"]["1"] not in kept
    assert json.loads(plain)["signing"] not in kept
    for wrong in (None, "", "correct horsf"):
        with pytest.raises(NotPermitted, match="passphrase"):
            FileKeyring(tmp_path / "keys", passphrase=wrong)
    assert FileKeyring(tmp_path / "keys", passphrase="correct horse").unwrap(wrapped, b"here") == KEY


def test_a_passphrase_can_be_changed_and_taken_away(tmp_path: Path) -> None:
    keys = FileKeyring(tmp_path / "keys")
    wrapped = keys.wrap(KEY, b"here")
    for passphrase in ("first", "second"):
        keys.set_passphrase(passphrase)
    with pytest.raises(NotPermitted):
        FileKeyring(tmp_path / "keys", passphrase="first")
    FileKeyring(tmp_path / "keys", passphrase="second").set_passphrase("")
    assert FileKeyring(tmp_path / "keys").unwrap(wrapped, b"here") == KEY


def test_every_changed_bit_of_a_locked_keyring_is_seen(tmp_path: Path) -> None:
    FileKeyring(tmp_path / "keys").set_passphrase("correct horse")
    file = tmp_path / "keys" / KEYRING_FILE
    kept = json.loads(file.read_text())
    sealed = bytearray(base64.b64decode(kept["locked"]["sealed"]))
    for position in (0, len(sealed) // 2, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[position] ^= 1
        kept["locked"]["sealed"] = base64.b64encode(changed).decode()
        file.write_text(json.dumps(kept))
        with pytest.raises(NotPermitted):
            FileKeyring(tmp_path / "keys", passphrase="correct horse")


def test_a_locked_keyring_forgets_its_keys_until_it_hears_the_passphrase(tmp_path: Path) -> None:
    keys = FileKeyring(tmp_path / "keys")
    assert not keys.lock()
    keys.set_passphrase("correct horse")
    wrapped = keys.wrap(KEY, b"here")
    assert keys.lock()
    with pytest.raises(Unavailable, match="locked"):
        keys.unwrap(wrapped, b"here")
    assert is_signed(keys.public_key_bytes(), b"message", keys.sign(b"message"))
    with pytest.raises(NotPermitted):
        keys.unlock("wrong")
    with pytest.raises(Unavailable, match="locked"):
        keys.unwrap(wrapped, b"here")
    keys.unlock("correct horse")
    assert keys.unwrap(wrapped, b"here") == KEY


def test_a_master_key_that_another_server_renewed_is_seen(tmp_path: Path) -> None:
    one, other = FileKeyring(tmp_path / "keys"), FileKeyring(tmp_path / "keys")
    made = one.renew()
    assert other.current() == made
    assert other.unwrap(one.wrap(KEY, b"here"), b"here") == KEY


def test_a_keyring_of_the_first_form_is_read_and_kept_until_its_first_change(tmp_path: Path) -> None:
    FileKeyring(tmp_path / "keys")
    file = tmp_path / "keys" / KEYRING_FILE
    kept = json.loads(file.read_text())
    first = {
        "form": "fabriek-keyring-1", "installation": kept["installation"], "master": kept["masters"]["1"], "signing": kept["signing"],
    }  # fmt: skip
    file.write_text(json.dumps(first))
    keys = FileKeyring(tmp_path / "keys")
    wrapped = keys.wrap(KEY, b"here")
    assert json.loads(file.read_text()) == first
    keys.renew()
    assert FileKeyring(tmp_path / "keys").unwrap(wrapped, b"here") == KEY


def test_a_master_key_in_a_token_cannot_be_read_out_of_it(soft_hsm: SoftHsm) -> None:
    import pkcs11  # noqa: PLC0415  # absent where there is no token

    keys = Pkcs11Keys(soft_hsm.module, soft_hsm.token("closed"), PIN)
    keys.current()
    inside = keys._key(1)
    with pytest.raises(pkcs11.exceptions.AttributeSensitive):
        inside[pkcs11.Attribute.VALUE]
    assert inside[pkcs11.Attribute.EXTRACTABLE] is False


def test_a_token_that_is_away_or_refuses_the_pin_is_unavailable_and_is_found_again(soft_hsm: SoftHsm) -> None:
    for token, pin in (("no such token", PIN), (soft_hsm.token("strict"), "9999")):
        with pytest.raises(Unavailable, match="does not answer"):
            Pkcs11Keys(soft_hsm.module, token, pin).wrap(KEY, b"here")
    keys = Pkcs11Keys(soft_hsm.module, "late", PIN)
    with pytest.raises(Unavailable):
        keys.current()
    soft_hsm.token("late")
    assert keys.unwrap(keys.wrap(KEY, b"here"), b"here") == KEY


def test_two_tokens_are_used_side_by_side(soft_hsm: SoftHsm) -> None:
    one, other = (Pkcs11Keys(soft_hsm.module, soft_hsm.token(name), PIN) for name in ("house-a", "house-b"))
    wrapped = one.wrap(KEY, b"here")
    with pytest.raises(Damaged):
        other.wrap(KEY, b"here")
        other.unwrap(wrapped, b"here")
    assert one.unwrap(wrapped, b"here") == KEY


def test_a_key_server_that_is_sealed_is_unavailable_until_it_is_unsealed(openbao_server: OpenBao) -> None:
    token = openbao_server.owner("sealed")
    keys = OpenBaoKeys(openbao_server.url, lambda: token, name="sealed", ca=openbao_server.ca)
    wrapped = keys.wrap(KEY, b"here")
    openbao_server.seal()
    try:
        with pytest.raises(Unavailable, match="does not answer"):
            keys.unwrap(wrapped, b"here")
    finally:
        openbao_server.unseal()
    assert keys.unwrap(wrapped, b"here") == KEY
    keys.close()


def test_a_key_server_that_refuses_the_token_says_so_by_its_rule(openbao_server: OpenBao) -> None:
    token = openbao_server.owner("theirs")
    keys = OpenBaoKeys(openbao_server.url, lambda: token, name="theirs", ca=openbao_server.ca)
    wrapped = keys.wrap(KEY, b"here")
    openbao_server.revoke(token)
    with pytest.raises(NotPermitted) as refused:
        keys.unwrap(wrapped, b"here")
    assert refused.value.fields["rule"] == "keys.refused"
    keys.close()


def test_a_key_server_with_another_certificate_is_not_trusted(openbao_server: OpenBao) -> None:
    keys = OpenBaoKeys(openbao_server.url, lambda: "any", name="theirs")
    with pytest.raises(Unavailable):
        keys.wrap(KEY, b"here")
    keys.close()


def test_what_is_no_certificate_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no certificate"):
        OpenBaoKeys("https://keys.example", lambda: "any", ca="rubbish")


def test_keys_never_cross_the_network_in_plain() -> None:
    with pytest.raises(InvalidInput, match="in plain"):
        OpenBaoKeys("http://keys.example", lambda: "any")

"""What may be a password, and that hashing never takes more than its room."""

import threading

import pytest

from fabriek.access.login.passwords import HASHED_AT_ONCE, WAITING_MAX, Hashing, check_password
from fabriek.kernel.errors import InvalidInput, RateLimited


@pytest.mark.parametrize(
    "password",
    ["short", "elevenchars", "x" * 257, "password1234", "P@ssw0rd!2026", "Welkom2026!!", "123456789012", "qwertyuiop12", "aaaaaaaaaaaaaaaa",
     "abababababab", "correct horse battery staple", "olga has a long one", "my 0lga is a secret", "devries-1987-xyz", "abcdefghijklm",
     "Amsterdam2027!", "zomer zomer zomer"],
)  # fmt: skip
def test_what_is_guessed_first_is_refused_and_never_repeated(password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password(password, name="Olga de Vries", email="o.devries@factory.example")
    assert password not in f"{refused.value.detail} {refused.value.fix}"


@pytest.mark.parametrize("password", ["veldmuis trombone lantaarn", "Xk7#mQ9!vTz2pL", "ик люблю длинные слова"])
def test_what_is_ones_own_is_taken(password: str) -> None:
    check_password(password, name="Olga de Vries", email="o.devries@factory.example")


def test_the_hash_says_its_parameters() -> None:
    hashing = Hashing()
    kept = hashing.hash("veldmuis trombone lantaarn")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert hashing.is_of(kept, "veldmuis trombone lantaarn")
    assert not hashing.is_of(kept, "veldmuis trombone lantaarN")
    assert not hashing.is_of("", "veldmuis trombone lantaarn")
    assert not hashing.is_of("", "nobody's password")
    assert not hashing.is_of("not a hash", "x")


def test_who_comes_while_the_room_is_full_is_asked_to_come_back() -> None:
    hashing, gate, inside = Hashing(passes=1, memory_kib=1024), threading.Event(), []

    def hold() -> None:
        with hashing._turn():
            inside.append(1)
            gate.wait()

    threads = [threading.Thread(target=hold) for _ in range(HASHED_AT_ONCE + WAITING_MAX)]
    for thread in threads:
        thread.start()
    while hashing._room._value:
        threading.Event().wait(0.002)
    with pytest.raises(RateLimited):
        hashing.hash("veldmuis trombone lantaarn")
    assert len(inside) <= HASHED_AT_ONCE
    gate.set()
    for thread in threads:
        thread.join()
    assert hashing.hash("veldmuis trombone lantaarn")

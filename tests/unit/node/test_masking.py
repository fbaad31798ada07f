"""No secret gets through, however it is cut into pieces, and nothing else is lost."""

import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.node.logs import Log, LogFile
from fabriek.node.masking import Masking

SECRET = "s3cr3t-value"


def masked(secrets: list[str], *pieces: bytes) -> bytes:
    masking = Masking(secrets)
    return b"".join(masking.feed(piece) for piece in pieces) + masking.finish()


@pytest.mark.parametrize("cut", range(len(SECRET) + 1))
def test_a_secret_in_two_pieces_is_masked_wherever_it_is_cut(cut: int) -> None:
    whole = SECRET.encode()
    assert masked([SECRET], b"<" + whole[:cut], whole[cut:] + b">") == b"<***>"


def test_a_secret_byte_by_byte_is_masked() -> None:
    assert masked([SECRET], *(bytes([one]) for one in f"a {SECRET} b".encode())) == b"a *** b"


def test_what_cannot_be_the_beginning_of_a_secret_is_passed_on_at_once() -> None:
    masking = Masking([SECRET])
    assert masking.feed(b"step 1 of 9\n") == b"step 1 of 9\n"
    assert masking.feed(b"s3c") == b""
    assert masking.feed(b"ond") == b"s3cond"


def test_secrets_that_lie_in_each_other_leave_nothing_of_either() -> None:
    assert masked(["abcdefgh", "efghijkl"], b"-abcdefghijkl-") == b"-***-"
    assert masked(["abcdef", "abcdefghij"], b"abcdefgh", b"ij abcdefx") == b"*** ***x"


def test_a_long_run_of_one_letter_is_one_mask_and_is_not_held_back_for_ever() -> None:
    masking = Masking(["aaaaaa"])
    out = b"".join(masking.feed(b"a" * 100) for _ in range(50))
    assert len(masking._held) < 6
    assert out + masking.finish() == b"***"


def test_what_programs_make_of_a_secret_is_masked_too() -> None:
    key = '-----BEGIN KEY-----\nMII"line one\n-----END KEY-----\n'
    assert masked([key], repr(key).encode()) == b"'***'"
    assert masked([key], b'> MII"line one\n') == b"> ***\n"


def test_short_values_are_left_since_they_would_blot_out_everything() -> None:
    assert masked(["12345"], b"12345") == b"12345"


@given(
    st.lists(st.text("ab*", min_size=6, max_size=9), min_size=1, max_size=3),
    st.binary(max_size=60).map(lambda raw: bytes(b"ab*c"[one % 4] for one in raw)),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_pieces_make_no_difference_and_exactly_what_is_no_secret_stays(
    secrets: list[str], text: bytes, cuts: list[int]
) -> None:
    edges = [0, *sorted(cuts), len(text)]
    pieces = [text[start:stop] for start, stop in pairwise(edges)]
    covered = {
        place
        for word in {one.encode() for one in secrets}
        for start in range(len(text))
        if text.startswith(word, start)
        for place in range(start, start + len(word))
    }
    out = masked(secrets, *pieces)
    assert out == masked(secrets, text)
    kept = bytes(one for place, one in enumerate(text) if place not in covered)
    assert out.replace(b"*", b"") == kept.replace(b"*", b"")


def test_a_log_keeps_no_secret_and_remembers_none(tmp_path: Path) -> None:
    log = Log(LogFile(tmp_path / "log"), 10, [SECRET])
    log.add(b"one " + SECRET.encode()[:5])
    log.add(SECRET.encode()[5:] + b"\nlast " + SECRET.encode())
    log.finish()
    assert log.last_line() == "last ***"
    assert b"3cr3t" not in (tmp_path / "log").read_bytes()


def test_secrets_of_one_letter_in_a_text_of_it_take_no_more_memory_than_the_text() -> None:
    secrets, text = ["\n".join("a" * length for length in range(6, 30))], b"a" * 50_000
    tracemalloc.start()
    try:
        assert masked(secrets, text) == b"***"
        assert tracemalloc.get_traced_memory()[1] < 20 * len(text)
    finally:
        tracemalloc.stop()

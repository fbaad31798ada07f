"""What stands for a content, however its bytes come in and whether its zeros are holes."""

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.sealing.digests import BLOCK_BYTES, PIECE_BYTES, Digest, block_count, block_length, digest_of, zeros_hash
from tests.vectors.straight import digest_of as straight_digest_of
from tests.vectors.straight import hash_of_block

LARGE = BLOCK_BYTES + 1


@settings(deadline=None)
@given(
    runs=st.lists(
        st.tuples(st.booleans(), st.sampled_from([1, 77, 2**18, PIECE_BYTES - 1, PIECE_BYTES, 3 * PIECE_BYTES + 5])),
        max_size=6,
    ),
    is_large=st.booleans(),
)
def test_zeros_that_were_read_and_zeros_that_were_known_are_the_same(
    runs: list[tuple[bool, int]], *, is_large: bool
) -> None:
    said, body = Digest(LARGE if is_large else 5), b""
    for is_data, length in runs:
        if is_data:
            said.update(b"x" * length)
        else:
            said.zeros(length)
        body += (b"x" if is_data else b"\0") * length
    assert said.hexdigest() == (hash_of_block(body).hex() if is_large else hashlib.sha256(body).hexdigest())


def test_a_file_of_one_block_has_its_plain_sha256_and_a_larger_one_does_not() -> None:
    assert zeros_hash(BLOCK_BYTES, 0) == hashlib.sha256(bytes(BLOCK_BYTES)).hexdigest()
    assert zeros_hash(LARGE, 0) == hash_of_block(bytes(BLOCK_BYTES)).hex()
    assert zeros_hash(LARGE, 1) == hash_of_block(b"\0").hex() != hashlib.sha256(b"\0").hexdigest()


def test_blocks_make_up_the_file() -> None:
    assert [block_count(size) for size in (0, 1, BLOCK_BYTES, LARGE, 2 * BLOCK_BYTES)] == [0, 0, 0, 2, 2]
    assert [block_length(LARGE, number) for number in (0, 1)] == [BLOCK_BYTES, 1]
    blocks = [zeros_hash(LARGE, 0), "a" * 64]
    assert digest_of(blocks) == straight_digest_of(["", "a" * 64], LARGE)
